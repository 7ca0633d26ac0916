//! The generated tables. Written by build.rs; nothing is added by hand.

use super::names::{
    Arity, Body, Build, Context, Decider, Duplicate, Inherit, Kind, Server, Severity,
};
use super::types::{
    Advisory, Backport, Behaviour, Command, Decision, Directive, Fork, LibraryFact, Module, Stub,
};
use super::version::{Version, VersionRange};

include!(concat!(env!("OUT_DIR"), "/catalog.rs"));
