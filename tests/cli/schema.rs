//! A check of a document against the part of JSON Schema that docs/schema uses. Stricter than
//! the standard in one point: a field that the schema does not describe is an error, so that
//! the schemas cannot fall behind.

use serde_json::Value;

/// Every violation as `place: what`.
pub(crate) fn violations(schema: &Value, document: &Value) -> Vec<String> {
    let mut out = Vec::new();
    check(schema, schema, document, "$", &mut out);
    out
}

fn check(root: &Value, schema: &Value, value: &Value, at: &str, out: &mut Vec<String>) {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference
            .strip_prefix("#/$defs/")
            .expect("a reference to $defs");
        let target = &root["$defs"][name];
        assert!(target.is_object(), "no definition {name}");
        return check(root, target, value, at, out);
    }
    if let Some(options) = schema["anyOf"].as_array() {
        let fits = options.iter().any(|option| {
            let mut inner = Vec::new();
            check(root, option, value, at, &mut inner);
            inner.is_empty()
        });
        if !fits {
            out.push(format!("{at}: fits no alternative: {value}"));
        }
        return;
    }
    if !schema["const"].is_null() && schema["const"] != *value {
        out.push(format!("{at}: is {value}"));
    }
    if let Some(words) = schema["enum"].as_array()
        && !words.contains(value)
    {
        out.push(format!("{at}: {value} is none of {words:?}"));
    }
    if !schema["type"].is_null() && !has_type(&schema["type"], value) {
        out.push(format!("{at}: {value} is no {}", schema["type"]));
        return;
    }
    if let Some(fields) = value.as_object() {
        object(root, schema, fields, at, out);
    }
    if let Some(items) = value.as_array() {
        for (index, item) in items.iter().enumerate() {
            check(root, &schema["items"], item, &format!("{at}[{index}]"), out);
        }
    }
}

fn object(
    root: &Value,
    schema: &Value,
    fields: &serde_json::Map<String, Value>,
    at: &str,
    out: &mut Vec<String>,
) {
    for name in schema["required"].as_array().into_iter().flatten() {
        if !fields.contains_key(name.as_str().unwrap()) {
            out.push(format!("{at}: lacks {name}"));
        }
    }
    for (name, value) in fields {
        match schema["properties"].get(name) {
            Some(inner) => check(root, inner, value, &format!("{at}.{name}"), out),
            None => out.push(format!("{at}: {name} is not described")),
        }
    }
}

fn has_type(types: &Value, value: &Value) -> bool {
    let is = |name: &str| match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64(),
        "null" => value.is_null(),
        _ => panic!("a type that the check does not know: {name}"),
    };
    match types {
        Value::String(name) => is(name),
        Value::Array(names) => names.iter().any(|name| is(name.as_str().unwrap())),
        _ => panic!("type is {types}"),
    }
}

#[test]
fn the_check_finds_what_is_wrong() {
    let schema = serde_json::json!({
        "type": "object",
        "required": ["a"],
        "properties": {"a": {"enum": ["x"]}, "b": {"type": "array", "items": {"$ref": "#/$defs/n"}}},
        "$defs": {"n": {"type": ["integer", "null"]}}
    });
    let wrong = |document| violations(&schema, &document).len();
    assert_eq!(wrong(serde_json::json!({"a": "x", "b": [1, null]})), 0);
    assert_eq!(wrong(serde_json::json!({"b": []})), 1);
    assert_eq!(wrong(serde_json::json!({"a": "y"})), 1);
    assert_eq!(wrong(serde_json::json!({"a": "x", "b": [-1, "1"]})), 2);
    assert_eq!(wrong(serde_json::json!({"a": "x", "c": 1})), 1);
    assert_eq!(wrong(serde_json::json!([])), 1);
}
