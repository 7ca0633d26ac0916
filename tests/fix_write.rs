//! Writing, taking back and recovering, on real directories.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use stekguard::catalog::Server;
use stekguard::fix::{FixError, PlannedFile, Progress, Reason, State, list, recover, undo, write};
use stekguard::text::{Edit, EditSet, Span};

struct Place {
    _temporary: tempfile::TempDir,
    base: PathBuf,
    state: State,
}

fn place() -> Place {
    let temporary = tempfile::tempdir().unwrap();
    let base = fs::canonicalize(temporary.path()).unwrap();
    fs::create_dir(base.join("etc")).unwrap();
    let state = State::at(base.join("state"));
    Place {
        _temporary: temporary,
        base,
        state,
    }
}

impl Place {
    /// A file in `etc` with a plan that puts `# new` in front.
    fn file(&self, name: &str, text: &str) -> PlannedFile {
        let path = self.base.join("etc").join(name);
        fs::write(&path, text).unwrap();
        planned(&path)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.base.join("etc").join(name)).unwrap()
    }

    fn names(&self) -> Vec<String> {
        let found = fs::read_dir(self.base.join("etc")).unwrap();
        let mut names: Vec<String> = found
            .map(|item| item.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    fn entry(&self, id: u64) -> PathBuf {
        self.base.join(format!("state/journal/{id:08}"))
    }

    /// Makes an entry look as if its run had been cut there.
    fn cut(&self, id: u64, from: &str, to: &str) {
        let path = self.entry(id).join("entry.json");
        let json = fs::read_to_string(&path).unwrap();
        assert!(json.contains(&format!("\"{from}\"")));
        fs::write(
            &path,
            json.replace(&format!("\"{from}\""), &format!("\"{to}\"")),
        )
        .unwrap();
    }
}

fn planned(path: &Path) -> PlannedFile {
    let real = fs::canonicalize(path).unwrap();
    let before: Arc<[u8]> = fs::read(&real).unwrap().into();
    let mut round = EditSet::new();
    round
        .insert(Edit {
            span: Span::at(0),
            replacement: b"# new\n".to_vec(),
        })
        .unwrap();
    PlannedFile {
        paths: vec![Arc::from(path)],
        real: Some(real),
        server: Server::Nginx,
        after: round.apply(&before).unwrap().into(),
        before,
        rounds: vec![round],
        reasons: vec![Reason {
            span: Span::new(0, 6),
            rule: "a-rule",
            text: "so".into(),
        }],
        crowded: false,
    }
}

#[test]
fn writes_and_takes_back_step_by_step() {
    let place = place();
    let first = [place.file("a", "a\n"), place.file("b", "b")];
    let written = write(&first, &place.state, 1_700_000_000).unwrap();
    assert_eq!(written.files.len(), 2);
    assert_eq!(
        (place.read("a"), place.read("b")),
        ("# new\na\n".into(), "# new\nb".into())
    );
    assert_eq!(place.names(), ["a", "b"]);
    write(
        &[planned(&place.base.join("etc/a"))],
        &place.state,
        1_700_000_001,
    )
    .unwrap();
    assert_eq!(place.read("a"), "# new\n# new\na\n");

    let entries = list(&place.state).unwrap();
    assert_eq!(
        entries.iter().map(|e| (e.id, e.time)).collect::<Vec<_>>(),
        [(1, 1_700_000_000), (2, 1_700_000_001)]
    );
    assert_eq!(entries[0].files[0].rules, ["a-rule"]);
    assert!(
        entries
            .iter()
            .all(|entry| entry.progress == Progress::Applied)
    );

    assert_eq!(undo(&place.state, false).unwrap().id, 2);
    assert_eq!(place.read("a"), "# new\na\n");
    assert_eq!(undo(&place.state, false).unwrap().id, 1);
    assert_eq!(
        (place.read("a"), place.read("b")),
        ("a\n".into(), "b".into())
    );
    assert!(matches!(
        undo(&place.state, false),
        Err(FixError::NothingToUndo)
    ));
    assert_eq!(place.names(), ["a", "b"]);
    assert!(
        list(&place.state)
            .unwrap()
            .iter()
            .all(|entry| entry.progress == Progress::Undone)
    );
}

#[test]
fn the_journal_is_for_its_user_alone() {
    let place = place();
    write(&[place.file("a", "a\n")], &place.state, 1).unwrap();
    for dir in ["state", "state/journal", "state/journal/00000001"] {
        assert_eq!(
            fs::metadata(place.base.join(dir)).unwrap().mode() & 0o777,
            0o700,
            "{dir}"
        );
    }
    for item in fs::read_dir(place.entry(1)).unwrap() {
        let item = item.unwrap();
        assert_eq!(item.metadata().unwrap().mode() & 0o777, 0o600, "{item:?}");
    }
}

#[test]
fn symlinks_mode_and_owner_stay() {
    let place = place();
    place.file("real", "x\n");
    let real = place.base.join("etc/real");
    symlink("real", place.base.join("etc/link")).unwrap();
    fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
    // Owners can be given away by root alone.
    let as_root = chown(&real, Some(12), Some(34)).is_ok();
    let before = fs::metadata(&real).unwrap();
    for step in ["write", "undo"] {
        match step {
            "write" => {
                drop(write(&[planned(&place.base.join("etc/link"))], &place.state, 1).unwrap())
            }
            _ => drop(undo(&place.state, false).unwrap()),
        }
        let after = fs::symlink_metadata(&real).unwrap();
        assert_eq!(after.mode(), before.mode(), "{step}");
        assert_eq!(
            (after.uid(), after.gid()),
            (before.uid(), before.gid()),
            "{step}"
        );
        let link = fs::read_link(place.base.join("etc/link")).unwrap();
        assert_eq!(link, Path::new("real"), "{step}");
    }
    println!("owners changed by root: {as_root}");
}

/// Two files of one tree in a folder with a default ACL, written and taken back by the program
/// itself: the first has an ACL and labels of three kinds, the second has nothing but its mode.
/// `$1` program, `$2` folder, `$3` who, `$4` a label or nothing; shows the attributes.
#[cfg(target_os = "linux")]
const ATTRIBUTES: &str = r#"
set -e
mount -t tmpfs tmpfs "$2"
cd "$2"
cp "$1" tool
mkdir etc etc/conf.d
setfacl -d -m u:7:rwx,g:8:rwx etc etc/conf.d
printf 'events {}\nhttp {\n    ssl_certificate a.crt;\n    ssl_certificate_key a.key;\n    include conf.d/*.conf;\n    server {\n        listen 443 ssl;\n        ssl_session_tickets on;\n    }\n}\n' >etc/nginx.conf
printf 'server {\n    listen 444 ssl;\n    ssl_session_tickets on;\n}\n' >etc/conf.d/a.conf
setfacl -b etc/conf.d/a.conf
setfacl -b -m u:33:rw,u:34:r,g:12:r,m::r etc/nginx.conf
chown -R "$3:$3" .
setfattr() { python3 -c 'import os, sys; os.setxattr(sys.argv[1], sys.argv[2], sys.argv[3].encode())' "$@"; }
setfattr etc/nginx.conf user.note kept
for label in $4; do setfattr etc/nginx.conf "$label" system_u:object_r:httpd_config_t:s0; done
show() {
    echo "-- $1"
    getfacl -n -p etc/nginx.conf etc/conf.d/a.conf
    python3 -c '
import hashlib, os, sys
for path in sys.argv[1:]:
    names = sorted(os.listxattr(path))
    print(path, [(name, os.getxattr(path, name).hex()) for name in names])
    print(path, hashlib.sha256(open(path, "rb").read()).hexdigest(), os.stat(path).st_ino)
' etc/nginx.conf etc/conf.d/a.conf
}
tool() {
    code=0
    STEKGUARD_STATE_DIR="$PWD/state" NO_COLOR=1 setpriv --reuid "$who" --regid "$who" \
        --clear-groups ./tool "$@" >/dev/null 2>said || code=$?
    cat said >&2
    echo "$1 $code" >>codes
}
who=$3
touch said codes; chmod 666 said codes
show before
tool fix --write --isolated --server-version nginx=1.28.3 etc/nginx.conf
show written
tool undo
show undone
cat codes
"#;

#[cfg(target_os = "linux")]
struct Shown {
    /// What is shown before, after the write and after undo.
    parts: Vec<String>,
    /// The exit codes of both commands.
    codes: String,
    said: String,
}

#[cfg(target_os = "linux")]
fn with_attributes(who: &str, labels: &str) -> Shown {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let alone = ["--mount", "--propagation", "private", "/bin/sh", "-c"];
    let output = std::process::Command::new("unshare")
        .args(alone)
        .args([ATTRIBUTES, "attributes", env!("CARGO_BIN_EXE_stekguard")])
        .arg(folder.path())
        .args([who, labels])
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        output.status.success(),
        "this test needs root, setfacl (apt: acl), python3 and a tmpfs with attributes: {said}"
    );
    let text = String::from_utf8(output.stdout).unwrap();
    let (parts, codes) = text.split_at(text.rfind("fix ").unwrap());
    let parts = parts.split("-- ").skip(1);
    let parts = parts.map(|part| part.split_once('\n').unwrap().1.to_owned());
    Shown {
        parts: parts.collect(),
        codes: codes.replace('\n', " "),
        said,
    }
}

/// What is shown without the bytes' digest and the inode's number, which a write changes.
#[cfg(target_os = "linux")]
fn attributes(part: &str) -> String {
    let lines = part.lines().filter(|line| !is_digest(line));
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(target_os = "linux")]
fn is_digest(line: &str) -> bool {
    line.starts_with("etc/") && !line.ends_with(']')
}

/// POSIX ACLs and labels, on a tmpfs of this test's own: a write and an undo keep them, also
/// against what the folder gives to a new file.
#[test]
#[cfg(target_os = "linux")]
fn acls_and_labels_stay() {
    let labels = "security.selinux security.stekguard trusted.note";
    let cases = [("0", labels, 4), ("65534", "", 1)];
    for (who, labels, number) in cases {
        let shown = with_attributes(who, labels);
        let [before, written, undone] = &shown.parts[..] else {
            panic!("{:?}", shown.parts);
        };
        // They were there: the tools say so, not the program.
        for entry in ["user:33:rw-", "user:34:r--", "group:12:r--", "mask::r--"] {
            assert!(before.contains(entry), "{before}");
        }
        let names = ["user.", "security.", "trusted."];
        let count: usize = names
            .iter()
            .map(|name| before.matches(&format!("('{name}")).count())
            .sum();
        assert_eq!(count, number, "{before}");
        assert!(before.contains("system.posix_acl_access"), "{before}");
        assert!(before.contains("etc/conf.d/a.conf []"), "{before}");

        assert_eq!(shown.codes.trim(), "fix 0 undo 0", "{}", shown.said);
        let digests = |part: &str| -> Vec<String> {
            let lines = part.lines().filter(|line| is_digest(line));
            lines.map(str::to_owned).collect()
        };
        let (old, new) = (digests(before), digests(written));
        assert!(
            old.len() == 2 && old[0] != new[0] && old[1] != new[1],
            "{old:?} {new:?}"
        );
        assert_eq!(attributes(before), attributes(written), "user {who}");
        assert_eq!(attributes(before), attributes(undone), "user {who}");
        println!("user {who}: an ACL of 4 entries and {number} other attributes stay");
    }
}

/// A label that the user of the tool may see and not set: the file stays, with all its bytes.
#[test]
#[cfg(target_os = "linux")]
fn a_label_that_cannot_be_kept_stops_everything() {
    let shown = with_attributes("65534", "security.stekguard");
    assert_eq!(shown.codes.trim(), "fix 2 undo 2", "{}", shown.said);
    assert!(shown.said.contains("extended attributes"), "{}", shown.said);
    assert!(shown.said.contains("nginx.conf"), "{}", shown.said);
    assert!(shown.parts[0].contains("security.stekguard"));
    assert_eq!(shown.parts[0], shown.parts[1], "{}", shown.said);
}

#[test]
fn a_file_that_changed_stops_everything() {
    let place = place();
    let files = [place.file("a", "a\n"), place.file("b", "b\n")];
    fs::write(place.base.join("etc/a"), "other\n").unwrap();
    let error = write(&files, &place.state, 1).unwrap_err();
    assert!(
        matches!(&error, FixError::Changed(path) if path.ends_with("etc/a")),
        "{error}"
    );
    assert_eq!(
        (place.read("a"), place.read("b")),
        ("other\n".into(), "b\n".into())
    );
    assert_eq!(list(&place.state).unwrap(), []);
}

#[test]
fn undo_refuses_a_file_that_changed_since_unless_forced() {
    let place = place();
    write(
        &[place.file("a", "a\n"), place.file("b", "b\n")],
        &place.state,
        1,
    )
    .unwrap();
    fs::write(place.base.join("etc/b"), "later\n").unwrap();
    let error = undo(&place.state, false).unwrap_err();
    assert!(
        matches!(&error, FixError::ChangedSince(path) if path.ends_with("etc/b")),
        "{error}"
    );
    assert_eq!(place.read("a"), "# new\na\n");
    fs::remove_file(place.base.join("etc/a")).unwrap();
    assert!(undo(&place.state, false).is_err());
    undo(&place.state, true).unwrap();
    assert_eq!(
        (place.read("a"), place.read("b")),
        ("a\n".into(), "b\n".into())
    );
}

#[test]
fn hard_links_and_missing_files_are_refused() {
    let place = place();
    let file = place.file("a", "a\n");
    fs::hard_link(place.base.join("etc/a"), place.base.join("etc/twin")).unwrap();
    let error = write(&[file], &place.state, 1).unwrap_err();
    assert!(matches!(error, FixError::HardLinks(_)), "{error}");
    let mut nowhere = place.file("b", "b\n");
    nowhere.real = None;
    assert!(matches!(
        write(&[nowhere], &place.state, 1),
        Err(FixError::NoFile(_))
    ));
    let gone = place.file("c", "c\n");
    fs::remove_file(place.base.join("etc/c")).unwrap();
    let error = write(&[gone], &place.state, 1).unwrap_err();
    assert!(error.to_string().contains("etc/c"), "{error}");
    assert_eq!(list(&place.state).unwrap(), []);
}

/// The second file cannot be replaced: the first one is put back.
#[test]
fn a_failure_half_way_changes_nothing() {
    let place = place();
    // Written in reverse order: `good` first, then the one in the directory without room.
    let good = place.file("good", "g\n");
    let shut = place.base.join("etc/shut");
    fs::create_dir(&shut).unwrap();
    fs::write(shut.join("bad"), "b\n").unwrap();
    let bad = planned(&shut.join("bad"));
    // Immune to root, which may write into read-only directories: the waiting name is taken
    // by a directory as soon as the write asks for it.
    let waiting = shut.join(format!(".stekguard-{}-1-1.tmp", std::process::id()));
    fs::create_dir(&waiting).unwrap();
    let error = write(&[bad, good], &place.state, 1).unwrap_err();
    assert!(error.to_string().contains("shut/bad"), "{error}");
    assert_eq!(place.read("good"), "g\n");
    assert_eq!(fs::read_to_string(shut.join("bad")).unwrap(), "b\n");
    assert_eq!(place.names(), ["good", "shut"]);
    assert_eq!(
        list(&place.state).unwrap()[0].progress,
        Progress::RolledBack
    );
}

#[test]
fn a_read_only_place_is_one_clear_error() {
    // Root writes through permissions, so there the place is one that the kernel refuses.
    let place = place();
    let probe = place.base.join("etc/probe");
    fs::write(&probe, "x").unwrap();
    fs::set_permissions(&probe, fs::Permissions::from_mode(0o444)).unwrap();
    let as_root = fs::OpenOptions::new().append(true).open(&probe).is_ok();
    let path = match as_root {
        true => PathBuf::from("/proc/sys/kernel/ostype"),
        false => probe,
    };
    let error = write(&[planned(&path)], &place.state, 1).unwrap_err();
    assert!(
        error.to_string().contains(path.to_str().unwrap()),
        "{error}"
    );
    println!("{error}");
}

#[test]
fn an_interrupted_write_ends_as_all_old() {
    for replaced in 0..=2 {
        let place = place();
        let files = [place.file("a", "a\n"), place.file("b", "b\n")];
        write(&files, &place.state, 1).unwrap();
        // Renames go from the last file to the first; of `replaced` files the new bytes stand.
        let names = ["b", "a"];
        for (name, old) in names.iter().zip(["b\n", "a\n"]).skip(replaced) {
            fs::write(place.base.join("etc").join(name), old).unwrap();
        }
        place.cut(1, "applied", "applying");
        let recovered = recover(&place.state).unwrap();
        assert_eq!(recovered.len(), 1);
        assert_eq!(recovered[0].restored.len(), replaced);
        assert_eq!(
            (place.read("a"), place.read("b")),
            ("a\n".into(), "b\n".into())
        );
        assert_eq!(recover(&place.state).unwrap(), []);
        assert_eq!(
            list(&place.state).unwrap()[0].progress,
            Progress::RolledBack
        );
    }
}

#[test]
fn an_interrupted_undo_ends_as_all_old_and_the_next_command_does_it() {
    let place = place();
    let files = [place.file("a", "a\n"), place.file("b", "b\n")];
    write(&files, &place.state, 1).unwrap();
    fs::write(place.base.join("etc/b"), "b\n").unwrap();
    place.cut(1, "applied", "undoing");
    let ended = undo(&place.state, false).unwrap();
    assert_eq!(ended.files, [place.base.join("etc/a")]);
    assert!(ended.recovered[0].undone);
    assert_eq!(
        (place.read("a"), place.read("b")),
        ("a\n".into(), "b\n".into())
    );
    let again = write(&files, &place.state, 2).unwrap();
    assert_eq!((again.id, again.recovered), (2, vec![]));
}

#[test]
fn recovery_leaves_what_somebody_changed_since() {
    let place = place();
    write(
        &[place.file("a", "a\n"), place.file("b", "b\n")],
        &place.state,
        1,
    )
    .unwrap();
    fs::write(place.base.join("etc/b"), "theirs\n").unwrap();
    place.cut(1, "applied", "applying");
    let recovered = recover(&place.state).unwrap();
    assert_eq!(recovered[0].left, [place.base.join("etc/b")]);
    assert_eq!(
        (place.read("a"), place.read("b")),
        ("a\n".into(), "theirs\n".into())
    );
}

#[test]
fn a_damaged_or_unknown_journal_is_said_and_nothing_written() {
    let place = place();
    write(&[place.file("a", "a\n")], &place.state, 1).unwrap();
    let json = place.entry(1).join("entry.json");
    let good = fs::read_to_string(&json).unwrap();
    for bad in [
        "",
        "{",
        "[]",
        &good.replace("\"format\": 1", "\"format\": 2"),
    ] {
        fs::write(&json, bad).unwrap();
        let error = write(&[place.file("b", "b\n")], &place.state, 2).unwrap_err();
        assert!(matches!(error, FixError::Journal { .. }), "{error}");
        assert_eq!(place.read("b"), "b\n");
    }
}

/// Many instances at once: one writes, the others say so; nothing is torn.
#[test]
fn two_instances_at_once() {
    let place = place();
    let file = place.file("a", "a\n");
    let results: Vec<_> = std::thread::scope(|scope| {
        let write = || write(std::slice::from_ref(&file), &place.state, 1);
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(write)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    let done = results.iter().filter(|result| result.is_ok()).count();
    assert_eq!(done, 1, "{results:?}");
    let refused = |e: &FixError| matches!(e, FixError::Busy(_) | FixError::Changed(_));
    assert!(
        results
            .iter()
            .filter_map(|result| result.as_ref().err())
            .all(refused),
        "{results:?}"
    );
    assert_eq!(place.read("a"), "# new\na\n");

    let lock = fs::File::open(place.base.join("state/lock")).unwrap();
    lock.lock().unwrap();
    assert!(matches!(undo(&place.state, false), Err(FixError::Busy(_))));
    drop(lock);
    undo(&place.state, false).unwrap();
}

/// httpd reads every file of an included directory, dotfiles too: new bytes wait elsewhere.
#[test]
fn nothing_waits_in_a_crowded_directory() {
    let place = place();
    let mut file = place.file("a", "a\n");
    file.crowded = true;
    write(&[file], &place.state, 1).unwrap();
    let json = fs::read_to_string(place.entry(1).join("entry.json")).unwrap();
    let beside = format!("{}/etc/.stekguard", place.base.display());
    assert!(!json.contains(&beside), "{json}");
    assert_eq!(place.read("a"), "# new\na\n");
    undo(&place.state, false).unwrap();
    assert_eq!(place.read("a"), "a\n");
}
