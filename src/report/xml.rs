//! XML 1.0 as text: every name is fixed, every value escaped.

use super::escape;

/// A document under construction.
#[derive(Debug)]
pub(super) struct Xml {
    text: String,
    open: Vec<&'static str>,
}

impl Xml {
    pub(super) fn new() -> Self {
        Self {
            text: "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned(),
            open: Vec::new(),
        }
    }

    /// Opens an element.
    pub(super) fn open(&mut self, name: &'static str, attributes: &[(&'static str, &str)]) {
        self.start(name, attributes);
        self.text.push_str(">\n");
        self.open.push(name);
    }

    /// An element without content.
    pub(super) fn empty(&mut self, name: &'static str, attributes: &[(&'static str, &str)]) {
        self.start(name, attributes);
        self.text.push_str("/>\n");
    }

    /// An element that holds lines of text.
    pub(super) fn lines(
        &mut self,
        name: &'static str,
        attributes: &[(&'static str, &str)],
        lines: &[String],
    ) {
        self.start(name, attributes);
        self.text.push('>');
        for (index, line) in lines.iter().enumerate() {
            if index > 0 {
                self.text.push('\n');
            }
            push(&mut self.text, line);
        }
        self.text.push_str(&format!("</{name}>\n"));
    }

    /// Closes the element that was opened last.
    pub(super) fn close(&mut self) {
        if let Some(name) = self.open.pop() {
            self.indent();
            self.text.push_str(&format!("</{name}>\n"));
        }
    }

    /// The document, with everything closed.
    pub(super) fn finish(mut self) -> String {
        while !self.open.is_empty() {
            self.close();
        }
        self.text
    }

    fn start(&mut self, name: &'static str, attributes: &[(&'static str, &str)]) {
        self.indent();
        self.text.push('<');
        self.text.push_str(name);
        for (name, value) in attributes {
            self.text.push(' ');
            self.text.push_str(name);
            self.text.push_str("=\"");
            push(&mut self.text, value);
            self.text.push('"');
        }
    }

    fn indent(&mut self) {
        let spaces = 2 * self.open.len();
        self.text.extend(std::iter::repeat_n(' ', spaces));
    }
}

/// Text for an element or an attribute. What XML cannot hold, even escaped, is written out
/// as on a terminal.
fn push(out: &mut String, text: &str) {
    for character in escape::line(text).chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\t' => out.push_str("&#9;"),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_cannot_leave_their_place() {
        let mut xml = Xml::new();
        xml.open("a", &[("b", "\"><c d='\u{0}\u{ffff}\n\t")]);
        xml.lines("e", &[], &["]]></e>".to_owned(), "&".to_owned()]);
        assert_eq!(
            xml.finish(),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <a b=\"&quot;&gt;&lt;c d=&apos;\\x00\u{fffd}\\n&#9;\">\n  \
             <e>]]&gt;&lt;/e&gt;\n&amp;</e>\n</a>\n"
        );
    }
}
