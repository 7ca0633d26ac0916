//! What `probe` takes on the command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::app::{Mail, Speech};
use crate::cli::args::FailOn;

#[derive(Debug, Args)]
pub(in crate::cli) struct ProbeArguments {
    /// Where: a name or address, with a port other than 443 (25, 143, 110 with --starttls)
    #[arg(value_name = "HOST[:PORT]", required_unless_present = "config")]
    pub(super) targets: Vec<String>,
    /// Ask for this name instead of the host's own; empty: send none
    #[arg(long, value_name = "NAME")]
    pub(super) sni: Vec<String>,
    /// Look at this version of TLS only
    #[arg(long, value_enum, value_name = "VERSION")]
    pub(super) tls: Option<Version>,
    /// Ask for TLS in clear first
    #[arg(long, value_enum, value_name = "PROTOCOL", conflicts_with = "speak")]
    pub(super) starttls: Option<MailName>,
    /// What is spoken inside TLS; none: listen only
    #[arg(long, value_enum, value_name = "PROTOCOL", default_value_t = SpeechName::Http)]
    pub(super) speak: SpeechName,
    /// Send a line of the PROXY protocol first, as a proxy in front of the server does
    #[arg(long)]
    pub(super) proxy_protocol: bool,
    /// The certificate (PEM, with its chain) to show when asked
    #[arg(long, value_name = "FILE")]
    pub(super) client_cert: Option<PathBuf>,
    /// Its key, where it stands in another file
    #[arg(long, value_name = "FILE", requires = "client_cert")]
    pub(super) client_key: Option<PathBuf>,
    /// Offer this protocol by ALPN
    #[arg(long, value_name = "NAME")]
    pub(super) alpn: Vec<String>,
    /// Fresh sessions of each kind that are offered: with several processes or hosts, few may
    /// miss the one that does not know a session
    #[arg(long, value_name = "N", default_value_t = 6, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(super) attempts: u32,
    /// The longest that one connection may take
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = duration)]
    pub(super) timeout: Duration,
    /// How often a connection is tried again that did not come about
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(0..=100))]
    pub(super) retries: u32,
    /// Connections a second at most
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(super) rate: u32,
    /// Endpoints that are looked at side by side
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(super) jobs: u16,
    /// Go on looking for this long (90s, 30m, 2h): does the key change, how long do sessions
    /// live
    #[arg(long, value_name = "DURATION", value_parser = duration, group = "what")]
    pub(super) watch: Option<Duration>,
    /// Between two looks of a watch [default: a 60th of it, from 1s to 60s]
    #[arg(long, value_name = "DURATION", value_parser = duration, requires = "watch")]
    pub(super) every: Option<Duration>,
    /// Compare all addresses behind the names: who resumes whose sessions, who shares a key
    #[arg(long, group = "what")]
    pub(super) fleet: bool,
    /// Offer sessions of each of these names at the others, without a name and with an unknown
    /// one
    #[arg(long, value_name = "NAME", num_args = 1.., group = "what")]
    pub(super) across: Vec<String>,
    /// Try which of its own sessions a client can end, and how
    #[arg(long, group = "what")]
    pub(super) invalidate: bool,
    /// End this saved session (`openssl s_client -sess_out`), and show whether it still resumes
    #[arg(long, value_name = "FILE", conflicts_with_all = ["watch", "fleet", "across", "config"])]
    pub(super) session_in: Option<PathBuf>,
    /// Compare with what these files promise: a root file or a directory. Without HOST,
    /// wildcard addresses are looked for on this machine
    #[arg(long, value_name = "PATH", group = "what")]
    pub(super) config: Vec<PathBuf>,
    /// With --config: the server's version, as for `inspect`
    #[arg(long, value_name = "NAME=VERSION", requires = "config")]
    pub(super) server_version: Vec<String>,
    /// With --config: the package's version, as for `inspect`
    #[arg(long, value_name = "NAME=VERSION", requires = "config")]
    pub(super) package: Vec<String>,
    /// With --config: httpd is started with -D NAME
    #[arg(long, value_name = "NAME", requires = "config")]
    pub(super) define: Vec<String>,
    /// With --config: all modules of httpd
    #[arg(long, value_name = "LIST|@FILE", requires = "config")]
    pub(super) modules: Vec<String>,
    /// With --config: ask the installed servers for their versions
    #[arg(long, requires = "config")]
    pub(super) detect: bool,
    /// With --config: includes that may be missing
    #[arg(long, value_name = "GLOB", requires = "config")]
    pub(super) allow_missing: Vec<String>,
    /// Exit with 1 when something this bad or worse was seen
    #[arg(long, value_enum, value_name = "GRADE", default_value_t = FailOn::Warning)]
    pub(super) fail_on: FailOn,
    /// The report's format
    #[arg(long, value_enum, default_value_t = ProbeFormat::Text)]
    pub(super) format: ProbeFormat,
    /// Write the report to this file instead of stdout; FORMAT=FILE adds one
    #[arg(short, long, value_name = "[FORMAT=]FILE")]
    pub(super) output: Vec<OsString>,
}

/// Formats of `probe`.
#[derive(Copy, Clone, Eq, PartialEq, Debug, ValueEnum)]
pub(super) enum ProbeFormat {
    Text,
    Json,
    Sarif,
}

#[derive(Copy, Clone, Eq, PartialEq, Debug, ValueEnum)]
pub(super) enum Version {
    #[value(name = "1.2")]
    Tls12,
    #[value(name = "1.3")]
    Tls13,
}

#[derive(Copy, Clone, Eq, PartialEq, Debug, ValueEnum)]
pub(super) enum MailName {
    Smtp,
    Imap,
    Pop3,
}

impl MailName {
    pub(super) const fn protocol(self) -> Mail {
        match self {
            Self::Smtp => Mail::Smtp,
            Self::Imap => Mail::Imap,
            Self::Pop3 => Mail::Pop3,
        }
    }

    /// The port on which the protocol starts in clear.
    pub(super) const fn port(self) -> u16 {
        match self {
            Self::Smtp => 25,
            Self::Imap => 143,
            Self::Pop3 => 110,
        }
    }
}

#[derive(Copy, Clone, Eq, PartialEq, Debug, ValueEnum)]
pub(super) enum SpeechName {
    Http,
    Smtp,
    Imap,
    Pop3,
    None,
}

impl SpeechName {
    pub(super) const fn speech(self) -> Speech {
        match self {
            Self::Http => Speech::Http,
            Self::Smtp => Speech::Mail(Mail::Smtp),
            Self::Imap => Speech::Mail(Mail::Imap),
            Self::Pop3 => Speech::Mail(Mail::Pop3),
            Self::None => Speech::Silent,
        }
    }
}

/// `90`, `90s`, `30m`, `2h`, `1d`; not zero, and at most 400 days.
fn duration(text: &str) -> Result<Duration, String> {
    const LONGEST: u64 = 400 * 86_400;
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        unit => return Err(format!("`{unit}` is none of s, m, h, d")),
    };
    let number: u64 = digits
        .parse()
        .map_err(|_| "not of the form 90s, 30m, 2h".to_owned())?;
    match number.checked_mul(unit) {
        Some(seconds @ 1..=LONGEST) => Ok(Duration::from_secs(seconds)),
        _ => Err("not between 1s and 400d".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read() {
        for (text, seconds) in [
            ("90", 90),
            ("90s", 90),
            ("30m", 1800),
            ("2h", 7200),
            ("1d", 86_400),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)));
        }
        for text in [
            "",
            "s",
            "0",
            "1w",
            "-1",
            "1.5h",
            "99999999999999999999",
            "401d",
        ] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
