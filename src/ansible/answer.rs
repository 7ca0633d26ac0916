//! What a module gives back. Ansible's own keys (`changed`, `failed`, `msg`, `diff`,
//! `warnings`) and those of the module stand side by side in one object.
//!
//! Ansible shows sentences as they are: `msg` and `warnings` are made safe to be shown. Other
//! values are data and stay what they are.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::report;

/// A module's result.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Answer {
    fields: Map<String, Value>,
}

impl Answer {
    /// A result that says whether something changed (or, in check mode, would have).
    pub(super) fn new(changed: bool) -> Self {
        let mut answer = Self::default();
        answer.put("changed", &changed);
        answer
    }

    /// The task fails with this sentence, and nothing was changed.
    pub(super) fn failed(sentence: impl Into<String>) -> Self {
        let mut answer = Self::new(false);
        answer.fail(sentence);
        answer
    }

    /// Makes the task fail; the other fields stay.
    pub(super) fn fail(&mut self, sentence: impl Into<String>) {
        self.put("failed", &true);
        self.put("msg", &report::escape_lines(&sentence.into()));
    }

    /// Adds what the user should hear of although the task does not fail.
    pub(super) fn warn(&mut self, sentences: &[String]) {
        if sentences.is_empty() {
            return;
        }
        let safe = sentences.iter().map(|it| report::escape_lines(it));
        self.put("warnings", &safe.collect::<Vec<_>>());
    }

    /// Adds a field. What has no form in JSON is left out: nothing here has none.
    pub(super) fn put(&mut self, name: &str, value: &impl Serialize) {
        if let Ok(value) = serde_json::to_value(value) {
            self.fields.insert(name.to_owned(), value);
        }
    }

    /// Adds a field that is a JSON document already.
    pub(super) fn put_document(&mut self, name: &str, document: &str) {
        if let Ok(value) = serde_json::from_str(document) {
            self.fields.insert(name.to_owned(), value);
        }
    }

    /// True when the task fails.
    pub fn is_failure(&self) -> bool {
        self.fields.get("failed") == Some(&Value::Bool(true))
    }

    /// The result as JSON, one line, in which nothing hides or reorders text.
    pub fn json(&self) -> String {
        let text = Value::Object(self.fields.clone()).to_string();
        let mut text = report::escape_json(text);
        text.push('\n');
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// U+202E turns the direction of what follows, U+009B begins a command to a terminal.
    const ODD: &str = "/srv/\u{202e}fnoc.\u{9b}x";

    #[test]
    fn data_says_the_same_and_sentences_are_safe() {
        let mut answer = Answer::failed(format!("{ODD}: not read\nline two"));
        answer.warn(&[format!("{ODD}: left")]);
        answer.put("files", &[ODD]);
        let text = answer.json();
        assert!(!text.contains(['\u{202e}', '\u{9b}']), "{text}");
        let read: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read["files"][0], ODD);
        let safe = r"/srv/\u{202e}fnoc.\u{9b}x";
        assert_eq!(read["msg"], format!("{safe}: not read\nline two"));
        assert_eq!(read["warnings"][0], format!("{safe}: left"));
    }

    #[test]
    fn without_a_warning_there_is_no_list() {
        let mut answer = Answer::new(true);
        answer.warn(&[]);
        assert_eq!(answer.json(), "{\"changed\":true}\n");
    }
}
