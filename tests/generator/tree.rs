//! A configuration as statements, before it has bytes.

/// A statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// `name arguments;`, the words decoded.
    Line(Vec<String>),
    /// `name arguments { ... }`.
    Block(Vec<String>, Vec<Node>),
    /// Bytes as they are: what no printer of statements would write.
    Raw(String),
}

impl Node {
    /// A line out of words with one space between them; no word may hold a space.
    pub fn line(text: &str) -> Self {
        Self::Line(text.split(' ').map(str::to_owned).collect())
    }

    /// A block.
    pub fn block(head: &str, body: Vec<Self>) -> Self {
        Self::Block(head.split(' ').map(str::to_owned).collect(), body)
    }

    /// The name; empty for raw bytes.
    pub fn name(&self) -> &str {
        match self {
            Self::Line(words) | Self::Block(words, _) => words.first().map_or("", String::as_str),
            Self::Raw(_) => "",
        }
    }

    /// The statements inside.
    pub fn body(&self) -> &[Self] {
        match self {
            Self::Block(_, body) => body,
            _ => &[],
        }
    }

    /// The statements inside, to change them.
    pub fn body_mut(&mut self) -> Option<&mut Vec<Self>> {
        match self {
            Self::Block(_, body) => Some(body),
            _ => None,
        }
    }
}

/// Where a block of statements stands: the indices of the blocks around it, outermost first.
pub type Path = Vec<usize>;

/// The statements of the block at `path`.
pub fn at<'a>(nodes: &'a mut Vec<Node>, path: &[usize]) -> &'a mut Vec<Node> {
    let mut here = nodes;
    for index in path {
        here = here[*index]
            .body_mut()
            .expect("a path leads through blocks");
    }
    here
}

/// Every block of statements whose own name is one of `names`.
pub fn blocks(nodes: &[Node], names: &[&str]) -> Vec<Path> {
    let mut found = Vec::new();
    collect(nodes, names, &mut Vec::new(), &mut found);
    found
}

fn collect(nodes: &[Node], names: &[&str], here: &mut Path, found: &mut Vec<Path>) {
    for (index, node) in nodes.iter().enumerate() {
        let Node::Block(_, body) = node else {
            continue;
        };
        here.push(index);
        if names.contains(&node.name()) {
            found.push(here.clone());
        }
        collect(body, names, here, found);
        here.pop();
    }
}
