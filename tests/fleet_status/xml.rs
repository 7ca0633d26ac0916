//! A strict reader of XML 1.0 as far as a picture needs it: one root, elements that close,
//! attributes once and quoted, the five named entities and numbers, no bare `<` or `&`.

use std::collections::BTreeMap;

/// An element.
#[derive(Debug, Default)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) attributes: BTreeMap<String, String>,
    pub(crate) text: String,
    pub(crate) children: Vec<Element>,
}

impl Element {
    /// Itself and everything in it.
    pub(crate) fn all(&self) -> Vec<&Element> {
        let mut out = vec![self];
        out.extend(self.children.iter().flat_map(Element::all));
        out
    }

    pub(crate) fn number(&self, name: &str) -> f64 {
        self.attributes[name].parse().unwrap()
    }

    pub(crate) fn class(&self) -> &str {
        self.attributes.get("class").map_or("", String::as_str)
    }
}

/// The root of a document.
pub(crate) fn parse(text: &str) -> Element {
    let rest = text
        .strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>")
        .expect("a declaration");
    let bad = |c: char| c.is_control() && !"\n\t\r".contains(c) || "\u{fffe}\u{ffff}".contains(c);
    assert!(!text.contains(bad), "a character that XML cannot hold");
    let (root, rest) = element(rest.trim_start());
    assert_eq!(rest.trim(), "", "something behind the root");
    root
}

fn element(text: &str) -> (Element, &str) {
    let end = text.find('>').expect("a tag that ends");
    let tag = text[..end].strip_prefix('<').expect("a tag");
    let rest = &text[end + 1..];
    let (tag, empty) = match tag.strip_suffix('/') {
        Some(tag) => (tag, true),
        None => (tag, false),
    };
    let name: String = tag
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric())
        .collect();
    assert!(!name.is_empty(), "no name in <{tag}>");
    let mut element = Element {
        attributes: attributes(&tag[name.len()..]),
        name,
        ..Element::default()
    };
    if empty {
        return (element, rest);
    }
    content(&mut element, rest)
}

fn content<'t>(element: &mut Element, mut rest: &'t str) -> (Element, &'t str) {
    loop {
        let next = rest.find('<').expect("an element that closes");
        element.text.push_str(&unescaped(&rest[..next]));
        rest = &rest[next..];
        if let Some(closing) = rest.strip_prefix("</") {
            let (name, behind) = closing.split_once('>').expect("a closing tag");
            assert_eq!(name, element.name, "closes another element");
            return (std::mem::take(element), behind);
        }
        let (child, behind) = self::element(rest);
        element.children.push(child);
        rest = behind;
    }
}

fn attributes(mut text: &str) -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    loop {
        let trimmed = text.trim_start();
        if trimmed.is_empty() {
            return out;
        }
        assert!(trimmed.len() < text.len(), "no space before {trimmed}");
        let (name, rest) = trimmed.split_once("=\"").expect("name=\"value\"");
        let (value, rest) = rest.split_once('"').expect("a value that ends");
        assert!(!value.contains('<'), "{value}");
        let before = out.insert(name.to_owned(), unescaped(value));
        assert!(before.is_none(), "{name} twice");
        text = rest;
    }
}

fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut parts = text.split('&');
    out.push_str(parts.next().unwrap());
    for part in parts {
        let (name, rest) = part.split_once(';').expect("an entity that ends");
        out.push(match name {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            "#9" => '\t',
            other => panic!("no entity: {other}"),
        });
        out.push_str(rest);
    }
    out
}
