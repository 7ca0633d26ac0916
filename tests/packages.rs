//! Every package built out of a clean copy, installed into a clean place, and run there.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

#[path = "packages/hooks.rs"]
mod hooks;
#[path = "packages/workshop.rs"]
#[allow(unreachable_pub)]
mod workshop;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use workshop::{alone, command, copy, finish, is_root, works};

#[test]
fn the_debian_package_lies_where_debian_wants_it() {
    let built = finish(&mut command("packaging/build_deb.sh")).ok();
    let package = PathBuf::from(built.lines().last().unwrap());
    assert!(package.is_file(), "{built}");
    println!(
        "{}: {} bytes",
        package.display(),
        package.metadata().unwrap().len()
    );

    // Unpacked: files and modes.
    let dir = TempDir::new().unwrap();
    let root = dir.path();
    finish(Command::new("dpkg-deb").arg("-x").arg(&package).arg(root)).ok();
    for path in [
        "usr/bin/stekguard",
        "usr/share/bash-completion/completions/stekguard",
        "usr/share/zsh/vendor-completions/_stekguard",
        "usr/share/fish/vendor_completions.d/stekguard.fish",
        "usr/share/man/man1/stekguard.1.gz",
        "usr/share/man/man1/stekguard-lint.1.gz",
        "usr/share/doc/stekguard/copyright",
        "usr/share/doc/stekguard/changelog.Debian.gz",
        "usr/share/doc/stekguard/README.md",
    ] {
        assert!(root.join(path).is_file(), "{path}");
    }
    let listed = finish(Command::new("dpkg-deb").arg("-c").arg(&package)).ok();
    for line in listed.lines() {
        let expected = match line {
            _ if line.starts_with('d') => "drwxr-xr-x",
            _ if line.contains("/usr/bin/") => "-rwxr-xr-x",
            _ => "-rw-r--r--",
        };
        assert!(line.starts_with(expected), "{line}");
        assert!(
            line.contains(" 0/0 ") || line.contains(" root/root "),
            "{line}"
        );
    }
    works(&root.join("usr/bin/stekguard"));
    let field = |name: &str| {
        let mut dpkg = Command::new("dpkg-deb");
        finish(dpkg.arg("-f").arg(&package).arg(name))
            .ok()
            .trim()
            .to_owned()
    };
    assert_eq!(field("Package"), "stekguard");
    assert_eq!(field("Version"), format!("{}-1", env!("CARGO_PKG_VERSION")));
    // What the binary is linked with, the package depends on.
    let mut readelf = command("readelf");
    let needed = finish(readelf.arg("-d").arg(root.join("usr/bin/stekguard"))).ok();
    let depends = field("Depends");
    for (library, package) in [("libc.so", "libc6"), ("libssl.so", "libssl3")] {
        let depended = depends.contains(package);
        assert_eq!(depended, needed.contains(library), "{depends}\n{needed}");
    }
    installed_and_removed(&package);
}

/// By dpkg itself into an empty root, and out of it again. The empty root has no libc6 to depend
/// on.
fn installed_and_removed(package: &Path) {
    let dir = TempDir::new().unwrap();
    let root = dir.path();
    let database = root.join("var/lib/dpkg");
    for folder in ["info", "updates", "triggers"] {
        fs::create_dir_all(database.join(folder)).unwrap();
    }
    fs::write(database.join("status"), "").unwrap();
    let dpkg = |arguments: &[&str]| {
        let mut dpkg = command("dpkg");
        dpkg.arg(format!("--root={}", root.display()));
        dpkg.args(["--force-depends", "--force-not-root"])
            .args(arguments);
        finish(&mut dpkg).ok()
    };
    dpkg(&["-i", package.to_str().unwrap()]);
    assert!(dpkg(&["-s", "stekguard"]).contains("Status: install ok installed"));
    works(&root.join("usr/bin/stekguard"));
    dpkg(&["-P", "stekguard"]);
    assert!(!root.join("usr/bin/stekguard").exists());
    assert!(!root.join("usr/share/doc/stekguard").exists());
}

/// The path of the static binary.
fn static_binary() -> PathBuf {
    let built = finish(&mut command("packaging/build_static.sh")).ok();
    let path = PathBuf::from(built.trim());
    assert!(path.is_file(), "{built}");
    path
}

#[test]
fn the_static_binary_runs_in_an_empty_root() {
    let binary = static_binary();
    println!("{} bytes", binary.metadata().unwrap().len());
    let headers = finish(command("readelf").arg("-ld").arg(&binary)).ok();
    assert!(
        !headers.contains("INTERP") && !headers.contains("NEEDED"),
        "{headers}"
    );
    works(&binary);

    // As in an image from scratch: nothing but the binary and the mounted configuration.
    let dir = TempDir::new().unwrap();
    fs::copy(&binary, dir.path().join("stekguard")).unwrap();
    fs::create_dir(dir.path().join("etc")).unwrap();
    workshop::tickets_on(&dir.path().join("etc"));
    let mut chroot = command("unshare");
    if !is_root() {
        chroot.args(["--user", "--map-root-user"]);
    }
    chroot
        .arg("--mount")
        .arg(format!("--root={}", dir.path().display()));
    let run = finish(chroot.args(["/stekguard", "lint", "/etc"]));
    assert_eq!(run.code, 1, "{}", run.err);
    assert!(
        run.out.contains("[tickets-without-rotation]"),
        "{}",
        run.out
    );
}

/// No daemon builds the image here. What it is built from exists, and its one build step is the
/// script whose binary runs in an empty root above.
#[test]
fn the_image_is_built_from_what_exists() {
    let text = fs::read_to_string(copy().join("packaging/Dockerfile")).unwrap();
    let mut copied = 0;
    for line in text.lines().filter(|line| line.starts_with("COPY ")) {
        let words: Vec<&str> = line.split_whitespace().skip(1).collect();
        if words[0].starts_with("--from=") {
            continue;
        }
        for source in &words[..words.len() - 1] {
            assert!(copy().join(source).exists(), "{source}");
            copied += 1;
        }
    }
    assert!(copied >= 7, "{copied}");
    let runs: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("RUN "))
        .collect();
    assert_eq!(
        runs,
        [
            "RUN apk add --no-cache musl-dev",
            "RUN install -D \"$(packaging/build_static.sh)\" /out/stekguard"
        ]
    );
    let last = text.split("FROM ").last().unwrap();
    assert!(last.starts_with("scratch\n"), "{last}");
    // The build needs nothing else of the project.
    let dir = TempDir::new().unwrap();
    for line in text.lines().filter_map(|line| line.strip_prefix("COPY ")) {
        let words: Vec<&str> = line.split_whitespace().collect();
        if words[0].starts_with("--from=") {
            continue;
        }
        for source in &words[..words.len() - 1] {
            let mut cp = Command::new("cp");
            finish(cp.arg("-r").arg(copy().join(source)).arg(dir.path())).ok();
        }
    }
    let mut check = command("cargo");
    check.args([
        "metadata",
        "--no-deps",
        "--format-version=1",
        "--locked",
        "--offline",
    ]);
    finish(check.current_dir(dir.path())).ok();
}

#[test]
fn the_wheel_installs_into_a_clean_environment() {
    let dir = TempDir::new().unwrap();
    let out = dir.path().join("out");
    let machine = finish(Command::new("uname").arg("-m")).ok();
    let mut maturin = command("maturin");
    maturin.args(["build", "--release", "--target"]);
    maturin.arg(format!("{}-unknown-linux-musl", machine.trim()));
    let building = alone();
    finish(maturin.arg("--out").arg(&out)).ok();
    drop(building);
    let wheels: Vec<PathBuf> = fs::read_dir(&out)
        .unwrap()
        .map(|it| it.unwrap().path())
        .collect();
    let [wheel] = &wheels[..] else {
        panic!("{wheels:?}");
    };
    // A binary without libraries runs under every glibc, and the name says so.
    let name = wheel.file_name().unwrap().to_str().unwrap();
    println!("{name}: {} bytes", wheel.metadata().unwrap().len());
    assert!(name.contains("py3-none-manylinux"), "{name}");

    let clean = dir.path().join("clean");
    finish(Command::new("python3").args(["-m", "venv"]).arg(&clean)).ok();
    let mut pip = Command::new(clean.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--no-index"]);
    finish(pip.arg(wheel)).ok();
    works(&clean.join("bin/stekguard"));
    let find = "import importlib.metadata as m; d = m.distribution('stekguard'); \
                print(d.read_text('METADATA')); print(*d.files, sep='\\n')";
    let mut python = Command::new(clean.join("bin/python"));
    let shown = finish(python.args(["-c", find])).ok();
    for line in [
        "License-Expression: MIT OR Apache-2.0",
        "LICENSE-MIT",
        "LICENSE-APACHE",
    ] {
        assert!(shown.contains(line), "{line}\n{shown}");
    }
}

#[test]
fn completions_and_manual_pages_know_every_command() {
    let program = Path::new(env!("CARGO_BIN_EXE_stekguard"));
    let help = finish(Command::new(program).arg("--help")).ok();
    let commands: Vec<&str> = help
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(
        commands.len() >= 9 && commands.contains(&"lint"),
        "{commands:?}"
    );

    let dir = TempDir::new().unwrap();
    finish(
        Command::new(program)
            .arg("man")
            .arg("--dir")
            .arg(dir.path()),
    )
    .ok();
    for command in &commands {
        let page = dir.path().join(format!("stekguard-{command}.1"));
        let text = fs::read_to_string(&page).unwrap_or_default();
        assert!(text.contains("\n.SH NAME\n"), "{}", page.display());
    }
    let main = finish(Command::new(program).arg("man")).ok();
    assert_eq!(
        main,
        fs::read_to_string(dir.path().join("stekguard.1")).unwrap()
    );
    let missing = finish(Command::new(program).args(["man", "--dir", "/nowhere/at/all"]));
    assert_eq!(missing.code, 2, "{missing:?}");

    // bash completes by the script.
    let script = dir.path().join("bash");
    let text = finish(Command::new(program).args(["completions", "bash"])).ok();
    fs::write(&script, text).unwrap();
    let ask = "source \"$1\"; COMP_WORDS=(stekguard ''); COMP_CWORD=1; \
               _stekguard stekguard '' stekguard; printf '%s\\n' \"${COMPREPLY[@]}\"";
    let mut bash = Command::new("bash");
    let offered = finish(bash.args(["-c", ask, "bash"]).arg(&script)).ok();
    for command in &commands {
        assert!(
            offered.lines().any(|line| line == *command),
            "{command}\n{offered}"
        );
    }
    for shell in ["zsh", "fish", "elvish", "powershell"] {
        let text = finish(Command::new(program).args(["completions", shell])).ok();
        assert!(text.contains("inspect"), "{shell}");
    }
}
