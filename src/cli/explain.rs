//! `stekguard explain` and `stekguard rules`.

use super::args::ExplainArguments;
use super::terminal::Terminal;
use super::{FAILED, hints};
use crate::{app, report};

pub(super) fn run(arguments: &ExplainArguments, terminal: &Terminal) -> u8 {
    match app::explain(&arguments.rule) {
        Ok(page) => {
            let paint = terminal.paint(None);
            let text = report::page(page.name, page.severity, &page.text, paint);
            terminal.report(text.as_bytes(), None)
        }
        Err(error) => {
            let (sentence, hint) = hints::said(error);
            terminal.error(&sentence, hint.as_deref());
            FAILED
        }
    }
}

pub(super) fn list(terminal: &Terminal) -> u8 {
    let rules = app::rules();
    let rows = rules
        .iter()
        .map(|page| (page.name, page.severity, page.summary));
    terminal.report(report::list(rows, terminal.paint(None)).as_bytes(), None)
}
