//! What nginx's reading buffer lets through, and what this parser sets itself.
//!
//! nginx reads through a buffer of 4096 bytes and asks for more whenever it is used up. A
//! word that began 4096 bytes ago cannot be kept then, and the file is refused. Whether a
//! word of 4095 bytes passes therefore depends on the byte behind it: `;` ends the statement
//! on the spot, a space is read first and the next read finds the buffer full.

/// Files above this size are refused by the readers of files; the parser itself takes
/// anything below 4 GiB.
pub const MAX_FILE: usize = 64 * 1024 * 1024;

/// Blocks nested deeper than this are an error. nginx has no limit of its own (it recurses
/// until its stack ends); no real tree comes near.
pub const MAX_DEPTH: usize = 1_000;

/// Errors recorded for one file. The first is the server's; the rest helps a reader.
pub const MAX_ERRORS: usize = 100;

/// `NGX_CONF_BUFFER`.
const BUFFER: usize = 4096;

/// The shortest token that can be too long for the buffer, quotes included.
pub(super) const SUSPICIOUS: usize = BUFFER - 2;

/// Where the buffer is used up by a word whose first kept byte is `start`, if it is.
///
/// `last` is the last offset at which nginx may look for more bytes while it still keeps
/// `start`; at the end of the file it notices the end instead.
pub(super) fn exhausted(start: usize, last: usize, length: usize) -> Option<usize> {
    let full = start + BUFFER;
    (full <= last && full < length).then_some(full)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_buffer_is_full_4096_bytes_behind_the_start() {
        assert_eq!(exhausted(10, 4105, 9999), None);
        assert_eq!(exhausted(10, 4106, 9999), Some(4106));
        assert_eq!(exhausted(10, 9000, 9999), Some(4106));
        assert_eq!(exhausted(10, 4106, 4106), None);
    }
}
