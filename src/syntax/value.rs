//! The grammars of single values.
