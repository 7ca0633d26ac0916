//! nginx: may a directive stand where it stands, with so many words?
//!
//! The checks of `ngx_conf_handler` that need no value, in its order, for the directives
//! that the catalog has. Others pass: only the server knows its modules.

use crate::catalog::{self, Body, Context};
use crate::syntax::NodeKind;

/// Why nginx would refuse a statement, in its own words.
///
/// `context` is `None` where it is unknown: in blocks that the catalog does not have, and in
/// a lone fragment.
pub(super) fn objection(
    spec: &catalog::Directive,
    context: Option<Context>,
    kind: NodeKind,
    arguments: usize,
) -> Option<String> {
    if kind == NodeKind::Data {
        return None;
    }
    let is_block = kind != NodeKind::Directive;
    let fits = |row: &catalog::Directive| {
        context.is_none_or(|context| row.allowed_in(context))
            && (row.body != Body::None) == is_block
            && row.arity.accepts(arguments)
    };
    // Nearly always the row that was found already.
    if fits(spec) {
        return None;
    }
    let shown = spec.name;
    let rows = catalog::nginx(shown.as_bytes());
    let here = |row: &&catalog::Directive| context.is_none_or(|context| row.allowed_in(context));
    let allowed: Vec<&catalog::Directive> = rows.iter().filter(here).collect();
    if allowed.is_empty() {
        return Some(format!("\"{shown}\" directive is not allowed here"));
    }
    let opens = |row: &&&catalog::Directive| (row.body != Body::None) == is_block;
    let mut formed = allowed.iter().filter(opens).peekable();
    if formed.peek().is_none() {
        return Some(match is_block {
            true => format!("directive \"{shown}\" is not terminated by \";\""),
            false => format!("directive \"{shown}\" has no opening \"{{\""),
        });
    }
    if formed.any(|row| row.arity.accepts(arguments)) {
        return None;
    }
    Some(format!(
        "invalid number of arguments in \"{shown}\" directive"
    ))
}
