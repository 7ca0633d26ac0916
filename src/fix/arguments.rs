//! The smallest edits that give a statement new arguments. Knows words and gaps, not
//! servers: how a word is spelled comes from the caller.

use crate::fix::spell::Spell;
use crate::text::{Edit, Span};

/// A word that stands in the file.
#[derive(Clone, Debug)]
pub(super) struct Word {
    /// Where, quotes included.
    pub(super) span: Span,
    /// What it says: unquoted, unescaped.
    pub(super) value: Vec<u8>,
    /// What the server reads there where it replaces variables.
    pub(super) read: Option<Vec<u8>>,
    /// The quote around it.
    pub(super) quote: Option<u8>,
    /// Its quote never ends (httpd takes that), so nothing can stand behind it.
    pub(super) open: bool,
}

impl Word {
    fn says(&self, value: &[u8]) -> bool {
        self.value == value || self.read.as_deref() == Some(value)
    }
}

/// A statement's words and how its server spells new ones.
pub(super) struct Statement<'text> {
    /// The file.
    pub(super) text: &'text [u8],
    /// Its name.
    pub(super) name: Span,
    /// Its arguments.
    pub(super) arguments: Vec<Word>,
    /// Spells a value, in this quote where possible; `None` where the server cannot read it
    /// back whatever the spelling.
    pub(super) spell: Spell,
}

impl Statement<'_> {
    /// The edits that turn the arguments into `wanted`; empty where they say it already. The
    /// error is a sentence.
    pub(super) fn edits(&self, wanted: &[String]) -> Result<Vec<Edit>, &'static str> {
        const UNSPELLABLE: &str = "a value cannot be spelled";
        let old = &self.arguments;
        let same = |(word, value): &(&Word, &String)| word.says(value.as_bytes());
        let head = old.iter().zip(wanted).take_while(same).count();
        let most = old.len().min(wanted.len()) - head;
        let tail = old
            .iter()
            .rev()
            .zip(wanted.iter().rev())
            .take(most)
            .take_while(same)
            .count();
        let leaving = old.get(head..old.len() - tail).unwrap_or_default();
        let coming = wanted.get(head..wanted.len() - tail).unwrap_or_default();

        let mut edits = Vec::new();
        for (word, value) in leaving.iter().zip(coming) {
            let replacement = (self.spell)(value.as_bytes(), word.quote).ok_or(UNSPELLABLE)?;
            edits.push(Edit {
                span: word.span,
                replacement,
            });
        }
        let paired = leaving.len().min(coming.len());
        for index in head + paired..head + leaving.len() {
            edits.push(Edit {
                span: self.removal(index),
                replacement: Vec::new(),
            });
        }
        let mut added = Vec::new();
        for value in coming.iter().skip(paired) {
            added.push(b' ');
            added.extend((self.spell)(value.as_bytes(), None).ok_or(UNSPELLABLE)?);
        }
        if !added.is_empty() {
            let kept = head.checked_sub(1).and_then(|index| old.get(index));
            if paired == 0 && kept.is_some_and(|word| word.open) {
                return Err("an open quote runs to the end of the line");
            }
            let at = self.word_before(head + paired).end;
            edits.push(Edit {
                span: Span::at(at),
                replacement: added,
            });
        }
        Ok(edits)
    }

    /// The word at `index` with the space before it. A comment before it stays, with the
    /// line end that closes it.
    fn removal(&self, index: usize) -> Span {
        let before = self.word_before(index);
        let Some(word) = self.arguments.get(index) else {
            return Span::at(before.end);
        };
        let gap = Span::new(before.end, word.span.start);
        if gap.of(self.text).contains(&b'#') {
            return word.span;
        }
        Span::new(gap.start, word.span.end)
    }

    fn word_before(&self, index: usize) -> Span {
        let word = index
            .checked_sub(1)
            .and_then(|before| self.arguments.get(before));
        word.map_or(self.name, |word| word.span)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::EditSet;

    fn after(text: &str, words: &[&str], wanted: &[&str]) -> String {
        let mut from = 0;
        let mut found = Vec::new();
        for word in words {
            let start = from + text[from..].find(word).unwrap();
            from = start + word.len();
            found.push(Word {
                span: Span::new(start as u32, from as u32),
                value: word.as_bytes().to_vec(),
                quote: None,
                open: false,
                read: None,
            });
        }
        let name = found.remove(0).span;
        let spell = |value: &[u8], _| Some(value.to_vec());
        let statement = Statement {
            text: text.as_bytes(),
            name,
            arguments: found,
            spell,
        };
        let wanted: Vec<String> = wanted.iter().map(|word| word.to_string()).collect();
        let mut set = EditSet::new();
        for edit in statement.edits(&wanted).unwrap() {
            set.insert(edit).unwrap();
        }
        String::from_utf8(set.apply(text.as_bytes()).unwrap()).unwrap()
    }

    #[test]
    fn only_the_words_that_differ_change() {
        assert_eq!(after("n  a;", &["n", "a"], &["b"]), "n  b;");
        assert_eq!(
            after("n a\n  b\tc;", &["n", "a", "b", "c"], &["a", "x", "c"]),
            "n a\n  x\tc;"
        );
        assert_eq!(after("n a;", &["n", "a"], &["a", "b", "c"]), "n a b c;");
        assert_eq!(
            after("n a c;", &["n", "a", "c"], &["a", "b", "c"]),
            "n a b c;"
        );
        assert_eq!(
            after("n a b c;", &["n", "a", "b", "c"], &["a", "c"]),
            "n a c;"
        );
        assert_eq!(after("n a a;", &["n", "a", "a"], &["a"]), "n a;");
        assert_eq!(after("n a;", &["n", "a"], &["a"]), "n a;");
        assert_eq!(after("n a;", &["n", "a"], &[]), "n;");
        assert_eq!(after("n;", &["n"], &["a"]), "n a;");
    }

    #[test]
    fn a_comment_between_words_stays() {
        let text = "n a # b is old\n  b\n  c;";
        assert_eq!(
            after(text, &["n", "a", "\n  b\n", "c"], &["a", "c"])
                .matches('#')
                .count(),
            1
        );
        assert_eq!(
            after("n a # x\n  b;", &["n", "a", "b"], &["a"]),
            "n a # x\n  ;"
        );
    }
}
