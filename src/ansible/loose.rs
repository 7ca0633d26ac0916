//! Values as Ansible may send them. The collection's modules send them typed; a binary module
//! has no argument specification, so that a playbook's strings arrive as they were written.

use serde::de::{Error, Unexpected};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A truth value: JSON's, or one of the words that Ansible takes for one.
pub(super) fn boolean<'de, D: Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    match Value::deserialize(from)? {
        Value::Bool(value) => Ok(value),
        Value::String(word) => word_value(&word)
            .ok_or_else(|| Error::invalid_value(Unexpected::Str(&word), &"yes or no")),
        _ => Err(Error::custom("expected yes or no")),
    }
}

fn word_value(word: &str) -> Option<bool> {
    match word.to_ascii_lowercase().as_str() {
        "yes" | "on" | "true" | "t" | "y" | "1" => Some(true),
        "no" | "off" | "false" | "f" | "n" | "0" => Some(false),
        _ => None,
    }
}

/// A whole number, or none; a playbook's may be written as a string.
pub(super) fn number<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u32>, D::Error> {
    let value = Value::deserialize(from)?;
    let number = match &value {
        Value::Number(number) => number.as_u64().and_then(|it| u32::try_from(it).ok()),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    let wrong = || Error::custom(format!("{value} is not a whole number"));
    number.map(Some).ok_or_else(wrong)
}

/// A list of words: JSON's, or one string with commas between the words, as Ansible's own
/// lists are split.
pub(super) fn list<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    match Value::deserialize(from)? {
        Value::String(text) => Ok(text
            .split(',')
            .map(|word| word.trim().to_owned())
            .filter(|word| !word.is_empty())
            .collect()),
        Value::Array(items) => items.into_iter().map(word::<D::Error>).collect(),
        _ => Err(Error::custom("expected a list of strings")),
    }
}

fn word<E: Error>(value: Value) -> Result<String, E> {
    match value {
        Value::String(text) => Ok(text),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(Error::custom("expected a list of strings")),
    }
}
