//! For which versions something is judged, and how that is said.

use crate::{SOUND, TICKETS_ON, at, run, tree};

/// A server with the old way of turning TLS on.
const SSL_ON: &str = "\
events {}
http {
    ssl_session_tickets off;
    server {
        listen 443;
        ssl on;
        ssl_certificate a.pem;
        ssl_certificate_key a.key;
    }
}
";

#[test]
fn a_given_version_decides() {
    let directory = tree(&[("nginx.conf", SSL_ON.as_bytes())]);
    let root = at(&directory, "nginx.conf");
    let lint = |version: &str| run(&["lint", "--server-version", version, &root]);
    assert_eq!(lint("nginx=1.25.0").code, 0);
    let removed = lint("nginx=1.25.1");
    assert_eq!(removed.code, 1, "{}", removed.err);
    assert!(
        removed.out.contains("error[directive-not-in-version]"),
        "{}",
        removed.out
    );
    assert!(
        !removed.out.contains("holds for"),
        "the only version: {}",
        removed.out
    );

    let several = lint("nginx=1.22.1,1.28.3");
    assert_eq!(several.code, 1);
    assert!(
        several.out.contains("holds for nginx 1.28.3"),
        "{}",
        several.out
    );
}

#[test]
fn an_unknown_version_is_judged_at_every_boundary() {
    let directory = tree(&[("nginx.conf", SSL_ON.as_bytes())]);
    let run = run(&["lint", &at(&directory, "nginx.conf")]);
    assert_eq!(run.code, 1);
    assert!(
        run.out.contains("holds for nginx from 1.25.1"),
        "{}",
        run.out
    );
    assert!(run.err.contains("--server-version"), "{}", run.err);
}

#[test]
fn a_directive_in_use_says_that_the_version_has_it() {
    let text = TICKETS_ON.replace(
        "listen",
        "ssl_session_tickets off; ssl_reject_handshake on; listen",
    );
    let directory = tree(&[("nginx.conf", text.as_bytes())]);
    let root = at(&directory, "nginx.conf");
    let unknown = run(&["lint", &root]);
    assert_eq!(
        (unknown.code, unknown.out.as_str()),
        (0, ""),
        "{}",
        unknown.err
    );
    // Said otherwise, it is a finding.
    let old = run(&["lint", "--server-version", "nginx=1.18.0", &root]);
    assert_eq!(old.code, 1);
    assert!(old.out.contains("directive-not-in-version"), "{}", old.out);
}

/// Asks the installed servers: needs nginx, as the live tests do.
#[test]
fn the_installed_server_is_asked() {
    let directory = tree(&[("nginx.conf", TICKETS_ON.as_bytes())]);
    let run = run(&[
        "inspect",
        "--detect",
        "--format",
        "json",
        &at(&directory, "nginx.conf"),
    ]);
    assert_eq!(
        run.code, 0,
        "tests/install_servers.sh installs nginx: {}",
        run.err
    );
    let document: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    let said = std::process::Command::new("nginx").arg("-v").output();
    let said = said.or_else(|_| {
        std::process::Command::new("/usr/sbin/nginx")
            .arg("-v")
            .output()
    });
    let said = String::from_utf8(said.unwrap().stderr).unwrap();
    let version = &document["servers"][0]["version"];
    assert_eq!(version["source"], "detected");
    assert!(
        said.contains(&format!("nginx/{}", version["value"].as_str().unwrap())),
        "{said}"
    );
}

#[test]
fn inspect_says_where_the_version_comes_from() {
    let directory = tree(&[("nginx.conf", TICKETS_ON.as_bytes())]);
    let root = at(&directory, "nginx.conf");
    let source = |arguments: &[&str]| {
        let mut all = vec!["inspect", "--format", "json"];
        all.extend_from_slice(arguments);
        all.push(&root);
        let run = run(&all);
        assert_eq!(run.code, 0, "{}", run.err);
        let document: serde_json::Value = serde_json::from_str(&run.out).unwrap();
        let server = &document["servers"][0];
        (server["version"].clone(), server["library"].clone())
    };
    let (version, library) = source(&[]);
    assert_eq!(version["source"], "assumed");
    assert_eq!(library["source"], "assumed");
    let (version, library) = source(&[
        "--server-version",
        "nginx=1.22.1,1.26.2",
        "--server-version",
        "openssl=1.1.1",
    ]);
    assert_eq!(
        version,
        serde_json::json!({"value": "1.26.2", "source": "flag"})
    );
    assert_eq!(
        library,
        serde_json::json!({"value": "openssl 1.1.1", "source": "flag"})
    );
    let (version, _) = source(&["--package", "nginx=1.22.1-9+deb12u11"]);
    assert_eq!(
        version,
        serde_json::json!({"value": "1.22.1", "source": "flag"})
    );
}

#[test]
fn a_version_outside_the_known_range_is_said() {
    let directory = tree(&[("nginx.conf", SOUND.as_bytes())]);
    let root = at(&directory, "nginx.conf");
    let old = run(&["lint", "--server-version", "nginx=1.16.1", &root]);
    assert_eq!(old.code, 2, "what it does is not known: {}", old.err);
    assert!(
        old.err.contains("nginx 1.16.1 is older than 1.18.0"),
        "{}",
        old.err
    );
    let inspect = run(&["inspect", "--server-version", "nginx=1.16.1", &root]);
    assert_eq!(inspect.code, 2, "{}", inspect.err);
    let new = run(&["lint", "--server-version", "nginx=9.0.0", &root]);
    assert_eq!(new.code, 0, "{}", new.err);
    assert!(new.err.contains("nginx 9.0.0 is newer than"), "{}", new.err);

    let on = tree(&[("nginx.conf", TICKETS_ON.as_bytes())]);
    let root = at(&on, "nginx.conf");
    let fix = run(&["fix", "--server-version", "nginx=1.16.1", &root]);
    assert_eq!((fix.code, fix.out.as_str()), (2, ""), "{}", fix.err);
}
