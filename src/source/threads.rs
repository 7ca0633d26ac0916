//! The threads that read: one for each core, the one that asks among them.
//!
//! Otherwise the asking thread would sleep while as many others as there are cores start. It
//! must not start a thread by itself: small configurations are read without any.

use std::sync::{Once, OnceLock};
use std::thread::{self, ThreadId};

/// The thread that lends a hand.
static LEADER: OnceLock<ThreadId> = OnceLock::new();

/// From now on the calling thread works along where work is shared out. Only for the main
/// thread of a program in which no other thread shares work out: the others could wait for one
/// that is busy elsewhere, or gone.
pub fn lead() {
    // The first one leads.
    let _ = LEADER.set(thread::current().id());
}

/// Starts the threads, at the first time that they pay.
pub(super) fn start() {
    static STARTED: Once = Once::new();
    if LEADER.get() != Some(&thread::current().id()) {
        return;
    }
    STARTED.call_once(|| {
        // Where they run already, they do as they are.
        let _ = rayon::ThreadPoolBuilder::new()
            .use_current_thread()
            .build_global();
    });
}
