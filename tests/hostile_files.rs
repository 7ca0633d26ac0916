//! Files that are no files, that lead nowhere or in circles, or that become something else while
//! they are read: one clear sentence and exit code 2, from every command and in every place that
//! takes a file; never a wait, a panic or "clean".
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod hostile;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use hostile::{httpd, is_root, nginx, run, run_as};
use stekguard::source::{Disk, FileSystem, Memory, Overlay, ReadError, Replacements};
use tempfile::TempDir;

fn pipe(path: &Path) {
    let made = Command::new("mkfifo").arg(path).status().expect("mkfifo");
    assert!(made.success());
}

/// A folder with one of each, and what is said of it.
fn menagerie() -> (TempDir, Vec<(&'static str, &'static str)>) {
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    pipe(&at("pipe"));
    symlink("pipe", at("to-pipe")).unwrap();
    UnixListener::bind(at("socket")).unwrap();
    symlink("loop", at("loop")).unwrap();
    symlink("ping", at("pong")).unwrap();
    symlink("pong", at("ping")).unwrap();
    symlink("nowhere", at("dangling")).unwrap();
    fs::create_dir(at("folder")).unwrap();
    symlink("..", at("folder/up")).unwrap();
    fs::File::create(at("huge"))
        .unwrap()
        .set_len(1 << 30)
        .unwrap();
    let mut all = vec![
        ("pipe", "not a regular file"),
        ("to-pipe", "not a regular file"),
        ("socket", "not a regular file"),
        ("/dev/zero", "not a regular file"),
        ("/dev/tty", "not a regular file"),
        ("/dev/full", "not a regular file"),
        ("loop", "symbolic links"),
        ("ping", "symbolic links"),
        ("dangling", "no such file"),
        ("folder", "director"),
        ("huge", "larger than"),
        ("/proc/self/mem", "error"),
    ];
    if is_root() {
        // The kernel's messages: who reads them waits for the next one.
        all.push(("/proc/kmsg", "would wait"));
    }
    (folder, all)
}

#[test]
fn as_the_file_that_is_named() {
    let (folder, all) = menagerie();
    fs::write(folder.path().join("nginx.conf"), nginx("")).unwrap();
    for (name, words) in all {
        for command in [
            &["lint", name][..],
            &["inspect", name],
            &["fix", name],
            &["lint", "--baseline", name, "nginx.conf"],
            &["lint", "--config", name, "nginx.conf"],
            &["config", "check", "--config", name],
            &["fix", "--write", name],
        ] {
            // A folder is searched where it is named by itself.
            let searched = name == "folder" && command.last() == Some(&"folder");
            let words = match (searched, words) {
                (true, _) => "",
                // Where a file is asked for, it may be said in the system's own words.
                (_, "no such file" | "error") => "",
                (_, words) => words,
            };
            // Settings are small: the limit is another, the sentence the same.
            run(folder.path(), command).refused(&format!("{command:?}"), words);
        }
    }
    // Nothing of it was changed.
    assert_eq!(
        fs::metadata(folder.path().join("huge")).unwrap().len(),
        1 << 30
    );
}

#[test]
fn as_an_include() {
    let (folder, all) = menagerie();
    for (name, words) in all {
        let words = if words == "error" { "" } else { words };
        let nginx_line = format!("include {name};");
        let httpd_line = format!("Include {name}");
        fs::write(folder.path().join("nginx.conf"), nginx(&nginx_line)).unwrap();
        fs::write(folder.path().join("httpd.conf"), httpd(&httpd_line)).unwrap();
        for command in ["lint", "inspect", "fix"] {
            for root in ["nginx.conf", "httpd.conf"] {
                let ran = run(folder.path(), &[command, root]);
                // httpd reads a folder as all that is in it, itself by `up` included.
                let words = match (root, name) {
                    ("httpd.conf", "folder") => "",
                    _ => words,
                };
                let what = format!("{command} {root}: {name}");
                ran.refused(&what, words);
                // The line is that of the include.
                let place = match (root, name) {
                    ("nginx.conf", _) => "nginx.conf:8:",
                    ("httpd.conf", "folder") => "",
                    _ => "httpd.conf:7:",
                };
                assert!(ran.err().contains(place), "{what}: {}", ran.err());
            }
        }
    }
}

#[test]
fn a_folder_full_of_them_is_searched_to_its_end() {
    let (folder, _) = menagerie();
    fs::write(folder.path().join("folder/nginx.conf"), nginx("")).unwrap();
    // A main file that cannot be read keeps the result from being clean; the rest is no main
    // file, and links between folders are not followed.
    let ran = run(folder.path(), &["lint", "."]);
    assert_eq!(ran.code, 1, "{}", ran.err());
    for name in ["httpd.conf", "apache2.conf"] {
        pipe(&folder.path().join(name));
    }
    let ran = run(folder.path(), &["lint", "."]);
    ran.refused("a search", "httpd.conf");
    ran.refused("a search", "apache2.conf");
}

#[test]
fn what_may_not_be_read_is_said() {
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    let open = |path: &Path, mode: u32| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    open(folder.path(), 0o755);
    fs::create_dir(at("closed")).unwrap();
    fs::write(at("closed/a.conf"), "server { listen 80; }\n").unwrap();
    fs::write(at("secret.conf"), "server { listen 80; }\n").unwrap();
    open(&at("closed"), 0o700);
    open(&at("secret.conf"), 0o600);
    fs::write(at("a.conf"), nginx("include secret.conf;")).unwrap();
    fs::write(at("b.conf"), nginx("include closed/*.conf;")).unwrap();
    fs::write(at("c.conf"), nginx("include closed/a.conf;")).unwrap();
    fs::write(at("e.conf"), nginx("include c*d/*.conf;")).unwrap();
    fs::write(at("f.conf"), nginx("include c*d/a.conf;")).unwrap();
    let optional = |name: &str| httpd(&format!("IncludeOptional {}", at(name).display()));
    fs::write(at("g.conf"), optional("closed/a.conf")).unwrap();
    fs::write(at("h.conf"), optional("closed/*.conf")).unwrap();
    fs::write(
        at("d.conf"),
        httpd(&format!("Include {}", at("closed").display())),
    )
    .unwrap();
    // Files of root, read by nobody; else this user's own files without leave to read.
    let nobody: &[&str] = match is_root() {
        true => &[
            "setpriv",
            "--reuid=65534",
            "--regid=65534",
            "--clear-groups",
        ],
        false => {
            open(&at("closed"), 0o000);
            open(&at("secret.conf"), 0o000);
            &[]
        }
    };
    // The binary may lie where nobody may look.
    let binary = at("stekguard");
    fs::copy(env!("CARGO_BIN_EXE_stekguard"), &binary).unwrap();
    open(&binary, 0o755);
    let letters = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let roots = letters.map(|letter| format!("{letter}.conf"));
    for root in roots.iter().map(String::as_str).chain(["secret.conf"]) {
        let output = Command::new(nobody.first().unwrap_or(&"env"))
            .args(nobody.get(1..).unwrap_or_default())
            .arg(&binary)
            .args(["lint", root])
            .current_dir(folder.path())
            .output()
            .unwrap();
        let err = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{root}: {err}");
        assert!(
            err.to_lowercase().contains("permission denied"),
            "{root}: {err}"
        );
    }
    open(&at("closed"), 0o700);
}

#[test]
fn a_file_that_grows_is_read_up_to_the_limit() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("grows.conf");
    fs::write(&path, "").unwrap();
    let done = AtomicBool::new(false);
    let limit = 1 << 20;
    thread::scope(|scope| {
        scope.spawn(|| {
            use std::io::Write;
            // From nothing past the limit, again and again.
            while !done.load(Ordering::Relaxed) {
                let mut file = fs::File::create(&path).unwrap();
                for _ in 0..40 {
                    file.write_all(&[b'#'; 64 << 10]).unwrap();
                }
            }
        });
        let disk = Disk::with_largest_file(limit);
        let mut outcomes = [0; 2];
        while outcomes.iter().any(|count| *count < 50) {
            match disk.read(&path) {
                Ok(bytes) => {
                    assert!(bytes.len() as u64 <= limit);
                    outcomes[0] += 1;
                }
                Err(ReadError::TooLarge { limit: 1_048_576 }) => outcomes[1] += 1,
                Err(other) => panic!("{other}"),
            }
        }
        done.store(true, Ordering::Relaxed);
        println!("read {}, refused {}", outcomes[0], outcomes[1]);
    });
}

/// Secrets are read as everything else is, into other memory.
#[test]
fn secrets_are_read_whole_or_not_at_all() {
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    let key: Vec<u8> = (0..80).collect();
    fs::write(at("key"), &key).unwrap();
    fs::write(at("empty"), "").unwrap();
    fs::write(at("large"), [1; 81]).unwrap();
    fs::create_dir(at("folder")).unwrap();
    pipe(&at("pipe"));
    symlink("key", at("link")).unwrap();
    let disk = Disk::with_largest_file(80);
    let read = |name: &str| disk.read_secret(&at(name)).map(|bytes| bytes.to_vec());
    assert_eq!(read("key").unwrap(), key);
    assert_eq!(read("link").unwrap(), key);
    assert!(read("empty").unwrap().is_empty());
    assert!(matches!(read("folder"), Err(ReadError::Directory)));
    assert!(matches!(read("pipe"), Err(ReadError::NotRegular)));
    assert!(matches!(read("gone"), Err(ReadError::NotFound)));
    let limit = ReadError::TooLarge { limit: 80 };
    assert_eq!(read("large").unwrap_err().to_string(), limit.to_string());
    // It says that it has no bytes, and has some: as one that grows meanwhile.
    let grows = Path::new("/proc/self/limits");
    let whole = Disk::default().read_secret(grows).unwrap();
    assert_eq!(whole.to_vec(), fs::read(grows).unwrap());
    assert!(matches!(
        disk.read_secret(grows),
        Err(ReadError::TooLarge { limit: 80 })
    ));

    // What is to be written in its place is read instead, by whatever name.
    let new = (fs::canonicalize(at("key")).unwrap(), Arc::from(&b"new"[..]));
    let replaced = Replacements::from_iter([new]);
    let overlay = Overlay::of(&disk, &replaced);
    for name in ["key", "link"] {
        assert_eq!(overlay.read_secret(&at(name)).unwrap().to_vec(), b"new");
    }
    assert_eq!(overlay.read_secret(&at("empty")).unwrap().to_vec(), b"");
    let memory = Memory::new([("/k", "text")]);
    assert_eq!(
        memory.read_secret(Path::new("/k")).unwrap().to_vec(),
        b"text"
    );
}

/// Between the listing of a folder and the opening of a file, the file becomes a pipe, a folder,
/// a loop, another text or nothing.
#[test]
fn files_that_become_something_else_never_stop_a_run() {
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("d")).unwrap();
    fs::write(at("d/b.conf"), "server { listen 81; }\n").unwrap();
    fs::write(at("nginx.conf"), nginx("include d/*.conf;")).unwrap();
    fs::write(at("httpd.conf"), httpd("Include d/*.conf")).unwrap();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            // Made beside it and renamed over it: at any moment something stands there.
            let (place, next) = (at("d/a.conf"), at("next"));
            let mut turn = 0;
            while !done.load(Ordering::Relaxed) {
                turn += 1;
                match turn % 4 {
                    0 => pipe(&next),
                    1 => symlink("a.conf", &next).unwrap(),
                    2 => fs::write(&next, "# nothing\n").unwrap(),
                    _ => symlink("/proc/self/status", &next).unwrap(),
                }
                fs::rename(&next, &place).unwrap();
                if turn % 5 == 0 {
                    fs::remove_file(&place).unwrap();
                }
            }
        });
        let mut codes = [0; 4];
        for round in 0..30 {
            let root = ["nginx.conf", "httpd.conf"][round % 2];
            let command = ["lint", "inspect", "fix"][round % 3];
            let ran = run(folder.path(), &[command, root]);
            codes[usize::try_from(ran.code).unwrap()] += 1;
        }
        done.store(true, Ordering::Relaxed);
        println!("exit codes 0 to 3: {codes:?}");
        assert_eq!(codes[3], 0);
    });
}

/// A name that is a pattern itself is still that file where it is named on the command line.
#[test]
fn names_that_look_like_patterns() {
    let folder = TempDir::new().unwrap();
    for name in [
        "*.conf",
        "[a].conf",
        "?",
        "{a,b}.conf",
        "-x.conf",
        "a\\b.conf",
        "~",
    ] {
        fs::write(folder.path().join(name), nginx("")).unwrap();
        let ran = run(folder.path(), &["lint", "--", name]);
        assert_eq!(ran.code, 1, "{name}: {}", ran.err());
        assert!(ran.err().contains(" in 1 file"), "{name}: {}", ran.err());
    }
    // nginx takes the words of an include for a pattern where they look like one.
    fs::write(folder.path().join("nginx.conf"), nginx("include [a].conf;")).unwrap();
    fs::write(folder.path().join("a.conf"), "server { listen 80; }\n").unwrap();
    let ran = run(folder.path(), &["lint", "nginx.conf"]);
    assert!(ran.err().contains(" in 2 files"), "{}", ran.err());
}

/// Folders of keys and journals that hold such things.
#[test]
fn keys_and_journals_that_are_no_files() {
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir_all(at("state/journal/00000001")).unwrap();
    pipe(&at("state/journal/00000001/entry.json"));
    let state = at("state").display().to_string();
    let set = format!("STEKGUARD_STATE_DIR={state}");
    for command in [&["undo"][..], &["undo", "--list"]] {
        let ran = run_as(folder.path(), &["env", &set], command);
        ran.refused(&format!("{command:?}"), "entry.json");
    }
    fs::remove_file(at("state/journal/00000001/entry.json")).unwrap();
    symlink("/dev/zero", at("state/journal/00000001/entry.json")).unwrap();
    run_as(folder.path(), &["env", &set], &["undo"]).refused("a device", "entry.json");

    fs::create_dir(at("keys")).unwrap();
    fs::set_permissions(at("keys"), fs::Permissions::from_mode(0o700)).unwrap();
    for name in ["state.json", "keys.conf"] {
        pipe(&at("keys").join(name));
    }
    let keys = at("keys").display().to_string();
    for command in ["status", "doctor", "rotate"] {
        let ran = run(
            folder.path(),
            &["keys", command, "--isolated", "--dir", &keys],
        );
        assert_ne!(ran.code, 0, "{command}: {}", ran.err());
    }
}
