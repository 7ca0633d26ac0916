//! The connection to a server that may mean harm: one deadline for a whole call, however slowly
//! bytes come, and a bound on what is read. Knows no protocol.

use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::mpsc;
use std::thread;

use super::address::Place;
use super::clock::Deadline;
use super::failed::Failed;
use super::tls::{Secured, Tls};

/// A connection.
pub(super) struct Wire {
    stream: Stream,
    /// What may still be read in this call.
    budget: usize,
    /// What stopped it, in words; a codec in between may lose them.
    stopped: Option<Failed>,
}

enum Stream {
    Plain(Socket),
    Tls(Box<Secured>),
}

/// A socket whose every wait ends at the deadline.
#[derive(Debug)]
pub(super) struct Socket {
    tcp: TcpStream,
    deadline: Deadline,
}

impl Wire {
    /// Connects, to the first of the host's addresses that answers, and agrees on TLS.
    pub(super) fn connect(
        place: &Place,
        tls: Option<&Tls>,
        deadline: Deadline,
    ) -> Result<Self, Failed> {
        let addresses = resolve(place, deadline)?;
        let tcp = first_that_answers(&addresses, deadline)?;
        // A command is one write; waiting for more to send costs 40 ms.
        let _ = tcp.set_nodelay(true);
        let socket = Socket { tcp, deadline };
        let stream = match tls {
            None => Stream::Plain(socket),
            Some(tls) => Stream::Tls(Box::new(tls.secure(&place.host, socket)?)),
        };
        Ok(Self {
            stream,
            budget: 0,
            stopped: None,
        })
    }

    /// Begins a call: when it ends.
    pub(super) fn until(&mut self, deadline: Deadline) {
        self.socket().deadline = deadline;
        self.stopped = None;
    }

    /// Sends a command, and allows this many bytes of answer.
    pub(super) fn send(&mut self, command: &[u8], answer: usize) -> Result<(), Failed> {
        self.budget = answer;
        let sent = match &mut self.stream {
            Stream::Plain(socket) => socket.write_all(command),
            Stream::Tls(stream) => stream.write_all(command),
        };
        sent.map_err(|why| lost(&why))
    }

    /// Why the last read failed.
    pub(super) fn why(&mut self) -> Option<Failed> {
        self.stopped.take()
    }

    fn socket(&mut self) -> &mut Socket {
        match &mut self.stream {
            Stream::Plain(socket) => socket,
            Stream::Tls(stream) => stream.socket(),
        }
    }

    fn stop(&mut self, failed: Failed) -> io::Error {
        self.stopped = Some(failed);
        // Of a kind that no reader tries again.
        io::Error::new(io::ErrorKind::InvalidData, "stopped")
    }
}

impl Read for Wire {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        if self.budget == 0 {
            let words = "it answers with more than was asked for";
            return Err(self.stop(Failed::TooMuch(words.to_owned())));
        }
        let most = bytes.len().min(self.budget);
        let read = match &mut self.stream {
            Stream::Plain(socket) => socket.read(&mut bytes[..most]),
            Stream::Tls(stream) => stream.read(&mut bytes[..most]),
        };
        match read {
            Ok(0) => Err(self.stop(Failed::Lost("it closed the connection".to_owned()))),
            Ok(count) => {
                self.budget -= count;
                Ok(count)
            }
            Err(why) => Err(self.stop(lost(&why))),
        }
    }
}

impl Read for Socket {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        loop {
            let left = self.deadline.left().ok_or_else(late)?;
            self.tcp.set_read_timeout(Some(left))?;
            match self.tcp.read(bytes) {
                Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
                Err(why) if why.kind() == io::ErrorKind::WouldBlock => return Err(late()),
                done => return done,
            }
        }
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            let left = self.deadline.left().ok_or_else(late)?;
            self.tcp.set_write_timeout(Some(left))?;
            match self.tcp.write(bytes) {
                Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
                Err(why) if why.kind() == io::ErrorKind::WouldBlock => return Err(late()),
                done => return done,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.tcp.flush()
    }
}

fn late() -> io::Error {
    // Not `WouldBlock`, which TLS would take for an invitation to try again.
    io::Error::new(io::ErrorKind::TimedOut, "no answer in time")
}

fn lost(why: &io::Error) -> Failed {
    Failed::Lost(why.to_string())
}

/// The addresses of a host. A name server that never answers is left alone with its thread.
fn resolve(place: &Place, deadline: Deadline) -> Result<Vec<SocketAddr>, Failed> {
    if let Ok(address) = place.host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, place.port)]);
    }
    let (sender, receiver) = mpsc::channel();
    let asked = (place.host.clone(), place.port);
    thread::spawn(move || {
        let found = asked.to_socket_addrs().map(Iterator::collect::<Vec<_>>);
        let _ = sender.send(found);
    });
    let left = deadline.left().ok_or_else(|| lost(&late()))?;
    let unknown = |why: String| Failed::Lost(format!("its name: {why}"));
    let found = receiver.recv_timeout(left);
    let found = found.map_err(|_| unknown("no answer in time".to_owned()))?;
    let addresses = found.map_err(|why| unknown(why.to_string()))?;
    match addresses.is_empty() {
        true => Err(unknown("the system knows no address".to_owned())),
        false => Ok(addresses),
    }
}

/// Tries one after the other; each may take its share of what is left.
fn first_that_answers(addresses: &[SocketAddr], deadline: Deadline) -> Result<TcpStream, Failed> {
    let mut failed = lost(&late());
    for (at, address) in addresses.iter().enumerate() {
        let Some(left) = deadline.left() else {
            break;
        };
        let others = u32::try_from(addresses.len() - at).unwrap_or(u32::MAX);
        match TcpStream::connect_timeout(address, left / others) {
            Ok(tcp) => return Ok(tcp),
            Err(why) => failed = lost(&why),
        }
    }
    Err(failed)
}
