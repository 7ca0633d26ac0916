//! The ways in which a client can end its own connection, and what each puts on the wire.

use std::io::Write;
use std::sync::PoisonError;

use super::open::Open;
use super::seal::{Material, alert};
use super::{Observation, Protocol};

const FATAL: u8 = 2;
const CLOSE_NOTIFY: u8 = 0;

/// How a client ends its connection.
#[derive(Copy, Clone, Eq, PartialEq, Hash, Debug)]
pub enum Ending {
    /// close_notify at level warning: the polite end.
    CloseNotify,
    /// TCP alone is closed.
    Silent,
    /// A fatal alert under the connection's key.
    FatalAlert,
    /// close_notify at level fatal under the connection's key; needs a hello that was sealing.
    FatalCloseNotify,
}

impl Ending {
    /// Every way.
    pub const ALL: [Self; 4] = [
        Self::FatalAlert,
        Self::FatalCloseNotify,
        Self::CloseNotify,
        Self::Silent,
    ];

    /// As reports name it.
    pub fn word(self) -> &'static str {
        match self {
            Self::CloseNotify => "close_notify",
            Self::Silent => "tcp-close",
            Self::FatalAlert => "fatal-alert",
            Self::FatalCloseNotify => "fatal-close_notify",
        }
    }
}

impl Open {
    /// Ends the connection, waits until the server has dealt with it, and tells what was seen.
    pub fn end(mut self, ending: Ending) -> Observation {
        let observation = self.observed();
        match ending {
            Ending::CloseNotify => {
                // The server may be gone already.
                let _ = self.stream.shutdown();
                self.stream.get_mut().finish();
                return observation;
            }
            Ending::Silent => self.stream.get_mut().finish(),
            Ending::FatalAlert => {
                self.stream.get_mut().feed_spoiled_record();
                let mut none = [0; 16];
                // It fails by design: OpenSSL answers the record with bad_record_mac.
                let _ = self.stream.ssl_read(&mut none);
            }
            Ending::FatalCloseNotify => {
                if let Some(record) = self.fatal_close_notify() {
                    let _ = self.stream.get_mut().write_all(&record);
                }
            }
        }
        self.settle();
        observation
    }

    /// True where the record of [`Ending::FatalCloseNotify`] can be made.
    pub fn can_seal(&self) -> bool {
        self.fatal_close_notify().is_some()
    }

    fn fatal_close_notify(&self) -> Option<Vec<u8>> {
        let ssl = self.stream.ssl();
        let cipher = ssl.current_cipher()?.name();
        if !self.sealing || !cipher.contains("GCM") {
            return None;
        }
        let noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        let mut randoms = vec![0; 64];
        ssl.server_random(&mut randoms[..32]);
        ssl.client_random(&mut randoms[32..]);
        let material = Material {
            protocol: self.protocol,
            wide: cipher.contains("SHA384"),
            secret: noted.secret.clone()?,
            randoms,
        };
        let sent = self.stream.get_ref().sent.len() as u64;
        // TLS 1.2: the client's Finished was number 0 under this key.
        let sequence = match self.protocol {
            Protocol::Tls12 => sent + 1,
            Protocol::Tls13 => sent,
        };
        alert(&material, sequence, FATAL, CLOSE_NOTIFY)
    }
}
