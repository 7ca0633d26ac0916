//! How to read a file: what its blocks hold, as the catalog says.
//!
//! It must not look at bytes.

use crate::catalog;

/// What stands between a block's braces.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub enum Body {
    /// Statements that begin with a directive's name.
    Directives,
    /// Lines of data (`types`, `map`): the first word is no directive, blocks are refused.
    /// `include` works in most of them, so a reader has to look for that word itself.
    Data,
    /// Lua, which has braces of its own.
    Lua,
}

/// What an included file continues.
#[derive(Copy, Clone, Eq, PartialEq, Debug, Default)]
pub enum InitialContext {
    /// A main file, or one included among directives.
    #[default]
    Directives,
    /// A file included inside a data block.
    Data,
}

/// How to read a file.
#[derive(Copy, Clone, Debug)]
pub struct Options {
    /// The body that a directive of this (decoded) name opens.
    pub body: fn(&[u8]) -> Body,
    /// What the file's own top level holds.
    pub context: InitialContext,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            body: server_bodies,
            context: InitialContext::Directives,
        }
    }
}

/// The body that the catalog gives for a directive of this name: data for nginx's own tables
/// (`types`, `map`, `geo` ...), Lua for lua-nginx-module's blocks. A name that the catalog does
/// not know opens directives.
pub fn server_bodies(name: &[u8]) -> Body {
    match catalog::nginx(name).first().map(|row| row.body) {
        Some(catalog::Body::Data) => Body::Data,
        Some(catalog::Body::Lua) => Body::Lua,
        _ => Body::Directives,
    }
}
