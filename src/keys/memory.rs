//! This process keeps what it knows: not swapped out, not dumped, not traced by others.

use rustix::io::Errno;
use rustix::mm::{MlockAllFlags, mlockall};
use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};

/// Keeps this process's memory to itself, as far as the system lets it. Gives what it refused,
/// one sentence each.
pub fn keep_to_itself() -> Vec<String> {
    let mut refused = Vec::new();
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    if let Err(error) = setrlimit(Resource::Core, none) {
        refused.push(format!("core dumps cannot be turned off: {error}"));
    }
    if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        refused.push(format!("the process cannot be made undumpable: {error}"));
    }
    // Pages that come later too; each as soon as it is touched, for allocators reserve far more
    // than is ever used.
    let flags = MlockAllFlags::CURRENT | MlockAllFlags::FUTURE;
    let locked = mlockall(flags | MlockAllFlags::ONFAULT).or_else(|error| match error {
        // Before Linux 4.4: all at once, or not at all.
        Errno::INVAL => mlockall(flags),
        error => Err(error),
    });
    if let Err(error) = locked {
        refused.push(format!(
            "memory cannot be locked and may be swapped out: {error}"
        ));
    }
    refused
}
