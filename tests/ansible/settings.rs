//! The modules take `stekguard.toml` as the commands do.

use std::fs;

use crate::playbook::Desk;
use crate::task;

/// Without tickets and with a bounded cache: nothing to do for the module's own default.
const CONFIGURATION: &str = "events {}\nhttp {\n    ssl_session_tickets off;\n    \
    ssl_session_cache shared:a:1m;\n    ssl_session_timeout 5m;\n    server {\n        listen 443 ssl;\n        \
    server_name a.test;\n        ssl_certificate a.pem;\n        \
    ssl_certificate_key a.key;\n    }\n}\n";

#[test]
fn settings_hold_where_the_task_says_nothing() {
    let desk = Desk::new();
    fs::create_dir(desk.at("nginx")).unwrap();
    fs::write(desk.at("nginx/nginx.conf"), CONFIGURATION).unwrap();
    let options = format!("path: {}\nvalidate: never", desk.text("nginx/nginx.conf"));
    let run = |more: &str| {
        let play = task(&desk, "resumption", &format!("{options}\n{more}"));
        desk.run(&play, &["--check", "--diff"])
    };
    run("").changed(0);

    // By name.
    fs::write(desk.at("other.toml"), "policy = \"no-resumption\"\n").unwrap();
    let config = format!("config: {}", desk.text("other.toml"));
    let named = run(&config);
    named.changed(1);
    assert!(
        named.said.contains("-    ssl_session_cache shared:a:1m;"),
        "{}",
        named.said
    );
    // The task is above the settings.
    run(&format!("{config}\npolicy: no-tickets")).changed(0);

    // The nearest one.
    fs::rename(desk.at("other.toml"), desk.at("stekguard.toml")).unwrap();
    run("").changed(1);
    run("isolated: true").changed(0);

    fs::write(desk.at("stekguard.toml"), "policy = \"sound\"\nplicy = 1\n").unwrap();
    let wrong = run("");
    assert_eq!(wrong.code, 2, "{}", wrong.said);
    assert!(wrong.said.contains("stekguard.toml:2"), "{}", wrong.said);
}
