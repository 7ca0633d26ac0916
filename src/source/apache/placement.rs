//! httpd: may a directive stand where it stands, with these words?
//!
//! What httpd finds when it carries the directives out, after all was read, for those that
//! the catalog has; others pass, only the server knows its modules. It must not look at files
//! and says nothing of what stands under an open condition.
//!
//! Source: server/config.c (invoke_cmd), server/core.c (ap_check_cmd_context).

use super::Expander;
use super::facts::{ALWAYS, Known};
use super::value;
use crate::catalog::{self, Arity, Body, Context, Kind};
use crate::source::{Directive, DirectiveId, Problem, ProblemKind, Project, RootKind};

/// The providers of `SSLSessionCache` that come with httpd; each needs its module.
const PROVIDERS: [&[u8]; 5] = [b"shmcb", b"dbm", b"memcache", b"redis", b"dc"];

impl Expander<'_> {
    /// What httpd refuses among the directives in force, in its order.
    pub(super) fn misplaced(&self) -> Vec<Problem> {
        let ids = (0..self.project.directives.len() as u32).map(DirectiveId);
        let mut problems = Vec::new();
        for id in ids {
            let directive = self.project.directive(id);
            if directive.when != ALWAYS {
                continue;
            }
            let Some(message) = self.objection(id, directive) else {
                continue;
            };
            let at = self.project.location(id);
            problems.push(Problem {
                kind: ProblemKind::Syntax,
                path: at.path.to_path_buf(),
                line: at.line,
                span: Some(directive.name.span),
                message,
                refused: true,
            });
        }
        problems
    }

    fn objection(&self, id: DirectiveId, directive: &Directive) -> Option<String> {
        let spec = directive.spec.filter(|spec| !spec.exec_on_read)?;
        let place = Place::of(&self.project, directive);
        if spec.kind(0) == Kind::Command {
            // Its words are a rule's to judge, which knows what becomes of the server.
            return not_in_directories(spec, &place);
        }
        let words: Vec<&[u8]> = self.project.arguments(id).collect();
        // What a variable without a value would have been is not known here.
        if words
            .iter()
            .any(|word| word.windows(2).any(|pair| pair == b"${"))
        {
            return None;
        }
        let alone = self.root.kind != RootKind::Root;
        not_in_directories(spec, &place)
            .or_else(|| miscounted(spec, &words))
            .or_else(|| misplaced(spec, &place, alone))
            .or_else(|| value::objection(spec, &words))
            .or_else(|| self.provider(spec, &words))
    }

    /// A cache needs its provider, and that a module.
    fn provider(&self, spec: &catalog::Directive, words: &[&[u8]]) -> Option<String> {
        if spec.kind(0) != Kind::Socache {
            return None;
        }
        let word = words.first()?;
        let name = word.split(|byte| *byte == b':').next().unwrap_or_default();
        let no_store = [&b"none"[..], b"nonenotnull"];
        if spec.name == "SSLSessionCache" && no_store.iter().any(|no| word.eq_ignore_ascii_case(no))
        {
            return None;
        }
        let shown = String::from_utf8_lossy(name);
        let module = format!("mod_socache_{shown}.c");
        let known = PROVIDERS.contains(&name) && !self.lacks(module.as_bytes());
        let what = match spec.name {
            "SSLSessionCache" => "session",
            _ => "stapling",
        };
        (!known).then(|| format!("{}: '{shown}' {what} cache not supported", spec.name))
    }

    /// True where a module is known not to be loaded.
    fn lacks(&self, module: &[u8]) -> bool {
        let known = self.modules.known(module, ALWAYS, &self.conditions);
        self.options.modules.is_some() && matches!(known, Known::Nothing | Known::Value(None))
    }
}

/// What stands around a directive.
struct Place {
    /// `None` where a section around it is not in the catalog.
    context: Option<Context>,
    /// The innermost section.
    section: String,
}

impl Place {
    fn of(project: &Project, directive: &Directive) -> Self {
        let mut context = Some(Context::ServerConfig);
        let mut section = None;
        let mut next = directive.parent;
        while let Some(id) = next {
            let parent = project.directive(id);
            let name = project.name(id);
            let name = name.strip_prefix(b"<").unwrap_or(name);
            section.get_or_insert_with(|| match parent.spec {
                Some(spec) => spec.name.to_owned(),
                None => String::from_utf8_lossy(name).into_owned(),
            });
            let opens = parent.spec.map(|spec| spec.opens);
            match (opens, context) {
                // A section that only httpd's modules know may be of any kind.
                (None, _) => context = None,
                // The innermost section that opens a context gives it.
                (Some(Some(opened)), Some(Context::ServerConfig)) => context = Some(opened),
                _ => {}
            }
            next = parent.parent;
        }
        Self {
            context,
            section: section.unwrap_or_default(),
        }
    }
}

/// What only the server level or a vhost takes, in a section of either: httpd looks at this
/// before it counts the words.
fn not_in_directories(spec: &catalog::Directive, place: &Place) -> Option<String> {
    let inside = matches!(place.context?, Context::Directory | Context::Proxy);
    if !inside || spec.contexts.is_empty() || in_directories(spec) {
        return None;
    }
    let name = shown(spec);
    Some(format!("{name} not allowed in <{}> context", place.section))
}

/// A directive in a context that it is not for. `alone`: a file that some other includes,
/// perhaps inside a section.
fn misplaced(spec: &catalog::Directive, place: &Place, alone: bool) -> Option<String> {
    let context = place.context?;
    if spec.contexts.is_empty() || spec.allowed_in(context) {
        return None;
    }
    let name = shown(spec);
    match context {
        Context::ServerConfig if alone => None,
        Context::ServerConfig if spec.contexts == [Context::VirtualHost] => {
            Some(format!("{name} only used in <VirtualHost>"))
        }
        Context::VirtualHost if spec.allowed_in(Context::ServerConfig) => {
            let close = if spec.body == Body::None { "" } else { ">" };
            Some(format!(
                "{name}{close} cannot occur within <VirtualHost> section"
            ))
        }
        Context::ServerConfig | Context::VirtualHost => Some(format!("{name} not allowed here")),
        _ => None,
    }
}

/// A directive as httpd names it.
fn shown(spec: &catalog::Directive) -> String {
    match spec.body {
        Body::None => spec.name.to_owned(),
        _ => format!("<{}", spec.name),
    }
}

fn in_directories(spec: &catalog::Directive) -> bool {
    let inner = [Context::Directory, Context::Proxy, Context::Htaccess];
    inner.iter().any(|context| spec.allowed_in(*context))
}

/// A wrong number of words. An empty word is a missing one.
fn miscounted(spec: &catalog::Directive, words: &[&[u8]]) -> Option<String> {
    let Arity::Counts(counts) = spec.arity else {
        return None;
    };
    // NO_ARGS ends up as one count as well; sections parse their own tail.
    if spec.body != Body::None || counts & !0b1110 != 0 {
        return None;
    }
    let number = match words.iter().position(|word| word.is_empty()) {
        Some(empty) if empty + 1 < words.len() || empty == 0 => 0,
        Some(empty) => empty,
        None => words.len(),
    };
    if spec.arity.accepts(number) {
        return None;
    }
    let takes = match counts >> 1 {
        0b001 => "one argument",
        0b010 => "two arguments",
        0b100 => "three arguments",
        0b011 => "1-2 arguments",
        0b101 => "one or three arguments",
        0b110 => "two or three arguments",
        _ => "one, two or three arguments",
    };
    Some(format!("{} takes {takes}", spec.name))
}
