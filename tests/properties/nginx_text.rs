//! nginx's text cut into tokens and statements, as `ngx_conf_read_token` cuts it. Written apart
//! from the project's own reader, which is what these tests are about.

use std::ops::Range;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Space,
    Comment,
    Word,
    Quoted,
    End,
    Open,
    Close,
}

#[derive(Debug, Clone)]
pub struct Token {
    pub kind: Kind,
    pub range: Range<usize>,
}

/// `name words;` or `name words { ... }`.
#[derive(Debug, Clone)]
pub struct Statement {
    pub range: Range<usize>,
    /// Number of the block around it; 0 is the file.
    pub block: usize,
    /// Indices of its own words among the tokens.
    pub words: Vec<usize>,
    /// It stands in a block whose lines are data.
    pub data: bool,
}

/// Blocks whose lines are no directives.
const DATA: [&[u8]; 6] = [
    b"types",
    b"map",
    b"geo",
    b"split_clients",
    b"charset_map",
    b"match",
];

/// The tokens; `None` for a text with another language in it, or with a quote left open.
pub fn tokens(text: &[u8]) -> Option<Vec<Token>> {
    if text.windows(13).any(|part| part == b"_by_lua_block") {
        return None;
    }
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let (kind, end) = token(text, at)?;
        tokens.push(Token {
            kind,
            range: at..end,
        });
        at = end;
    }
    Some(tokens)
}

fn token(text: &[u8], at: usize) -> Option<(Kind, usize)> {
    let run = |until: &dyn Fn(u8) -> bool| {
        let rest = &text[at..];
        let length = rest.iter().position(|byte| until(*byte));
        at + length.unwrap_or(rest.len())
    };
    Some(match text[at] {
        byte if is_space(byte) => (Kind::Space, run(&|byte| !is_space(byte))),
        b'#' => (Kind::Comment, run(&|byte| byte == b'\n')),
        b';' => (Kind::End, at + 1),
        b'{' => (Kind::Open, at + 1),
        b'}' => (Kind::Close, at + 1),
        quote @ (b'"' | b'\'') => (Kind::Quoted, quoted(text, at + 1, quote)?),
        _ => (Kind::Word, bare(text, at)),
    })
}

pub fn is_space(byte: u8) -> bool {
    b" \t\r\n".contains(&byte)
}

fn quoted(text: &[u8], mut at: usize, quote: u8) -> Option<usize> {
    loop {
        match *text.get(at)? {
            b'\\' => at += 2,
            byte if byte == quote => return Some(at + 1),
            _ => at += 1,
        }
    }
}

fn bare(text: &[u8], mut at: usize) -> usize {
    let mut variable = false;
    while let Some(byte) = text.get(at).copied() {
        if byte == b'{' && variable {
            at += 1;
            continue;
        }
        variable = byte == b'$';
        match byte {
            b'\\' => at += 2,
            b';' | b'{' => break,
            _ if is_space(byte) => break,
            _ => at += 1,
        }
    }
    at.min(text.len())
}

/// The statements of a text whose braces are in balance.
pub fn statements(text: &[u8], tokens: &[Token]) -> Option<Vec<Statement>> {
    let mut found: Vec<Statement> = Vec::new();
    // The open blocks: their number, the statement that opened them.
    let mut open: Vec<(usize, usize)> = Vec::new();
    let (mut blocks, mut words) = (1, Vec::new());
    for (index, token) in tokens.iter().enumerate() {
        let (block, opener) = open
            .last()
            .map_or((0, None), |(block, by)| (*block, Some(*by)));
        match token.kind {
            Kind::Space | Kind::Comment => {}
            Kind::Word | Kind::Quoted => words.push(index),
            Kind::Close => {
                let (_, by) = open.pop()?;
                if !words.is_empty() {
                    return None;
                }
                found[by].range.end = token.range.end;
            }
            Kind::End | Kind::Open => {
                let first = *words.first()?;
                found.push(Statement {
                    range: tokens[first].range.start..token.range.end,
                    block,
                    words: std::mem::take(&mut words),
                    data: opener.is_some_and(|by: usize| holds_data(text, tokens, &found, by)),
                });
                if token.kind == Kind::Open {
                    open.push((blocks, found.len() - 1));
                    blocks += 1;
                }
            }
        }
    }
    (open.is_empty() && words.is_empty()).then_some(found)
}

fn holds_data(text: &[u8], tokens: &[Token], found: &[Statement], index: usize) -> bool {
    let name = value(text, &tokens[found[index].words[0]]);
    found[index].data || name.is_none_or(|name| DATA.contains(&name))
}

/// The bytes of a word without escapes, without its quotes; `None` where it has escapes.
pub fn value<'a>(text: &'a [u8], token: &Token) -> Option<&'a [u8]> {
    let raw = &text[token.range.clone()];
    let inside = match token.kind {
        Kind::Quoted => &raw[1..raw.len() - 1],
        _ => raw,
    };
    (!inside.contains(&b'\\')).then_some(inside)
}
