//! The generated units are sound for systemd itself: `systemd-analyze verify` accepts each, and
//! the sandbox is what the documentation says.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn generated(folder: &Path, more: &[&str]) -> Vec<PathBuf> {
    let done = Command::new(env!("CARGO_BIN_EXE_stekguard"))
        .args(["keys", "units", "--write"])
        .arg(folder)
        .args(more)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert_eq!(done.status.code(), Some(0), "{said}");
    assert!(said.contains("systemctl enable --now"), "{said}");
    let entries = fs::read_dir(folder).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// What systemd says of units; empty when all is well. Its path is searched for other units, so
/// a server's own unit is put beside them where the machine has none.
fn verified(folder: &Path, units: &[PathBuf]) -> String {
    for server in ["nginx", "apache2"] {
        let unit = folder.join(format!("{server}.service"));
        fs::write(unit, "[Service]\nType=oneshot\nExecStart=/bin/true\n").unwrap();
    }
    let output = Command::new("systemd-analyze")
        .args(["verify", "--man=no"])
        .args(units)
        .env("SYSTEMD_UNIT_PATH", format!("{}:", folder.display()))
        .output()
        .expect("systemd-analyze is missing: run tests/install_servers.sh");
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(output.status.success(), "{said}");
    said
}

#[test]
fn systemd_accepts_every_unit() {
    let strange = "sh -c 'a \"b\" $HOME %i; c \\ d'";
    for more in [
        &[][..],
        &[
            "--service",
            "nginx",
            "--interval",
            "10m",
            "--skew",
            "1m",
            "--lifetime",
            "2h",
        ],
        &[
            "--dir",
            "/run/my-keys/a.b/nginx",
            "--metrics-file",
            "/var/lib/node/keys.prom",
        ],
        &[
            "--reload-command",
            strange,
            "--check",
            "[::1]:443=a.example",
            "--cache",
            "10m",
        ],
        &["--scheduled-reload", "24h"],
        &["--scheduled-reload", "12h", "--service", "apache2"],
    ] {
        let folder = tempfile::tempdir().unwrap();
        let units = generated(folder.path(), more);
        assert!(units.len() == 4 || units.len() == 2, "{units:?}");
        let said = verified(folder.path(), &units);
        assert!(said.trim().is_empty(), "{more:?}: {said}");
        for unit in &units {
            println!("accepted {}", unit.file_name().unwrap().to_string_lossy());
        }
    }
}

#[test]
fn a_broken_unit_is_not_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let units = generated(folder.path(), &[]);
    let service = units
        .iter()
        .find(|path| path.ends_with("stekguard-keys-nginx.service"))
        .unwrap();
    let text = fs::read_to_string(service).unwrap();
    fs::write(
        service,
        text.replace("Type=oneshot", "Type=sometimes\nNoSuchKey=1"),
    )
    .unwrap();
    let said = verified(folder.path(), &units);
    assert!(
        said.contains("sometimes") && said.contains("NoSuchKey"),
        "{said}"
    );
}

#[test]
fn what_was_asked_for_is_passed_on_and_closed_in() {
    let folder = tempfile::tempdir().unwrap();
    generated(
        folder.path(),
        &[
            "--interval",
            "30m",
            "--previous",
            "37",
            "--reload-command",
            "a %b $c",
        ],
    );
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    let service = read("stekguard-keys-nginx.service");
    for words in [
        "--interval 30m",
        "--previous 37",
        "--reload-command \"a %%b $$c\"",
        "ProtectSystem=strict",
        "NoNewPrivileges=yes",
        "MemoryDenyWriteExecute=yes",
        "LimitCORE=0",
        "LimitMEMLOCK=infinity",
        "After=run-stekguard-keys.mount nginx.service",
    ] {
        assert!(service.contains(words), "no {words} in\n{service}");
    }
    let boot = read("stekguard-keys-nginx-boot.service");
    assert!(boot.contains("Before=nginx.service"), "{boot}");
    assert!(boot.contains("--leave-server"), "{boot}");
    let mount = read("run-stekguard-keys.mount");
    assert!(mount.contains("Where=/run/stekguard/keys\n"), "{mount}");
    assert!(read("stekguard-keys-nginx.timer").contains("OnUnitActiveSec=150s"));
}

#[test]
fn lint_counts_on_a_scheduled_reload() {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    // A key in memory, which a reload replaces.
    let server = "server { listen 443 ssl; ssl_certificate a.pem; ssl_certificate_key a.key; }";
    let plain = put(
        "plain.conf",
        &format!("events {{}}\nhttp {{ ssl_session_timeout 1h; {server} }}\n"),
    );
    let httpd = put(
        "httpd.conf",
        "Listen 443\nSSLSessionCacheTimeout 300\n<VirtualHost *:443>\nServerName a.test\n\
         SSLEngine on\nSSLCertificateFile a.pem\n</VirtualHost>\n",
    );
    let settings = folder.path().join("settings.toml");
    let found = |root: &Path| {
        let output = Command::new(env!("CARGO_BIN_EXE_stekguard"))
            .args(["lint", "--rule", "tickets-without-rotation", "--config"])
            .arg(&settings)
            .args([
                "--server-version",
                "nginx=1.28.3",
                "--server-version",
                "apache=2.4.62",
            ])
            .arg(root)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(matches!(output.status.code(), Some(0 | 1)), "{output:?}");
        text.contains("tickets-without-rotation")
    };
    for (text, expected) in [
        ("", true),
        ("[rotation]\nscheduled_reload = \"24h\"\n", false),
        ("[rotation]\nscheduled_reload = \"25h\"\n", true),
        (
            "key_age = \"7d\"\n[rotation]\nscheduled_reload = \"25h\"\n",
            false,
        ),
    ] {
        fs::write(&settings, text).unwrap();
        for root in [&plain, &httpd] {
            assert_eq!(found(root), expected, "{} with {text:?}", root.display());
        }
    }
}

#[test]
fn httpd_is_told_what_is_better() {
    let done = Command::new(env!("CARGO_BIN_EXE_stekguard"))
        .args(["keys", "units", "--layout", "apache48"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert_eq!(done.status.code(), Some(2), "{said}");
    assert!(said.contains("SSLSessionTickets off"), "{said}");
    assert!(said.contains("--scheduled-reload"), "{said}");
    assert!(done.stdout.is_empty());
}

/// The service of a fleet's generator: credentials where the settings name some, a user of its
/// own where no file is in the way.
#[cfg(feature = "fleet")]
#[test]
fn systemd_accepts_the_unit_of_a_generator() {
    let cases = [
        (
            "signing_key = \"credential:signing.key\"\nstore_password_file = \"credential:store\"\n",
            "rediss://keys.example.com",
            &[
                "DynamicUser=yes",
                "LoadCredential=signing.key:/etc/stekguard/signing.key",
            ][..],
        ),
        (
            "signing_key = \"one key.pem\"\n",
            "directory:/var/lib/stekguard/store",
            &["User=root", "ReadWritePaths=/var/lib/stekguard/store"][..],
        ),
        (
            "signing_key = \"agent:ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\"\n",
            "redis://127.0.0.1",
            &["User=root", "Environment=SSH_AUTH_SOCK=/run/agent.sock"][..],
        ),
    ];
    for (key, store, expected) in cases {
        let folder = tempfile::tempdir().unwrap();
        let units = folder.path().join("units");
        fs::create_dir(&units).unwrap();
        let settings = folder.path().join("a b.toml");
        let text = format!("[fleet]\nname = \"edge\"\nstore = [\"{store}\"]\n{key}");
        fs::write(&settings, text).unwrap();
        let done = Command::new(env!("CARGO_BIN_EXE_stekguard"))
            .args(["keys", "units", "--generator", "--write"])
            .arg(&units)
            .args([
                "--metrics-listen",
                "127.0.0.1:9100",
                "--isolated",
                "--config",
            ])
            .arg(&settings)
            .env("SSH_AUTH_SOCK", "/run/agent.sock")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert_eq!(done.status.code(), Some(0), "{said}");
        let unit = units.join("stekguard-generate-edge.service");
        let text = fs::read_to_string(&unit).unwrap();
        let start = format!(
            "keys generate --config \"{}\" --metrics-listen 127.0.0.1:9100 --isolated\n",
            settings.display()
        );
        let always = [
            start.as_str(),
            "LimitMEMLOCK=infinity\n",
            "LimitCORE=0\n",
            "CapabilityBoundingSet=\n",
            "Restart=always\n",
        ];
        for line in always.iter().chain(expected) {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
        let said = verified(&units, &[unit]);
        assert!(said.trim().is_empty(), "{said}");
    }
}
