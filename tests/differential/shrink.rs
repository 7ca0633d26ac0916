//! Makes a tree that shows a difference smaller, as long as it still shows it.

use super::compare::Difference;
use super::coverage::Coverage;
use super::run::Bench;
use crate::generator::nginx::Tree;
use crate::generator::print;
use crate::generator::tree::{Node, Path, at};

/// Attempts; each one runs a server.
const ATTEMPTS: usize = 150;

/// The smallest tree found that differs in the same field, as text, with its differences.
pub fn shrink(bench: &Bench<'_>, tree: &Tree, field: &str) -> Option<(String, Vec<Difference>)> {
    let mut attempts = 0;
    let mut best = tree.clone();
    let mut differences = shows(bench, &best, field)?;
    'again: loop {
        for path in statements(&best.nodes) {
            attempts += 1;
            if attempts > ATTEMPTS {
                break 'again;
            }
            let mut smaller = best.clone();
            let (last, around) = path.split_last()?;
            at(&mut smaller.nodes, around).remove(*last);
            if let Some(found) = shows(bench, &smaller, field) {
                best = smaller;
                differences = found;
                continue 'again;
            }
        }
        break;
    }
    Some((print::plain(&best.nodes), differences))
}

fn shows(bench: &Bench<'_>, tree: &Tree, field: &str) -> Option<Vec<Difference>> {
    let files = vec![("nginx.conf".to_owned(), print::plain(&tree.nodes))];
    let outcome = match field {
        "verdict" => bench.verdict(tree, files),
        _ => bench.files(tree, files, &mut Coverage::default()),
    };
    let mut found = outcome.differences;
    found.retain(|difference| difference.field == field);
    (!found.is_empty()).then_some(found)
}

/// Every statement that may go, the large ones first.
fn statements(nodes: &[Node]) -> Vec<Path> {
    const KEPT: [&str; 8] = [
        "daemon",
        "pid",
        "error_log",
        "user",
        "load_module",
        "events",
        "return",
        "access_log",
    ];
    let mut found = Vec::new();
    collect(nodes, &KEPT, &mut Vec::new(), &mut found);
    found.sort_by_key(Vec::len);
    found
}

fn collect(nodes: &[Node], kept: &[&str], here: &mut Path, found: &mut Vec<Path>) {
    for (index, node) in nodes.iter().enumerate().rev() {
        here.push(index);
        if !kept.contains(&node.name()) && !node.name().ends_with("_temp_path") {
            found.push(here.clone());
        }
        collect(node.body(), kept, here, found);
        here.pop();
    }
}
