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
    /// One past the first row; 0 for none. Who finds another name there looks one place on.
    places: [u16; PLACES],
}

static INDICES: [OnceLock<Box<Index>>; 2] = [OnceLock::new(), OnceLock::new()];

/// The rows of this name, which stand beside each other; httpd's names without regard to case.
pub(super) fn rows(server: Server, name: &[u8]) -> &'static [Directive] {
    let rows = all(server);
    let index = INDICES[server as usize].get_or_init(|| Box::new(Index::of(server, rows)));
    let mut place = number(name);
    while let Some(first) = index.places[place].checked_sub(1) {
        let rest = &rows[usize::from(first)..];
        if same(server, rest[0].name.as_bytes(), name) {
            let count = rest.iter().take_while(|row| row.name == rest[0].name);
            return &rest[..count.count()];
        }
        place = (place + 1) % PLACES;
    }
    &[]
}

impl Index {
    fn of(server: Server, rows: &[Directive]) -> Self {
        let mut places = [0; PLACES];
        for (at, row) in rows.iter().enumerate() {
            let name = row.name.as_bytes();
            if at > 0 && same(server, rows[at - 1].name.as_bytes(), name) {
                continue;
            }
            let mut place = number(name);
            while places[place] != 0 {
                place = (place + 1) % PLACES;
            }
            places[place] = at as u16 + 1;
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

/// The same for both cases of a letter.
fn number(name: &[u8]) -> usize {
    let mixed = name.iter().fold(name.len() as u32, |mixed, byte| {
        (mixed ^ u32::from(byte.to_ascii_lowercase())).wrapping_mul(0x0100_0193)
    });
    (mixed >> 11) as usize % PLACES
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
