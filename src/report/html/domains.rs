//! Session domains as a picture: who issues sessions, where they are kept, who accepts them.
//! The same stands in a table below, for readers who do not see the picture.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::HtmlReport;
use super::markup::Html;
use crate::model::{ClientAuth, CrossName, Endpoint, Issues, KeySource, Tls13Issued};
use crate::report::escape;

/// More groups than this make no picture that anybody can read.
const GROUPS_SHOWN: usize = 40;
const BOX_WIDTH: usize = 300;
const DOMAIN_WIDTH: usize = 210;
const DOMAIN_X: usize = 405;
const RIGHT_X: usize = 720;
const WIDTH: usize = RIGHT_X + BOX_WIDTH;
const ROW: usize = 68;
const BOX_HEIGHT: usize = 50;
const TOP: usize = 30;

/// Endpoints that issue and accept the same, under the same conditions.
struct Group<'a> {
    first: &'a Endpoint,
    members: Vec<&'a Endpoint>,
}

/// A set of sessions that one store or key opens.
struct Domain {
    name: String,
    /// `ticket` where a key opens them, `store` where they are kept.
    class: &'static str,
    what: String,
}

/// The section.
pub(super) fn section(page: &mut Html, report: &HtmlReport<'_>) {
    page.raw("<section aria-labelledby=\"domains\">\n<h2 id=\"domains\">Session domains</h2>\n");
    page.raw("<p>A domain is a set of sessions that one key or one store opens. Whoever accepts ");
    page.raw("a domain resumes sessions that were made by anybody who issues in it.</p>\n");
    for (number, server) in report.servers.iter().enumerate() {
        let root = escape::path(&server.site.root);
        page.raw("<h3><code>").shown(&root).raw("</code></h3>\n");
        let before = &server.site.endpoints;
        let later = report.after.get(number).map(|it| &it.site.endpoints);
        match later.filter(|later| !same(before, later)) {
            None => state(page, number.to_string(), before),
            Some(later) => {
                page.raw("<h4>Now</h4>\n");
                state(page, number.to_string(), before);
                page.raw("<h4>With the patch</h4>\n");
                state(page, format!("{number}p"), later);
            }
        }
    }
    page.raw("</section>\n");
}

/// True where nobody issues or accepts anything else.
fn same(before: &[Endpoint], after: &[Endpoint]) -> bool {
    before.len() == after.len() && before.iter().zip(after).all(|(a, b)| alike(a, b))
}

fn state(page: &mut Html, id: String, endpoints: &[Endpoint]) {
    let groups = groups(endpoints);
    let domains = domains(endpoints);
    if domains.is_empty() {
        page.raw("<p>No session resumes here.</p>\n");
        return;
    }
    if groups.len() > GROUPS_SHOWN {
        let text = format!(
            "{} kinds of endpoints are too many for a picture.",
            groups.len()
        );
        page.element("p", &[], &text);
    } else {
        picture(page, &id, &groups, &domains);
    }
    table(page, &groups, &domains);
}

fn groups(endpoints: &[Endpoint]) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    let involved = endpoints
        .iter()
        .filter(|it| it.reachable && (!issued(it).is_empty() || !it.accepts.is_empty()));
    let mut known: HashMap<Kind<'_>, usize> = HashMap::new();
    for endpoint in involved {
        let at = *known.entry(kind(endpoint)).or_insert(groups.len());
        match groups.get_mut(at) {
            Some(group) => group.members.push(endpoint),
            None => groups.push(Group {
                first: endpoint,
                members: vec![endpoint],
            }),
        }
    }
    groups
}

/// What an endpoint issues and accepts, and under which conditions.
type Kind<'a> = (&'a Issues, &'a [Arc<str>], CrossName, ClientAuth);

fn kind(endpoint: &Endpoint) -> Kind<'_> {
    let Endpoint {
        issues,
        accepts,
        cross_name,
        client_auth,
        ..
    } = endpoint;
    (issues, accepts, *cross_name, *client_auth)
}

fn alike(a: &Endpoint, b: &Endpoint) -> bool {
    kind(a) == kind(b)
}

/// The domains in which an endpoint issues, each once.
fn issued(endpoint: &Endpoint) -> Vec<&str> {
    let issues = &endpoint.issues;
    let each = [&issues.tls12_id, &issues.tls12_ticket, &issues.tls13];
    let mut names: Vec<&str> = each.into_iter().flatten().map(|name| &**name).collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn accepts(endpoint: &Endpoint, domain: &str) -> bool {
    endpoint.accepts.iter().any(|name| **name == *domain)
}

/// Every domain, in the order of first appearance, with what it is.
fn domains(endpoints: &[Endpoint]) -> Vec<Domain> {
    let mut issuers: HashMap<&str, &Endpoint> = HashMap::new();
    for endpoint in endpoints {
        for name in issued(endpoint) {
            issuers.entry(name).or_insert(endpoint);
        }
    }
    let mut out: Vec<Domain> = Vec::new();
    let mut seen: HashSet<&str> = HashSet::new();
    for endpoint in endpoints.iter().filter(|it| it.reachable) {
        let names = issued(endpoint).into_iter();
        for name in names.chain(endpoint.accepts.iter().map(|name| &**name)) {
            if seen.insert(name) {
                out.push(domain(name, issuers.get(name).copied()));
            }
        }
    }
    out.sort_by_key(|domain| (domain.name.len(), domain.name.clone()));
    out
}

fn domain(name: &str, issuer: Option<&Endpoint>) -> Domain {
    let is = |field: &Option<Arc<str>>| field.as_deref() == Some(name);
    let (class, what) = match issuer {
        None => ("other", "accepted, issued by nobody here".to_owned()),
        Some(at) if is(&at.issues.tls12_ticket) => ("ticket", key(at)),
        Some(at) if is(&at.issues.tls13) && at.tls13.issued == Tls13Issued::Stateless => {
            ("ticket", key(at))
        }
        Some(at) if is(&at.issues.tls12_id) => ("store", "stored, TLS 1.2 IDs".to_owned()),
        Some(_) => ("store", "stored, named by tickets".to_owned()),
    };
    Domain {
        name: name.to_owned(),
        class,
        what,
    }
}

fn key(issuer: &Endpoint) -> String {
    let key = &issuer.ticket_key;
    match key.source {
        KeySource::Startup => "ticket key made at start".to_owned(),
        KeySource::Zone => {
            let zone = key.zone.as_deref().unwrap_or_default();
            format!("ticket key of zone {zone}")
        }
        KeySource::Files => {
            let file = key.files.first().map_or("", String::as_str);
            format!("ticket key in {file}")
        }
        KeySource::None | KeySource::Unknown => "ticket key, not known".to_owned(),
    }
}

fn picture(page: &mut Html, id: &str, groups: &[Group<'_>], domains: &[Domain]) {
    let rows = groups.len().max(domains.len());
    let height = TOP + rows * ROW;
    let view = format!("0 0 {WIDTH} {height}");
    let (title, text) = (format!("pt{id}"), format!("pd{id}"));
    let labelled = format!("{title} {text}");
    page.raw("<div class=\"scroll\" tabindex=\"0\" role=\"region\" ");
    page.raw("aria-label=\"Picture of the session domains\">");
    let attributes = [
        ("class", "picture"),
        ("viewBox", &*view),
        ("role", "img"),
        ("aria-labelledby", &*labelled),
    ];
    page.open("svg", &attributes);
    page.element("title", &[("id", &title)], "Who accepts whose sessions");
    let words = "Endpoints that issue on the left, domains in the middle, endpoints that accept \
                 on the right. The table below says the same.";
    page.element("desc", &[("id", &text)], words);
    for (x, head) in [
        (0, "issues sessions"),
        (DOMAIN_X, "domain"),
        (RIGHT_X, "accepts sessions"),
    ] {
        let x = x.to_string();
        page.element("text", &[("class", "head"), ("x", &x), ("y", "14")], head);
    }
    let group_y = |index: usize| place(index, groups.len(), rows);
    let domain_y = |index: usize| place(index, domains.len(), rows);
    for (at, group) in groups.iter().enumerate() {
        for (to, domain) in domains.iter().enumerate() {
            let name = &domain.name;
            if issued(group.first).contains(&name.as_str()) {
                let (from, to) = ((BOX_WIDTH, group_y(at)), (DOMAIN_X, domain_y(to)));
                edge(page, domain.class, true, name, from, to);
            }
            if accepts(group.first, name) {
                let from = (DOMAIN_X + DOMAIN_WIDTH, domain_y(to));
                let served = group.first.cross_name == CrossName::Served;
                edge(
                    page,
                    domain.class,
                    served,
                    name,
                    from,
                    (RIGHT_X, group_y(at)),
                );
            }
        }
    }
    for (at, group) in groups.iter().enumerate() {
        if !issued(group.first).is_empty() {
            group_box(page, group, 0, group_y(at));
        }
        if !group.first.accepts.is_empty() {
            group_box(page, group, RIGHT_X, group_y(at));
        }
    }
    for (at, domain) in domains.iter().enumerate() {
        domain_box(page, domain, domain_y(at));
    }
    page.raw("</svg></div>\n<ul class=\"legend\"><li><span class=\"edge\" aria-hidden=\"true\">");
    page.raw("</span>accepted whatever name of the address it was made for</li><li><span ");
    page.raw("class=\"edge own\" aria-hidden=\"true\"></span>accepted for its own name only</li>");
    page.raw("</ul>\n");
}

/// The top of a box: the shorter column stands in the middle of the longer one.
const fn place(index: usize, count: usize, rows: usize) -> usize {
    TOP + (rows - count) * ROW / 2 + index * ROW
}

fn edge(
    page: &mut Html,
    class: &'static str,
    served: bool,
    domain: &str,
    (x, y): (usize, usize),
    (to_x, to_y): (usize, usize),
) {
    let (y, to_y) = (y + BOX_HEIGHT / 2, to_y + BOX_HEIGHT / 2);
    let half = (x + to_x) / 2;
    let path = format!("M{x} {y}C{half} {y} {half} {to_y} {to_x} {to_y}");
    let class = format!("edge {class}{}", if served { "" } else { " own" });
    page.open(
        "path",
        &[("class", &class), ("data-domain", domain), ("d", &path)],
    );
    page.raw("</path>");
}

fn group_box(page: &mut Html, group: &Group<'_>, x: usize, y: usize) {
    let links: Vec<&str> = issued(group.first)
        .into_iter()
        .chain(group.first.accepts.iter().map(|name| &**name))
        .collect();
    let links = links.join(" ");
    page.open("g", &[("class", "node"), ("data-domains", &links)]);
    let members: Vec<String> = group.members.iter().map(|it| it.label()).collect();
    page.element("title", &[], &members.join("; "));
    rectangle(page, x, y, BOX_WIDTH, "");
    let (first, second) = lines(group);
    line(page, "strong", (x + 12, y + 21, 31), &first);
    line(page, "small", (x + 12, y + 39, 37), &second);
    page.raw("</g>");
}

/// What stands in a box: the address and how many more, then names or the client certificate.
fn lines(group: &Group<'_>) -> (String, String) {
    let mut first = group.first.address.to_string();
    if let Some(more) = group.members.len().checked_sub(2) {
        first.push_str(&format!(" and {} more", more + 1));
    }
    let names: Vec<&str> = group
        .members
        .iter()
        .flat_map(|it| it.names.iter().map(String::as_str))
        .take(8)
        .collect();
    let names = match &names[..] {
        [] => "no name".to_owned(),
        names => names.join(", "),
    };
    let second = match group.first.client_auth {
        ClientAuth::Off => names,
        ClientAuth::Optional => format!("client certificate optional: {names}"),
        ClientAuth::Required => format!("client certificate: {names}"),
    };
    (first, second)
}

fn domain_box(page: &mut Html, domain: &Domain, y: usize) {
    page.open("g", &[("class", "node"), ("data-domains", &domain.name)]);
    page.element("title", &[], &format!("{}: {}", domain.name, domain.what));
    rectangle(page, DOMAIN_X, y, DOMAIN_WIDTH, domain.class);
    line(page, "strong", (DOMAIN_X + 12, y + 21, 20), &domain.name);
    line(page, "small", (DOMAIN_X + 12, y + 39, 26), &domain.what);
    page.raw("</g>");
}

fn rectangle(page: &mut Html, x: usize, y: usize, width: usize, class: &str) {
    let (x, y) = (x.to_string(), y.to_string());
    let (width, height) = (width.to_string(), BOX_HEIGHT.to_string());
    let attributes = [
        ("class", class),
        ("x", &*x),
        ("y", &*y),
        ("width", &*width),
        ("height", &*height),
        ("rx", "8"),
    ];
    page.open("rect", &attributes).raw("</rect>");
}

/// A line of text, cut where a wide font would leave the box.
fn line(page: &mut Html, class: &str, (x, y, most): (usize, usize, usize), text: &str) {
    let (x, y) = (x.to_string(), y.to_string());
    let short = match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    };
    page.element("text", &[("class", class), ("x", &x), ("y", &y)], &short);
}

fn table(page: &mut Html, groups: &[Group<'_>], domains: &[Domain]) {
    page.raw("<details class=\"astable\"><summary>The same as a table</summary>\n");
    page.raw("<div class=\"scroll\" tabindex=\"0\" role=\"region\" ");
    page.raw("aria-label=\"Table of the session domains\"><table class=\"domains\">");
    page.raw("<thead><tr><th scope=\"col\">Domain</th><th scope=\"col\">What it is</th>");
    page.raw("<th scope=\"col\">Issued by</th><th scope=\"col\">Accepted by</th></tr></thead>");
    page.raw("<tbody>\n");
    let (mut issuers, mut acceptors) = (ByDomain::new(), ByDomain::new());
    for group in groups {
        for name in issued(group.first) {
            issuers.entry(name).or_default().push(group);
        }
        let names: BTreeSet<&str> = group.first.accepts.iter().map(|name| &**name).collect();
        for name in names {
            acceptors.entry(name).or_default().push(group);
        }
    }
    for domain in domains {
        page.raw("<tr>")
            .element("th", &[("scope", "row")], &domain.name);
        page.element("td", &[], &domain.what);
        page.raw("<td>");
        members(page, issuers.get(&*domain.name));
        page.raw("</td><td>");
        members(page, acceptors.get(&*domain.name));
        page.raw("</td></tr>\n");
    }
    page.raw("</tbody></table></div></details>\n");
}

/// Groups by the name of a domain.
type ByDomain<'a> = HashMap<&'a str, Vec<&'a Group<'a>>>;

fn members(page: &mut Html, groups: Option<&Vec<&Group<'_>>>) {
    page.raw("<ul>");
    for group in groups.into_iter().flatten() {
        for endpoint in &group.members {
            page.raw("<li>").text(&endpoint.label());
            if endpoint.cross_name != CrossName::Served {
                page.raw(" <span class=\"dim\">")
                    .text(endpoint.cross_name.word())
                    .raw("</span>");
            }
            page.raw("</li>");
        }
    }
    page.raw("</ul>");
}
