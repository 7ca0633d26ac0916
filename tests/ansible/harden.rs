//! The role `harden` on running servers: nginx is reloaded, httpd is stopped and started where a
//! reload would end it, and what the server refuses is taken back.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use crate::playbook::{Desk, stekguard};
use crate::support::certs::{self, Pair};
use crate::support::client::{Kind, Manner, Target, connect};
use crate::support::install::{self, Program};
use crate::support::observe::{State, observe};
use crate::support::server::free_address;
use crate::support::{apache, nginx};

const NAME: &str = "example.org";
const PATIENCE: Duration = Duration::from_secs(20);

/// A configuration on disk, and the server for it where the play starts it.
struct Site {
    dir: PathBuf,
    root: PathBuf,
    program: Program,
    target: Target,
    arguments: Vec<String>,
}

impl Site {
    fn new(desk: &Desk, name: &str, program: Program) -> (Self, Pair) {
        let dir = desk.at(name);
        fs::create_dir(&dir).unwrap();
        let nonce = certs::nonce();
        let pair = certs::self_signed(&dir, "site", &[NAME], &nonce);
        let target = Target {
            address: free_address(),
            sni: Some(NAME.to_owned()),
            nonce,
        };
        let root = dir.join("server.conf");
        let site = Self {
            dir,
            root,
            program,
            target,
            arguments: Vec::new(),
        };
        (site, pair)
    }

    fn nginx(desk: &Desk) -> Self {
        let (mut site, pair) = Self::new(desk, "nginx", install::nginx_packaged());
        let http = format!(
            "    server {{\n        listen {} ssl;\n        server_name {NAME};\n        \
             ssl_protocols TLSv1.2 TLSv1.3;\n        ssl_certificate {};\n        \
             ssl_certificate_key {};\n    }}\n",
            site.target.address,
            pair.cert.display(),
            pair.key.display()
        );
        fs::write(&site.root, nginx::main_file(&site.dir, &http)).unwrap();
        site.arguments = nginx::arguments(&site.dir, &site.root);
        site
    }

    /// With a session cache, which `no-resumption` takes away: httpd does not survive that in a
    /// reload.
    fn apache(desk: &Desk) -> Self {
        let (mut site, pair) = Self::new(desk, "httpd", install::apache());
        let text = format!(
            "Listen {0}\nSSLSessionCache shmcb:{1}/cache(512000)\n<VirtualHost *:{2}>\n    \
             ServerName {NAME}\n    SSLEngine on\n    SSLCertificateFile {3}\n    \
             SSLCertificateKeyFile {4}\n</VirtualHost>\n",
            site.target.address,
            site.dir.display(),
            site.target.address.port(),
            pair.cert.display(),
            pair.key.display()
        );
        fs::write(&site.root, apache::main_file(&site.dir, &text)).unwrap();
        site.arguments = apache::arguments(&site.dir, &site.root);
        site
    }

    /// The server's program with more arguments, as a list for a play.
    fn argv(&self, more: &[&str]) -> String {
        let program = self.program.path.display().to_string();
        let words = [program].into_iter().chain(self.arguments.iter().cloned());
        let words = words.chain(more.iter().map(|word| (*word).to_owned()));
        let words: Vec<String> = words.map(|word| format!("{word:?}")).collect();
        format!("[{}]", words.join(", "))
    }

    fn seen(&self) -> State {
        observe(&Manner::default(), &self.target).unwrap().state
    }

    fn text(&self) -> String {
        fs::read_to_string(&self.root).unwrap()
    }

    /// httpd as a daemon, as a host runs it.
    fn start_httpd(&self) -> Daemon<'_> {
        let mut command = Command::new(&self.program.path);
        command.args(&self.arguments).args(["-k", "start"]);
        assert!(command.status().unwrap().success());
        let daemon = Daemon { site: self };
        until("httpd answers", || {
            connect(&self.target, Kind::Ticket12, None).is_ok()
        });
        daemon
    }

    fn pid(&self, file: &str) -> Option<u32> {
        let text = fs::read_to_string(self.dir.join(file)).ok()?;
        text.trim().parse().ok()
    }
}

/// Stops by its own pid what the play or the test has started.
struct Daemon<'a> {
    site: &'a Site,
}

impl Drop for Daemon<'_> {
    fn drop(&mut self) {
        let Some(pid) = self.site.pid("httpd.pid") else {
            return;
        };
        let _ = Command::new("kill").arg(pid.to_string()).status();
        let deadline = Instant::now() + PATIENCE;
        while alive(pid) && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(20));
        }
    }
}

fn alive(pid: u32) -> bool {
    // A daemon whose parent does not wait stays as a zombie, which is not alive.
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    !status.is_empty() && !status.contains("State:\tZ")
}

fn until(what: &str, done: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < deadline, "never: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// The role for one server, as an item of a play's roles.
fn role(server: &str, site: &Site, more: &str) -> String {
    let more: String = more.lines().map(|line| format!("    {line}\n")).collect();
    format!(
        "  - role: stekguard.tls.harden\n    harden_server: {server}\n    harden_path: [{}]\n    \
         harden_detect: false\n    harden_server_version: [\"{server}={}\"]\n    \
         harden_executable: {}\n    harden_test_command: {}\n{more}",
        site.root.display(),
        site.program.version,
        stekguard(),
        site.argv(&["-t"]),
    )
}

#[test]
fn nginx_is_reloaded_and_httpd_is_stopped_and_started() {
    let desk = Desk::new();
    let (web, site) = (Site::nginx(&desk), Site::apache(&desk));
    let old = site.text();
    let _nginx = nginx::serve(&web.program, &web.dir, &web.root, &web.target);
    let _httpd = site.start_httpd();
    let cached = State {
        id: "resumes",
        ..State::ON
    };
    assert_eq!((web.seen(), site.seen()), (State::ON, cached));
    let master = web.pid("nginx.pid").unwrap();
    let parent = site.pid("httpd.pid").unwrap();

    // Both uses of the role in one play: their handlers must not meet.
    let nginx = format!("harden_reload_command: {}", web.argv(&["-s", "reload"]));
    // `false` would end the play, so what must not happen is seen.
    let httpd = format!(
        "harden_policy: no-resumption\nharden_reload_command: [\"false\"]\n\
         harden_stop_command: {}\nharden_start_command: {}",
        site.argv(&["-k", "stop"]),
        site.argv(&["-k", "start"]),
    );
    let play = desk.play(&format!(
        "roles:\n{}{}",
        role("nginx", &web, &nginx),
        role("apache", &site, &httpd)
    ));

    let check = desk.run(&play, &["--check", "--diff"]);
    assert_eq!(check.code, 0, "{}", check.said);
    assert_eq!(site.text(), old, "check mode changed a file");
    assert!(!check.said.contains("RUNNING HANDLER"), "{}", check.said);

    let run = desk.run(&play, &[]);
    assert_eq!(run.code, 0, "{}", run.said);
    until("nginx has new workers", || web.seen() == State::OFF);
    assert_eq!(web.pid("nginx.pid"), Some(master), "nginx was reloaded");
    until("httpd answers again", || {
        connect(&site.target, Kind::Ticket12, None).is_ok()
    });
    assert_eq!(site.seen(), State::OFF);
    let now = site.pid("httpd.pid").unwrap();
    assert!(
        now != parent && alive(now) && !alive(parent),
        "{parent} {now}"
    );
    desk.run(&play, &[]).changed(0);

    // The same change by a reload: httpd's test passes, and httpd is gone.
    let new = site.text();
    drop(_httpd);
    until("httpd has ended", || !alive(now));
    fs::write(&site.root, &old).unwrap();
    let _again = site.start_httpd();
    let parent = site.pid("httpd.pid").unwrap();
    fs::write(&site.root, &new).unwrap();
    let test = Command::new(&site.program.path)
        .args(&site.arguments)
        .arg("-t")
        .status();
    assert!(test.unwrap().success(), "httpd's own test passes");
    let signal = Command::new("kill")
        .args(["-USR1", &parent.to_string()])
        .status();
    assert!(signal.unwrap().success());
    until("the reload has ended httpd", || !alive(parent));
}

#[test]
fn what_the_server_refuses_is_taken_back() {
    let desk = Desk::new();
    let site = Site::nginx(&desk);
    let old = site.text();
    let refuse = "harden_reload_command: [\"false\"]\n";
    let role = role("nginx", &site, refuse).replace(
        &format!("harden_test_command: {}", site.argv(&["-t"])),
        "harden_test_command: [sh, -c, \"echo 'emerg: no' >&2; exit 1\"]",
    );
    assert!(role.contains("emerg"), "{role}");
    let run = desk.run(&desk.play(&format!("roles:\n{role}")), &[]);
    assert_eq!(run.code, 2, "{}", run.said);
    assert!(
        run.said.contains("the change was taken back"),
        "{}",
        run.said
    );
    assert!(run.said.contains("emerg: no"), "{}", run.said);
    assert_eq!(site.text(), old);
    assert!(!run.said.contains("RUNNING HANDLER"), "{}", run.said);
}

#[test]
fn the_defaults_are_those_of_the_distribution() {
    let defaults = crate::playbook::project("ansible/roles/harden/defaults/main.yml");
    let text = fs::read_to_string(defaults).unwrap();
    for path in ["/etc/nginx/nginx.conf", "/etc/apache2/apache2.conf"] {
        assert!(text.contains(path), "{path}");
        assert!(Path::new(path).is_file(), "{path} is not Debian's");
    }
}
