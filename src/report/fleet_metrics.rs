//! How a fleet stands, as metrics: of the whole, and a few of each host. Times are in seconds since
//! 1970, as Prometheus wants them.

use crate::keys::fleet::{HostReport, Overview, Row, Trouble};

/// The metrics, in Prometheus' text format.
pub fn metrics(overview: &Overview) -> String {
    let mut page = Page::default();
    of_the_whole(overview, &mut page);
    of_each_host(overview, &mut page);
    page.0
}

/// Families that are written one behind the other.
#[derive(Default)]
struct Page(String);

impl Page {
    /// One family: labels with their braces, or nothing, and values.
    fn family(&mut self, name: &str, help: &str, values: impl IntoIterator<Item = (String, f64)>) {
        self.0.push_str(&format!(
            "# HELP stekguard_fleet_{name} {help}\n# TYPE stekguard_fleet_{name} gauge\n"
        ));
        for (labels, value) in values {
            self.0
                .push_str(&format!("stekguard_fleet_{name}{labels} {value}\n"));
        }
    }

    fn one(&mut self, name: &str, help: &str, value: f64) {
        self.family(name, help, [(String::new(), value)]);
    }
}

fn of_the_whole(overview: &Overview, page: &mut Page) {
    page.one(
        "current_epoch",
        "The slot that it is.",
        overview.epoch as f64,
    );
    let hosts = overview.rows.len();
    page.one("hosts", "Hosts in the roster.", hosts as f64);
    let fine = overview.rows.iter().filter(|row| row.troubles.is_empty());
    page.one("hosts_fine", "Hosts without troubles.", fine.count() as f64);
    let help = "What is wrong with the generator or the store.";
    page.one("alarms", help, overview.alarms.len() as f64);
    let help = "Different keys that hosts encrypt with.";
    page.one("encrypting_keys", help, overview.keys.len() as f64);
    if let Some(head) = &overview.head {
        let help = "When the generator was last heard.";
        page.one("head_timestamp_seconds", help, seconds(head.time));
        let help = "The newest slot that there is a key for.";
        page.one("newest_epoch", help, head.newest as f64);
        let help = "Keys of a lower generation are void.";
        page.one("generation", help, f64::from(head.generation));
    }
    let troubles = overview.troubles();
    let count = |word: &str| troubles.iter().find(|it| it.0 == word).map_or(0, |it| it.1);
    let counts = Trouble::WORDS
        .iter()
        .map(|word| (format!("{{trouble=\"{word}\"}}"), count(word) as f64));
    page.family("troubled_hosts", "Hosts by what is wrong.", counts);
}

/// A family of each host that has reported: name, help, value.
type Reported = (&'static str, &'static str, fn(&HostReport) -> f64);

const REPORTED: [Reported; 6] = [
    ("host_epoch", "The slot that a host says it is.", |it| {
        it.epoch as f64
    }),
    ("host_ahead", "Coming keys that a host holds.", |it| {
        f64::from(it.ahead)
    }),
    (
        "host_skew_seconds",
        "A host's clock less the generator's.",
        |it| it.skew as f64 / 1000.0,
    ),
    (
        "host_report_timestamp_seconds",
        "When a host made its report, by its clock.",
        |it| seconds(it.time),
    ),
    (
        "host_contact_timestamp_seconds",
        "When a host last reached its store, by its clock.",
        |it| seconds(it.contact),
    ),
    (
        "host_reload_timestamp_seconds",
        "When a host's server last took keys, by its clock.",
        |it| seconds(it.reloaded),
    ),
];

fn of_each_host(overview: &Overview, page: &mut Page) {
    // A host's name is of letters, digits, `-` and `.`.
    let label = |row: &Row| format!("{{host=\"{}\"}}", row.host);
    let fine = |row: &Row| f64::from(u8::from(row.troubles.is_empty()));
    let each = overview.rows.iter().map(|row| (label(row), fine(row)));
    page.family("host_fine", "Whether a host has no troubles.", each);
    for (name, help, value) in REPORTED {
        let rows = overview.rows.iter();
        let values = rows.filter_map(|row| Some((label(row), value(row.report.as_ref()?))));
        page.family(name, help, values);
    }
}

/// Of milliseconds.
fn seconds(milliseconds: u64) -> f64 {
    milliseconds as f64 / 1000.0
}
