//! Which children of a server still have memory, keys and all.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Children of the master that still have memory. One that ends has none any more, while its
/// number may stay for a while: that is proven, not taken from its empty title.
pub fn children(master: u32) -> Vec<String> {
    let path = format!("/proc/{master}/task/{master}/children");
    let children = fs::read_to_string(Path::new(&path)).unwrap();
    let children = children.split_whitespace();
    children
        .filter(|pid| has_memory(pid))
        .map(str::to_owned)
        .collect()
}

/// False only where the kernel shows that the process has let go of its memory: no resident
/// page and no mapping, and nothing that can be read through /proc.
pub fn has_memory(pid: &str) -> bool {
    let proc = Path::new("/proc").join(pid);
    let Ok(status) = fs::read_to_string(proc.join("status")) else {
        return false;
    };
    let resident = status.lines().any(|line| line.starts_with("VmRSS:"));
    // Empty for a process without memory; root may read those of all others.
    let maps = fs::read(proc.join("maps")).unwrap_or_default();
    if resident || !maps.is_empty() {
        return true;
    }
    // A process without memory reads as an empty file wherever one looks.
    let mut byte = [0];
    let memory = fs::File::open(proc.join("mem"));
    let read = memory.and_then(|memory| memory.read_at(&mut byte, 0x1000));
    assert!(!matches!(read, Ok(1..)), "{pid} has memory:\n{status}");
    println!(
        "{pid} ends, its memory is gone: {}",
        status
            .lines()
            .find(|line| line.starts_with("State:"))
            .unwrap_or_default()
    );
    false
}
