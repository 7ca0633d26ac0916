//! The closed vocabularies of grammars/: each word of a table is one of these, or the build
//! fails. Says what a word means; what a server then does stands in the model.

macro_rules! vocabulary {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$doc])* $variant,)* }

        impl $name {
            /// Every value, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word that stands for it in grammars/.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// The value that a word of grammars/ stands for.
            #[must_use]
            pub fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.word() == word)
            }
        }
    };
}

vocabulary! {
    /// The servers whose configurations are read.
    Server {
        /// nginx and what is built on it.
        Nginx = "nginx",
        /// Apache httpd.
        Apache = "apache",
    }
}

vocabulary! {
    /// Whose httpd it is, where that decides which modules are built in.
    Build {
        /// Debian's and Ubuntu's packages.
        Debian = "debian",
        /// Packages of Red Hat Enterprise Linux, its rebuilds and Fedora.
        RedHat = "redhat",
        /// Built from the Apache Software Foundation's release with its defaults.
        Upstream = "upstream",
    }
}

vocabulary! {
    /// Where a directive may stand. The first group is nginx's, the second httpd's.
    Context {
        /// nginx: outside every block.
        Main = "main",
        /// `events`.
        Events = "events",
        /// `http`.
        Http = "http",
        /// `server` in `http`.
        HttpServer = "http/server",
        /// `if` in a `server`.
        HttpServerIf = "http/server-if",
        /// `location`.
        HttpLocation = "http/location",
        /// `if` in a `location`.
        HttpLocationIf = "http/location-if",
        /// `limit_except`.
        HttpLimitExcept = "http/limit-except",
        /// `upstream` in `http`.
        HttpUpstream = "http/upstream",
        /// `stream`.
        Stream = "stream",
        /// `server` in `stream`.
        StreamServer = "stream/server",
        /// `upstream` in `stream`.
        StreamUpstream = "stream/upstream",
        /// `mail`.
        Mail = "mail",
        /// `server` in `mail`.
        MailServer = "mail/server",
        /// The lines of `types`, `map` and their like.
        Data = "data",
        /// httpd: outside every section.
        ServerConfig = "server-config",
        /// `<VirtualHost>`.
        VirtualHost = "virtual-host",
        /// `<Directory>`, `<Location>`, `<Files>`, `<If>`.
        Directory = "directory",
        /// `<Proxy>`.
        Proxy = "proxy",
        /// `.htaccess`.
        Htaccess = "htaccess",
    }
}

impl Context {
    /// The server that has this context.
    #[must_use]
    pub const fn server(self) -> Server {
        match self {
            Self::ServerConfig
            | Self::VirtualHost
            | Self::Directory
            | Self::Proxy
            | Self::Htaccess => Server::Apache,
            _ => Server::Nginx,
        }
    }
}

vocabulary! {
    /// Which block of a listening address decides a value. A is the address's default server
    /// or first vhost, B the block that the client's name chooses.
    Decider {
        /// Nothing is decided by address: structure, or a value of the block itself only.
        None = "none",
        /// One value for the whole server process.
        Global = "global",
        /// A, for every connection of the address.
        DefaultServer = "default-server",
        /// A; B's `off` still takes away the TLS 1.2 session id.
        DefaultServerOwnOff = "default-server-own-off",
        /// A and B together: on only where both are on (and TLS 1.3 tickets die where they differ).
        Both = "both",
        /// B.
        OwnBlock = "own-block",
        /// Every command of the library has its own decider: see [`super::Command`].
        ByCommand = "by-command",
        /// httpd's A.
        FirstVhost = "first-vhost",
        /// httpd: A for tickets and TLS 1.2 ids, B for the stored entry and the stateful hint.
        FirstVhostStoredOwn = "first-vhost-stored-own",
        /// httpd: whether a key file is used at all is A's, which key is B's.
        FirstVhostKeyOwn = "first-vhost-key-own",
        /// httpd: off if A or B is off, for such options are only ever added.
        AnyOff = "any-off",
    }
}

vocabulary! {
    /// How a block takes over what stands around it.
    Inherit {
        /// It does not: the directive speaks of its own block only.
        None = "none",
        /// Its own value replaces the outer one.
        Override = "override",
        /// One of its own replaces the whole outer list.
        ArrayReplace = "array-replace",
        /// Its own are appended to the outer list.
        Append = "append",
        /// nginx's session cache: kind and zone are taken over apart.
        MergeCache = "merge-cache",
        /// There is only one value for everything.
        Global = "global",
    }
}

vocabulary! {
    /// What a second one in the same block does.
    Duplicate {
        /// The server does not start.
        Error = "error",
        /// The last one wins.
        Last = "last",
        /// The first one stays, later ones do nothing.
        First = "first",
        /// All hold together.
        Accumulate = "accumulate",
    }
}

vocabulary! {
    /// What follows the arguments.
    Body {
        /// Nothing: a simple directive.
        None = "none",
        /// nginx: a block of directives.
        Block = "block",
        /// nginx: a block of data lines, whose first word is no directive.
        Data = "data",
        /// nginx: Lua source.
        Lua = "lua",
        /// httpd: a section.
        Section = "section",
        /// httpd: a section that holds or not when the file is read.
        Conditional = "conditional",
        /// httpd: a macro's text.
        Macro = "macro",
    }
}

vocabulary! {
    /// What an argument is. The last kind of a row holds for all further arguments.
    Kind {
        /// Any text.
        Text = "text",
        /// A name, matched as the directive matches it.
        Name = "name",
        /// `on` or `off`.
        Flag = "flag",
        /// One of the row's values.
        Enum = "enum",
        /// nginx: a time, seconds where no unit stands.
        Seconds = "seconds",
        /// nginx: a time, with milliseconds.
        Milliseconds = "milliseconds",
        /// httpd: whole seconds as C's atoi reads them.
        AtoiSeconds = "atoi-seconds",
        /// A size in bytes, with k, m.
        Size = "size",
        /// A number.
        Number = "number",
        /// A file.
        Path = "path",
        /// A file name or a pattern of names.
        Glob = "glob",
        /// An address to listen on.
        Address = "address",
        /// nginx's session cache.
        NginxCache = "nginx-cache",
        /// httpd's provider and its arguments.
        Socache = "socache",
        /// A command of the TLS library.
        Command = "command",
        /// Protocol names, httpd's with `+` and `-`.
        Protocols = "protocols",
        /// A condition of a section.
        Condition = "condition",
    }
}

vocabulary! {
    /// Whether a boundary of the range of an advisory is certain for packages.
    Severity {
        /// Published as low.
        Low = "low",
        /// Published as medium or moderate.
        Medium = "medium",
        /// Published as high or important.
        High = "high",
        /// Not published by the vendor.
        Unrated = "unrated",
    }
}

/// How many arguments a directive takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Arity {
    /// One: on or off. httpd reads the first word only and lets the rest of the line be.
    Flag,
    /// Bit n is set where n arguments are taken.
    Counts(u16),
    /// This many or more.
    AtLeast(u8),
    /// httpd: the rest of the line, which the directive parses itself.
    Raw,
}

impl Arity {
    /// Reads the servers' own word: `TAKE12`, `1MORE`, `FLAG`, `RAW_ARGS`, `ITERATE`.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        let fixed = match word {
            "FLAG" => Some(Self::Flag),
            "NOARGS" | "NO_ARGS" => Some(Self::Counts(1)),
            "ANY" | "TAKE_ARGV" => Some(Self::AtLeast(0)),
            "1MORE" | "ITERATE" => Some(Self::AtLeast(1)),
            "2MORE" | "ITERATE2" => Some(Self::AtLeast(2)),
            "RAW_ARGS" => Some(Self::Raw),
            _ => None,
        };
        if fixed.is_some() {
            return fixed;
        }
        let digits = word.strip_prefix("TAKE").filter(|rest| !rest.is_empty())?;
        let mut counts = 0_u16;
        for digit in digits.chars() {
            let count = digit.to_digit(10).filter(|count| (1..=7).contains(count))?;
            counts |= 1 << count;
        }
        Some(Self::Counts(counts))
    }

    /// Whether a directive with this many words after its name passes the server's count.
    #[must_use]
    pub const fn accepts(self, arguments: usize) -> bool {
        match self {
            Self::Flag => arguments == 1,
            Self::Counts(counts) => arguments < 16 && counts & (1 << arguments) != 0,
            Self::AtLeast(least) => arguments >= least as usize,
            Self::Raw => true,
        }
    }
}
