//! From a static key file to keys that rotate, as docs/guides/fleet-migrate.md has it: the line
//! of the static key stays behind the include for one lifetime, and no session is lost.

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use crate::keys_bench::Bench;
use crate::support::certs;
use crate::support::client::Kind;
use crate::support::install;

const KINDS: [Kind; 2] = [Kind::Ticket12, Kind::Tls13];

#[test]
fn sessions_of_a_static_key_resume_until_its_line_goes() {
    for program in [install::nginx_packaged(), install::nginx_mainline()] {
        let bench = Bench::new(&program, "    ssl_session_timeout 18h;");
        let file = bench.dir.path().join("static.key");
        certs::ticket_key(&file, 80);
        let line = format!("ssl_session_ticket_key {};", file.display());
        let name = std::fs::read(&file).unwrap()[..16].to_vec();
        bench.configure(&format!("    {line}"), "ssl", "");
        let server = bench.serve();
        let old: Vec<_> = KINDS.iter().map(|kind| bench.session(*kind)).collect();
        for session in &old {
            assert_eq!(session.ticket[..16], name[..]);
        }

        // The include first, the static key behind it; then the keys, which reloads nginx.
        let both = format!("    include {{keys}}/*.conf;\n    {line}");
        bench.configure(&both, "ssl", "");
        bench.ran("init", &[]).ended(0);
        for (kind, session) in KINDS.iter().zip(&old) {
            assert!(bench.resumes(*kind, session), "{kind:?}");
            let new = bench.session(*kind);
            let ticket = &new.ticket;
            assert_ne!(
                ticket[..16],
                name[..],
                "{kind:?}: the static key still encrypts"
            );
            assert!(bench.slot_of(ticket).is_some(), "{kind:?}");
        }
        // Rotations leave the line alone.
        bench.ran("rotate", &[]).ended(0);
        assert!(
            KINDS
                .iter()
                .zip(&old)
                .all(|(kind, session)| bench.resumes(*kind, session))
        );

        // One lifetime later: the line goes, and with it the old sessions.
        bench.configure("    include {keys}/*.conf;", "ssl", "");
        let kept: Vec<_> = KINDS.iter().map(|kind| bench.session(*kind)).collect();
        let hang_up = Command::new("kill")
            .args(["-HUP", &bench.pid().to_string()])
            .status();
        assert!(hang_up.unwrap().success());
        let resumes = || {
            KINDS
                .iter()
                .zip(&old)
                .any(|(kind, session)| bench.resumes(*kind, session))
        };
        let start = Instant::now();
        while resumes() {
            assert!(
                start.elapsed() < Duration::from_secs(30),
                "the static key still opens tickets"
            );
            thread::sleep(Duration::from_millis(50));
        }
        assert!(
            KINDS
                .iter()
                .zip(&kept)
                .all(|(kind, session)| bench.resumes(*kind, session))
        );
        drop(server);
    }
}
