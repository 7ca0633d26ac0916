//! `--detect`: asks the installed servers for their versions, and httpd for what it has built
//! in, loads and defines. The only place that runs programs, and only on request.

use std::process::Stdio;

use super::startup::Modules;
use super::{AppError, Startup};
use crate::catalog::{Server, Version};
use crate::machine::program;

/// Programs and the argument that makes them say their version, in the order tried.
const NGINX: [(&str, &str); 2] = [("nginx", "-V"), ("/usr/sbin/nginx", "-V")];
const APACHE: [(&str, &str); 6] = [
    ("apachectl", "-V"),
    ("apache2", "-v"),
    ("/usr/sbin/apache2", "-v"),
    ("httpd", "-v"),
    ("/usr/sbin/httpd", "-v"),
    ("/usr/sbin/apachectl", "-V"),
];

/// What the installed servers say.
#[derive(Clone, Eq, PartialEq, Debug, Default)]
pub(super) struct Detected {
    nginx: Answer,
    apache: Answer,
    modules: Option<Modules>,
    /// What was defined once httpd had read its own files.
    defines: Option<Vec<String>>,
}

#[derive(Copy, Clone, Eq, PartialEq, Debug, Default)]
struct Answer {
    server: Option<Version>,
    library: Option<Version>,
}

impl Detected {
    /// Asks the servers of these kinds.
    pub(super) fn ask(servers: &[Server]) -> Result<Self, AppError> {
        let mut detected = Self::default();
        if servers.contains(&Server::Nginx) {
            (_, detected.nginx) = first_answer(&NGINX, "nginx")?;
        }
        if servers.contains(&Server::Apache) {
            let (program, answer) = first_answer(&APACHE, "apachectl")?;
            detected.apache = answer;
            detected.ask_httpd(program);
        }
        Ok(detected)
    }

    /// Asks for what the version does not tell. httpd reads its own installed configuration
    /// for that; where it cannot, `-l` still says what is built in.
    fn ask_httpd(&mut self, program: &str) {
        let arguments = ["-t", "-D", "DUMP_MODULES", "-D", "DUMP_RUN_CFG"];
        let dumped = said(program, &arguments).ok().filter(|said| said.success);
        if let Some(dumped) = dumped {
            let (modules, defines) = parse_dump(&dumped.out);
            if modules.is_some() {
                self.modules = modules;
                self.defines = Some(defines);
                return;
            }
        }
        let listed = said(program, &["-l"]).ok();
        self.modules = listed.and_then(|said| Modules::compiled_in(&said.out));
    }

    /// Adds what httpd said to what the caller knows.
    pub(super) fn tell(&self, startup: &mut Startup) {
        startup.add_detected(self.modules.clone(), self.defines.clone());
    }

    /// The server's version.
    pub(super) fn server(&self, server: Server) -> Option<Version> {
        self.of(server).server
    }

    /// The TLS library's version.
    pub(super) fn library(&self, server: Server) -> Option<Version> {
        self.of(server).library
    }

    fn of(&self, server: Server) -> Answer {
        match server {
            Server::Nginx => self.nginx,
            Server::Apache => self.apache,
        }
    }
}

/// The first program that says its version, and what it says.
fn first_answer(
    programs: &[(&'static str, &str)],
    name: &str,
) -> Result<(&'static str, Answer), AppError> {
    let mut why = "not installed".to_owned();
    for (program, argument) in programs {
        let output = match said(program, &[argument]) {
            Ok(output) => output,
            // What was passed over is told; that nothing is there, only by its name.
            Err(error) if error.raw_os_error().is_some() && is_missing(&error) => continue,
            Err(error) if error.get_ref().is_none() && is_missing(&error) => continue,
            Err(error) => {
                why = error.to_string();
                continue;
            }
        };
        // nginx answers on standard error, httpd on standard output.
        let answer = parse(&(output.out + &output.err));
        if answer.server.is_some() {
            return Ok((program, answer));
        }
        why = format!("{program} {argument} names no version");
    }
    Err(AppError::Detect {
        program: name.to_owned(),
        why,
    })
}

fn is_missing(error: &std::io::Error) -> bool {
    error.kind() == std::io::ErrorKind::NotFound
}

/// What a program wrote.
struct Said {
    success: bool,
    out: String,
    err: String,
}

fn said(name: &str, arguments: &[&str]) -> std::io::Result<Said> {
    let output = program(name.as_ref())?
        .args(arguments)
        .stdin(Stdio::null())
        .output()?;
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ok(Said {
        success: output.status.success(),
        out: text(output.stdout),
        err: text(output.stderr),
    })
}

/// Modules (`None` where none is listed) and definitions of `-D DUMP_MODULES
/// -D DUMP_RUN_CFG`. Its own two names were defined by the question.
fn parse_dump(said: &str) -> (Option<Modules>, Vec<String>) {
    let is_module = |line: &&str| line.ends_with("(static)") || line.ends_with("(shared)");
    let modules: Vec<&str> = said.lines().filter(is_module).collect();
    let listed = !modules.is_empty();
    let modules = Modules::parse(&modules.join("\n")).ok().filter(|_| listed);
    let names = said
        .lines()
        .filter_map(|line| line.strip_prefix("Define: "));
    let names = names.map(|text| text.split_once('=').map_or(text, |(name, _)| name));
    let defines = names.filter(|name| !matches!(*name, "DUMP_MODULES" | "DUMP_RUN_CFG"));
    (modules, defines.map(str::to_owned).collect())
}

/// Reads `nginx version: nginx/1.22.1 ...`, `Server version: Apache/2.4.71 (Debian)` and
/// `built with OpenSSL 3.0.17 ...` (or `running with OpenSSL ...`, which is what counts).
fn parse(said: &str) -> Answer {
    let server = version_behind(said, "nginx version: nginx/")
        .or_else(|| version_behind(said, "Server version: Apache/"));
    let library = version_behind(said, "running with OpenSSL ")
        .or_else(|| version_behind(said, "built with OpenSSL "));
    Answer { server, library }
}

fn version_behind(said: &str, words: &str) -> Option<Version> {
    let rest = said.split_once(words)?.1;
    let end = rest
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(rest.len());
    rest[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_servers_say() {
        let nginx = "nginx version: nginx/1.22.1\nbuilt with OpenSSL 3.0.8 7 Feb 2023 \
            (running with OpenSSL 3.0.17 1 Jul 2025)\nTLS SNI support enabled\n";
        assert_eq!(
            parse(nginx),
            Answer {
                server: Some(Version::new(1, 22, 1)),
                library: Some(Version::new(3, 0, 17)),
            }
        );
        let apache = "Server version: Apache/2.4.71 (Debian)\nServer built:   2026-01-01\n";
        assert_eq!(parse(apache).server, Some(Version::new(2, 4, 71)));
        assert_eq!(
            parse("nginx version: openresty/1.21.4.1"),
            Answer::default()
        );
    }
}
