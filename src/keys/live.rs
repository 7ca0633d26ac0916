//! The live check: a ticket that the running server hands out has to carry the current key's
//! name and a MAC by that key. Looks at a server from outside; changes nothing.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::tls::TicketKey;

/// Where a ticket is asked for.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct Target {
    /// The address.
    pub address: SocketAddr,
    /// The name that is asked for.
    pub name: Option<String>,
}

/// How the live check is done.
#[derive(Clone, Eq, PartialEq, Debug, Default)]
pub struct Live {
    /// Where; empty: nothing is known to check.
    pub targets: Vec<Target>,
    /// Files of a certificate chain and its key, where the server asks for one.
    pub identity: Option<(PathBuf, PathBuf)>,
    /// The server expects a line of the PROXY protocol first.
    pub proxy: bool,
    /// How long a server may go on with an older key after a reload.
    pub patience: Duration,
}

/// What the live check says.
#[derive(Clone, Eq, PartialEq, Debug)]
pub enum Verdict {
    /// So many tickets were under the current key.
    Verified(usize),
    /// No ticket could be had, and why. Never a pass.
    NotCheckable(String),
    /// A ticket is not under the current key.
    Wrong(String),
}

impl Verdict {
    /// One word for reports and metrics.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Verified(_) => "verified",
            Self::NotCheckable(_) => "not-checkable",
            Self::Wrong(_) => "wrong",
        }
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Verified(1) => out.write_str("1 ticket is under the current key"),
            Self::Verified(tickets) => write!(out, "{tickets} tickets are under the current key"),
            Self::NotCheckable(why) => write!(out, "not checkable: {why}"),
            Self::Wrong(why) => out.write_str(why),
        }
    }
}

impl Live {
    /// Asks for tickets until they are under this key, or patience ends.
    pub fn check(&self, key: &TicketKey) -> Verdict {
        if self.targets.is_empty() {
            return Verdict::NotCheckable("no address to ask is known".to_owned());
        }
        client::check(self, key)
    }
}

#[cfg(not(feature = "tls"))]
mod client {
    //! Without a TLS client there is nothing to ask with.

    use super::{Live, TicketKey, Verdict};

    pub(super) fn check(_: &Live, _: &TicketKey) -> Verdict {
        Verdict::NotCheckable("this program was built without the feature `tls`".to_owned())
    }
}

#[cfg(feature = "tls")]
mod client {
    //! The check by real handshakes.

    use std::hint::black_box;
    use std::thread;
    use std::time::Duration;

    use super::{Live, Target, TicketKey, Verdict};
    use crate::keys::secret::{decoys, scrub_stack};
    use crate::tls::client::{Client, ClientError, Ending, Hello, Manner, Observation};
    use crate::tls::{Protocol, Session};

    /// Between two looks at a server that still has an older key.
    const PAUSE: Duration = Duration::from_millis(50);
    const HANDSHAKE: Duration = Duration::from_secs(5);

    pub(super) fn check(live: &Live, key: &TicketKey) -> Verdict {
        let client = Client::new(Manner {
            identity: live.identity.clone(),
            proxy: live.proxy,
            patience: HANDSHAKE,
            ..Manner::default()
        });
        let client = match client {
            Ok(client) => client,
            Err(why) => return Verdict::NotCheckable(why.to_string()),
        };
        let looks = live.patience.as_millis() / PAUSE.as_millis();
        let mut verdict = all(&client, live, key);
        for _ in 0..looks {
            if !matches!(verdict, Verdict::Wrong(_)) {
                break;
            }
            thread::sleep(PAUSE);
            verdict = all(&client, live, key);
        }
        verdict
    }

    /// Every target in every version.
    fn all(client: &Client, live: &Live, key: &TicketKey) -> Verdict {
        let mut tickets = 0;
        let mut unasked = None;
        for target in &live.targets {
            let mut here = 0;
            let mut why = None;
            for protocol in [Protocol::Tls12, Protocol::Tls13] {
                match one(client, target, protocol, key) {
                    Ok(seen) => here += seen,
                    Err(Miss::Version) => {}
                    Err(Miss::Wrong(sentence)) => return Verdict::Wrong(sentence),
                    Err(Miss::Unasked(sentence)) => why = Some(sentence),
                }
            }
            let none = || format!("{}: no stateless ticket", target.address);
            // One version that cannot be asked leaves the address unproven.
            if let Some(why) = why.or_else(|| (here == 0).then(none)) {
                unasked = Some(why);
            }
            tickets += here;
        }
        unasked.map_or(Verdict::Verified(tickets), Verdict::NotCheckable)
    }

    enum Miss {
        Version,
        Wrong(String),
        Unasked(String),
    }

    fn one(
        client: &Client,
        target: &Target,
        protocol: Protocol,
        key: &TicketKey,
    ) -> Result<usize, Miss> {
        let hello = Hello::new(protocol, target.name.as_deref());
        let seen = visit(client, target, &hello).map_err(|why| match why {
            ClientError::Version => Miss::Version,
            why => Miss::Unasked(format!("{}: {why}", target.address)),
        })?;
        let mut tickets = 0;
        for session in seen
            .sessions
            .iter()
            .filter(|session| !session.is_stateful())
        {
            tickets += usize::from(judge(session, key).map_err(|what| {
                let version = protocol.word();
                Miss::Wrong(format!("{}: a TLS {version} ticket {what}", target.address))
            })?);
        }
        Ok(tickets)
    }

    /// A server that shook hands and says no more has shown its tickets all the same.
    fn visit(
        client: &Client,
        target: &Target,
        hello: &Hello<'_>,
    ) -> Result<Observation, ClientError> {
        let mut open = client.open(target.address, hello)?;
        let _ = open.ask();
        Ok(open.end(Ending::CloseNotify))
    }

    /// False where the session has no ticket.
    fn judge(session: &Session, key: &TicketKey) -> Result<bool, &'static str> {
        if session.ticket().is_empty() {
            return Ok(false);
        }
        let Some(ticket) = session.stateless() else {
            return Err("has another form than those of nginx and httpd");
        };
        if ticket.key_name() != key.name() {
            return Err("is not under the current key");
        }
        let verified = ticket.verifies(key);
        for decoy in decoys() {
            black_box(ticket.verifies(&decoy));
        }
        scrub_stack();
        if verified {
            Ok(true)
        } else {
            Err("names the current key, but its MAC is not by that key")
        }
    }
}
