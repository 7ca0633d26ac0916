//! Unified diffs applied and taken back, to see whether a patch says what a repair does. Written
//! from the format, not from the product's printer; a patch that does not fit panics.

/// The hunks of one file: for each the first line in the old and in the new file, from 0, and its
/// lines with their mark.
pub(crate) type Hunks = Vec<((usize, usize), Vec<(u8, Vec<u8>)>)>;

/// The files of a patch, in order.
pub(crate) fn files(patch: &[u8]) -> Vec<Hunks> {
    let mut files: Vec<Hunks> = Vec::new();
    let mut lines = patch.split_inclusive(|byte| *byte == b'\n').peekable();
    let (mut old_left, mut new_left) = (0, 0);
    while let Some(line) = lines.next() {
        if old_left == 0 && new_left == 0 && !line.starts_with(b"\\ ") {
            if line.starts_with(b"--- ") {
                let plus = lines.next().unwrap_or_default();
                assert!(plus.starts_with(b"+++ "), "a header of two lines");
                files.push(Vec::new());
                continue;
            }
            let [old, new] = places(line);
            let start = |(first, count): (usize, usize)| first - usize::from(count > 0);
            (old_left, new_left) = (old.1, new.1);
            let file = files.last_mut().expect("a hunk behind a header");
            file.push(((start(old), start(new)), Vec::new()));
            continue;
        }
        let hunk = files.last_mut().and_then(|file| file.last_mut());
        let (_, rows) = hunk.expect("a line within a hunk");
        if line.starts_with(b"\\ ") {
            let (_, last) = rows.last_mut().expect("a remark behind a line");
            assert_eq!(last.pop(), Some(b'\n'));
            continue;
        }
        let (mark, text) = line.split_first().expect("a mark");
        old_left -= usize::from(matches!(mark, b' ' | b'-'));
        new_left -= usize::from(matches!(mark, b' ' | b'+'));
        rows.push((*mark, text.to_vec()));
    }
    assert_eq!((old_left, new_left), (0, 0), "hunks are whole");
    files
}

/// `@@ -first,count +first,count @@ ...`
fn places(line: &[u8]) -> [(usize, usize); 2] {
    let text = String::from_utf8_lossy(line);
    let mut words = text.split(' ');
    assert_eq!(words.next(), Some("@@"), "a hunk's head: {text}");
    let mut place = |mark: char| {
        let word = words.next().and_then(|word| word.strip_prefix(mark));
        let word = word.expect("a place");
        let (first, count) = word.split_once(',').unwrap_or((word, "1"));
        (
            first.parse().expect("a line"),
            count.parse().expect("a count"),
        )
    };
    [place('-'), place('+')]
}

/// The file with the hunks applied, or taken back.
pub(crate) fn apply(hunks: &Hunks, text: &[u8], back: bool) -> Vec<u8> {
    let (gone, come) = if back { (b'+', b'-') } else { (b'-', b'+') };
    let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
    let mut out = Vec::new();
    let mut at = 0;
    for ((old, new), rows) in hunks {
        let start = if back { *new } else { *old };
        assert!(start >= at && start <= lines.len(), "hunks in order");
        out.extend(lines[at..start].concat());
        at = start;
        for (mark, row) in rows {
            if *mark == b' ' || *mark == gone {
                assert!(lines.get(at) == Some(&&row[..]), "the patch fits the file");
                at += 1;
            }
            if *mark == b' ' || *mark == come {
                out.extend_from_slice(row);
            }
        }
    }
    out.extend(lines[at..].concat());
    out
}
