//! A rule's page in parts: its sections, and its words without Markdown.

/// The text of a section, without its heading.
pub(super) fn section<'a>(page: &'a str, title: &str) -> Option<&'a str> {
    let heading = format!("\n## {title}\n");
    let (_, rest) = page.split_once(&heading)?;
    let end = rest.find("\n## ").unwrap_or(rest.len());
    Some(rest[..end].trim())
}

/// The paragraphs of a section without code blocks, each on one line; a list item is a
/// paragraph too. Backquotes stay: they mark directives.
pub(super) fn paragraphs(section: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut code = false;
    let mut open = false;
    for line in section.lines() {
        let line = line.trim();
        if line.starts_with("```") {
            code = !code;
            open = false;
            continue;
        }
        if code || line.is_empty() {
            open = false;
            continue;
        }
        let item = line.strip_prefix("* ");
        match (out.last_mut().filter(|_| open), item) {
            (Some(last), None) => {
                last.push(' ');
                last.push_str(line);
            }
            (_, Some(item)) => out.push(item.to_owned()),
            (None, None) => out.push(line.to_owned()),
        }
        open = true;
    }
    out
}

/// The first address under "References".
pub(super) fn reference(page: &str) -> Option<&str> {
    let references = section(page, "References")?;
    let start = references.find("https://")?;
    let rest = &references[start..];
    let end = rest.find(|c: char| c == '>' || c == ')' || c.is_whitespace());
    Some(&rest[..end.unwrap_or(rest.len())])
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "A sentence.\n\n## Why\nOne `word`\nmore.\n\n* item one\n* item\n  two\n\
                        ```nginx\nlisten 1;\n```\nlast\n\n## References\n* <https://a.test/x>\n";

    #[test]
    fn a_page_falls_into_its_parts() {
        let why = section(PAGE, "Why").unwrap();
        assert_eq!(
            paragraphs(why),
            ["One `word` more.", "item one", "item two", "last"]
        );
        assert_eq!(reference(PAGE), Some("https://a.test/x"));
        assert_eq!(section(PAGE, "Example"), None);
    }
}
