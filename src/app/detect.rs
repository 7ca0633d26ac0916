//! `--detect`: asks the installed servers for their versions. The only place that runs
//! programs, and only on request.

use std::process::{Command, Stdio};

use super::AppError;
use crate::catalog::{Server, Version};

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
            detected.nginx = first_answer(&NGINX, "nginx")?;
        }
        if servers.contains(&Server::Apache) {
            detected.apache = first_answer(&APACHE, "apachectl")?;
        }
        Ok(detected)
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

fn first_answer(programs: &[(&str, &str)], name: &str) -> Result<Answer, AppError> {
    let mut why = "not installed".to_owned();
    for (program, argument) in programs {
        let output = Command::new(program)
            .arg(argument)
            .stdin(Stdio::null())
            .output();
        let output = match output {
            Ok(output) => output,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => {
                why = error.to_string();
                continue;
            }
        };
        // nginx answers on standard error, httpd on standard output.
        let mut said = String::from_utf8_lossy(&output.stdout).into_owned();
        said.push_str(&String::from_utf8_lossy(&output.stderr));
        let answer = parse(&said);
        if answer.server.is_some() {
            return Ok(answer);
        }
        why = format!("{program} {argument} names no version");
    }
    Err(AppError::Detect {
        program: name.to_owned(),
        why,
    })
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
