//! Steps that change how an httpd configuration is written and not what it says: comments, white
//! space, continued lines, capitals in names, quotes, line ends, parts moved into files and back.

use std::ops::Range;
use std::path::{Path, PathBuf};

use super::apache_text::{Kind, Line, is_balanced, is_space, lines, words};
use super::includes::{is_plain, matching};
use super::{Step, Texts, pick, replaced};

/// What steps do, in the order of their numbers.
pub const KINDS: [&str; 10] = [
    "comment",
    "space around a line",
    "space between words",
    "continuation",
    "capitals",
    "quotes added",
    "quotes removed or swapped",
    "line ends",
    "split",
    "joined",
];

/// Lines that say nothing.
const NOTHING: [&str; 9] = [
    "\n",
    " \t\n",
    "#\n",
    "# a word\n",
    "\t# SSLSessionTickets off\n",
    "# goes on \\\n  SSLSessionTickets off\n",
    "# goes on \\\n  \\\nSSLSessionCache none\n",
    "#<VirtualHost *:1>\n",
    "# it's \"open\n",
];
const SPACES: [&str; 7] = [" ", "\t", "  ", " \t ", "\u{b}", "\u{c}", "        "];

/// Directives whose arguments are words and nothing else, in small letters.
const OF_WORDS: [&str; 38] = [
    "sslengine",
    "sslsessiontickets",
    "sslsessioncache",
    "sslsessioncachetimeout",
    "sslsessionticketkeyfile",
    "sslverifyclient",
    "sslverifydepth",
    "sslprotocol",
    "sslciphersuite",
    "sslhonorcipherorder",
    "sslcertificatefile",
    "sslcertificatekeyfile",
    "sslcacertificatefile",
    "sslopensslconfcmd",
    "servername",
    "serveralias",
    "serveradmin",
    "serverroot",
    "documentroot",
    "listen",
    "include",
    "includeoptional",
    "loadmodule",
    "define",
    "undefine",
    "use",
    "pidfile",
    "errorlog",
    "loglevel",
    "user",
    "group",
    "startservers",
    "serverlimit",
    "threadlimit",
    "threadsperchild",
    "maxrequestworkers",
    "defaultruntimedir",
    "protocol",
];

/// The files of a configuration and where includes begin.
pub struct Written {
    pub texts: Texts,
    /// `ServerRoot`.
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
        let Some(all) = lines(&text) else {
            return false;
        };
        let new = match KINDS[step.what] {
            "comment" => comment(&text, &all, step),
            "space around a line" => around(&text, &all, step),
            "space between words" => between(&text, &all, step),
            "continuation" => continued(&text, &all, step),
            "capitals" => capitals(&text, &all, step),
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

    /// Moves lines whose sections close among them into files.
    fn split(&mut self, text: &[u8], all: &[Line], step: Step) -> Option<Vec<u8>> {
        let from = step.place as usize % all.len().max(1);
        let whole = |to: &usize| {
            let cuts_macro = |at: usize| {
                let inside = |index: usize| all.get(index).is_some_and(|line| line.in_macro);
                let opens = all
                    .get(at)
                    .is_some_and(|line| line.name == "macro" && line.kind == Kind::Open);
                at > 0 && inside(at - 1) && inside(at) && !opens
            };
            is_balanced(&all[from..*to]) && !cuts_macro(from) && !cuts_macro(*to)
        };
        let ends: Vec<usize> = (from + 1..=all.len()).filter(whole).collect();
        let to = *pick(&ends, (step.way >> 16) % 6)?;
        let range = all[from].range.start..all[to - 1].range.end;
        let number = self.made;
        self.made += 1;
        let folder = self.base.join(format!("moved/{number}"));
        let part = folder.join("part.conf");
        let mut put = |path: &Path, bytes: &[u8]| {
            self.texts.insert(path.to_path_buf(), bytes.to_vec());
        };
        let directive = *pick(&["Include", "IncludeOptional", "include"], step.way)?;
        let include = match step.way >> 2 & 3 {
            0 => part.display().to_string(),
            1 => format!("\"{}\"", part.display()),
            2 => folder.display().to_string(),
            _ => format!("{}/p?rt.*", folder.display()),
        };
        put(&part, &text[range.clone()]);
        let include = format!("{directive} {include}\n");
        Some(replaced(text, range, include.as_bytes()))
    }

    /// Relative names may start elsewhere than the tree stands.
    fn moved_root(text: &[u8]) -> bool {
        text.windows(10)
            .any(|part| part.eq_ignore_ascii_case(b"ServerRoot"))
    }

    /// Puts the text of included files where the include stands.
    fn joined(&self, text: &[u8], all: &[Line], step: Step) -> Option<Vec<u8>> {
        let is_include = |line: &&Line| {
            let names = ["include", "includeoptional"];
            line.kind == Kind::Directive && names.contains(&line.name.as_str()) && !line.in_macro
        };
        let includes: Vec<&Line> = all.iter().filter(is_include).collect();
        let include = *pick(&includes, step.place)?;
        let parts = words(&include.joined);
        let [_, argument] = &parts[..] else {
            return None;
        };
        let argument = std::str::from_utf8(&include.joined[argument.clone()]).ok()?;
        let argument = argument.trim_matches(['"', '\'']);
        if argument.contains(['$', '\\']) {
            return None;
        }
        let pattern = self.base.join(argument.trim_end_matches('/'));
        let optional = include.name == "includeoptional";
        let files = self.taken(&pattern)?;
        // Its folder may be below a ServerRoot that stands elsewhere: nothing here says nothing.
        if files.is_empty() && (!optional || is_plain(&pattern) || Self::moved_root(text)) {
            return None;
        }
        let mut whole = Vec::new();
        for path in files {
            let part = &self.texts[path];
            if part.ends_with(b"\\") || !is_balanced(&lines(part)?) {
                return None;
            }
            whole.extend_from_slice(part);
            if !part.is_empty() && !part.ends_with(b"\n") {
                whole.push(b'\n');
            }
        }
        Some(replaced(text, include.range.clone(), &whole))
    }

    /// A folder is taken with all that is below it, in the order of names at each level.
    fn taken(&self, pattern: &Path) -> Option<Vec<&PathBuf>> {
        let found = matching(&self.texts, pattern)?;
        if !found.is_empty() || !is_plain(pattern) {
            return Some(found);
        }
        let below = self.texts.keys().filter(|path| path.starts_with(pattern));
        let below: Vec<&PathBuf> = below.collect();
        let flat = below.iter().all(|path| path.parent() == Some(pattern));
        flat.then_some(below)
    }
}

fn said(all: &[Line], place: u32, wanted: impl Fn(&Line) -> bool) -> Option<&Line> {
    let found: Vec<&Line> = all
        .iter()
        .filter(|line| line.kind != Kind::Blank && wanted(line))
        .collect();
    pick(&found, place).copied()
}

fn comment(text: &[u8], all: &[Line], step: Step) -> Option<Vec<u8>> {
    let at = pick(all, step.place)?.range.start;
    let nothing = pick(&NOTHING, step.way)?;
    Some(replaced(text, at..at, nothing.as_bytes()))
}

fn around(text: &[u8], all: &[Line], step: Step) -> Option<Vec<u8>> {
    let line = said(all, step.place, |_| true)?;
    let space = pick(&SPACES, step.way >> 2)?;
    let content = line.content.clone();
    let bytes = &text[content.clone()];
    if step.way & 1 == 0 {
        let start = bytes
            .iter()
            .take_while(|byte| b" \t".contains(byte))
            .count();
        let space = if step.way & 2 == 0 { "" } else { space };
        return Some(replaced(
            text,
            content.start..content.start + start,
            space.as_bytes(),
        ));
    }
    if bytes.ends_with(b"\\") {
        return None;
    }
    Some(replaced(text, content.end..content.end, space.as_bytes()))
}

/// A line that is on one physical line, cut into words.
fn cut(text: &[u8], line: &Line) -> Option<Vec<Range<usize>>> {
    let bytes = &text[line.content.clone()];
    let start = line.content.start;
    let moved = |word: Range<usize>| word.start + start..word.end + start;
    (!bytes.contains(&b'\n')).then(|| words(bytes).into_iter().map(moved).collect())
}

fn of_words(line: &Line) -> bool {
    line.kind == Kind::Directive && OF_WORDS.contains(&line.name.as_str())
}

/// Behind the name anywhere; between arguments only where all of them are words.
fn between(text: &[u8], all: &[Line], step: Step) -> Option<Vec<u8>> {
    let line = said(all, step.place, |line| line.kind != Kind::Close)?;
    let words = cut(text, line)?;
    let gaps = words.len().checked_sub(1)?;
    let gaps = if of_words(line) { gaps } else { gaps.min(1) };
    if gaps == 0 {
        return None;
    }
    let gap = (step.way >> 8) as usize % gaps;
    let range = words[gap].end..words[gap + 1].start;
    let space = pick(&SPACES, step.way)?;
    Some(replaced(text, range, space.as_bytes()))
}

fn continued(text: &[u8], all: &[Line], step: Step) -> Option<Vec<u8>> {
    let line = pick(all, step.place)?;
    let length = line.content.len();
    if length < 2 {
        return None;
    }
    let at = line.content.start + 1 + step.way as usize % (length - 1);
    let edges = &text[at - 1..=at];
    let free = !edges.iter().any(|byte| b"\\\r\n".contains(byte));
    let mark: &[u8] = if step.way >> 30 & 1 == 0 {
        b"\\\n"
    } else {
        b"\\\r\n"
    };
    free.then(|| replaced(text, at..at, mark))
}

fn capitals(text: &[u8], all: &[Line], step: Step) -> Option<Vec<u8>> {
    let line = said(all, step.place, |line| !line.in_macro)?;
    let words = cut(text, line)?;
    let word = words.first()?.clone();
    let name = &text[word.clone()];
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"</>\"'_".contains(byte);
    if !name.iter().all(plain) {
        return None;
    }
    let turned = |(index, byte): (usize, &u8)| match step.way % 3 {
        0 => byte.to_ascii_lowercase(),
        1 => byte.to_ascii_uppercase(),
        _ if step.way >> (index % 30) & 1 == 0 => byte.to_ascii_lowercase(),
        _ => byte.to_ascii_uppercase(),
    };
    let name: Vec<u8> = name.iter().enumerate().map(turned).collect();
    Some(replaced(text, word, &name))
}

/// A value with spaces in it would become one word instead of several.
fn quoted(text: &[u8], all: &[Line], step: Step) -> Option<Vec<u8>> {
    let line = said(all, step.place, |line| of_words(line) && !line.in_macro)?;
    let words = cut(text, line)?;
    let word = pick(&words, step.way >> 8)?.clone();
    let bytes = &text[word.clone()];
    if bytes.iter().any(|byte| b"\"'\\$#".contains(byte)) {
        return None;
    }
    let quote = [b"\"", b"'"][step.way as usize & 1];
    Some(replaced(text, word, &[quote, bytes, quote].concat()))
}

fn unquoted(text: &[u8], all: &[Line], step: Step) -> Option<Vec<u8>> {
    let line = said(all, step.place, |line| of_words(line) && !line.in_macro)?;
    let words = cut(text, line)?;
    let is_quoted = |word: &&Range<usize>| {
        let bytes = &text[(*word).clone()];
        bytes.len() > 1 && b"\"'".contains(&bytes[0]) && bytes.last() == bytes.first()
    };
    let quoted: Vec<&Range<usize>> = words.iter().filter(is_quoted).collect();
    let word = (*pick(&quoted, step.way >> 8)?).clone();
    // Text glued to the closing quote would become one word with it.
    if text.get(word.end).is_some_and(|byte| !is_space(*byte)) {
        return None;
    }
    let inside = &text[word.start + 1..word.end - 1];
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_./:*-,=@%+~^()|&!?<>".contains(byte);
    if step.way & 1 == 0 && !inside.is_empty() && inside.iter().all(plain) {
        return Some(replaced(text, word, inside));
    }
    // A value may hold a quote.
    if inside.iter().any(|byte| b"\"'\\$".contains(byte)) {
        return None;
    }
    let other: &[u8] = if text[word.start] == b'"' {
        b"'"
    } else {
        b"\""
    };
    Some(replaced(text, word, &[other, inside, other].concat()))
}

/// CRLF, LF, or no end of the last line.
fn ends(text: &[u8], all: &[Line], step: Step) -> Option<Vec<u8>> {
    let pair = |at: &usize| text[*at] == b'\r' && text.get(at + 1) == Some(&b'\n');
    let kept = (0..text.len()).filter(|at| !pair(at));
    let lf: Vec<u8> = kept.map(|at| text[at]).collect();
    match step.way % 3 {
        0 => Some(lf),
        1 => {
            let crlf = |byte: u8| match byte {
                b'\n' => vec![b'\r', b'\n'],
                byte => vec![byte],
            };
            Some(lf.into_iter().flat_map(crlf).collect())
        }
        _ => {
            let length = text.iter().rposition(|byte| !is_space(*byte))? + 1;
            // Behind a Use, httpd loses a last line without its end.
            let uses = all.iter().any(|line| line.name == "use");
            (text[length - 1] != b'\\' && !uses).then(|| text[..length].to_vec())
        }
    }
}
