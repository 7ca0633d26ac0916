//! Steps that change how an nginx configuration is written and not what it says: comments and
//! white space between any two tokens, quotes, line ends, parts moved into files and back.

use std::path::{Path, PathBuf};

use super::includes::{is_plain, matching};
use super::nginx_text::{Kind, Statement, Token, is_space, statements, tokens, value};
use super::{Step, Texts, pick, replaced};

/// What steps do, in the order of their numbers.
pub const KINDS: [&str; 9] = [
    "comment",
    "space changed",
    "space added",
    "space removed",
    "quotes added",
    "quotes removed or swapped",
    "line ends",
    "split",
    "joined",
];

/// nginx refuses a comment of 4,096 bytes, and a quoted word of 4,095.
const COMMENTS: [&str; 8] = [
    "#",
    "# a word",
    "# ssl_session_tickets off;",
    "# it's \"quoted\" } {",
    "#} \\",
    "#\t\u{e9} ssl_session_cache shared:X:1m; ",
    "# include nothing.conf;",
    "#################################################################################",
];
const SPACES: [&str; 10] = [
    " ",
    "\n",
    "\t",
    "\r\n",
    "  \t ",
    "\n\n\n",
    "\r",
    "\n\t\t",
    " \r\n \r\n",
    "        ",
];
/// The longest word that may be put into quotes.
const LONGEST: usize = 4000;

/// The files of a configuration and where includes begin.
pub struct Written {
    pub texts: Texts,
    /// The folder of the root file.
    pub base: PathBuf,
    /// Files made so far.
    pub made: usize,
}

impl Written {
    /// Does a step; false where there is nothing to do it to.
    pub fn step(&mut self, step: Step) -> bool {
        let paths: Vec<PathBuf> = self.texts.keys().cloned().collect();
        let Some(path) = pick(&paths, step.file) else {
            return false;
        };
        let text = self.texts[path].clone();
        let Some(all) = tokens(&text) else {
            return false;
        };
        let new = match KINDS[step.what] {
            "comment" => comment(&text, &all, step),
            "space changed" => changed(&text, &all, step),
            "space added" => added(&text, &all, step),
            "space removed" => removed(&text, &all, step),
            "quotes added" => quoted(&text, &all, step),
            "quotes removed or swapped" => unquoted(&text, &all, step),
            "line ends" => ends(&text, &all, step),
            "split" => self.split(&text, &all, step),
            _ => self.joined(&text, &all, step),
        };
        let Some(new) = new.filter(|new| *new != text) else {
            return false;
        };
        self.texts.insert(path.clone(), new);
        true
    }

    /// Moves some statements of one block into one file, or into several under a pattern.
    fn split(&mut self, text: &[u8], all: &[Token], step: Step) -> Option<Vec<u8>> {
        let found = statements(text, all)?;
        let movable: Vec<&Statement> = found.iter().filter(|one| !one.data).collect();
        let first = **pick(&movable, step.place).as_ref()?;
        let beside: Vec<&Statement> = found
            .iter()
            .filter(|one| one.block == first.block && one.range.start >= first.range.start)
            .collect();
        let count = 1 + step.way as usize % beside.len().min(6);
        let range = first.range.start..beside[count - 1].range.end;
        let number = self.made;
        self.made += 1;
        let new = |bytes: &[u8]| match step.way >> 8 & 1 {
            0 => bytes.to_vec(),
            _ => [bytes, b"\n"].concat(),
        };
        let folder = format!("moved/{number}");
        // Who includes keys by a pattern says that they are replaced. What an inner include
        // leads to is not looked at.
        let plain = says(&text[range.clone()], KEY) || says(&text[range.clone()], b"include");
        let name = match step.way >> 4 & if plain { 1 } else { 3 } {
            0 => format!("{folder}/part.conf"),
            1 => format!("{}/{folder}/part.conf", self.base.display()),
            2 => format!("{folder}/p?rt.conf"),
            // In the order of their bytes: `10` before `9`.
            _ => {
                let cut = beside[step.way as usize / 7 % count].range.start;
                let (front, back) = (&text[range.start..cut], &text[cut..range.end]);
                self.write(&format!("{folder}/10.conf"), new(front));
                self.write(&format!("{folder}/9.conf"), new(back));
                let include = format!("include {folder}/*.conf;");
                return Some(replaced(text, range, include.as_bytes()));
            }
        };
        self.write(&format!("{folder}/part.conf"), new(&text[range.clone()]));
        let include = match step.way >> 10 & 1 {
            0 => format!("include {name};"),
            _ => format!("include \"{name}\" ;"),
        };
        Some(replaced(text, range, include.as_bytes()))
    }

    fn write(&mut self, name: &str, bytes: Vec<u8>) {
        self.texts.insert(self.base.join(name), bytes);
    }

    /// Puts the text of included files where the include stands.
    fn joined(&self, text: &[u8], all: &[Token], step: Step) -> Option<Vec<u8>> {
        let found = statements(text, all)?;
        let is_include = |one: &&Statement| {
            one.words.len() == 2 && value(text, &all[one.words[0]]) == Some(b"include")
        };
        let includes: Vec<&Statement> = found.iter().filter(is_include).collect();
        let include = pick(&includes, step.place)?;
        let pattern = std::str::from_utf8(value(text, &all[include.words[1]])?).ok()?;
        let pattern = self.base.join(pattern);
        let files = matching(&self.texts, &pattern)?;
        if files.is_empty() && is_plain(&pattern) {
            return None;
        }
        let mut whole = Vec::new();
        for path in files {
            let part = &self.texts[path];
            statements(part, &tokens(part)?)?;
            whole.extend_from_slice(part);
            whole.push(b'\n');
        }
        let about_keys = says(&whole, KEY) || says(&whole, b"include");
        if about_keys && !is_plain(&pattern) {
            return None;
        }
        Some(replaced(text, include.range.clone(), &whole))
    }

    /// Where a step's files go.
    pub fn folder(&self) -> &Path {
        &self.base
    }
}

const KEY: &[u8] = b"ssl_session_ticket_key";

fn says(text: &[u8], words: &[u8]) -> bool {
    text.windows(words.len()).any(|part| part == words)
}

/// Behind a comment a line has to end.
fn needs_line(all: &[Token], index: usize) -> bool {
    index > 0 && all[index - 1].kind == Kind::Comment
}

fn of_kind(all: &[Token], kinds: &[Kind], place: u32) -> Option<usize> {
    let wanted = |index: &usize| kinds.contains(&all[*index].kind);
    let found: Vec<usize> = (0..all.len()).filter(wanted).collect();
    pick(&found, place).copied()
}

fn comment(text: &[u8], all: &[Token], step: Step) -> Option<Vec<u8>> {
    let index = of_kind(all, &[Kind::Space], step.place)?;
    let front = if needs_line(all, index) { "\n" } else { " " };
    let words = pick(&COMMENTS, step.way)?;
    let behind = pick(&["", " ", "    ", "\n"], step.way >> 8)?;
    let whole = format!("{front}{words}\n{behind}");
    Some(replaced(text, all[index].range.clone(), whole.as_bytes()))
}

fn changed(text: &[u8], all: &[Token], step: Step) -> Option<Vec<u8>> {
    let index = of_kind(all, &[Kind::Space], step.place)?;
    let front = if needs_line(all, index) { "\n" } else { "" };
    let whole = format!("{front}{}", pick(&SPACES, step.way)?);
    Some(replaced(text, all[index].range.clone(), whole.as_bytes()))
}

/// White space or a comment around what ends a word by itself.
fn added(text: &[u8], all: &[Token], step: Step) -> Option<Vec<u8>> {
    let marks = [Kind::End, Kind::Open, Kind::Close];
    let mark = all[of_kind(all, &marks, step.place)?].range.clone();
    let at = if step.way & 1 == 0 {
        mark.start
    } else {
        mark.end
    };
    let space = pick(&SPACES, step.way >> 1)?;
    let comment = match step.way >> 8 & 3 {
        0 if at == mark.end => format!("{}\n", pick(&COMMENTS, step.way >> 10)?),
        1 => format!("{space}{}\n", pick(&COMMENTS, step.way >> 10)?),
        _ => String::new(),
    };
    let whole = if comment.is_empty() { space } else { &*comment };
    Some(replaced(text, at..at, whole.as_bytes()))
}

fn removed(text: &[u8], all: &[Token], step: Step) -> Option<Vec<u8>> {
    let index = of_kind(all, &[Kind::Space], step.place)?;
    let before = index.checked_sub(1).map(|at| &all[at]);
    let after = all.get(index + 1).map(|token| token.kind);
    let marks = [Kind::End, Kind::Open, Kind::Close];
    let free = match (before.map(|token| token.kind), after) {
        (None, _) => true,
        (Some(Kind::Comment), _) => false,
        (Some(kind), _) if marks.contains(&kind) => true,
        (Some(Kind::Quoted), Some(Kind::End | Kind::Open)) => true,
        (Some(Kind::Word), Some(Kind::End | Kind::Open)) => {
            let last = before.and_then(|token| text[token.range.clone()].last());
            !matches!(last, Some(b'$' | b'{' | b'\\'))
        }
        (Some(_), None) => true,
        _ => false,
    };
    free.then(|| replaced(text, all[index].range.clone(), b""))
}

fn quoted(text: &[u8], all: &[Token], step: Step) -> Option<Vec<u8>> {
    let index = of_kind(all, &[Kind::Word], step.place)?;
    // Behind a quote only `)` may follow at once, and only without quotes.
    if index > 0 && all[index - 1].kind == Kind::Quoted {
        return None;
    }
    let word = value(text, &all[index])?;
    let quote = [b"\"", b"'"][step.way as usize & 1];
    if word.contains(&quote[0]) || word.len() > LONGEST {
        return None;
    }
    Some(replaced(
        text,
        all[index].range.clone(),
        &[quote, word, quote].concat(),
    ))
}

fn unquoted(text: &[u8], all: &[Token], step: Step) -> Option<Vec<u8>> {
    let index = of_kind(all, &[Kind::Quoted], step.place)?;
    let word = value(text, &all[index])?;
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_./:*-,=@%+~^()|<>&!?".contains(byte);
    let apart = all
        .get(index + 1)
        .is_some_and(|next| next.kind != Kind::Word);
    if step.way & 1 == 0 && !word.is_empty() && word.iter().all(plain) && apart {
        return Some(replaced(text, all[index].range.clone(), word));
    }
    if word.iter().any(|byte| b"\"'".contains(byte)) {
        return None;
    }
    let other = match text[all[index].range.start] {
        b'"' => b"'",
        _ => b"\"",
    };
    Some(replaced(
        text,
        all[index].range.clone(),
        &[other, word, other].concat(),
    ))
}

/// CRLF everywhere but in quotes, LF everywhere, or no end of the last line.
fn ends(text: &[u8], all: &[Token], step: Step) -> Option<Vec<u8>> {
    if step.way.is_multiple_of(3) {
        let length = text.iter().rposition(|byte| !is_space(*byte))? + 1;
        let last = all.iter().rfind(|token| token.kind != Kind::Space)?;
        return (length >= last.range.end).then(|| text[..length].to_vec());
    }
    let mut out = Vec::with_capacity(text.len());
    for token in all {
        let bytes = &text[token.range.clone()];
        if !matches!(token.kind, Kind::Space | Kind::Comment) {
            out.extend_from_slice(bytes);
            continue;
        }
        for byte in bytes {
            match byte {
                b'\r' => {}
                b'\n' if step.way % 3 == 1 => out.extend_from_slice(b"\r\n"),
                byte => out.push(*byte),
            }
        }
        // A lone carriage return was all that stood between two words.
        if token.kind == Kind::Space && bytes.iter().all(|byte| *byte == b'\r') {
            out.push(b' ');
        }
    }
    Some(out)
}
