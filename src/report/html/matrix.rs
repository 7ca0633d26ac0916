//! The matrix: one row an endpoint, one column a mechanism, the reasons behind a button.

use super::HtmlReport;
use super::markup::Html;
use crate::model::{
    ClientAuth, Endpoint, KeySource, Site, Tls12Id, Tls12Ticket, Tls13Issued, Tls13Resumes,
    Transport,
};
use crate::report::json::kind;
use crate::report::table::origin;
use crate::report::{Server, escape};

/// Names that are shown before `and N more`.
const NAMES_SHOWN: usize = 4;

/// A cell: how a session resumes there, as a class, and the words.
#[derive(Clone, Eq, PartialEq)]
struct Cell {
    class: &'static str,
    words: String,
}

impl Cell {
    fn new(class: &'static str, words: impl Into<String>) -> Self {
        let words = words.into();
        Self { class, words }
    }
}

const HEADS: [&str; 7] = [
    "TLS 1.2 session ID",
    "TLS 1.2 ticket",
    "TLS 1.3",
    "Lifetime",
    "Ticket key",
    "Client certificate",
    "0-RTT",
];

/// The section with one table a configuration.
pub(super) fn section(page: &mut Html, report: &HtmlReport<'_>) {
    page.raw("<section aria-labelledby=\"matrix\">\n<h2 id=\"matrix\">What resumes</h2>\n");
    legend(page);
    page.raw("<form class=\"filter\" data-filter=\"endpoint\" hidden>\n");
    page.raw("<label>Address or name <input type=\"search\" name=\"text\"></label>\n");
    page.raw("<label>Show <select name=\"state\"><option value=\"\">all endpoints</option>");
    page.raw("<option value=\"ticket\">with stateless tickets</option>");
    page.raw("<option value=\"store\">with stored sessions</option>");
    page.raw("<option value=\"never\">where nothing resumes</option>");
    page.raw("<option value=\"auth\">with client certificates</option></select></label>\n");
    page.raw("<output aria-live=\"polite\"></output>\n</form>\n");
    for (number, server) in report.servers.iter().enumerate() {
        table(page, number, server, after(report, number, server.site));
    }
    page.raw("</section>\n");
}

/// The same endpoints with the patch, where they are the same.
fn after<'a>(report: &HtmlReport<'a>, number: usize, before: &Site) -> Option<&'a [Endpoint]> {
    let after = report.after.get(number)?.site;
    let same = after.endpoints.len() == before.endpoints.len();
    same.then_some(&after.endpoints[..])
}

fn legend(page: &mut Html) {
    page.raw("<ul class=\"legend\"><li><span class=\"dot ticket\" aria-hidden=\"true\"></span>");
    page.raw("stateless ticket: the session is in the ticket, under the server's key</li>");
    page.raw("<li><span class=\"dot store\" aria-hidden=\"true\"></span>");
    page.raw("stored: the server keeps the session</li>");
    page.raw("<li><span class=\"dot none\" aria-hidden=\"true\"></span>nothing resumes</li>");
    page.raw("<li><span class=\"dot unknown\" aria-hidden=\"true\"></span>not known</li></ul>\n");
}

fn table(page: &mut Html, number: usize, server: &Server<'_>, after: Option<&[Endpoint]>) {
    let site = server.site;
    page.raw("<div class=\"scroll\" tabindex=\"0\" role=\"region\"");
    let caption = format!("{} {}", kind(site.server), escape::path(&site.root));
    page.raw(" aria-label=\"")
        .shown(&caption)
        .raw("\">\n<table class=\"matrix\"><caption>");
    page.raw("<code>")
        .shown(&escape::path(&site.root))
        .raw("</code> ");
    page.raw("<span class=\"dim\">")
        .text(kind(site.server))
        .raw("</span></caption>\n");
    page.raw("<thead><tr><th scope=\"col\">Address and names</th>");
    for head in HEADS {
        page.element("th", &[("scope", "col")], head);
    }
    page.raw("<th scope=\"col\"><span class=\"hide\">Reasons</span></th></tr></thead>\n");
    if site.endpoints.is_empty() {
        page.raw("<tbody><tr><td colspan=\"9\">No TLS endpoint: nothing here resumes, because ");
        page.raw("nothing here speaks TLS.</td></tr></tbody>\n");
    }
    for (index, endpoint) in site.endpoints.iter().enumerate() {
        let later = after.and_then(|after| after.get(index));
        row(page, &format!("w{number}-{index}"), endpoint, later);
    }
    page.raw("</table></div>\n");
}

fn row(page: &mut Html, id: &str, endpoint: &Endpoint, later: Option<&Endpoint>) {
    let attributes = [
        ("data-item", "endpoint"),
        ("data-state", &*states(endpoint)),
        ("class", if endpoint.reachable { "" } else { "off" }),
    ];
    page.open("tbody", &attributes)
        .raw("<tr><th scope=\"row\">");
    head(page, endpoint);
    page.raw("</th>");
    let before = cells(endpoint);
    let later = later.map(cells);
    for (index, cell) in before.iter().enumerate() {
        let changed = later.as_ref().map(|later| &later[index]);
        one_cell(page, cell, changed.filter(|later| *later != cell));
    }
    page.raw("<td>");
    let label = format!("Reasons of {}", endpoint.label());
    let button = [
        ("type", "button"),
        ("class", "why"),
        ("aria-controls", id),
        ("aria-expanded", "true"),
        ("aria-label", &*label),
    ];
    page.element("button", &button, "why");
    page.raw("</td></tr>\n");
    page.open("tr", &[("class", "reasons"), ("id", id)]);
    page.raw("<td colspan=\"9\">");
    reasons(page, endpoint);
    page.raw("</td></tr></tbody>\n");
}

fn head(page: &mut Html, endpoint: &Endpoint) {
    page.raw("<span class=\"address\">")
        .text(&endpoint.address)
        .raw("</span>");
    let mut flags = Vec::new();
    if endpoint.transport == Transport::Quic {
        flags.push("quic");
    }
    if endpoint.default {
        flags.push("default");
    }
    if !endpoint.reachable {
        flags.push("unreachable");
    }
    if endpoint.rejects {
        flags.push("rejects handshakes");
    }
    for flag in flags {
        page.raw(" ").element("span", &[("class", "flag")], flag);
    }
    page.raw("<span class=\"names\">");
    for (index, name) in endpoint.names.iter().take(NAMES_SHOWN).enumerate() {
        if index > 0 {
            page.raw(", ");
        }
        page.shown(&escape::short(name));
    }
    if let Some(more) = endpoint.names.len().checked_sub(NAMES_SHOWN + 1) {
        page.text(&format!(" and {} more", more + 1));
    }
    page.raw("</span>");
    for condition in &endpoint.when {
        page.raw("<span class=\"names\">where ")
            .text(condition)
            .raw("</span>");
    }
}

fn one_cell(page: &mut Html, cell: &Cell, later: Option<&Cell>) {
    let Some(later) = later else {
        page.element("td", &[("class", cell.class)], &cell.words);
        return;
    };
    page.raw("<td>").open("del", &[("class", cell.class)]);
    page.raw("<span class=\"hide\">now </span><s>")
        .text(&cell.words)
        .raw("</s></del> ");
    page.open("ins", &[("class", later.class)]);
    page.raw("<span class=\"hide\">with the patch </span>")
        .text(&later.words);
    page.raw("</ins></td>");
}

/// The words by which rows are filtered.
fn states(endpoint: &Endpoint) -> String {
    let mut words = Vec::new();
    if endpoint.stateless_resumes() {
        words.push("ticket");
    }
    let stateful = endpoint.tls13.issued == Tls13Issued::Stateful && endpoint.tls13.resumes.ever();
    if endpoint.tls12.session_id.kept_here() || stateful {
        words.push("store");
    }
    if !endpoint.resumes() {
        words.push("never");
    }
    if endpoint.client_auth != ClientAuth::Off {
        words.push("auth");
    }
    words.join(" ")
}

fn cells(endpoint: &Endpoint) -> [Cell; 7] {
    [
        session_id(endpoint.tls12.session_id),
        ticket(endpoint.tls12.ticket),
        tls13(endpoint),
        Cell::new("", lifetime(endpoint)),
        key(endpoint),
        match endpoint.client_auth {
            ClientAuth::Off => Cell::new("dim", "no"),
            other => Cell::new("auth", other.word()),
        },
        if endpoint.early_data {
            Cell::new("auth", "accepted")
        } else {
            Cell::new("dim", "no")
        },
    ]
}

fn session_id(state: Tls12Id) -> Cell {
    match state {
        Tls12Id::Resumes => Cell::new("m store", "resumes"),
        Tls12Id::PerWorker => Cell::new("m store part", "per worker"),
        Tls12Id::External => Cell::new("m store part", "a script decides"),
        Tls12Id::Never => Cell::new("m none", "never"),
        Tls12Id::Unavailable => Cell::new("dim", "not spoken"),
        Tls12Id::Unknown => Cell::new("m unknown", "not known"),
    }
}

fn ticket(state: Tls12Ticket) -> Cell {
    match state {
        Tls12Ticket::Resumes => Cell::new("m ticket", "resumes"),
        Tls12Ticket::Dead => Cell::new("m none", "issued, never resumes"),
        Tls12Ticket::None => Cell::new("m none", "none"),
        Tls12Ticket::Unavailable => Cell::new("dim", "not spoken"),
        Tls12Ticket::Unknown => Cell::new("m unknown", "not known"),
    }
}

fn tls13(endpoint: &Endpoint) -> Cell {
    let class = match endpoint.tls13.issued {
        Tls13Issued::Stateless => "m ticket",
        Tls13Issued::Stateful => "m store",
        Tls13Issued::None => return Cell::new("m none", "none"),
        Tls13Issued::Unavailable => return Cell::new("dim", "not spoken"),
        Tls13Issued::Unknown => return Cell::new("m unknown", "not known"),
    };
    let what = match endpoint.tls13.issued {
        Tls13Issued::Stateless => "stateless",
        _ => "stored",
    };
    match endpoint.tls13.resumes {
        Tls13Resumes::Always => Cell::new(class, format!("{what}, resumes")),
        Tls13Resumes::PerWorker => Cell::new(class, format!("{what}, per worker")),
        Tls13Resumes::Never => Cell::new("m none", format!("{what}, never resumes")),
        Tls13Resumes::Unknown => Cell::new("m unknown", format!("{what}, not known")),
    }
}

fn lifetime(endpoint: &Endpoint) -> String {
    let word = |value: Option<u64>| value.map_or_else(|| "–".to_owned(), seconds);
    let lifetimes = endpoint.lifetime_seconds;
    if lifetimes.tls12 == lifetimes.tls13 {
        return word(lifetimes.tls12);
    }
    let (old, new) = (word(lifetimes.tls12), word(lifetimes.tls13));
    format!("{old} (1.2), {new} (1.3)")
}

/// `5 min`, `10 d`, or seconds where nothing divides them.
fn seconds(value: u64) -> String {
    for (length, unit) in [(86_400, "d"), (3_600, "h"), (60, "min")] {
        if value >= length && value.is_multiple_of(length) {
            return format!("{} {unit}", value / length);
        }
    }
    format!("{value} s")
}

fn key(endpoint: &Endpoint) -> Cell {
    let key = &endpoint.ticket_key;
    match key.source {
        KeySource::None => Cell::new("dim", "none"),
        KeySource::Startup => Cell::new("", "made at start"),
        KeySource::Zone => {
            let zone = key.zone.as_deref().unwrap_or_default();
            Cell::new("", format!("zone {zone}"))
        }
        KeySource::Files => Cell::new("", key.files.join(", ")),
        KeySource::Unknown => Cell::new("m unknown", "not known"),
    }
}

fn reasons(page: &mut Html, endpoint: &Endpoint) {
    page.raw("<dl>");
    let via = |via: &[String]| match via {
        [] => String::new(),
        via => format!(", by {}", via.join(", ")),
    };
    for (what, place) in [
        ("defined at", &endpoint.defined_at),
        ("governed by", &endpoint.governed_by),
    ] {
        let path = escape::path(&place.path);
        page.raw("<dt>")
            .text(what)
            .raw("</dt><dd><code>")
            .shown(&path);
        page.text(&format!(":{}", place.line)).raw("</code>");
        page.text(&via(&place.via)).raw("</dd>");
    }
    for why in &endpoint.why {
        page.raw("<dt>")
            .text(why.field.word())
            .raw("</dt><dd><code>");
        page.text(why.setting)
            .raw(" ")
            .shown(&escape::short(&why.value));
        page.raw("</code> ").shown(&origin(why)).raw("</dd>");
    }
    page.raw("</dl>");
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn lifetimes_are_said_in_the_unit_that_fits() {
        assert_eq!(seconds(864_000), "10 d");
        assert_eq!(seconds(3_600), "1 h");
        assert_eq!(seconds(300), "5 min");
        assert_eq!(seconds(301), "301 s");
        assert_eq!(seconds(0), "0 s");
    }
}
