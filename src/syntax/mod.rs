//! Bytes to tokens and trees, for both servers, and the grammars of single values.
//!
//! Parsing never fails: any bytes give a tree that prints back byte for byte, with errors
//! beside it. This room reads no files and knows no meaning beyond the words of the catalog.

pub mod apache;
pub mod nginx;
pub mod remark;
mod tokens;
mod tree;
pub mod value;

pub use tokens::{Run, Token, TokenKind, Tokens};
pub use tree::{Children, Node, NodeId, NodeKind, SyntaxError, Tree};
