//! Rows of directives by name, without a search: a name is looked up for every statement of
//! every file. Must not know what a row says.

use std::sync::OnceLock;

use super::all;
use super::names::Server;
use super::types::Directive;

/// More places than there are rows by far, so that few names share one.
const PLACES: usize = 2048;

/// Where the rows of a name begin, by a number made of its bytes.
struct Index {
    /// The first row and how many there are; none for no name. Who finds another name there looks
    /// one place on.
    places: [(u16, u16); PLACES],
}

static INDICES: [OnceLock<Box<Index>>; 2] = [OnceLock::new(), OnceLock::new()];

/// The rows of this name, which stand beside each other; httpd's names without regard to case.
pub(super) fn rows(server: Server, name: &[u8]) -> &'static [Directive] {
    let rows = all(server);
    let index = INDICES[server as usize].get_or_init(|| Box::new(Index::of(server, rows)));
    let mut place = number(name);
    loop {
        let (first, count) = index.places[place];
        let found = &rows[usize::from(first)..usize::from(first + count)];
        if count == 0 || same(server, found[0].name.as_bytes(), name) {
            return found;
        }
        place = (place + 1) % PLACES;
    }
}

impl Index {
    fn of(server: Server, rows: &[Directive]) -> Self {
        let mut places = [(0, 0); PLACES];
        for (at, row) in rows.iter().enumerate() {
            let name = row.name.as_bytes();
            if at > 0 && same(server, rows[at - 1].name.as_bytes(), name) {
                continue;
            }
            let mut place = number(name);
            while places[place] != (0, 0) {
                place = (place + 1) % PLACES;
            }
            let alike = rows[at..].iter().take_while(|next| next.name == row.name);
            places[place] = (at as u16, alike.count() as u16);
        }
        Self { places }
    }
}

fn same(server: Server, row: &[u8], name: &[u8]) -> bool {
    match server {
        Server::Nginx => row == name,
        Server::Apache => row.eq_ignore_ascii_case(name),
    }
}

/// Made of the length and both ends, which tell nearly all names apart. The same for both cases
/// of a letter.
fn number(name: &[u8]) -> usize {
    let (head, tail) = match (name.first_chunk(), name.last_chunk()) {
        (Some(head), Some(tail)) => (u64::from_le_bytes(*head), u64::from_le_bytes(*tail)),
        _ => (
            name.iter().fold(0, |all, byte| all << 8 | u64::from(*byte)),
            0,
        ),
    };
    let lower = u64::from_le_bytes([b' '; 8]);
    let mixed = (head | lower) ^ (tail | lower).rotate_left(29) ^ name.len() as u64;
    (mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize % PLACES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_found_by_its_name_and_nothing_else_is() {
        for server in [Server::Nginx, Server::Apache] {
            for row in all(server) {
                let found = rows(server, row.name.as_bytes());
                assert!(found.iter().any(|it| it.key == row.key), "{}", row.name);
                let expected = all(server).iter().filter(|it| it.name == row.name).count();
                assert_eq!(found.len(), expected, "{}", row.name);
                assert!(rows(server, format!("{}x", row.name).as_bytes()).is_empty());
            }
            assert!(rows(server, b"").is_empty());
        }
        assert_eq!(rows(Server::Apache, b"sslengine")[0].name, "SSLEngine");
        assert!(rows(Server::Nginx, b"SSL").is_empty());
    }
}
