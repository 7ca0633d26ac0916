//! Short ways to write a table's rows: states, blocks, crossings.

use super::client::Kind;
use super::observe::State;
use super::table::{Block, Crossing, Row, Want};

impl State {
    /// Tickets on, no cache.
    pub const ON: Self = Self {
        id: "never",
        ticket: "resumes",
        issued: "stateless",
        resumes: "always",
        life: (Some(300), Some(300)),
    };
    /// Tickets on and a cache that all processes share.
    pub const ON_CACHED: Self = Self {
        id: "resumes",
        ..Self::ON
    };
    /// Tickets off, no cache: TLS 1.3 tickets that never resume.
    pub const OFF: Self = Self {
        id: "never",
        ticket: "none",
        issued: "stateful",
        resumes: "never",
        life: (None, Some(300)),
    };
    /// Tickets off and a cache that all processes share.
    pub const OFF_CACHED: Self = Self {
        id: "resumes",
        resumes: "always",
        life: (Some(300), Some(300)),
        ..Self::OFF
    };
    /// A default server that rejects every handshake.
    pub const REJECTS: Self = Self {
        id: "unavailable",
        ticket: "unavailable",
        issued: "unavailable",
        resumes: "never",
        life: (None, None),
    };

    /// With these lifetimes, TLS 1.2 and TLS 1.3; negative: nothing is issued.
    pub const fn life(self, tls12: i64, tls13: i64) -> Self {
        Self {
            life: (seconds(tls12), seconds(tls13)),
            ..self
        }
    }

    /// With this TLS 1.3 part; nothing issued has no lifetime.
    pub const fn tls13(self, issued: &'static str, resumes: &'static str) -> Self {
        Self {
            issued,
            resumes,
            ..self
        }
    }

    /// Without tickets in TLS 1.3.
    pub const fn no_tls13_ticket(self) -> Self {
        Self {
            life: (self.life.0, None),
            ..self.tls13("none", "never")
        }
    }

    /// Without TLS 1.3.
    pub const fn only_tls12(self) -> Self {
        Self {
            life: (self.life.0, None),
            ..self.tls13("unavailable", "never")
        }
    }

    /// Without TLS 1.2.
    pub const fn only_tls13(self) -> Self {
        Self {
            id: "unavailable",
            ticket: "unavailable",
            life: (None, self.life.1),
            ..self
        }
    }
}

const fn seconds(number: i64) -> Option<u64> {
    if number < 0 {
        None
    } else {
        Some(number.unsigned_abs())
    }
}

impl Want {
    /// A state with what usually goes along: two tickets in TLS 1.3, and an id in TLS 1.2 where
    /// one resumes.
    pub fn usual(state: State) -> Self {
        let tickets13 = if matches!(state.issued, "stateless" | "stateful") {
            2
        } else {
            0
        };
        let id_sent = matches!(state.id, "resumes" | "per-worker");
        Self {
            state,
            id_sent,
            tickets13,
            key: None,
            broken: None,
        }
    }
}

impl Block {
    /// A block that shows the same in all versions.
    pub fn new(name: &'static str, lines: &'static str, state: State) -> Self {
        Self::split(name, lines, state, state)
    }

    /// A block that shows one state before and another one after the server changed which block
    /// decides.
    pub fn split(name: &'static str, lines: &'static str, old: State, new: State) -> Self {
        Self::by_family(name, lines, [old, old, new])
    }

    /// A block that shows what its family says.
    pub fn by_family(name: &'static str, lines: &'static str, states: [State; 3]) -> Self {
        Self {
            name,
            lines,
            listen: "",
            cert: 0,
            client: None,
            want: states.map(Want::usual),
        }
    }

    /// Changes what must be seen in both families.
    pub fn but(mut self, change: impl Fn(&mut Want)) -> Self {
        self.want.iter_mut().for_each(change);
        self
    }

    /// Sends an id in TLS 1.2 even where none resumes (nginx unless its cache is `off`).
    pub fn fake_id(self) -> Self {
        self.but(|want| want.id_sent = want.state.id != "unavailable")
    }

    /// Sends no id in TLS 1.2.
    pub fn no_id(self) -> Self {
        self.but(|want| want.id_sent = false)
    }

    /// With the second certificate.
    pub fn other_certificate(self) -> Self {
        Self { cert: 1, ..self }
    }

    /// Asked with this client certificate.
    pub fn client(self, index: usize) -> Self {
        Self {
            client: Some(index),
            ..self
        }
    }

    /// With more parameters of listen.
    pub fn listen(self, listen: &'static str) -> Self {
        Self { listen, ..self }
    }

    /// With tickets under this key file's name.
    pub fn key(self, stem: &'static str) -> Self {
        self.but(|want| want.key = Some(stem))
    }
}

impl Row {
    /// Blocks of one address.
    pub fn new(name: &'static str, blocks: Vec<Block>) -> Self {
        Self {
            name,
            blocks,
            crossings: Vec::new(),
            nameless: None,
            implicit: false,
        }
    }

    /// A session of the first block at the second, and of the second at the first: before and
    /// after the server changed which block decides.
    pub fn crossing(self, kind: Kind, there: [&'static str; 2], back: [&'static str; 2]) -> Self {
        let families = |[old, new]: [&'static str; 2]| [old, old, new];
        self.crossing_by_family(kind, families(there), families(back))
    }

    /// The same, by family.
    pub fn crossing_by_family(
        mut self,
        kind: Kind,
        there: [&'static str; 3],
        back: [&'static str; 3],
    ) -> Self {
        self.crossings.push(Crossing {
            from: 0,
            to: 1,
            kind,
            want: there,
        });
        self.crossings.push(Crossing {
            from: 1,
            to: 0,
            kind,
            want: back,
        });
        self
    }

    /// A session of TLS 1.3 made without SNI, offered at the second block, by family.
    pub fn nameless(self, want: [&'static str; 3]) -> Self {
        Self {
            nameless: Some(want),
            ..self
        }
    }
}
