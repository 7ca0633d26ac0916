//! How a generator of a fleet stands, as metrics in the text format of Prometheus. Counts and
//! times, never a seed.

use super::keys::Metrics;
use crate::keys::fleet::GeneratorCounts;

/// The metrics.
pub fn metrics(counts: &GeneratorCounts) -> String {
    let mut out = Metrics::of("generator");
    out.gauge("current_epoch", "The slot that it is.", counts.epoch as f64);
    let help = "The newest slot that has a key.";
    out.gauge("newest_epoch", help, counts.newest as f64);
    let help = "The generation that keys are made of.";
    out.gauge("generation", help, f64::from(counts.generation));
    out.gauge("seeds", "Seeds in memory.", counts.seeds as f64);
    let help = "Whether the last tick was done to its end.";
    out.gauge("store_up", help, f64::from(u8::from(counts.store_up)));
    let help = "When a tick was last done to its end.";
    out.gauge("last_tick_timestamp_seconds", help, counts.last_ok as f64);
    out.counter("ticks_total", "Ticks.", counts.ticks);
    let help = "Ticks that were not done to their end.";
    out.counter("ticks_failed_total", help, counts.failed);
    let help = "Slots offered to the store, again where it forgot them.";
    out.counter("offered_total", help, counts.offered);
    out.head("claims_total", "Claims on slots, by result.", "counter");
    for (result, count) in [
        ("won", counts.won),
        ("lost", counts.lost),
        ("mended", counts.mended),
    ] {
        out.value(
            &format!("claims_total{{result=\"{result}\"}}"),
            count as f64,
        );
    }
    out.counter("sealed_total", "Seals that were made.", counts.sealed);
    out.gauge("hosts", "Hosts of the roster.", counts.hosts as f64);
    let help = "Hosts of the roster without a public key that is good now.";
    out.gauge("hosts_without_key", help, counts.hosts_without_key as f64);
    let help = "Records of the store that were not believed, by kind and reason.";
    out.head("refused_total", help, "counter");
    for ((kind, why), count) in &counts.refused {
        let labels = format!("kind=\"{}\",reason=\"{why}\"", kind.as_str());
        out.value(&format!("refused_total{{{labels}}}"), *count as f64);
    }
    out.text
}
