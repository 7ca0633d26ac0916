//! The words of the contract: what a field of an endpoint can say. Plain enums with the
//! spelling of `inspect --format json`; nothing here is worked out.

use serde::Serialize;

macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Debug, Serialize)]
        pub enum $name { $($(#[$vmeta])* #[serde(rename = $word)] $variant,)+ }

        impl $name {
            /// The word of the contract.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }
    };
}

words! {
    /// What carries TLS.
    Transport {
        /// TLS over TCP (and unix sockets).
        Tcp = "tcp",
        /// HTTP/3.
        Quic = "quic",
    }
}
words! {
    /// nginx's module; httpd is always http.
    Module {
        /// http.
        Http = "http",
        /// stream.
        Stream = "stream",
        /// mail.
        Mail = "mail",
    }
}
words! {
    /// What a client without the ticket extension gets in TLS 1.2.
    Tls12Id {
        /// Sessions resume by id.
        Resumes = "resumes",
        /// Only in the worker that made them.
        PerWorker = "per-worker",
        /// Never.
        Never = "never",
        /// TLS 1.2 is not spoken here, or the handshake is refused.
        Unavailable = "unavailable",
        /// A script decides.
        External = "external",
        /// Not modelled.
        Unknown = "unknown",
    }
}
words! {
    /// What a client with the ticket extension gets in TLS 1.2.
    Tls12Ticket {
        /// Issued, resumes.
        Resumes = "resumes",
        /// Issued, never resumes.
        Dead = "dead",
        /// Not issued.
        None = "none",
        /// TLS 1.2 is not spoken here, or the handshake is refused.
        Unavailable = "unavailable",
        /// Not modelled.
        Unknown = "unknown",
    }
}
words! {
    /// TLS 1.3 tickets.
    Tls13Issued {
        /// The session is in the ticket.
        Stateless = "stateless",
        /// The ticket names a stored session.
        Stateful = "stateful",
        /// No ticket.
        None = "none",
        /// TLS 1.3 is not spoken here, or the handshake is refused.
        Unavailable = "unavailable",
        /// Not modelled.
        Unknown = "unknown",
    }
}
words! {
    /// Whether TLS 1.3 tickets resume.
    Tls13Resumes {
        /// Always.
        Always = "always",
        /// Only in the worker that made them.
        PerWorker = "per-worker",
        /// Never.
        Never = "never",
        /// Not modelled.
        Unknown = "unknown",
    }
}
words! {
    /// Where the ticket key comes from.
    KeySource {
        /// Random at start or reload, never rotated.
        Startup = "startup",
        /// Kept and rotated in the shared zone.
        Zone = "zone",
        /// Key files.
        Files = "files",
        /// No stateless tickets are issued.
        None = "none",
        /// Not modelled.
        Unknown = "unknown",
    }
}
words! {
    /// The mildest event that changes the ticket key.
    Replaced {
        /// The server does it by itself.
        Automatic = "automatic",
        /// A reload.
        Reload = "reload",
        /// A restart.
        Restart = "restart",
        /// New files.
        ByFile = "by-file",
    }
}
words! {
    /// A session of another name of the socket is offered here.
    CrossName {
        /// It resumes and is served.
        Served = "served",
        /// A full handshake follows.
        Full = "full",
        /// The handshake fails.
        Fails = "fails",
        /// Only sessions of the same name (httpd's ServerName:port).
        SameNameOnly = "same-name-only",
    }
}
words! {
    /// Client certificates.
    ClientAuth {
        /// Not asked for.
        Off = "off",
        /// Asked for, not needed.
        Optional = "optional",
        /// Needed.
        Required = "required",
    }
}
words! {
    /// Where a value comes from.
    Origin {
        /// Written in the block.
        Set = "set",
        /// Written in an enclosing block.
        Inherited = "inherited",
        /// Not written.
        Default = "default",
        /// From the default server of the address.
        DefaultServer = "default-server",
        /// From the first vhost of the address.
        FirstVhost = "first-vhost",
        /// From a conf command, which is applied last.
        ConfCommand = "conf-command",
        /// From several settings together.
        Combined = "combined",
    }
}
words! {
    /// An output field that has a reason.
    Field {
        /// `tls12.session_id`
        Tls12SessionId = "tls12.session_id",
        /// `tls12.ticket`
        Tls12Ticket = "tls12.ticket",
        /// `tls13.issued`
        Tls13Issued = "tls13.issued",
        /// `tls13.resumes`
        Tls13Resumes = "tls13.resumes",
        /// `lifetime_seconds.tls12`
        Lifetime12 = "lifetime_seconds.tls12",
        /// `lifetime_seconds.tls13`
        Lifetime13 = "lifetime_seconds.tls13",
        /// `chain_bounded`
        ChainBounded = "chain_bounded",
        /// `ticket_key`
        TicketKey = "ticket_key",
        /// `cross_name`
        CrossName = "cross_name",
        /// `client_auth`
        ClientAuth = "client_auth",
        /// `early_data`
        EarlyData = "early_data",
        /// `rejects`
        Rejects = "rejects",
    }
}

impl Tls12Id {
    /// Sessions resume from this server's own store, in one worker at least.
    pub const fn kept_here(self) -> bool {
        matches!(self, Self::Resumes | Self::PerWorker)
    }
}

impl Tls12Ticket {
    /// A client gets one, whether or not it is of use.
    pub const fn issued(self) -> bool {
        matches!(self, Self::Resumes | Self::Dead)
    }
}

impl Tls13Issued {
    /// A client gets one, whether or not it is of use.
    pub const fn any(self) -> bool {
        matches!(self, Self::Stateless | Self::Stateful)
    }
}

impl Tls13Resumes {
    /// In one worker at least.
    pub const fn ever(self) -> bool {
        matches!(self, Self::Always | Self::PerWorker)
    }
}
