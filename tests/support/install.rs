//! Finds the real servers. A missing one is a failure that names the script which installs it.

use std::env;
use std::path::PathBuf;
use std::process::Command;

const HINT: &str = "run tests/install_servers.sh to install the servers that the live tests need";
/// Names the binary of nginx 1.28.
const MIDDLE: &str = "STEKGUARD_NGINX_MIDDLE";
/// Names the binary of the current nginx.
const MAINLINE: &str = "STEKGUARD_NGINX_MAINLINE";

/// A server's binary and the version that it reports.
#[derive(Debug, Clone)]
pub struct Program {
    pub path: PathBuf,
    /// Three numbers with dots.
    pub version: String,
}

impl Program {
    /// Whether this nginx decides by the block that SNI chose (1.29.2 and later).
    pub fn at_least(&self, wanted: [u32; 3]) -> bool {
        let numbers: Vec<u32> = self
            .version
            .split('.')
            .map_while(|n| n.parse().ok())
            .collect();
        numbers.as_slice() >= wanted.as_slice()
    }
}

/// The distribution's nginx, older than 1.29.2.
pub fn nginx_packaged() -> Program {
    let program = asked(search("nginx"), "-v", "nginx/");
    assert!(
        program.at_least([1, 18, 0]) && !program.at_least([1, 23, 2]),
        "the table of the older nginx wants 1.18.0 to 1.23.1, {} is {}",
        program.path.display(),
        program.version
    );
    program
}

/// An nginx with the check of CVE-2025-23419 that still decides by the default server, with HTTP/3
/// and mail: built by the script, or from the environment.
pub fn nginx_middle() -> Program {
    let path = env::var_os(MIDDLE).map_or_else(|| cache().join("nginx-1.28/nginx"), PathBuf::from);
    assert!(path.is_file(), "no nginx at {}: {HINT}", path.display());
    let program = asked(path, "-v", "nginx/");
    assert!(
        program.at_least([1, 27, 4]) && !program.at_least([1, 29, 2]),
        "{} is {}",
        program.path.display(),
        program.version
    );
    program
}

/// The full version of the package that this nginx came in, where dpkg knows it: `nginx -v` does
/// not say which fixes a distribution took over.
pub fn nginx_package(program: &Program) -> Option<String> {
    let packaged = program.path.starts_with("/usr/sbin");
    let output = packaged.then(|| {
        Command::new("dpkg-query")
            .args(["-W", "-f", "${Version}", "nginx"])
            .output()
    });
    let output = output?.ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Whether Debian's package has its backport of the check of CVE-2025-23419, by dpkg's own
/// comparison.
pub fn has_backported_check(package: &str) -> bool {
    let mut command = Command::new("dpkg");
    command.args(["--compare-versions", package, "ge", "1.22.1-9+deb12u1"]);
    command.status().is_ok_and(|status| status.success())
}

/// The current nginx, 1.29.2 or later, from the environment or from the script's cache.
pub fn nginx_mainline() -> Program {
    let path =
        env::var_os(MAINLINE).map_or_else(|| cache().join("nginx-mainline/nginx"), PathBuf::from);
    assert!(path.is_file(), "no nginx at {}: {HINT}", path.display());
    let program = asked(path, "-v", "nginx/");
    assert!(
        program.at_least([1, 29, 2]),
        "{} is {}",
        program.path.display(),
        program.version
    );
    program
}

/// The folder of the QUIC client's Python package.
pub fn quic_client() -> PathBuf {
    let folder = cache().join("quic");
    let package = folder.join("aioquic");
    assert!(package.is_dir(), "no {}: {HINT}", package.display());
    folder
}

/// The distribution's httpd.
pub fn apache() -> Program {
    asked(search("apache2"), "-v", "Apache/")
}

/// The folder of httpd's modules as Debian installs them.
pub fn apache_modules() -> PathBuf {
    let folder = PathBuf::from("/usr/lib/apache2/modules");
    assert!(
        folder.join("mod_ssl.so").is_file(),
        "no mod_ssl in {}: {HINT}",
        folder.display()
    );
    folder
}

/// httpd's mod_ssl with OpenSSL 1.1.1 inside it, the last one with which httpd uses the whole of
/// a ticket key file; built by the script.
pub fn httpd_older_ssl() -> PathBuf {
    let module = cache().join("httpd-openssl-1.1.1/mod_ssl.so");
    assert!(module.is_file(), "no {}: {HINT}", module.display());
    module
}

/// The folder that the script fills.
pub fn cache() -> PathBuf {
    let cache = env::var_os("XDG_CACHE_HOME")
        .filter(|path| !path.is_empty())
        .map_or_else(
            || PathBuf::from(env::var_os("HOME").unwrap_or_default()).join(".cache"),
            PathBuf::from,
        );
    cache.join("stekguard")
}

fn search(name: &str) -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    let found = folders
        .map(|folder| folder.join(name))
        .find(|file| file.is_file());
    found.unwrap_or_else(|| panic!("no {name} on this machine: {HINT}"))
}

fn asked(path: PathBuf, flag: &str, before: &str) -> Program {
    let output = Command::new(&path).arg(flag).output();
    let output = output.unwrap_or_else(|why| panic!("{}: {why}: {HINT}", path.display()));
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    let version = version_after(&text, before)
        .unwrap_or_else(|| panic!("{} {flag} says {text:?}", path.display()));
    println!("server under test: {} {version}", path.display());
    Program { path, version }
}

fn version_after(text: &str, before: &str) -> Option<String> {
    let rest = text.split_once(before)?.1;
    let end = rest
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(rest.len());
    (end > 0).then(|| rest[..end].to_owned())
}

/// Whether this process may read every file and switch users.
pub fn is_root() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().any(|line| line.starts_with("Uid:\t0\t"))
}

/// The file of nginx's stream module, where this nginx loads it: Debian's does.
pub fn nginx_stream(program: &Program) -> Option<String> {
    let output = Command::new(&program.path).arg("-V").output().unwrap();
    let built = String::from_utf8_lossy(&output.stderr).into_owned();
    if !built.contains("--with-stream=dynamic") {
        return None;
    }
    let folder = word_after(&built, "--modules-path=").unwrap_or("/usr/lib/nginx/modules");
    let module = PathBuf::from(folder).join("ngx_stream_module.so");
    assert!(module.is_file(), "no {}: {HINT}", module.display());
    Some(module.display().to_string())
}

fn word_after<'a>(text: &'a str, before: &str) -> Option<&'a str> {
    let rest = text.split_once(before)?.1;
    rest.split_ascii_whitespace().next()
}
