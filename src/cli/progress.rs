//! The progress line of long work: on stderr where that is a terminal, else nothing at all.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::terminal::Terminal;
use crate::app::Progress;

/// Shorter work shows nothing.
const PATIENCE: Duration = Duration::from_millis(400);
/// Between two looks at the counters.
const PACE: Duration = Duration::from_millis(100);

/// Shows the progress until it is dropped; the line is gone then.
#[derive(Debug)]
pub(super) struct Watch {
    running: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Watch {
    /// Begins to watch.
    pub(super) fn start(terminal: &Terminal, progress: &Progress) -> Self {
        if !terminal.animates() {
            return Self { running: None };
        }
        let (stop, stopped) = channel();
        let progress = progress.clone();
        let thread = std::thread::spawn(move || {
            if stopped.recv_timeout(PATIENCE) != Err(RecvTimeoutError::Timeout) {
                return;
            }
            let line = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            line.set_style(ProgressStyle::default_spinner());
            while stopped.recv_timeout(PACE) == Err(RecvTimeoutError::Timeout) {
                line.set_message(words(&progress));
                line.tick();
            }
            line.finish_and_clear();
        });
        Self {
            running: Some((stop, thread)),
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.running.take() {
            drop(stop);
            // It only draws; if it could not, there is nothing to say.
            let _ = thread.join();
        }
    }
}

fn words(progress: &Progress) -> String {
    match progress.counts() {
        (_, 0) => "looking for configurations".to_owned(),
        (_, 1) => "judging the configuration".to_owned(),
        (done, total) if done < total => format!("judging configurations: {done} of {total}"),
        (_, total) => format!("{total} configurations judged, summing up"),
    }
}
