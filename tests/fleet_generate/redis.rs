//! The same on a real Redis.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use stekguard::keys::fleet::Recipient;
use tempfile::TempDir;

use crate::bench::{Fleet, SLOT, ids, sleep};

/// A Redis on a free port, without files; ended by its own number.
struct Redis {
    child: Child,
    port: u16,
}

impl Redis {
    fn start(port: Option<u16>) -> Self {
        for _ in 0..5 {
            let port = port.unwrap_or_else(|| {
                let listener = TcpListener::bind("127.0.0.1:0").unwrap();
                listener.local_addr().unwrap().port()
            });
            let number = port.to_string();
            let child = Command::new("redis-server")
                .args(["--port", &number, "--bind", "127.0.0.1", "--save", ""])
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("redis-server is missing: run tests/install_servers.sh");
            let mut redis = Self { child, port };
            let own = format!("process_id:{}\r\n", redis.child.id());
            for _ in 0..500 {
                if redis.child.try_wait().unwrap().is_some() {
                    break;
                }
                if redis.says("INFO server\r\n").contains(&own) {
                    return redis;
                }
                sleep(20);
            }
        }
        panic!("no redis-server");
    }

    fn says(&self, command: &str) -> String {
        let Ok(mut socket) = TcpStream::connect(("127.0.0.1", self.port)) else {
            return String::new();
        };
        socket
            .set_read_timeout(Some(Duration::from_millis(500)))
            .unwrap();
        let _ = socket.write_all(format!("{command}QUIT\r\n").as_bytes());
        let mut text = Vec::new();
        let _ = socket.read_to_end(&mut text);
        String::from_utf8_lossy(&text).into_owned()
    }

    fn fleet(&self, mode: &'static str) -> Fleet {
        let url = format!("redis://127.0.0.1:{}", self.port);
        Fleet::at(mode, url, TempDir::new_in("/dev/shm").unwrap())
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_flushed_redis_has_the_same_seeds_again() {
    let redis = Redis::start(None);
    let fleet = redis.fleet("per-host");
    let mut host = fleet.host("web1");
    let one = fleet.generator("one", &["--founding"]);
    let two = fleet.generator("two", &["--founding"]);
    fleet.whole(0);
    // Each has looked since: one that has not seen a claim yet may be first after the flush.
    sleep(SLOT / 2);
    let before = ids(&fleet.whole(0));
    assert!(redis.says("FLUSHALL\r\n").contains("+OK"));
    fleet.publish(&mut host, Recipient::random().unwrap());
    let after = fleet.healed(&host, &before);
    // Records expire: Redis itself says for how long they are kept.
    let epoch = *after.keys().next().unwrap();
    let ttl = redis.says(&format!("TTL stekguard:edge:key:0:{epoch}\r\n"));
    let ttl: u64 = ttl
        .lines()
        .next()
        .unwrap()
        .trim_start_matches(':')
        .parse()
        .unwrap();
    assert!((4..=20).contains(&ttl), "{ttl} s");
    drop((one, two));
}

#[test]
fn a_redis_that_is_stopped_for_a_slot_costs_no_seed() {
    let redis = Redis::start(None);
    let port = redis.port;
    let fleet = redis.fleet("fleet-key");
    let mut generator = fleet.generator("one", &["--founding"]);
    let before = ids(&fleet.whole(0));
    drop(redis);
    generator.says("seeds are kept");
    sleep(SLOT);
    let _redis = Redis::start(Some(port));
    generator.says("the store is back");
    fleet.whole(0);
    let again = fleet.again(&before);
    assert!(again.iter().all(|(epoch, id)| before[epoch] == *id));
    println!(
        "{} slots of before are back, of {}",
        again.len(),
        before.len()
    );
    let log = fs::read_to_string(fleet.path("one.log")).unwrap();
    for (epoch, id) in &before {
        let claimed = format!("slot 0:{epoch} claimed with seed {id}");
        let offered = log.matches(&claimed);
        let wiped = log.contains(&format!(
            "seed {id} of slot 0:{epoch} wiped: its slot is over"
        ));
        assert!(offered.count() == 2 || wiped, "slot {epoch}: {log}");
    }
}
