//! What mod_macro's own tests recorded of httpd.

/// Text without what quoting changes.
pub fn plain(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '"' | '\\' | '\''))
        .collect()
}

/// What one of mod_macro's recorded outputs says.
#[derive(Debug)]
pub enum Recorded {
    /// A Warning or Error directive was carried out: text, line, place.
    Said(String, u32, String),
    /// httpd refused a line while it read.
    Refused(u32, String),
    /// httpd refused a directive where it stands, after all was read.
    Misplaced,
}

pub fn recorded(text: &str) -> Vec<Recorded> {
    let mut found = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.starts_with("[core:") {
            let said = line.split_once("] ").unwrap().1;
            // The text may itself say "on line"; what httpd adds begins at the last one that
            // is followed by a number, outside of a macro's place.
            let (text, place) = split_place(said);
            let (number, place) = place.split_once(" of ").unwrap();
            found.push(Recorded::Said(
                text.to_owned(),
                number.parse().unwrap(),
                place.to_owned(),
            ));
        } else if let Some(rest) = line.strip_prefix("httpd: Syntax error on line ") {
            let (number, rest) = rest.split_once(" of ").unwrap();
            let message = rest.split_once(": ").unwrap().1.to_owned();
            let more = lines.clone().take_while(|line| line.starts_with('\t'));
            let message = more.fold(message, |message, line| message + line);
            found.push(Recorded::Refused(number.parse().unwrap(), message));
        } else if line.starts_with("AH00526") {
            let message = lines.next().unwrap();
            if !message.contains("stopped by Error directive") {
                found.push(Recorded::Misplaced);
            }
        }
    }
    found
}

fn split_place(said: &str) -> (&str, &str) {
    let place = regex::Regex::new(r#" on line ([0-9]+ of (\./conf/[^" ]+|macro '.*))$"#).unwrap();
    let mut from = 0;
    // The leftmost match that the whole rest of the line is.
    while let Some(at) = said[from..].find(" on line ").map(|at| at + from) {
        if let Some(found) = place
            .captures(&said[at..])
            .filter(|found| found.get(0).unwrap().start() == 0)
        {
            return (&said[..at], found.get(1).unwrap().as_str());
        }
        from = at + 1;
    }
    panic!("no place: {said}");
}
