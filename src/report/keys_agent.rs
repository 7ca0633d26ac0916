//! What an agent saw of its fleet, as metrics in the text format of Prometheus: beside those of
//! the keys themselves. Ids, times and counts, never a key.

use super::keys::Metrics;
use crate::keys::Status;
use crate::keys::fleet::agent::Seen;

/// The metrics of the keys and of the fleet.
pub fn agent_metrics(status: &Status, seen: &Seen) -> String {
    let mut out = Metrics::of("fleet");
    let help = "The lowest generation whose keys are not void.";
    out.gauge("floor", help, f64::from(seen.floor));
    let help = "When a store last answered.";
    let contact = seen.contact as f64 / 1000.0;
    out.gauge("store_contact_timestamp_seconds", help, contact);
    if let Some(head) = &seen.head {
        let help = "The generator's clock when it was last heard.";
        let time = head.time as f64 / 1000.0;
        out.gauge("generator_timestamp_seconds", help, time);
        let help = "The lead of this host's clock over the generator's.";
        out.gauge("clock_skew_seconds", help, seen.skew as f64 / 1000.0);
    }
    let up = f64::from(u8::from(seen.up));
    out.gauge("store_up", "Whether a store answered last.", up);
    let help = "Keys that the generator has not sealed for this host yet.";
    out.gauge("unsealed", help, seen.unsealed as f64);
    out.head(
        "refused_total",
        "Records that were not believed, by reason.",
        "counter",
    );
    for (reason, count) in &seen.refused {
        let name = format!("refused_total{{reason=\"{reason}\"}}");
        out.value(&name, *count as f64);
    }
    super::keys_metrics(status) + &out.text
}
