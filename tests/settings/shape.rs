//! The table of keys, the types, the JSON schema and the sample agree.

use std::fs;
use std::path::Path;

use serde_json::Value;
use stekguard::policy::settings::{
    Effective, KEYS, Key, Kind, Layer, Settings, json_schema, sample,
};
use stekguard::policy::{PROFILES, Policy, Rotation};

use crate::binary::{run, tree};

fn parse(text: &str) -> Settings {
    let layer = Layer::parse(Path::new("/x/stekguard.toml"), text.as_bytes());
    let layer = layer.unwrap_or_else(|faults| panic!("{faults:?} in\n{text}"));
    Effective::merged(&[layer]).unwrap().settings
}

/// The file that sets one key, with what the table around it needs.
fn setting(place: Option<&Key>, key: &Key) -> String {
    let value = key.example;
    match place {
        None => format!("{} = {value}\n", key.name),
        Some(table) => {
            let head = match table.kind {
                Kind::Tables(..) => format!("[[{}]]", table.name),
                _ => format!("[{}]", table.name),
            };
            let needed = match table.kind {
                Kind::Tables(keys, required) => keys
                    .iter()
                    .filter(|it| required.contains(&it.name) && it.name != key.name)
                    .map(|it| format!("{} = {}\n", it.name, it.example))
                    .collect(),
                _ => String::new(),
            };
            format!("{head}\n{needed}{} = {value}\n", key.name)
        }
    }
}

#[test]
fn every_key_of_the_table_reaches_the_types() {
    let mut count = 0;
    for key in KEYS {
        let inner: &[Key] = match key.kind {
            Kind::Table(keys) | Kind::Tables(keys, _) => keys,
            _ => std::slice::from_ref(key),
        };
        let place = matches!(key.kind, Kind::Table(_) | Kind::Tables(..)).then_some(key);
        for inner in inner {
            let text = setting(place, inner);
            // What the key sets shows in the types: without it they say something else.
            let required =
                matches!(key.kind, Kind::Tables(_, required) if required.contains(&inner.name));
            let without = match (place, required) {
                (Some(_), false) => {
                    text.replace(&format!("{} = {}\n", inner.name, inner.example), "")
                }
                _ => String::new(),
            };
            assert_ne!(parse(&text), parse(&without), "{text}");
            count += 1;
        }
    }
    println!("{count} keys");
    assert!(count >= 45, "{count}");
}

/// Every value that the types hold has a key in the table: all keys at once are read, written
/// out by the types and read again.
#[test]
fn every_field_of_the_types_stands_in_the_table() {
    let mut text = String::new();
    for key in KEYS
        .iter()
        .filter(|key| !matches!(key.kind, Kind::Table(_) | Kind::Tables(..)))
    {
        text.push_str(&setting(None, key));
    }
    for key in KEYS {
        match key.kind {
            Kind::Table(keys) => {
                text.push_str(&format!("[{}]\n", key.name));
                keys.iter()
                    .for_each(|key| text.push_str(&setting(None, key)));
            }
            Kind::Tables(keys, _) => {
                text.push_str(&format!("[[{}]]\n", key.name));
                keys.iter()
                    .for_each(|key| text.push_str(&setting(None, key)));
            }
            _ => {}
        }
    }
    let settings = parse(&text);
    let json = serde_json::to_value(&settings).unwrap();
    let mut absent = Vec::new();
    nulls("", &json, &mut absent);
    assert!(absent.is_empty(), "fields that no key sets: {absent:?}");
    let printed = toml::to_string(&settings).unwrap();
    assert_eq!(parse(&printed), settings, "{printed}");
}

fn nulls(at: &str, value: &Value, out: &mut Vec<String>) {
    match value {
        Value::Null => out.push(at.to_owned()),
        Value::Array(items) if items.is_empty() => out.push(at.to_owned()),
        Value::Array(items) => items.iter().for_each(|item| nulls(at, item, out)),
        Value::Object(fields) if fields.is_empty() => out.push(at.to_owned()),
        Value::Object(fields) => fields
            .iter()
            .for_each(|(name, value)| nulls(&format!("{at}.{name}"), value, out)),
        _ => {}
    }
}

#[test]
fn defaults_of_the_table_are_those_of_the_policy() {
    let mut text = String::new();
    for key in KEYS.iter().filter(|key| !key.default.is_empty()) {
        text.push_str(&format!("{} = {}\n", key.name, key.default));
    }
    for key in KEYS {
        let Kind::Table(keys) = key.kind else {
            continue;
        };
        text.push_str(&format!("[{}]\n", key.name));
        for key in keys.iter().filter(|key| !key.default.is_empty()) {
            text.push_str(&format!("{} = {}\n", key.name, key.default));
        }
    }
    let settings = parse(&text);
    let mut policy = Policy::default();
    settings.judging.apply(&mut policy);
    assert_eq!(policy, Policy::default());
    assert_eq!(settings.rotation.plan(), Ok(Rotation::default()));
}

#[test]
fn profiles_of_the_table_are_those_there_are() {
    let key = KEYS.iter().find(|key| key.name == "profile").unwrap();
    let Kind::Word(words) = key.kind else {
        panic!()
    };
    let names: Vec<&str> = PROFILES.iter().map(|profile| profile.name).collect();
    assert_eq!(words, names);
}

#[test]
fn the_schema_in_the_documentation_is_the_present_one() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schema/stekguard-toml.json");
    let committed = fs::read_to_string(path).unwrap();
    assert!(
        committed == json_schema(),
        "docs/schema/stekguard-toml.json is old: `stekguard config schema` prints it"
    );
    let folder = tree(&[]);
    assert_eq!(run(folder.path(), &["config", "schema"]).out, committed);
}

/// As `config init` writes it, it changes nothing; with every line taken in, it is good.
#[test]
fn the_sample_is_good_with_and_without_its_comments() {
    let text = sample();
    assert_eq!(parse(&text), Settings::default());
    let taken: String = text
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(rest) if !rest.starts_with(' ') => format!("{rest}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    assert_ne!(parse(&taken), Settings::default());

    let folder = tree(&[]);
    let begun = run(folder.path(), &["config", "init"]);
    assert_eq!((begun.code, begun.out.as_str()), (0, ""), "{begun:?}");
    let written = fs::read_to_string(folder.path().join("stekguard.toml")).unwrap();
    assert_eq!(written, text);
    assert_eq!(run(folder.path(), &["config", "check"]).code, 0);
    let again = run(folder.path(), &["config", "init"]);
    assert_eq!(again.code, 2);
    assert!(
        again.err.contains("there is such a file already"),
        "{again:?}"
    );
}
