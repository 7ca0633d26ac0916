//! The connection below TLS: a TCP socket with one deadline for everything, a bound on what is
//! read, and a view of the records that pass. Knows no protocol above records.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use super::framing::{Framing, Record};

/// More than any handshake and answer that a probe reads; a peer that sends without end is cut.
const READ_LIMIT: usize = 1 << 20;
/// A record that no peer has sent: its body opens under no key.
const SPOILED: [u8; 69] = {
    let mut record = [0x5a; 69];
    [record[0], record[1], record[2], record[3], record[4]] = [23, 3, 3, 0, 64];
    record
};

/// A socket that ends in time.
pub(super) struct Wire {
    socket: TcpStream,
    deadline: Instant,
    read: usize,
    /// The first bytes that the peer sent.
    first: Vec<u8>,
    /// What stopped a read or a write.
    pub(super) stopped: Option<Stop>,
    incoming: Framing,
    outgoing: Framing,
    /// Records sent since [`Wire::forget`].
    pub(super) sent: Vec<Record>,
    /// To be read before the socket.
    fed: Vec<u8>,
    spoil: bool,
}

/// What stopped it.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub(super) enum Stop {
    /// The deadline passed.
    Late,
    /// The peer closed.
    Closed,
    /// The peer reset the connection.
    Reset,
    /// The peer sent more than anybody reads.
    TooMuch,
}

impl Wire {
    /// Connects within `patience`, which then is the deadline of all that follows too.
    pub(super) fn connect(address: SocketAddr, patience: Duration) -> io::Result<Self> {
        let deadline = Instant::now() + patience;
        let socket = TcpStream::connect_timeout(&address, patience)?;
        socket.set_nodelay(true)?;
        Ok(Self {
            socket,
            deadline,
            read: 0,
            first: Vec::new(),
            stopped: None,
            incoming: Framing::default(),
            outgoing: Framing::default(),
            sent: Vec::new(),
            fed: Vec::new(),
            spoil: false,
        })
    }

    /// Both ends: ours, then the peer's.
    pub(super) fn ends(&self) -> io::Result<(SocketAddr, SocketAddr)> {
        Ok((self.socket.local_addr()?, self.socket.peer_addr()?))
    }

    /// The first bytes that the peer sent, at most eight.
    pub(super) fn first(&self) -> &[u8] {
        &self.first
    }

    /// What the peer has said in clear before TLS is not part of TLS.
    pub(super) fn forget(&mut self) {
        self.first.clear();
        self.sent.clear();
        self.incoming = Framing::default();
        self.outgoing = Framing::default();
    }

    /// The next read gives a record that opens under no key: a TLS library answers with a
    /// fatal alert under the right one. The peer has nothing to do with it.
    pub(super) fn feed_spoiled_record(&mut self) {
        self.fed = SPOILED.to_vec();
    }

    /// The next encrypted record of the peer arrives damaged.
    pub(super) fn spoil_next_record(&mut self) {
        self.spoil = true;
    }

    /// Reads, without TLS, until the peer closes or this much time has passed.
    pub(super) fn drain(&mut self, patience: Duration) {
        let until = Instant::now() + patience;
        self.deadline = self.deadline.min(until);
        let mut bytes = [0; 4096];
        while matches!(self.read(&mut bytes), Ok(count) if count > 0) {}
    }

    /// Says that nothing more will be sent.
    pub(super) fn finish(&mut self) {
        // The peer may be gone, which is as good.
        let _ = self.socket.shutdown(std::net::Shutdown::Write);
    }

    /// Gives the deadline a nearer end, and back the one that was.
    pub(super) fn hurry(&mut self, patience: Duration) -> Instant {
        let before = self.deadline;
        self.deadline = before.min(Instant::now() + patience);
        before
    }

    /// Takes back what [`Wire::hurry`] did.
    pub(super) fn calm(&mut self, deadline: Instant) {
        self.deadline = deadline;
        self.stopped = None;
    }

    fn left(&mut self) -> io::Result<Duration> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(self.stop(Stop::Late));
        }
        Ok(left)
    }

    fn stop(&mut self, stop: Stop) -> io::Error {
        self.stopped = Some(stop);
        // Of a kind that OpenSSL's side does not try again.
        io::Error::new(io::ErrorKind::TimedOut, "stopped")
    }

    fn failed(&mut self, error: io::Error) -> io::Error {
        match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => self.stop(Stop::Late),
            io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe => {
                self.stopped = Some(Stop::Reset);
                error
            }
            _ => error,
        }
    }
}

impl Read for Wire {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        if !self.fed.is_empty() {
            let count = bytes.len().min(self.fed.len());
            bytes[..count].copy_from_slice(&self.fed[..count]);
            self.fed.drain(..count);
            return Ok(count);
        }
        if self.read > READ_LIMIT {
            return Err(self.stop(Stop::TooMuch));
        }
        let left = self.left()?;
        self.socket.set_read_timeout(Some(left))?;
        let count = match self.socket.read(bytes) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            Err(error) => return Err(self.failed(error)),
        };
        if count == 0 {
            self.stopped = Some(Stop::Closed);
        }
        self.read += count;
        let missing = 8_usize.saturating_sub(self.first.len());
        self.first.extend(bytes[..count].iter().take(missing));
        let mut damaged = None;
        self.incoming.pass(&bytes[..count], |record, at| {
            if record.kind == 23 && damaged.is_none() {
                damaged = Some(at);
            }
        });
        if let Some(at) = damaged.filter(|_| self.spoil) {
            bytes[at] ^= 0xff;
            self.spoil = false;
        }
        Ok(count)
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let left = self.left()?;
        self.socket.set_write_timeout(Some(left))?;
        let count = match self.socket.write(bytes) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            Err(error) => return Err(self.failed(error)),
        };
        let sent = &mut self.sent;
        self.outgoing
            .pass(&bytes[..count], |record, _| sent.push(record));
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.socket.flush()
    }
}
