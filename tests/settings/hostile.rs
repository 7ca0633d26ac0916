//! Bad settings: one clear sentence with file and line, exit code 2, and never a crash.

use std::fs;
use std::os::unix::fs::symlink;
use std::time::{Duration, Instant};

use crate::binary::{Run, run, tree};

const ROOT: &[u8] = b"events {}\n";

/// Lints a sound root beside these settings.
fn lint(settings: &[u8]) -> Run {
    let folder = tree(&[("nginx.conf", ROOT), ("stekguard.toml", settings)]);
    let start = Instant::now();
    let run = run(folder.path(), &["lint", "nginx.conf"]);
    assert!(start.elapsed() < Duration::from_secs(20), "too slow");
    assert!(!run.err.contains("panicked"), "{run:?}");
    run
}

fn refused(settings: &[u8], line: u32, words: &str) {
    let run = lint(settings);
    assert_eq!(run.code, 2, "{run:?}");
    let place = format!("stekguard.toml:{line}: ");
    let first = run.err.lines().next().unwrap_or_default();
    assert!(
        first.contains(&place) && first.contains(words),
        "{words}: {run:?}"
    );
}

#[test]
fn a_sound_file_is_no_fault() {
    assert_eq!(lint(b"").code, 0);
    assert_eq!(
        lint(b"\xef\xbb\xbf# a mark first\r\npolicy = \"sound\"\r\n").code,
        0
    );
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    refused(b"\npolcy = \"sound\"\n", 2, "unknown key `polcy`");
    refused(b"policy = \"sonud\"\n", 1, "`sonud` is none of");
    refused(b"policy = 3\n", 1, "not an integer");
    refused(
        b"[output]\nfail-on = \"error\"\n",
        2,
        "unknown key `fail-on` in `output`",
    );
    refused(b"key_age = \"1x\"\n", 1, "is not a period");
    refused(b"key_age = 3600\n", 1, "a period in quotes");
    refused(b"exclude = \"a\"\n", 1, "a list of texts");
    refused(b"exclude = [\"a\", 1]\n", 1, "a list of texts");
    refused(b"[root]\npath = \"a\"\n", 1, "write [[root]]");
    refused(b"[[root]]\nkind = \"nginx\"\n", 1, "has no `path`");
    refused(
        b"[[root]]\npath = \"a\"\nkind = \"iis\"\n",
        3,
        "`iis` is none of",
    );
    refused(
        b"[[root]]\npath = \"a\"\nversions = [\"new\"]\n",
        3,
        "not a version",
    );
    refused(
        b"[[root]]\npath = \"a\"\ncontext = \"https\"\n",
        3,
        "`https` is none of",
    );
    refused(
        b"[[root]]\npath = \"a\"\ndefines = [\"A B\"]\n",
        3,
        "is not of the form",
    );
    refused(
        b"[[root]]\npath = \"a\"\nmodules = [\"ssl\"]\n",
        3,
        "no module's name",
    );
    refused(
        b"[[path_map]]\ndeployed = \"etc\"\nrepository = \"x\"\n",
        2,
        "not an absolute path",
    );
    refused(
        b"[rules]\n\ndead-ticket = \"off\"\n",
        3,
        "no rule is called `dead-ticket`",
    );
    refused(b"[rules]\ndead-tickets = \"of\"\n", 2, "`of` is none of");
    refused(
        b"[[override]]\npaths = []\n[override.rules]\nx = \"off\"\n",
        4,
        "no rule is called",
    );
    refused(b"[rotation]\nlifetime = \"20h\"\n", 2, "would be lost");
    refused(
        b"lifetime_error = \"9h\"\n",
        1,
        "is below `lifetime_warning`",
    );
    refused(b"[rotation]\ninterval = \"0s\"\n", 2, "longer than 0s");
    refused(b"[rotation]\nahead = -1\n", 2, "a whole number");
    refused(
        b"[rotation]\nprevious = 4294967296\n",
        2,
        "a whole number from 0 to 4294967295, not 4294967296",
    );
    // Also where the command line names another format.
    refused(b"[output]\nformat = \"jsn\"\n", 2, "`jsn` is none of text");
    refused(
        b"policy = \"sound\"\npolicy = \"sound\"\n",
        2,
        "this is not TOML",
    );
    refused(b"a = 1\n[[[", 2, "this is not TOML");
    refused(b"a\x00 = 1\n", 1, "this is not TOML");
}

#[test]
fn hints_say_what_was_meant() {
    let hint = |settings: &[u8]| lint(settings).err;
    assert!(hint(b"polcy = \"sound\"\n").contains("did you mean `policy`?"));
    assert!(hint(b"[output]\nfail-on = \"error\"\n").contains("did you mean `fail_on`?"));
    assert!(hint(b"policy = \"no-ticket\"\n").contains("did you mean `no-tickets`?"));
    assert!(hint(b"[rules]\ndead-ticket = \"off\"\n").contains("did you mean `dead-tickets`?"));
    assert!(hint(b"qqqqqqqqqqqq = 1\n").contains("the keys here are policy, "));
    let two = hint(b"aa = 1\nbb = 2\ncc = 3\n");
    assert!(
        two.contains("(and 2 more; `stekguard config check` lists them)"),
        "{two}"
    );
}

#[test]
fn noise_is_refused_quickly() {
    let mut state = 88_172_645_463_325_252_u64;
    let mut noise = Vec::with_capacity(1 << 20);
    while noise.len() < 1 << 20 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        noise.extend_from_slice(&state.to_le_bytes());
    }
    let run = lint(&noise);
    assert_eq!(run.code, 2);
    assert!(
        run.err.contains("stekguard.toml:1: the file is not UTF-8"),
        "{run:?}"
    );
    let text: Vec<u8> = noise.iter().map(|byte| b' ' + byte % 94).collect();
    assert_eq!(lint(&text).code, 2);
    // A megabyte that is TOML: unknown keys, a deep nest, one long line.
    let keys: String = (0..60_000)
        .map(|number| format!("k{number} = {number}\n"))
        .collect();
    let run = lint(keys.as_bytes());
    assert_eq!(run.code, 2);
    assert!(
        run.err.contains("unknown key `k0`") && run.err.len() < 4000,
        "{}",
        run.err.len()
    );
    assert_eq!(
        lint(format!("a = {}", "[".repeat(1 << 20)).as_bytes()).code,
        2
    );
    assert_eq!(
        lint(format!("{} = 1", "a.".repeat(100_000) + "a").as_bytes()).code,
        2
    );
    let long = lint(format!("{} = 1\n", "x".repeat(1 << 20)).as_bytes());
    assert!(
        long.code == 2 && long.err.len() < 4000,
        "{}",
        long.err.len()
    );
    let large = lint(&vec![b'#'; 5 << 20]);
    assert_eq!(large.code, 2);
    assert!(
        large.err.contains("it is larger than 4194304 bytes"),
        "{large:?}"
    );
}

#[test]
fn what_is_not_utf8_is_named_by_line() {
    refused(b"policy = \"sound\"\n# caf\xe9\n", 2, "not UTF-8");
}

#[test]
fn what_cannot_be_read_is_said() {
    let folder = tree(&[("nginx.conf", ROOT)]);
    let settings = folder.path().join("stekguard.toml");
    let said = |words: &str| {
        let run = run(folder.path(), &["lint", "nginx.conf"]);
        assert_eq!(run.code, 2, "{run:?}");
        let first = run.err.lines().next().unwrap_or_default();
        assert!(
            first.contains("stekguard.toml: ") && first.contains(words),
            "{run:?}"
        );
    };
    fs::create_dir(&settings).unwrap();
    said("it is a directory");
    fs::remove_dir(&settings).unwrap();
    symlink("stekguard.toml", &settings).unwrap();
    said("symbolic link");
    fs::remove_file(&settings).unwrap();
    symlink("nothing-there", &settings).unwrap();
    said("no such file or directory");
    fs::remove_file(&settings).unwrap();
    let pipe = std::process::Command::new("mkfifo").arg(&settings).status();
    assert!(pipe.unwrap().success());
    said("not a regular file");
    fs::remove_file(&settings).unwrap();
    let missing = run(
        folder.path(),
        &["lint", "--config", "none.toml", "nginx.conf"],
    );
    assert_eq!(missing.code, 2);
    assert!(
        missing.err.contains("none.toml: no such file"),
        "{missing:?}"
    );
    // A document says it too.
    let json = run(
        folder.path(),
        &[
            "lint",
            "--format",
            "json",
            "--config",
            "none.toml",
            "nginx.conf",
        ],
    );
    assert_eq!(json.code, 2);
    let document: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(document["complete"], false);
}

/// Settings for a path that is not there would say nothing of it.
#[test]
fn settings_of_a_missing_path_are_an_error() {
    let folder = tree(&[("nginx.conf", ROOT)]);
    for command in ["check", "show"] {
        let ran = run(
            folder.path(),
            &["config", command, "nginx.conf", "nignx.conf"],
        );
        assert_eq!(ran.code, 2, "{ran:?}");
        let line = ran.err.lines().next().unwrap_or_default();
        assert!(
            line.contains("nignx.conf: there is no such file"),
            "{ran:?}"
        );
        let ran = run(folder.path(), &["config", command, "nginx.conf"]);
        assert_eq!(ran.code, 0, "{ran:?}");
    }
}

/// Settings of which a file's own permissions keep the reader out, as a user who is not root.
#[test]
fn unreadable_settings_are_said() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tree(&[("nginx.conf", ROOT), ("stekguard.toml", b"")]);
    let open = fs::Permissions::from_mode(0o755);
    fs::set_permissions(folder.path(), open).unwrap();
    let closed = fs::Permissions::from_mode(0o000);
    fs::set_permissions(folder.path().join("stekguard.toml"), closed).unwrap();
    let binary = folder.path().join("binary");
    fs::copy(env!("CARGO_BIN_EXE_stekguard"), &binary).unwrap();
    let root = run(folder.path(), &["config", "check"]).code == 0;
    let mut command = match root {
        true => {
            let mut command = std::process::Command::new("setpriv");
            command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
            command.arg(&binary);
            command
        }
        false => std::process::Command::new(&binary),
    };
    let output = command
        .args(["lint", "nginx.conf"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{err}");
    assert!(err.contains("stekguard.toml: permission denied"), "{err}");
}
