//! The memory of a process, searched for parts of keys.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::time::Duration;

/// The live check sleeps for 50 ms at a time, with a key in its hands; who sleeps longer is between
/// two runs.
const LONG: Duration = Duration::from_millis(60);
// Numbers of system calls: those of x86_64, and of the architectures that came later.
#[cfg(target_arch = "x86_64")]
const CLOCK_NANOSLEEP: &str = "230";
#[cfg(target_arch = "x86_64")]
const FUTEX: &str = "202";
#[cfg(not(target_arch = "x86_64"))]
const CLOCK_NANOSLEEP: &str = "115";
#[cfg(not(target_arch = "x86_64"))]
const FUTEX: &str = "98";
const PAGE: usize = 4096;

/// Not one that is being wiped while it is read.
pub fn is_whole(bytes: &[u8]) -> bool {
    bytes.len() == 80 && !bytes.windows(8).any(|part| part == [0; 8])
}

/// A quarter of a key that is found: neither half of a key, and no half of a half.
#[derive(Clone, Debug)]
pub struct Hit {
    pub at: usize,
    pub key: usize,
    pub quarter: usize,
}

pub fn hits(text: &[u8], keys: &[&[u8]]) -> Vec<Hit> {
    let mut parts = Vec::new();
    // Of every place only those whose first bytes are a key's are looked at closely.
    let mut first = vec![false; 1 << 16];
    for (key, bytes) in keys.iter().enumerate() {
        for (quarter, part) in bytes.chunks_exact(16).enumerate() {
            first[usize::from(u16::from_ne_bytes([part[0], part[1]]))] = true;
            parts.push((key, quarter, part));
        }
    }
    let mut found = Vec::new();
    for at in 0..text.len().saturating_sub(1) {
        if !first[usize::from(u16::from_ne_bytes([text[at], text[at + 1]]))] {
            continue;
        }
        let here = parts
            .iter()
            .filter(|(.., part)| text[at..].starts_with(part));
        found.extend(here.map(|&(key, quarter, _)| Hit { at, key, quarter }));
    }
    found
}

/// Pages of a process that follow each other: where they lie, and their bytes.
pub struct Piece {
    from: u64,
    bytes: Vec<u8>,
    map: String,
}

/// What a process has written and that is not a part of a file that nobody writes. Pages that it
/// never touched are left out.
pub fn memory_of(pid: u32) -> Vec<Piece> {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
    let memory = File::open(format!("/proc/{pid}/mem")).unwrap();
    let pages = File::open(format!("/proc/{pid}/pagemap")).unwrap();
    let mut pieces: Vec<Piece> = Vec::new();
    for line in maps.lines() {
        let mut fields = line.split_whitespace();
        let range = fields.next().unwrap();
        let rights = fields.next().unwrap();
        if !rights.starts_with("rw") || line.contains("[v") {
            continue;
        }
        let (from, to) = range.split_once('-').unwrap();
        let number = |text| u64::from_str_radix(text, 16).unwrap();
        let (from, to) = (number(from), number(to));
        let count = (to - from) as usize / PAGE;
        let mut entries = vec![0; count * 8];
        pages
            .read_exact_at(&mut entries, from / PAGE as u64 * 8)
            .unwrap();
        for (index, entry) in entries.chunks(8).enumerate() {
            // The two highest bits: in memory, in the swap.
            if entry[7] & 0xc0 == 0 {
                continue;
            }
            let at = from + (index * PAGE) as u64;
            let mut page = [0; PAGE];
            if memory.read_exact_at(&mut page, at).is_err() {
                continue;
            }
            match pieces.last_mut() {
                Some(last) if last.from + last.bytes.len() as u64 == at => {
                    last.bytes.extend_from_slice(&page);
                }
                _ => pieces.push(Piece {
                    from: at,
                    bytes: page.to_vec(),
                    map: line.to_owned(),
                }),
            }
        }
    }
    pieces
}

/// The memory of the tool while it rests between two runs, the whole of it from one rest; `None`
/// where it worked meanwhile.
pub fn memory_at_rest(tool: u32) -> Option<Vec<Piece>> {
    let before = rest(tool)?;
    let memory = memory_of(tool);
    (rest(tool)? == before).then_some(memory)
}

/// The rest that the first thread takes, which is the one that works on keys: the system call, and
/// how often it was put to sleep.
fn rest(tool: u32) -> Option<(String, String)> {
    let call = fs::read_to_string(format!("/proc/{tool}/syscall")).unwrap();
    let mut fields = call.split_whitespace();
    let number = fields.next()?;
    let mut arguments = fields.map(|field| u64::from_str_radix(field.get(2..)?, 16).ok());
    let rests = match number {
        // Relative: to a point in time it would take a clock to tell.
        CLOCK_NANOSLEEP => arguments.nth(1)?? == 0 && span(tool, arguments.next()??)? >= LONG,
        // For an answer, and not longer than until the next run. The wait for other threads' work
        // has no end.
        FUTEX => arguments.nth(3)?? != 0,
        _ => false,
    };
    let status = fs::read_to_string(format!("/proc/{tool}/status")).unwrap();
    let switches = status.lines().filter(|line| line.contains("ctxt"));
    rests.then(|| (call.clone(), switches.collect()))
}

/// A `timespec` in a process's memory.
fn span(pid: u32, at: u64) -> Option<Duration> {
    let mut span = [0; 16];
    let memory = File::open(format!("/proc/{pid}/mem")).unwrap();
    memory.read_exact_at(&mut span, at).ok()?;
    let (seconds, rest) = span.split_at(8);
    let number = |bytes: &[u8]| u64::from_ne_bytes(bytes.try_into().unwrap());
    Some(Duration::new(number(seconds), number(rest) as u32))
}

/// How much memory was searched, and every part of a key in it, with where it lies and what lies
/// around it: enough to find out who left it there.
pub fn searched(memory: &[Piece], keys: &[&[u8]]) -> (usize, Vec<String>) {
    let (mut read, mut found) = (0, Vec::new());
    for Piece { from, bytes, map } in memory {
        read += bytes.len();
        for hit in hits(bytes, keys) {
            let around = hit.at.saturating_sub(96)..(hit.at + 112).min(bytes.len());
            let words = bytes[around.clone()].chunks(8);
            let words: Vec<String> = words.map(hex).collect();
            found.push(format!(
                "quarter {} of key {} at {:x} in {map}; from {:x}: {}",
                hit.quarter,
                hit.key,
                from + hit.at as u64,
                from + around.start as u64,
                words.join(" ")
            ));
        }
    }
    (read, found)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
