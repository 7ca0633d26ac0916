//! What a text is, by its statements and its name.
//!
//! It must not follow includes, and it never says more than "looks like": the loader finds
//! out.

use std::path::Path;

use crate::catalog::{self, Context, Server};
use crate::syntax::nginx::{Options, args, name, parse};
use crate::syntax::remark::{Remark, has_mark, remark};
use crate::syntax::{NodeId, NodeKind, TokenKind, Tree};

use super::dump::Dump;
use super::options::FragmentContext;
use super::{content, path};

/// What a text looks like.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub(super) enum Shape {
    /// A main file.
    Root(Server),
    /// A part of a tree.
    Fragment(Server, FragmentContext),
    /// `nginx -T` output.
    Dump,
    /// To be rendered first.
    Template,
    /// Nothing that says configuration of either server.
    Unknown,
}

/// Names of main files.
const APACHE_ROOTS: [&str; 2] = ["apache2.conf", "httpd.conf"];

/// Whether a file of this name can be nothing but a main file.
pub(super) fn is_main_name(file: &Path) -> bool {
    let name = file.file_name().and_then(|name| name.to_str());
    name.is_some_and(|name| name == "nginx.conf" || APACHE_ROOTS.contains(&name))
}

/// Names that other programs' files use too, lower case: they say nothing alone.
const COMMON: [&[u8]; 14] = [
    b"alias",
    b"daemon",
    b"define",
    b"env",
    b"include",
    b"includeoptional",
    b"listen",
    b"match",
    b"pass",
    b"pid",
    b"protocol",
    b"return",
    b"root",
    b"user",
];

fn is_common(name: &[u8]) -> bool {
    COMMON.contains(&name.to_ascii_lowercase().as_slice())
}

/// Looks at a file.
pub(super) fn shape(file: &Path, text: &[u8]) -> Shape {
    if Dump::parse(text).is_some() {
        return Shape::Dump;
    }
    if content::is_template(text) {
        return Shape::Template;
    }
    if content::objection(text).is_some() {
        return Shape::Unknown;
    }
    let tree = parse(text, &Options::default());
    let nginx = nginx_shape(text, &tree);
    let (nginx_known, apache_known) = (nginx.telling, apache_statements(text));
    if apache_known > nginx_known || (apache_known > 0 && is_apache_place(file)) {
        return apache_shape(file, text);
    }
    let said = said_context(text, &tree);
    if nginx_known == 0 && said.is_none() {
        return Shape::Unknown;
    }
    match (nginx.root, said) {
        (true, _) => Shape::Root(Server::Nginx),
        // All its blocks may stand in files that it includes.
        (false, None) if nginx.leads && is_main_name(file) => Shape::Root(Server::Nginx),
        (false, said) => Shape::Fragment(Server::Nginx, said.unwrap_or(nginx.context)),
    }
}

/// What the file itself says: `# stekguard: context http,server`. What names no context is told
/// by a rule.
fn said_context(text: &[u8], tree: &Tree) -> Option<FragmentContext> {
    if !has_mark(text) {
        return None;
    }
    let comments = tree.tokens.iter();
    let comments = comments.filter(|token| token.kind == TokenKind::Comment);
    let mut contexts = comments.filter_map(|token| match remark(token.span.of(text))? {
        Remark::Context(context) => context.parse().ok(),
        _ => None,
    });
    contexts.next()
}

/// Whose file it most likely is where no statement tells: by its place, else by how its
/// lines end. nginx ends statements with marks, httpd with the line.
pub(super) fn likely_server(file: &Path, text: &[u8]) -> Server {
    let names_nginx = file
        .iter()
        .any(|part| path::bytes_of(part).starts_with(b"nginx"));
    if is_apache_place(file) {
        return Server::Apache;
    }
    if names_nginx || content::objection(text).is_some() {
        return Server::Nginx;
    }
    let lines = text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let is_said = |line: &&[u8]| !line.is_empty() && !line.starts_with(b"#");
    let (marked, plain): (Vec<&[u8]>, Vec<&[u8]>) = lines
        .filter(is_said)
        .partition(|line| matches!(line.last(), Some(b';' | b'{' | b'}')));
    if plain.len() > marked.len() {
        Server::Apache
    } else {
        Server::Nginx
    }
}

fn is_apache_place(file: &Path) -> bool {
    let named = file
        .file_name()
        .is_some_and(|name| APACHE_ROOTS.iter().any(|root| name == *root));
    named || file.iter().any(|part| part == "apache2" || part == "httpd")
}

struct NginxShape {
    /// How many statements at the top are nginx's and nobody else's.
    telling: usize,
    root: bool,
    /// It includes files, and all that stands there may stand in a main file.
    leads: bool,
    context: FragmentContext,
}

/// Contexts that a lone fragment can stand in, the likeliest first.
const CONTEXTS: [(FragmentContext, Context); 8] = [
    (FragmentContext::Http, Context::Http),
    (FragmentContext::HttpServer, Context::HttpServer),
    (FragmentContext::HttpLocation, Context::HttpLocation),
    (FragmentContext::Stream, Context::Stream),
    (FragmentContext::StreamServer, Context::StreamServer),
    (FragmentContext::Mail, Context::Mail),
    (FragmentContext::MailServer, Context::MailServer),
    (FragmentContext::Main, Context::Main),
];

fn nginx_shape(text: &[u8], tree: &Tree) -> NginxShape {
    let statements: Vec<Statement<'_>> = tree
        .children(None)
        .filter_map(|node| Statement::read(text, tree, node))
        .collect();
    let opens_module = |statement: &Statement<'_>| {
        let opened = statement.opened_in(Context::Main);
        matches!(
            opened,
            Some(Context::Events | Context::Http | Context::Stream | Context::Mail)
        )
    };
    let root = statements.iter().any(opens_module);
    let includes = statements.iter().any(|it| &*it.name == b"include");
    let in_main = |it: &Statement<'_>| catalog::nginx_in(&it.name, Context::Main).is_some();
    let leads = includes && statements.iter().all(in_main);
    let fitting = |context: Context| -> usize {
        statements
            .iter()
            .map(|statement| statement.fits(text, tree, context))
            .sum()
    };
    let mut best = (0, FragmentContext::Http);
    for (fragment, context) in CONTEXTS {
        let score = fitting(context);
        if score > best.0 {
            best = (score, fragment);
        }
    }
    let telling = statements
        .iter()
        .filter(|statement| !is_common(&statement.name))
        .count();
    NginxShape {
        telling,
        root,
        leads,
        context: best.1,
    }
}

/// A statement at the top of a file that nginx has somewhere.
struct Statement<'text> {
    node: NodeId,
    name: std::borrow::Cow<'text, [u8]>,
}

impl<'text> Statement<'text> {
    /// Reads a statement whose name, form and number of arguments fit a row of the catalog.
    fn read(text: &'text [u8], tree: &'text Tree, node: NodeId) -> Option<Self> {
        let is_block = tree.node(node).kind != NodeKind::Directive;
        // Without its `;` or `{` it is a line of something else.
        tree.tokens
            .get(tree.node(node).last_token)
            .filter(|token| {
                let end = token.span.of(text);
                end == b";" || end == b"{"
            })?;
        let name = name(text, tree, node)?.value;
        let count = args(text, tree, node).count();
        let mut rows = catalog::nginx(&name).iter();
        let fits = |row: &catalog::Directive| {
            row.arity.accepts(count) && is_block == (row.body != catalog::Body::None)
        };
        rows.any(fits).then_some(Self { node, name })
    }

    fn opened_in(&self, context: Context) -> Option<Context> {
        catalog::nginx_in(&self.name, context).and_then(|row| row.opens)
    }

    /// How many of this statement and those directly in it may stand so in `context`.
    fn fits(&self, text: &[u8], tree: &Tree, context: Context) -> usize {
        if catalog::nginx_in(&self.name, context).is_none() {
            return 0;
        }
        let Some(inside) = self.opened_in(context) else {
            return 1;
        };
        let allowed = |child: &NodeId| {
            let word = name(text, tree, *child);
            word.is_some_and(|word| catalog::nginx_in(&word.value, inside).is_some())
        };
        1 + tree.children(Some(self.node)).filter(allowed).count()
    }
}

/// Lines that httpd would take for one of its sections or directives, and nginx would not.
fn apache_statements(text: &[u8]) -> usize {
    apache_lines(text)
        .filter(|line| !is_common(first_word(line)))
        .count()
}

fn apache_lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b'\n')
        .map(<[u8]>::trim_ascii)
        .filter(|line| {
            let ends_as_nginx = matches!(line.last(), Some(b';' | b'{' | b'}'));
            let word = first_word(line);
            // A directive has arguments; one word alone is a line of anything.
            !ends_as_nginx && line.len() > word.len() && is_apache_word(word)
        })
}

/// A directive, or a section with its bracket: `if` and `location` alone are nginx's.
fn is_apache_word(word: &[u8]) -> bool {
    use catalog::Body::{Conditional, Macro, Section};
    let section = |row: &catalog::Directive| matches!(row.body, Section | Conditional | Macro);
    catalog::apache(word).is_some_and(|row| section(row) == word.starts_with(b"<"))
}

fn first_word(line: &[u8]) -> &[u8] {
    line.split(u8::is_ascii_whitespace)
        .next()
        .unwrap_or_default()
}

fn apache_shape(file: &Path, text: &[u8]) -> Shape {
    let name = file.file_name().map(path::bytes_of).unwrap_or_default();
    let is_main = APACHE_ROOTS.iter().any(|root| root.as_bytes() == &*name);
    let sets_root =
        apache_lines(text).any(|line| first_word(line).eq_ignore_ascii_case(b"ServerRoot"));
    if is_main || sets_root {
        return Shape::Root(Server::Apache);
    }
    Shape::Fragment(Server::Apache, FragmentContext::Main)
}
