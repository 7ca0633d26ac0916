//! The tree of a file, made when it is asked for and given back when it has had its turn.
//!
//! Trees are larger than the texts they are made from, and of most files nobody asks for one
//! after the includes were followed: httpd is not read by its trees at all. It must not know
//! what a tree says.

use std::sync::{Arc, OnceLock};

use crate::syntax::{Tree, apache, nginx};

/// How a file's bytes become its tree.
#[derive(Copy, Clone, Debug)]
pub(super) enum Reading {
    /// As nginx reads it.
    Nginx(nginx::Options),
    /// As httpd reads it.
    Apache,
}

impl Reading {
    pub(super) fn parse(&self, text: &[u8]) -> Tree {
        match self {
            Self::Nginx(options) => nginx::parse(text, options),
            Self::Apache => apache::parse(text),
        }
    }

    fn is_of_directives(self) -> bool {
        match self {
            Self::Nginx(options) => options.context == nginx::InitialContext::Directives,
            Self::Apache => true,
        }
    }
}

/// A tree that is there while it is needed.
#[derive(Clone, Debug)]
pub(super) struct Grown {
    reading: Reading,
    tree: OnceLock<Arc<Tree>>,
    /// Known to have no error, as a file of directives.
    flawless: bool,
}

impl Grown {
    /// A tree that nobody has asked for.
    pub(super) const fn later(reading: Reading) -> Self {
        Self {
            reading,
            tree: OnceLock::new(),
            flawless: false,
        }
    }

    /// A tree that is there already, of a file that would be read so.
    pub(super) fn now(reading: Reading, tree: Tree) -> Self {
        Self {
            reading,
            flawless: false,
            tree: OnceLock::from(Arc::new(tree)),
        }
    }

    /// The tree of `text`, made now.
    pub(super) fn parsed(reading: Reading, text: &[u8]) -> Self {
        let tree = reading.parse(text);
        Self {
            flawless: tree.errors.is_empty() && reading.is_of_directives(),
            ..Self::now(reading, tree)
        }
    }

    /// The tree of `text`, which has to be the same every time.
    pub(super) fn of(&self, text: &[u8]) -> &Arc<Tree> {
        self.tree.get_or_init(|| Arc::new(self.reading.parse(text)))
    }

    /// The tree of `text`, which is not kept for the next one who asks.
    pub(super) fn passing(&self, text: &[u8]) -> Arc<Tree> {
        match self.tree.get() {
            Some(tree) => Arc::clone(tree),
            None => Arc::new(self.reading.parse(text)),
        }
    }

    /// True where it was made and had no error; not so for data, and where nobody has asked yet.
    pub(super) const fn is_flawless(&self) -> bool {
        self.flawless
    }

    /// Gives it back: it would be made again.
    pub(super) fn forget(&mut self) {
        self.tree.take();
    }
}
