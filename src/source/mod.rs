//! Everything that is read: files, include graphs, discovery, file facts, package status.
//!
//! The result is a [`Project`]: every file once, and every directive in the order and the
//! context in which the server takes it. This room interprets nothing beyond Include,
//! Define, macros and conditionals.

mod ahead;
mod allowed;
pub mod apache;
mod classify;
mod content;
mod discover;
mod disk;
mod dump;
mod error;
mod facts;
mod files;
mod folders;
mod glob;
mod ignored;
mod load;
mod maps;
mod memory;
mod nginx;
mod numbers;
mod options;
mod package;
mod path;
mod pattern;
mod place;
mod project;
mod reading;
mod resolve;
mod room;
mod shortlist;
mod threads;
mod upward;

pub use allowed::AllowedMissing;
pub use discover::{Discovery, Found, Given, discover, discover_file};
pub use disk::Disk;
pub use dump::Dump;
pub use error::SourceError;
pub use facts::{Entropy, Facts, FileFacts, Storage};
pub use files::{DEFAULT_LARGEST_FILE, FileKind, FileSystem, Metadata, ReadError, Walk};
pub use ignored::Exclusion;
pub use load::load;
pub use maps::{PathMap, PathMaps};
pub use memory::{Memory, Overlay, Replacements};
pub use numbers::LineNumbers;
pub use options::{ContextError, FragmentContext, Limits, LoadOptions, Root, RootKind};
pub use package::{PackageStatus, packaged, upstream_version};
pub use path::clean as clean_path;
pub use pattern::{PathGlobs, PathLists};
pub use project::{
    Atom, AtomKind, Awaited, Directive, DirectiveId, File, FileId, FileOrigin, Literal, Problem,
    ProblemKind, Project, Subtree, Text, Via, ViaId, When, WhenId,
};
pub use threads::lead;
pub use upward::upward;
