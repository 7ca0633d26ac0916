//! As much of SMTP, IMAP and POP3 as a client needs to get into TLS and out again.

use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpStream;

/// A mail protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    Smtp,
    Imap,
    Pop3,
}

impl Protocol {
    /// As nginx writes it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Smtp => "smtp",
            Self::Imap => "imap",
            Self::Pop3 => "pop3",
        }
    }

    /// Ends a session; the server closes the connection.
    pub fn goodbye(self) -> &'static str {
        match self {
            Self::Smtp | Self::Pop3 => "QUIT\r\n",
            Self::Imap => "a LOGOUT\r\n",
        }
    }
}

/// Asks in clear for TLS to begin (RFC 3207, RFC 9051 6.2.1, RFC 2595 4).
///
/// # Errors
/// The server does not agree, or the connection breaks.
pub fn ask_for_tls(mut socket: &TcpStream, protocol: Protocol) -> io::Result<()> {
    // The server says nothing more until TLS begins, so that no byte is read too many.
    let mut lines = BufReader::new(socket);
    let mut expect = |start: &str| loop {
        let mut line = String::new();
        lines.read_line(&mut line)?;
        if line.starts_with(start) {
            return Ok(());
        }
        // A reply of several lines.
        if line.get(3..4) != Some("-") {
            return Err(io::Error::other(format!("{start} expected, not {line:?}")));
        }
    };
    let mut say = |text: &str| socket.write_all(text.as_bytes());
    match protocol {
        Protocol::Smtp => {
            expect("220 ")?;
            say("EHLO client.test\r\n")?;
            expect("250 ")?;
            say("STARTTLS\r\n")?;
            expect("220 ")
        }
        Protocol::Imap => {
            expect("* OK")?;
            say("a STARTTLS\r\n")?;
            expect("a OK")
        }
        Protocol::Pop3 => {
            expect("+OK")?;
            say("STLS\r\n")?;
            expect("+OK")
        }
    }
}
