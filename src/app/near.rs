//! Names that somebody may have meant: the same for the command line, rules and settings.

pub use crate::policy::settings::close as near;
