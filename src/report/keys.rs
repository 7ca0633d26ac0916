//! How ticket keys stand: a page for people, a document for programs, and metrics in the text
//! format of Prometheus. Ids and times, never a key.

use serde::Serialize;

use super::{Paint, escape};
use crate::keys::core::Key;
use crate::keys::{Check, Grade, Status};

/// The page.
pub fn status_text(status: &Status) -> String {
    let mut out = String::new();
    let mut line = |name: &str, value: String| out.push_str(&format!("{name:<14}{value}\n"));
    let encrypts = match status.encrypts {
        Some(key) => format!("{} of slot {}", key.id, key.slot.epoch),
        None => "none".to_owned(),
    };
    line("encrypts", encrypts);
    line(
        "decrypt",
        format!(
            "{} keys, {} of them of coming slots",
            status.decrypts.len(),
            status.ahead()
        ),
    );
    line(
        "slot",
        format!("{}, for {} s more", status.epoch, status.due.div_ceil(1000)),
    );
    line("generation", status.generation.to_string());
    let history = &status.history;
    line(
        "reloads",
        format!(
            "{} live, {} taken back",
            history.reloads_ok, history.reloads_failed
        ),
    );
    let live = history.live_check.as_deref().unwrap_or("never");
    line("live check", live.to_owned());
    line("draining", format!("{} processes", history.draining.len()));
    if status.pending {
        line("pending", "the next run changes the keys".to_owned());
    }
    for alarm in &status.alarms {
        line("alarm", escape::line(alarm).to_string());
    }
    out
}

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    epoch: u64,
    encrypts: Option<Key>,
    decrypts: &'a [Key],
    ahead: usize,
    seconds_to_activation: f64,
    generation: u32,
    pending: bool,
    live_check: Option<&'a str>,
    reloads: Reloads,
    draining: usize,
    last_run: u64,
    last_reload: u64,
    alarms: &'a [String],
}

#[derive(Serialize)]
struct Reloads {
    ok: u64,
    failed: u64,
}

/// The document `stekguard-keys-status/1`; within a version fields are only added.
pub fn status_json(status: &Status) -> String {
    let history = &status.history;
    let document = Document {
        schema: "stekguard-keys-status/1",
        epoch: status.epoch,
        encrypts: status.encrypts,
        decrypts: &status.decrypts,
        ahead: status.ahead(),
        seconds_to_activation: status.due as f64 / 1000.0,
        generation: status.generation,
        pending: status.pending,
        live_check: history.live_check.as_deref(),
        reloads: Reloads {
            ok: history.reloads_ok,
            failed: history.reloads_failed,
        },
        draining: history.draining.len(),
        last_run: history.last_run,
        last_reload: history.last_reload,
        alarms: &status.alarms,
    };
    // Plain data always has a text.
    let text = serde_json::to_string_pretty(&document).unwrap_or_default();
    let mut text = escape::json(text);
    text.push('\n');
    text
}

/// The doctor's table.
pub fn doctor(checks: &[Check], paint: Paint) -> String {
    let mut out = String::new();
    for check in checks {
        let word = match check.grade {
            Grade::Ok => paint.good("ok     "),
            Grade::Note => paint.bold("note   "),
            Grade::Warning => paint.doubtful("warning"),
            Grade::Error => paint.bad("error  "),
        };
        let text = escape::line(&check.text);
        out.push_str(&format!("{word}  {:<16}  {text}\n", check.name));
    }
    out
}

/// The metrics.
pub fn metrics(status: &Status) -> String {
    let mut out = Metrics::of("keys");
    let history = &status.history;
    out.gauge("current_epoch", "The slot that it is.", status.epoch as f64);
    if let Some(key) = status.encrypts {
        let help = "The slot of the key that encrypts.";
        out.gauge("encrypting_epoch", help, key.slot.epoch as f64);
    }
    out.gauge(
        "ahead",
        "Loaded keys of coming slots.",
        status.ahead() as f64,
    );
    let loaded = status.decrypts.len() + usize::from(status.encrypts.is_some());
    out.gauge("loaded", "Keys that the server has loaded.", loaded as f64);
    let help = "Seconds until the next key encrypts.";
    out.gauge("seconds_to_activation", help, status.due as f64 / 1000.0);
    let help = "How often all keys were replaced at once.";
    out.gauge("generation", help, f64::from(status.generation));
    let up = f64::from(u8::from(!status.source_down));
    out.gauge("source_up", "Whether keys can be had.", up);
    out.head("reloads_total", "Reloads by result.", "counter");
    out.value("reloads_total{result=\"ok\"}", history.reloads_ok as f64);
    out.value(
        "reloads_total{result=\"failed\"}",
        history.reloads_failed as f64,
    );
    out.head("live_check", "What the last live check said.", "gauge");
    for word in ["verified", "not-checkable", "wrong"] {
        let said = history.live_check.as_deref() == Some(word);
        let name = format!("live_check{{result=\"{word}\"}}");
        out.value(&name, f64::from(u8::from(said)));
    }
    let help = "Replaced processes that still run.";
    out.gauge("draining", help, history.draining.len() as f64);
    let oldest = history.draining.iter().map(|it| it.since).min();
    let oldest = oldest.map_or(0, |since| status.now.saturating_sub(since));
    out.gauge(
        "draining_oldest_seconds",
        "For how long the oldest has been draining.",
        oldest as f64,
    );
    out.head(
        "rejected_total",
        "Offered keys that were not taken, by reason.",
        "counter",
    );
    for (reason, count) in &history.rejected {
        let name = format!("rejected_total{{reason=\"{reason}\"}}");
        out.value(&name, *count as f64);
    }
    out.gauge("alarms", "What is wrong now.", status.alarms.len() as f64);
    let help = "When the last run ended.";
    out.gauge("last_run_timestamp_seconds", help, history.last_run as f64);
    let help = "When the last set went live.";
    out.gauge(
        "last_reload_timestamp_seconds",
        help,
        history.last_reload as f64,
    );
    out.text
}

/// A page of metrics of one part of the program.
pub(super) struct Metrics {
    pub(super) text: String,
    part: &'static str,
}

impl Metrics {
    /// An empty page; names begin with `stekguard_` and the part.
    pub(super) fn of(part: &'static str) -> Self {
        Self {
            text: String::new(),
            part,
        }
    }

    pub(super) fn gauge(&mut self, name: &str, help: &str, value: f64) {
        self.head(name, help, "gauge");
        self.value(name, value);
    }

    #[cfg(feature = "fleet")]
    pub(super) fn counter(&mut self, name: &str, help: &str, value: u64) {
        self.head(name, help, "counter");
        self.value(name, value as f64);
    }

    pub(super) fn head(&mut self, name: &str, help: &str, kind: &str) {
        let part = self.part;
        self.text.push_str(&format!(
            "# HELP stekguard_{part}_{name} {help}\n# TYPE stekguard_{part}_{name} {kind}\n"
        ));
    }

    pub(super) fn value(&mut self, name: &str, value: f64) {
        let part = self.part;
        self.text
            .push_str(&format!("stekguard_{part}_{name} {value}\n"));
    }
}
