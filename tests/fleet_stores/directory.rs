//! A folder: the contract, and files in it that mean harm.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use stekguard::keys::fleet::store::{Access, Claim, LARGEST, StoreError};

use crate::contract::{self, Way, now, read_one};

fn way(folder: &Path) -> Way {
    Way {
        url: format!("directory:{}", folder.display()),
        access: Access::default(),
    }
}

#[test]
fn a_directory_holds_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    contract::holds(&way(folder.path()), true);
    let left = fs::read_dir(folder.path()).unwrap();
    let names: Vec<_> = left.map(|it| it.unwrap().file_name()).collect();
    let strange = |it: &&std::ffi::OsString| it.to_str().unwrap().starts_with(".new-");
    assert_eq!(
        names.iter().find(strange),
        None,
        "nothing unfinished is left"
    );
}

#[test]
fn a_folder_is_made_for_its_owner_and_group() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("records");
    let mut store = way(&folder).open();
    // Not there is not empty.
    let missing = store.read(&["a".to_owned()]);
    assert!(
        matches!(missing, Err(StoreError::Down { .. })),
        "{missing:?}"
    );
    store.put("stekguard:f:key:1:2", b"x", now() + 60).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o7777;
    assert_eq!(mode(&folder), 0o750);
    assert_eq!(mode(&folder.join("stekguard_f_key_1_2")), 0o640);
    let deep = way(&parent.path().join("a/b"))
        .open()
        .put("a", b"x", now() + 60);
    assert!(matches!(deep, Err(StoreError::Down { .. })), "{deep:?}");
}

/// Links, pipes, folders, devices, sockets and noise under the names of records: nothing is
/// followed, nothing waits, and what is there is told apart from what is not.
#[test]
fn strange_files_are_neither_followed_nor_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir().unwrap();
    let secret = outside.path().join("secret");
    fs::write(&secret, b"not for you").unwrap();
    let at = |name: &str| folder.path().join(name);
    symlink(&secret, at("link")).unwrap();
    symlink("/dev/zero", at("zero")).unwrap();
    symlink(at("loop"), at("loop")).unwrap();
    symlink(at("nowhere"), at("dangling")).unwrap();
    let made = Command::new("mkfifo").arg(at("pipe")).status().unwrap();
    assert!(made.success());
    fs::create_dir(at("folder")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
    let noise = vec![0x5a; 1 << 20];
    fs::write(at("noise"), &noise).unwrap();
    let huge = fs::File::create(at("huge")).unwrap();
    huge.set_len(1 << 40).unwrap();
    fs::write(at("empty"), b"").unwrap();
    fs::write(at("cut"), b"stekrec1\0\0\0").unwrap();
    let mut store = way(folder.path()).open();
    let start = Instant::now();
    let strange = [
        "link", "zero", "loop", "dangling", "pipe", "folder", "socket", "empty",
    ];
    for name in strange {
        assert_eq!(read_one(&mut *store, name), Some(Vec::new()), "{name}");
        let claim = store.claim(name, b"mine", now() + 60).unwrap();
        assert_eq!(claim, Claim::Taken(Vec::new()), "{name}");
    }
    for name in ["noise", "huge"] {
        let read = read_one(&mut *store, name).unwrap();
        assert_eq!(read.len(), LARGEST + 1, "{name}");
    }
    assert_eq!(read_one(&mut *store, "cut").unwrap(), b"stekrec1\0\0\0");
    assert_eq!(read_one(&mut *store, "nothing"), None);
    // Over a link: the link goes, what it leads to stays.
    store.put("link", b"mine", now() + 60).unwrap();
    assert_eq!(read_one(&mut *store, "link").unwrap(), b"mine");
    assert_eq!(fs::read(&secret).unwrap(), b"not for you");
    store.put("pipe", b"mine", now() + 60).unwrap();
    assert_eq!(read_one(&mut *store, "pipe").unwrap(), b"mine");
    let refused = store.put("folder", b"mine", now() + 60);
    assert!(
        matches!(refused, Err(StoreError::Refused { .. })),
        "{refused:?}"
    );
    store.list("").unwrap();
    assert!(
        start.elapsed() < Duration::from_secs(3),
        "{:?}",
        start.elapsed()
    );
}

/// Writers race for a name that has just expired: still one winner.
#[test]
fn an_expired_name_has_one_next_owner() {
    let folder = tempfile::tempdir().unwrap();
    let way = way(folder.path());
    let barrier = Arc::new(Barrier::new(8));
    let threads: Vec<_> = (0..8)
        .map(|writer| {
            let (way, barrier) = (way.clone(), Arc::clone(&barrier));
            thread::spawn(move || {
                let mut store = way.open();
                let mut won = Vec::new();
                for round in 0..50 {
                    let name = format!("slot:{round}");
                    if writer == 0 {
                        store.put(&name, b"old", now() - 1).unwrap();
                    }
                    barrier.wait();
                    let record = format!("{writer}").into_bytes();
                    let claim = store.claim(&name, &record, now() + 300).unwrap();
                    won.push(claim == Claim::Written);
                }
                won
            })
        })
        .collect();
    let won: Vec<Vec<bool>> = threads.into_iter().map(|it| it.join().unwrap()).collect();
    let mut store = way.open();
    for round in 0..50 {
        let won = won.iter().map(|rounds| rounds[round]);
        let winners = won.enumerate().filter(|(_, won)| *won);
        let winners: Vec<usize> = winners.map(|(writer, _)| writer).collect();
        assert_eq!(winners.len(), 1, "round {round}");
        let stands = read_one(&mut *store, &format!("slot:{round}")).unwrap();
        assert_eq!(stands, winners[0].to_string().into_bytes());
    }
}

#[test]
fn writers_remove_what_has_long_expired_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = way(folder.path()).open();
    for at in 0..20 {
        store.put(&format!("old:{at}"), b"x", now() - 3600).unwrap();
        store.put(&format!("just:{at}"), b"x", now() - 5).unwrap();
        store.put(&format!("new:{at}"), b"x", now() + 3600).unwrap();
    }
    fs::write(folder.path().join("README.txt"), b"of the operator").unwrap();
    fs::write(folder.path().join("notes"), b"of the operator").unwrap();
    let left = || {
        let names = fs::read_dir(folder.path()).unwrap();
        let names = names.map(|it| it.unwrap().file_name().into_string().unwrap());
        names.filter(|it| !it.starts_with('.')).collect::<Vec<_>>()
    };
    // The first write of a new writer looks for them.
    way(folder.path())
        .open()
        .put("new:0", b"y", now() + 3600)
        .unwrap();
    let left = left();
    assert_eq!(left.len(), 42, "{left:?}");
    assert!(!left.iter().any(|name| name.starts_with("old_")));
}

/// A folder that may not be written to is refused, one whose lock is held answers in time.
#[test]
fn a_folder_that_cannot_be_used_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let mut way = way(folder.path());
    way.access.patience = Duration::from_millis(300);
    way.open().put("slot", b"old", now() - 1).unwrap();
    let lock = fs::File::create(folder.path().join(".lock")).unwrap();
    lock.lock().unwrap();
    let start = Instant::now();
    let mut store = way.open();
    let claim = store.claim("slot", b"new", now() + 60);
    assert!(matches!(claim, Err(StoreError::Down { .. })), "{claim:?}");
    // Once for the sweep, once for the claim.
    assert!(
        start.elapsed() < Duration::from_millis(1500),
        "{:?}",
        start.elapsed()
    );
    // What needs no removal needs no lock.
    assert_eq!(
        store.claim("free", b"new", now() + 60).unwrap(),
        Claim::Written
    );
    lock.unlock().unwrap();
    assert_eq!(
        store.claim("slot", b"new", now() + 60).unwrap(),
        Claim::Written
    );

    let file = folder.path().join("file");
    fs::write(&file, b"x").unwrap();
    let url = format!("directory:{}", file.display());
    let no_folder = Way { url, ..way.clone() }.open().read(&["a".to_owned()]);
    assert!(
        matches!(no_folder, Err(StoreError::Refused { .. })),
        "{no_folder:?}"
    );
    // The administrator writes everywhere.
    if rustix::process::geteuid().is_root() {
        return;
    }
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o500)).unwrap();
    let refused = way.open().put("a", b"x", now() + 60);
    assert!(
        matches!(refused, Err(StoreError::Refused { .. })),
        "{refused:?}"
    );
}
