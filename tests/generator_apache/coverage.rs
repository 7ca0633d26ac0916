//! Which rows of the tables were met, and how often: a differential test that never comes by
//! a case says nothing about it.

use std::collections::BTreeMap;

use stekguard::model::{BlockId, ClientAuth, Endpoint, Tls13Issued, Tls13Resumes};

use super::predict::Predicted;

/// Hits by row.
pub type Rows = BTreeMap<String, usize>;

/// Every row that has to be met.
pub const WANTED: [&str; 51] = [
    "3.1 tickets on, cache none",
    "3.1 tickets on, cache nonenotnull",
    "3.1 tickets on, cache store",
    "3.1 tickets off, cache none",
    "3.1 tickets off, cache nonenotnull",
    "3.1 tickets off, cache store",
    "3.1 none behind a store does nothing",
    "3.1 nonenotnull behind a store does nothing",
    "3.1 a store behind none counts",
    "3.2 cache shmcb",
    "3.2 cache dbm",
    "3.2 timeout 1d is one second",
    "3.2 timeout 5m is five seconds",
    "3.2 timeout abc or 0 is 7200",
    "3.2 timeout above seven days",
    "3.2 timeout past an int",
    "3.2 tickets behind text that is ignored",
    "3.2 two key files, the last counts",
    "3.2 conf commands of both levels",
    "3.2 conf command turns tickets off",
    "3.2 conf command turns tickets on",
    "3.2 NumTickets 0 at the server level",
    "3.2 NumTickets 0 in the first vhost",
    "3.2 NumTickets 0 in another vhost does nothing",
    "3.2 SSLStrictSNIVHostCheck",
    "3.2 SSLVHostSNIPolicy",
    "3.3 on, off",
    "3.3 off, on",
    "3.3 server off: unset, on",
    "3.3 server off: on, unset",
    "3.3 timeouts differ, ticket",
    "3.3 timeouts differ, stateful",
    "3.3 keys K1, K2",
    "3.3 keys none, K2",
    "3.3 keys K1, none",
    "3.3 SSLProtocol differs",
    "3.6 different names do not cross",
    "3.6 same name crosses",
    "3.6 same name in another case",
    "3.6 no name crosses",
    "3.6 client certificates cross",
    "3.6 the same vhost at two addresses crosses",
    "3.7 https given, SSLEngine unset",
    "3.7 http given, SSLEngine unset",
    "3.7 https given, SSLEngine off",
    "3.7 Listen *, vhost with an address",
    "3.7 the server level answers",
    "client auth optional",
    "client auth required",
    "SSLEngine off in another vhost",
    "SSLEngine optional in another vhost",
];

/// Counts one.
pub fn hit(rows: &mut Rows, row: &str) {
    *rows.entry(row.to_owned()).or_default() += 1;
}

/// A probe that met no TLS.
pub fn plain(rows: &mut Rows, predicted: &Predicted) {
    let unset = predicted.main("SSLEngine").is_empty();
    let off = |block: &stekguard::model::Block| {
        block.settings.iter().any(|id| {
            let setting = &predicted.site.settings[id.0 as usize];
            setting.name == "SSLEngine" && setting.arguments[0].eq_ignore_ascii_case("off")
        })
    };
    if predicted.site.blocks.iter().any(off) && https(predicted) {
        hit(rows, "3.7 https given, SSLEngine off");
    }
    if unset {
        hit(rows, "3.7 http given, SSLEngine unset");
    }
}

fn https(predicted: &Predicted) -> bool {
    predicted
        .main("Listen")
        .iter()
        .any(|listen| listen.to_lowercase().ends_with(" https"))
}

/// A probe that met this endpoint.
pub fn endpoint(rows: &mut Rows, predicted: &Predicted, endpoint: &Endpoint) {
    let (a, b) = (endpoint.governor, endpoint.block);
    globals(rows, predicted);
    match endpoint.client_auth {
        ClientAuth::Optional => hit(rows, "client auth optional"),
        ClientAuth::Required => hit(rows, "client auth required"),
        ClientAuth::Off => {}
    }
    if predicted.setting(b, "SSLEngine").is_none() && https(predicted) {
        hit(rows, "3.7 https given, SSLEngine unset");
    }
    if b == BlockId(0) {
        hit(rows, "3.7 the server level answers");
    }
    let any = predicted
        .main("Listen")
        .iter()
        .any(|listen| !listen.starts_with("127"));
    if any && !endpoint.address.starts_with('*') {
        hit(rows, "3.7 Listen *, vhost with an address");
    }
    one(rows, predicted, endpoint);
    if a != b {
        two(rows, predicted, endpoint);
    }
}

fn globals(rows: &mut Rows, predicted: &Predicted) {
    let caches: Vec<String> = predicted
        .main("SSLSessionCache")
        .iter()
        .map(|value| value.to_lowercase())
        .collect();
    let store = |value: &String| value.starts_with("shmcb") || value.starts_with("dbm");
    let first = caches.iter().position(store);
    let behind =
        |word: &str| first.is_some_and(|first| caches[first..].iter().any(|value| value == word));
    if behind("none") {
        hit(rows, "3.1 none behind a store does nothing");
    }
    if behind("nonenotnull") {
        hit(rows, "3.1 nonenotnull behind a store does nothing");
    }
    if first.is_some_and(|first| caches[..first].iter().any(|value| value == "none")) {
        hit(rows, "3.1 a store behind none counts");
    }
    if let Some(last) = caches.iter().rev().find(|value| store(value)) {
        let provider = last.split(':').next().unwrap_or_default();
        hit(rows, &format!("3.2 cache {provider}"));
    }
    if !predicted.main("SSLVHostSNIPolicy").is_empty() {
        hit(rows, "3.2 SSLVHostSNIPolicy");
    }
}

fn cache(predicted: &Predicted) -> &'static str {
    let caches: Vec<String> = predicted
        .main("SSLSessionCache")
        .iter()
        .map(|value| value.to_lowercase())
        .collect();
    let has = |word: &str| caches.iter().any(|value| value == word);
    if caches
        .iter()
        .any(|value| value.starts_with("shmcb") || value.starts_with("dbm"))
    {
        return "store";
    }
    if has("nonenotnull") {
        "nonenotnull"
    } else {
        "none"
    }
}

/// Rows of one vhost.
fn one(rows: &mut Rows, predicted: &Predicted, endpoint: &Endpoint) {
    let (a, b) = (endpoint.governor, endpoint.block);
    if let Some(timeout) = predicted.setting(a, "SSLSessionCacheTimeout") {
        match timeout.as_str() {
            "1d" => hit(rows, "3.2 timeout 1d is one second"),
            "5m" => hit(rows, "3.2 timeout 5m is five seconds"),
            "abc" | "0" => hit(rows, "3.2 timeout abc or 0 is 7200"),
            "604801" | "2592000" | "2147483647" => hit(rows, "3.2 timeout above seven days"),
            "99999999999" => hit(rows, "3.2 timeout past an int"),
            _ => {}
        }
    }
    if predicted.own(b, "SSLStrictSNIVHostCheck").is_some() {
        hit(rows, "3.2 SSLStrictSNIVHostCheck");
    }
    let lines = |block: BlockId, name: &str| -> Vec<Vec<String>> {
        let all = predicted.site.settings.iter();
        let own = all
            .filter(|setting| setting.block == block && setting.name == name && !setting.excluded);
        own.map(|setting| setting.arguments.clone()).collect()
    };
    if lines(b, "SSLSessionTicketKeyFile").len() > 1 {
        hit(rows, "3.2 two key files, the last counts");
    }
    let main = BlockId(0);
    let commands = |block| lines(block, "SSLOpenSSLConfCmd");
    if b != main && !commands(main).is_empty() && !commands(b).is_empty() {
        hit(rows, "3.2 conf commands of both levels");
    }
    let zero = |block| {
        commands(block)
            .iter()
            .any(|words| words.join(" ").eq_ignore_ascii_case("NumTickets 0"))
    };
    if zero(main) {
        hit(rows, "3.2 NumTickets 0 at the server level");
    }
    if a != main && zero(a) {
        hit(rows, "3.2 NumTickets 0 in the first vhost");
    }
    if a != b && zero(b) && endpoint.tls13.issued != Tls13Issued::None {
        hit(rows, "3.2 NumTickets 0 in another vhost does nothing");
    }
    let options: String = [main, b]
        .iter()
        .flat_map(|block| commands(*block))
        .map(|words| words.join(" ").to_lowercase() + "\n")
        .collect();
    let tickets = predicted
        .setting(b, "SSLSessionTickets")
        .unwrap_or_default()
        .to_lowercase();
    if options.contains("-sessionticket") {
        hit(rows, "3.2 conf command turns tickets off");
    }
    if options.contains("options sessionticket") && tickets.starts_with("off") {
        hit(rows, "3.2 conf command turns tickets on");
    }
    let text_behind = [a, b].iter().any(|block| {
        lines(*block, "SSLSessionTickets")
            .iter()
            .any(|words| !words.is_empty())
            && predicted.site.settings.iter().any(|setting| {
                setting.block == *block
                    && setting.name == "SSLSessionTickets"
                    && raw(predicted, setting).split_whitespace().count() > 2
            })
    });
    if text_behind {
        hit(rows, "3.2 tickets behind text that is ignored");
    }
    if a == b {
        let on = endpoint.tls13.issued == Tls13Issued::Stateless;
        let off = endpoint.tls13.issued == Tls13Issued::Stateful;
        if on || off {
            let word = if on { "on" } else { "off" };
            hit(
                rows,
                &format!("3.1 tickets {word}, cache {}", cache(predicted)),
            );
        }
    }
}

fn raw(predicted: &Predicted, setting: &stekguard::model::Setting) -> String {
    let directive = predicted.project.directive(setting.directive);
    let text = &predicted.project.file(directive.file).text;
    let bytes = &text[directive.span.start as usize..directive.span.end as usize];
    String::from_utf8_lossy(bytes).into_owned()
}

/// Rows of the first vhost and another one.
fn two(rows: &mut Rows, predicted: &Predicted, endpoint: &Endpoint) {
    let (a, b) = (endpoint.governor, endpoint.block);
    let word = |block, name| {
        predicted
            .setting(block, name)
            .unwrap_or_default()
            .to_lowercase()
    };
    let tickets = |block| word(block, "SSLSessionTickets");
    let own = |block| {
        predicted
            .own(block, "SSLSessionTickets")
            .unwrap_or_default()
            .to_lowercase()
    };
    let off = |text: &str| text.starts_with("off");
    match (off(&tickets(a)), off(&tickets(b))) {
        (false, true) => hit(rows, "3.3 on, off"),
        (true, false) => hit(rows, "3.3 off, on"),
        _ => {}
    }
    let main = predicted
        .main("SSLSessionTickets")
        .last()
        .is_some_and(|text| off(&text.to_lowercase()));
    if main && own(a).is_empty() && own(b).starts_with("on") {
        hit(rows, "3.3 server off: unset, on");
    }
    if main && own(b).is_empty() && own(a).starts_with("on") {
        hit(rows, "3.3 server off: on, unset");
    }
    if word(a, "SSLSessionCacheTimeout") != word(b, "SSLSessionCacheTimeout") {
        match endpoint.tls13.issued {
            Tls13Issued::Stateless => hit(rows, "3.3 timeouts differ, ticket"),
            Tls13Issued::Stateful if endpoint.tls13.resumes == Tls13Resumes::Always => {
                hit(rows, "3.3 timeouts differ, stateful");
            }
            _ => {}
        }
    }
    let keys = (
        word(a, "SSLSessionTicketKeyFile"),
        word(b, "SSLSessionTicketKeyFile"),
    );
    match (keys.0.is_empty(), keys.1.is_empty()) {
        (false, false) if keys.0 != keys.1 => hit(rows, "3.3 keys K1, K2"),
        (true, false) => hit(rows, "3.3 keys none, K2"),
        (false, true) => hit(rows, "3.3 keys K1, none"),
        _ => {}
    }
    if word(a, "SSLProtocol") != word(b, "SSLProtocol") {
        hit(rows, "3.3 SSLProtocol differs");
    }
    match word(b, "SSLEngine").as_str() {
        "off" => hit(rows, "SSLEngine off in another vhost"),
        "optional" => hit(rows, "SSLEngine optional in another vhost"),
        _ => {}
    }
}

/// A session of one endpoint at another.
pub fn crossing(
    rows: &mut Rows,
    predicted: &Predicted,
    (from, to): (&Endpoint, &Endpoint),
    resumed: bool,
) {
    if from.block == to.block {
        if resumed && from.address != to.address {
            hit(rows, "3.6 the same vhost at two addresses crosses");
        }
        return;
    }
    let name = |endpoint: &Endpoint| predicted.own(endpoint.block, "ServerName");
    let names = (name(from), name(to));
    match (&names.0, &names.1, resumed) {
        (Some(one), Some(two), false) if !one.eq_ignore_ascii_case(two) => {
            hit(rows, "3.6 different names do not cross");
        }
        (Some(one), Some(two), false) if one != two && one.eq_ignore_ascii_case(two) => {
            hit(rows, "3.6 same name in another case");
        }
        (Some(_), Some(_), true) => hit(rows, "3.6 same name crosses"),
        (None, _, true) | (_, None, true) => hit(rows, "3.6 no name crosses"),
        _ => {}
    }
    if resumed && from.client_auth != to.client_auth {
        hit(rows, "3.6 client certificates cross");
    }
}
