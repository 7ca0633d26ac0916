//! HTML under construction. Markup is only ever a constant of this program; everything that
//! comes from a configuration passes through [`Html::text`] or an attribute and is escaped.

use crate::report::escape;

/// Attributes of an element: names are constants, values are escaped.
pub(super) type Attributes<'a> = &'a [(&'static str, &'a str)];

/// A part of a page.
#[derive(Debug, Default)]
pub(super) struct Html {
    out: String,
}

impl Html {
    /// Markup of this program.
    pub(super) fn raw(&mut self, markup: &'static str) -> &mut Self {
        self.out.push_str(markup);
        self
    }

    /// Text. Characters that reorder or hide text are written out, as on a terminal.
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        push(&mut self.out, &escape::line(text));
        self
    }

    /// Text that has been made safe for a terminal already.
    pub(super) fn shown(&mut self, text: &str) -> &mut Self {
        push(&mut self.out, text);
        self
    }

    /// Opens an element.
    pub(super) fn open(&mut self, name: &'static str, attributes: Attributes<'_>) -> &mut Self {
        self.out.push('<');
        self.out.push_str(name);
        for (name, value) in attributes {
            self.out.push(' ');
            self.out.push_str(name);
            self.out.push_str("=\"");
            push(&mut self.out, &escape::line(value));
            self.out.push('"');
        }
        self.out.push('>');
        self
    }

    /// Closes an element.
    pub(super) fn close(&mut self, name: &'static str) -> &mut Self {
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push('>');
        self
    }

    /// An element that holds text only.
    pub(super) fn element(
        &mut self,
        name: &'static str,
        attributes: Attributes<'_>,
        text: &str,
    ) -> &mut Self {
        self.open(name, attributes).text(text).close(name)
    }

    /// Text in which backquotes mark what is written in a configuration.
    pub(super) fn prose(&mut self, text: &str) -> &mut Self {
        let mut parts = text.split('`').peekable();
        let mut code = false;
        while let Some(part) = parts.next() {
            // A last backquote without a partner is one.
            if code && parts.peek().is_none() {
                self.raw("`").text(part);
            } else if code {
                self.element("code", &[], part);
            } else {
                self.text(part);
            }
            code = !code;
        }
        self
    }

    /// The page so far.
    pub(super) fn finish(self) -> String {
        self.out
    }
}

fn push(out: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_from_outside_stays_text() {
        let mut html = Html::default();
        html.element("p", &[("title", "\"><script>'")], "</p><script>&\u{202e}");
        assert_eq!(
            html.finish(),
            "<p title=\"&quot;&gt;&lt;script&gt;&#39;\">&lt;/p&gt;&lt;script&gt;&amp;\\u{202e}</p>"
        );
    }

    #[test]
    fn backquotes_mark_code() {
        let mut html = Html::default();
        html.prose("`a<` is b` c");
        assert_eq!(html.finish(), "<code>a&lt;</code> is b` c");
    }
}
