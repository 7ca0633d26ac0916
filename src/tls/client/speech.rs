//! What is said inside TLS, and in clear before it: just enough to have the server answer, so
//! that every ticket has arrived, and to end politely.

use std::io::{Read, Write};

use super::Mail;
use super::error::{ClientError, Phase};
use super::wire::{Stop, Wire};

/// No server's greeting is longer.
const LONGEST: usize = 16 * 1024;

impl Mail {
    /// Something harmless that is answered with one line or more.
    pub(super) fn harmless(self) -> &'static str {
        match self {
            Self::Smtp => "NOOP\r\n",
            Self::Imap => "n NOOP\r\n",
            Self::Pop3 => "CAPA\r\n",
        }
    }

    /// How the server starts TLS: what is said, and how the answer begins that agrees.
    fn start(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Smtp => &[
                ("", "220"),
                ("EHLO probe.invalid\r\n", "250"),
                ("STARTTLS\r\n", "220"),
            ],
            Self::Imap => &[("", "* OK"), ("t STARTTLS\r\n", "t OK")],
            Self::Pop3 => &[("", "+OK"), ("STLS\r\n", "+OK")],
        }
    }
}

/// Asks in clear for TLS.
pub(super) fn start_tls(wire: &mut Wire, mail: Mail) -> Result<(), ClientError> {
    let refused = |why: String| ClientError::StartTls {
        protocol: mail.word(),
        why,
    };
    for (say, wanted) in mail.start() {
        if !say.is_empty() {
            wire.write_all(say.as_bytes()).map_err(|_| stopped(wire))?;
        }
        let answer = answer(wire, mail)?;
        if !answer.starts_with(wanted) {
            let line: String = answer.trim_end().chars().take(120).collect();
            return Err(refused(format!("it answers `{line}`")));
        }
    }
    Ok(())
}

/// The last line of an answer: SMTP's may have several, IMAP's is the tagged one.
fn answer(wire: &mut Wire, mail: Mail) -> Result<String, ClientError> {
    let mut read = 0;
    loop {
        let mut line = Vec::new();
        let mut byte = [0];
        while !line.ends_with(b"\n") {
            match wire.read(&mut byte) {
                Ok(1) => line.push(byte[0]),
                _ => return Err(stopped(wire)),
            }
            read += 1;
            if read > LONGEST {
                return Err(ClientError::TooMuch {
                    phase: Phase::Before,
                });
            }
        }
        let line = String::from_utf8_lossy(&line).into_owned();
        let more = match mail {
            Mail::Smtp => line.as_bytes().get(3) == Some(&b'-'),
            Mail::Imap => line.starts_with("* ") && !line.starts_with("* OK"),
            Mail::Pop3 => false,
        };
        if !more {
            return Ok(line);
        }
    }
}

fn stopped(wire: &Wire) -> ClientError {
    let phase = Phase::Before;
    match wire.stopped {
        Some(Stop::Late) => ClientError::Late { phase },
        Some(Stop::TooMuch) => ClientError::TooMuch { phase },
        _ => ClientError::Closed { phase },
    }
}

/// The line of the PROXY protocol, version 1, as a proxy in front of the server sends it.
pub(super) fn proxy_line(wire: &mut Wire) -> Result<(), ClientError> {
    let (ours, theirs) = wire.ends().map_err(ClientError::client)?;
    let family = if ours.is_ipv4() { "TCP4" } else { "TCP6" };
    let line = format!(
        "PROXY {family} {} {} {} {}\r\n",
        ours.ip(),
        theirs.ip(),
        ours.port(),
        theirs.port()
    );
    wire.write_all(line.as_bytes()).map_err(|_| stopped(wire))
}
