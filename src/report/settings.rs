//! `config show`: every value in force, as TOML, with the file and line it comes from behind it.

use toml::Value;

use super::Paint;
use super::escape;
use crate::policy::settings::{Effective, KEYS, Key, Kind, Period};

/// The text.
pub fn settings(effective: &Effective, paint: Paint) -> String {
    let mut out = String::new();
    if effective.files.is_empty() {
        out.push_str("# no settings file: every value is the default\n");
    }
    for file in &effective.files {
        out.push_str(&format!("# {}\n", escape::path(file)));
    }
    out.push('\n');
    let (tables, lines): (Vec<&Key>, Vec<&Key>) = KEYS
        .iter()
        .partition(|key| matches!(key.kind, Kind::Table(_) | Kind::Tables(..) | Kind::Names(_)));
    for key in lines {
        line(&mut out, effective, "", key, paint);
    }
    for key in tables {
        table(&mut out, effective, key, paint);
    }
    out
}

fn table(out: &mut String, effective: &Effective, key: &Key, paint: Paint) {
    let head = |text: &str| format!("\n{}\n", paint.bold(text));
    match (key.kind, effective.value(key.name)) {
        (Kind::Table(keys), _) => {
            out.push_str(&head(&format!("[{}]", key.name)));
            for inner in keys {
                line(out, effective, key.name, inner, paint);
            }
        }
        (Kind::Names(_), Some(Value::Table(names))) => {
            out.push_str(&head(&format!("[{}]", key.name)));
            for (name, value) in names {
                let path = format!("{}.{name}", key.name);
                pair(out, effective, &path, name, &value.to_string());
            }
        }
        (Kind::Tables(..), Some(Value::Array(items))) => {
            for (index, item) in items.iter().enumerate() {
                out.push_str(&head(&format!("[[{}]]", key.name)));
                let place = format!("{}[{index}]", key.name);
                for (name, value) in item.as_table().into_iter().flatten() {
                    let path = format!("{place}.{name}");
                    pair(out, effective, &path, name, &value.to_string());
                }
            }
        }
        _ => {}
    }
}

fn line(out: &mut String, effective: &Effective, place: &str, key: &Key, paint: Paint) {
    let path = match place {
        "" => key.name.to_owned(),
        place => format!("{place}.{}", key.name),
    };
    match effective.value(&path) {
        Some(value) => pair(out, effective, &path, key.name, &value.to_string()),
        None if key.default.is_empty() => {
            let about = paint.dim(&format!("#{} (not set)", key.name));
            out.push_str(&format!("{about}\n"));
        }
        None => {
            let value = planned(effective, place, key.name).unwrap_or(key.default.to_owned());
            out.push_str(&format!("{} = {value}  # default\n", key.name));
        }
    }
}

/// What a rotation's preset gives for a key.
fn planned(effective: &Effective, place: &str, name: &str) -> Option<String> {
    if place != "rotation" {
        return None;
    }
    let plan = effective.settings.rotation.plan().ok()?;
    let period = |seconds: u64| Some(format!("\"{}\"", Period(seconds)));
    match name {
        "interval" => period(plan.interval),
        "lifetime" => period(plan.lifetime),
        "skew" => period(plan.skew),
        "ahead" => Some(plan.ahead.to_string()),
        "previous" => Some(plan.previous.to_string()),
        _ => None,
    }
}

fn pair(out: &mut String, effective: &Effective, path: &str, name: &str, value: &str) {
    let origin = effective.origin(path).map_or_else(String::new, |origin| {
        format!("  # {}:{}", escape::path(&origin.path), origin.line)
    });
    let value = escape::line(value);
    out.push_str(&format!("{name} = {value}{origin}\n"));
}
