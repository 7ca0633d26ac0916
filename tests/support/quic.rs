//! One QUIC connection after another through tests/quic_client.py, in the terms of the TLS client.

use std::cell::RefCell;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use super::client::{Connection, Failure, Kind, Target};
use super::install;
use super::session::Issued;

/// A running client; it ends when its input does.
struct Client {
    child: Child,
    asks: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

thread_local! {
    static CLIENT: RefCell<Option<Client>> = const { RefCell::new(None) };
}

/// `unrecognized_name` (RFC 6066).
const UNRECOGNIZED_NAME: u64 = 112;

/// Connects as the TLS client does. Sessions belong to the thread that received them.
pub fn connect(
    target: &Target,
    kind: Kind,
    session: Option<&Issued>,
) -> Result<Connection, Failure> {
    if kind != Kind::Tls13 {
        return Err(Failure::Version);
    }
    let number = session.map(|session| String::from_utf8_lossy(&session.der).into_owned());
    let asked = json!({
        "host": target.address.ip().to_string(),
        "port": target.address.port(),
        "name": target.sni,
        "session": number.and_then(|number| number.parse::<u64>().ok()),
    });
    let shown = CLIENT.with_borrow_mut(|client| client.get_or_insert_with(Client::new).ask(&asked));
    if let Some(alert) = shown["alert"].as_u64() {
        return Err(match alert {
            UNRECOGNIZED_NAME => Failure::Name,
            _ => Failure::Other(shown["why"].to_string()),
        });
    }
    let resumed = shown["resumed"] == true;
    // A resumed handshake shows no certificate: only the right server could have opened the ticket.
    if !resumed && shown["nonce"] != target.nonce.as_str() {
        return Err(Failure::Other(format!("another server: {shown}")));
    }
    let sessions = shown["sessions"].as_array().into_iter().flatten();
    Ok(Connection {
        session: None,
        resumed,
        issued: sessions.map(issued).collect(),
        response: format!("HTTP/3 {} ", shown["status"]),
    })
}

fn issued(session: &Value) -> Issued {
    let hex = session["ticket"].as_str().unwrap();
    let digit = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    Issued {
        // The client keeps the session itself; this is its number.
        der: session["number"].to_string().into_bytes(),
        id: Vec::new(),
        ticket: (0..hex.len()).step_by(2).map(digit).collect(),
        hint: session["lifetime"].as_u64().unwrap(),
    }
}

impl Client {
    fn new() -> Self {
        let folder = install::quic_client();
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/quic_client.py");
        let mut child = Command::new("python3")
            .arg(program)
            .env("PYTHONPATH", folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        Self {
            asks: child.stdin.take(),
            answers,
            child,
        }
    }

    fn ask(&mut self, asked: &Value) -> Value {
        writeln!(self.asks.as_mut().unwrap(), "{asked}").unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        serde_json::from_str(&line).expect("the QUIC client ended")
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        drop(self.asks.take());
        let _ = self.child.wait();
    }
}
