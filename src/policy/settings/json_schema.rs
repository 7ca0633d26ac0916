//! The JSON schema of `stekguard.toml`, for editors, from the table of keys.

use serde_json::{Map, Value, json};

use super::schema::{KEYS, Key, Kind};

/// The document, with a final line end.
pub fn json_schema() -> String {
    let mut document = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "stekguard.toml",
        "description": "Settings of stekguard",
    });
    if let (Value::Object(document), Value::Object(keys)) = (&mut document, table(KEYS, &[])) {
        document.extend(keys);
    }
    // Every value is text, a list or a map with text keys: nothing of it can fail.
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

fn table(keys: &[Key], required: &[&str]) -> Value {
    let properties: Map<String, Value> = keys
        .iter()
        .map(|key| (key.name.to_owned(), described(key)))
        .collect();
    let mut table = json!({
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    });
    if !required.is_empty() {
        table["required"] = json!(required);
    }
    table
}

fn described(key: &Key) -> Value {
    let mut value = shape(key.kind);
    value["description"] = json!(key.about);
    if let Some(default) = default(key) {
        value["default"] = default;
    }
    value
}

fn shape(kind: Kind) -> Value {
    match kind {
        Kind::Flag => json!({"type": "boolean"}),
        Kind::Count => json!({"type": "integer", "minimum": 0, "maximum": u32::MAX}),
        Kind::Text => json!({"type": "string"}),
        Kind::Period => json!({
            "type": "string",
            "pattern": "^(?=.)([0-9]+w)?([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?$",
        }),
        Kind::Word(words) => json!({"type": "string", "enum": words}),
        Kind::Texts => json!({"type": "array", "items": {"type": "string"}}),
        Kind::Names(words) => json!({
            "type": "object",
            "additionalProperties": {"type": "string", "enum": words},
        }),
        Kind::Table(keys) => table(keys, &[]),
        Kind::Tables(keys, required) => json!({"type": "array", "items": table(keys, required)}),
    }
}

/// The default as JSON: the table has it as TOML.
fn default(key: &Key) -> Option<Value> {
    let line = format!("value = {}", key.default);
    let table: toml::Table = toml::from_str(&line).ok()?;
    serde_json::to_value(table.get("value")?).ok()
}
