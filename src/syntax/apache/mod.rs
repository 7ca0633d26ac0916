//! httpd's configuration language: logical lines, words, sections.
//!
//! Reads one text at a time, as `ap_cfg_getline`, `ap_getword_conf` and `ap_resolve_env`
//! would. It opens no files, knows no directive's arguments and decides no condition: the
//! tree is what stands in the text, and which of its errors httpd really meets depends on
//! conditions and macros that only the source room evaluates. The grammar is written down
//! in `grammars/apache/lexical.ebnf`.

mod expand;
mod head;
mod lexer;
mod line;
mod parser;
mod view;
mod words;

pub use expand::{Expanded, Lookup, expand};
pub use head::{Head, HeadKind, expanded_head, head};
pub use line::{Joined, LINE_LIMIT, Line, Lines, MACRO_LINE_LIMIT, lines, lines_from};
pub use parser::parse;
pub use view::{Logical, logical};
pub use words::{Word, flag, is_space, trim, word, words};

/// The sections that httpd decides while it reads; names as httpd spells them, without `<`.
///
/// Their closing line follows rules of its own, and what stands in one that does not hold
/// is skipped. httpd `server/core.c` (`start_cond_section`), `modules/metadata/mod_version.c`.
pub const CONDITIONALS: [&str; 6] = [
    "IfModule",
    "IfDefine",
    "IfVersion",
    "IfFile",
    "IfDirective",
    "IfSection",
];

/// The section whose body is kept as lines: httpd `modules/core/mod_macro.c`.
pub const MACRO: &str = "Macro";

/// True for the name of a section that is decided while reading (any case).
pub fn is_conditional(name: &[u8]) -> bool {
    CONDITIONALS
        .iter()
        .any(|known| name.eq_ignore_ascii_case(known.as_bytes()))
}

/// True for the name of a macro definition's section (any case).
pub fn is_macro(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(MACRO.as_bytes())
}
