//! Includes over a file system that an input describes, and the output of `nginx -T`: reading
//! ends within its limits, is the same however many threads do it, and leaves out nothing without
//! saying so.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use rayon::{ThreadPool, ThreadPoolBuilder};
use stekguard::catalog::Server;
use stekguard::source::{
    AllowedMissing, DirectiveId, Dump, Limits, LoadOptions, Memory, Problem, ProblemKind, Project,
    Root, RootKind, clean_path, load,
};
use stekguard::text::Span;

use super::repair::section;
use super::world::World;

/// Small, so that an input that multiplies itself meets them soon.
fn limits() -> Limits {
    Limits {
        instances: 300,
        directives: 5_000,
        ..Limits::default()
    }
}

/// One thread, and several.
static POOLS: LazyLock<[Option<ThreadPool>; 2]> =
    LazyLock::new(|| [1, 3].map(|count| ThreadPoolBuilder::new().num_threads(count).build().ok()));

/// The first byte chooses the server and what is known of it; the rest is a [`World`].
pub(crate) fn includes(bytes: &[u8]) {
    let [how, input @ ..] = bytes else {
        return;
    };
    let (server, path) = match how & 1 {
        0 => (Server::Nginx, "/etc/nginx/nginx.conf"),
        _ => (Server::Apache, "/etc/apache2/apache2.conf"),
    };
    let mut root = Root::new(server, path);
    root.installed = how & 2 != 0;
    if how & 4 != 0 {
        root.base = Some(PathBuf::from("/etc"));
    }
    let options = LoadOptions {
        limits: limits(),
        allow_missing: match how & 8 {
            0 => AllowedMissing::default(),
            _ => vec!["*.missing".to_owned(), "/etc/**/gone".to_owned()].into(),
        },
        defines_known: how & 16 != 0,
        defines: vec!["SSL".to_owned()],
        modules: (how & 32 != 0).then(|| vec!["ssl_module".to_owned()]),
        ..LoadOptions::default()
    };
    let (first, asked) = loaded(0, &root, input, &options);
    let (second, _) = loaded(1, &root, input, &options);
    shape(&first);
    accounted(&first, &asked);
    assert!(
        told(&first) == told(&second),
        "the same for 1 and 3 threads"
    );
}

fn loaded(
    pool: usize,
    root: &Root,
    input: &[u8],
    options: &LoadOptions,
) -> (Project, Vec<(PathBuf, bool)>) {
    let world = World::read(&root.path, input);
    let load = || load(root, &world, options);
    let project = match &POOLS[pool] {
        Some(pool) => pool.install(load),
        None => load(),
    };
    let asked = world.asked();
    (project, asked)
}

/// Any bytes as the output of `nginx -T`: what was split prints together again, and loads.
pub(crate) fn expanded(bytes: &[u8]) {
    let stream = Path::new("/dump");
    let root = Root::new(Server::Nginx, stream).with_kind(RootKind::Dump);
    let options = LoadOptions {
        limits: limits(),
        ..LoadOptions::default()
    };
    shape(&load(&root, &Memory::new([(stream, bytes)]), &options));
    let Some(dump) = Dump::parse(bytes) else {
        return;
    };
    let mut printed = Vec::new();
    let main = clean_path(&dump.root);
    let others = dump.paths().filter(|path| *path != main);
    for path in [main.as_path()].into_iter().chain(others) {
        let text = dump.files().read(path);
        assert!(text.is_ok(), "a file of the dump is there");
        section(&mut printed, path, &text.unwrap_or_default());
    }
    let again = Dump::parse(&printed);
    assert!(again.is_some(), "what was printed is a dump");
    let Some(again) = again else { return };
    assert_eq!(clean_path(&again.root), main);
    assert!(again.paths().eq(dump.paths()), "the same files");
    for path in dump.paths() {
        let read = |dump: &Dump| dump.files().read(path).ok();
        assert!(read(&again) == read(&dump), "the same bytes");
    }
}

/// As many files as may include one another, each by way of every macro: none uses itself.
fn longest(project: &Project) -> usize {
    let of_macro = |name: &[u8]| name.eq_ignore_ascii_case(b"<Macro");
    let words = |text: &[u8]| {
        text.split(u8::is_ascii_whitespace)
            .filter(|it| of_macro(it))
            .count()
    };
    let macros: usize = project.files.iter().map(|file| words(&file.text)).sum();
    (limits().depth + 1) * (1 + macros)
}

/// What a reader of the project relies on.
fn shape(project: &Project) {
    let length = |file: usize| project.files[file].text.len() as u32;
    let within = |span: Span, end: u32| span.start <= span.end && span.end <= end;
    let count = project.directives.len();
    assert!(count <= limits().directives + 1, "{count} directives");
    for (index, directive) in project.directives.iter().enumerate() {
        let end = length(directive.file.0 as usize);
        assert!(within(directive.span, end) && within(directive.name.span, end));
        assert!(directive.body.is_none_or(|body| within(body, end)));
        assert!(directive.end as usize > index && directive.end as usize <= count);
        if let Some(parent) = directive.parent {
            assert!((parent.0 as usize) < index);
            assert!(
                directive.end <= project.directive(parent).end,
                "blocks nest"
            );
        }
        let id = DirectiveId(index as u32);
        for text in project.argument_texts(id) {
            assert!(within(text.span, end), "an argument in its file");
        }
        assert!(project.via(id).len() <= longest(project), "a bounded chain");
        let when = project.whens.get(directive.when.0 as usize);
        let known = |atom: u32| (atom as usize) < project.atoms.len();
        assert!(when.is_some_and(|when| when.0.iter().all(|it| known(it.atom))));
    }
    for file in &project.files {
        // What is no text at all is told, and has no tree.
        let printed = file.tree().print(&file.text);
        let refused = || project.problems.iter().any(|it| is_no_text(it, &file.path));
        let told = printed == *file.text || (printed.is_empty() && refused());
        assert!(told, "prints back");
    }
    for problem in &project.problems {
        assert!(!problem.message.is_empty());
        let file = project
            .files
            .iter()
            .find(|file| *file.path == *problem.path);
        if let (Some(file), Some(span)) = (file, problem.span) {
            assert!(within(span, file.text.len() as u32), "a problem's place");
        }
    }
}

fn is_no_text(problem: &Problem, path: &Path) -> bool {
    problem.kind == ProblemKind::NotConfiguration && problem.path == path
}

/// What was read is a file of the project or is told; what could not be read is told. A limit
/// may leave files behind that were read ahead of their turn.
fn accounted(project: &Project, asked: &[(PathBuf, bool)]) {
    if !project.complete() {
        return;
    }
    let files: BTreeSet<PathBuf> = project
        .files
        .iter()
        .map(|it| clean_path(&it.path))
        .collect();
    let named: BTreeSet<String> = (0..project.directives.len())
        .flat_map(|index| project.arguments(DirectiveId(index as u32)))
        .map(|argument| clean_path(Path::new(&*String::from_utf8_lossy(argument))))
        .filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
        .collect();
    for (path, _) in asked.iter().filter(|(path, _)| !files.contains(path)) {
        // Keys, certificates, the starter's variables and the table of mounts are looked at, not
        // read as files of the configuration.
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        assert!(
            named.contains(&*name)
                || ["envvars", "mounts"].contains(&&*name)
                || assumed(project, path),
            "{} was asked for and is not told",
            path.display()
        );
    }
    for file in &project.files {
        assert!(!file.path.as_os_str().is_empty());
    }
}

fn assumed(project: &Project, path: &Path) -> bool {
    project.assumed.iter().any(|it| clean_path(it) == path)
}

/// A project in words, to compare.
type Told = (
    Vec<(Arc<Path>, Option<PathBuf>)>,
    Vec<(u32, Span, u32, u32, u32, Vec<Vec<u8>>)>,
    Vec<String>,
);

fn told(project: &Project) -> Told {
    let files = project.files.iter();
    let directives = project.directives.iter().enumerate().map(|(index, it)| {
        let id = DirectiveId(index as u32);
        let words = [project.name(id)].into_iter().chain(project.arguments(id));
        let words = words.map(<[u8]>::to_vec).collect();
        (it.file.0, it.span, it.end, it.via.0, it.when.0, words)
    });
    (
        files
            .map(|it| (Arc::clone(&it.path), it.real.clone()))
            .collect(),
        directives.collect(),
        project
            .problems
            .iter()
            .map(|it| format!("{it:?}"))
            .collect(),
    )
}
