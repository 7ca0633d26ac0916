//! A patch for a terminal: the same bytes, coloured by line on request.

use super::Paint;

/// `diff` as it is, or with colours. Without colours not one byte differs, so that
/// `git apply` takes it; with colours, bytes that are no text are escaped.
pub fn patch(diff: &[u8], paint: Paint) -> Vec<u8> {
    if !paint.colour() {
        return diff.to_vec();
    }
    let mut out = String::with_capacity(diff.len() * 2);
    for line in diff.split_inclusive(|byte| *byte == b'\n') {
        let text = super::escape::bytes(line.strip_suffix(b"\n").unwrap_or(line));
        let painted = match line.first() {
            _ if line.starts_with(b"+++ ") || line.starts_with(b"--- ") => paint.bold(&text),
            Some(b'+') => paint.good(&text),
            Some(b'-') => paint.bad(&text),
            Some(b'@') => paint.place(&text),
            _ => text,
        };
        out.push_str(&painted);
        out.push('\n');
    }
    out.into_bytes()
}
