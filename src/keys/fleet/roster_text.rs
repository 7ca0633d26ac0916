//! Changes of a roster in the text that somebody wrote: only the lines that have to change do,
//! and the result is read again before it is taken. Pure.

use std::path::Path;

use super::{Enrolled, Revoked, Roster};

/// The text of `before`, so that it says `wanted`. Where that cannot be done line by line, it is
/// written anew.
pub(super) fn edited(text: &str, before: &Roster, wanted: &Roster) -> String {
    let edited = by_lines(text, before, wanted);
    match Roster::parse(&edited, Path::new("")) {
        Ok(found) if found == *wanted => edited,
        _ => wanted.print(),
    }
}

fn by_lines(text: &str, before: &Roster, wanted: &Roster) -> String {
    let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    if let Some(last) = lines.last_mut().filter(|last| !last.ends_with('\n')) {
        last.push('\n');
    }
    if wanted.generation != before.generation {
        set_generation(&mut lines, wanted.generation);
    }
    for gone in before.hosts.iter().filter(|it| !wanted.hosts.contains(it)) {
        let Some(block) = block_of(&lines, gone) else {
            continue;
        };
        let revoked = |it: &&Revoked| it.name == gone.name && it.identity == gone.identity;
        match wanted.revoked.iter().find(revoked) {
            Some(revoked) => {
                let line = format!("generation = {}\n", revoked.generation);
                lines.insert(block.1, line);
                lines[block.0] = lines[block.0].replacen("[[host]]", "[[revoked]]", 1);
            }
            None => {
                let blank = block.0 > 0 && lines[block.0 - 1].trim().is_empty();
                drop(lines.drain(block.0 - usize::from(blank)..block.1));
            }
        }
    }
    let new = wanted.hosts.iter().filter(|it| !before.hosts.contains(it));
    lines.extend(new.map(|host| {
        format!(
            "\n[[host]]\nname = \"{}\"\nidentity = \"{}\"\n",
            host.name, host.identity
        )
    }));
    lines.concat()
}

fn set_generation(lines: &mut Vec<String>, generation: u32) {
    let mut top = lines
        .iter_mut()
        .take_while(|line| !line.trim_start().starts_with('['));
    let found = top.find(|line| key_of(line) == Some("generation"));
    match found {
        Some(line) => {
            let comment = line.split_once('#').map(|(_, rest)| rest.trim_end());
            let comment = comment.map_or_else(String::new, |rest| format!(" #{rest}"));
            *line = format!("generation = {generation}{comment}\n");
        }
        None => lines.insert(0, format!("generation = {generation}\n")),
    }
}

/// The lines of a host: its head, and the one behind its last key.
fn block_of(lines: &[String], host: &Enrolled) -> Option<(usize, usize)> {
    let heads = lines.iter().enumerate();
    let mut heads = heads.filter(|(_, line)| line.trim_start().starts_with("[[host]]"));
    let name = format!("\"{}\"", host.name);
    heads.find_map(|(head, _)| {
        let inside = lines[head + 1..]
            .iter()
            .take_while(|line| !line.trim_start().starts_with('['));
        let keys: Vec<usize> = inside
            .enumerate()
            .filter(|(_, line)| key_of(line).is_some())
            .map(|(at, _)| head + 1 + at)
            .collect();
        let named =
            |at: &&usize| key_of(&lines[**at]) == Some("name") && lines[**at].contains(&name);
        keys.iter().find(named)?;
        Some((head, keys.last()? + 1))
    })
}

fn key_of(line: &str) -> Option<&str> {
    let (key, _) = line.split_once('=')?;
    let key = key.trim();
    (!key.starts_with('#')).then_some(key)
}
