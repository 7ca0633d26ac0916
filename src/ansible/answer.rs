//! What a module gives back. Ansible's own keys (`changed`, `failed`, `msg`, `diff`,
//! `warnings`) and those of the module stand side by side in one object.

use serde::Serialize;
use serde_json::{Map, Value};

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
        self.put("msg", &sentence.into());
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

    /// The result as JSON, one line.
    pub fn json(&self) -> String {
        let mut text = Value::Object(self.fields.clone()).to_string();
        text.push('\n');
        text
    }
}
