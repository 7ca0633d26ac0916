//! Everything that is read: files, include graphs, discovery, file facts, package status.
//!
//! The result is a [`Project`]: every file once, and every directive in the order and the
//! context in which the server takes it. This room interprets nothing beyond Include,
//! Define, macros and conditionals.

mod project;

pub use project::{
    Atom, AtomKind, Directive, DirectiveId, File, FileId, FileOrigin, Literal, Problem,
    ProblemKind, Project, Subtree, Text, Via, ViaId, When, WhenId,
};
