//! The file that `config init` writes: every key with its line of explanation, all of it in
//! comments, so that it changes nothing before somebody takes a line in.

use super::schema::{KEYS, Key, Kind};

/// The file's text.
pub fn sample() -> String {
    let mut out = String::from(
        "# Settings of stekguard. The nearest stekguard.toml from a configuration upward counts,\n\
         # and below it /etc/stekguard/stekguard.toml. `stekguard config show` says what is in\n\
         # force and where it comes from. Every line here is a comment: take in what you need.\n\n",
    );
    // A key behind a table's head would belong to that table.
    for key in KEYS.iter().filter(|key| !is_table(key.kind)) {
        line(&mut out, key);
    }
    for key in KEYS.iter().filter(|key| is_table(key.kind)) {
        table(&mut out, "", key);
    }
    out
}

fn is_table(kind: Kind) -> bool {
    matches!(kind, Kind::Table(_) | Kind::Tables(..) | Kind::Names(_))
}

fn line(out: &mut String, key: &Key) {
    out.push_str(&format!("# {}", key.about));
    if !key.default.is_empty() {
        out.push_str(&format!(" [default: {}]", key.default));
    }
    out.push_str(&format!("\n#{} = {}\n", key.name, key.example));
}

fn table(out: &mut String, place: &str, key: &Key) {
    let name = match place {
        "" => key.name.to_owned(),
        _ => format!("{place}.{}", key.name),
    };
    match key.kind {
        Kind::Table(keys) => {
            out.push_str(&format!("\n# {}\n#[{name}]\n", key.about));
            keys.iter().for_each(|key| line(out, key));
        }
        Kind::Tables(keys, _) => {
            out.push_str(&format!("\n# {}\n#[[{name}]]\n", key.about));
            let (tables, lines): (Vec<&Key>, Vec<&Key>) =
                keys.iter().partition(|key| is_table(key.kind));
            lines.into_iter().for_each(|key| line(out, key));
            tables.into_iter().for_each(|key| table(out, &name, key));
        }
        _ => {
            let inside = key.example.trim_matches(['{', '}', ' ']);
            out.push_str(&format!("\n# {}\n#[{name}]\n#{inside}\n", key.about));
        }
    }
}
