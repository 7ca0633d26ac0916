//! Names that are no directive's, and so near to one that nothing else can be meant.
//!
//! The catalog knows the directives that matter here and not those of every module, so a name that
//! it does not know says nothing by itself.

use super::{Server, all, apache, nginx};

/// Shorter names are near to too much.
const SHORTEST: usize = 4;
/// From this length on two letters may differ. Shorter ones that are both real do: `js_preread`
/// and `ssl_preread`, `SendBufferSize` and `ReadBufferSize`.
const LONG: usize = 16;
/// Longer than every directive; what is longer is not compared.
const LONGEST: usize = 60;

/// The directive of a server that is meant by `name` (httpd's sections with or without their
/// `<`): one letter more, less, other or swapped, in long names two; in nginx also other case.
/// `None` for names that are a directive's, and where nothing is near.
#[must_use]
pub fn meant(server: Server, name: &[u8]) -> Option<&'static str> {
    let name = name.strip_prefix(b"<").unwrap_or(name);
    let known = match server {
        Server::Nginx => !nginx(name).is_empty(),
        Server::Apache => apache(name).is_some(),
    };
    if known || !(SHORTEST..=LONGEST).contains(&name.len()) || !name.is_ascii() {
        return None;
    }
    let name = std::str::from_utf8(name).ok()?.to_ascii_lowercase();
    let distance = |row: &super::Directive| {
        let other = row.name.trim_start_matches('<');
        let shorter = other.len().min(name.len());
        let most = if shorter < LONG { 1 } else { 2 };
        if shorter < SHORTEST || other.len().abs_diff(name.len()) > most {
            return None;
        }
        let distance = strsim::osa_distance(&name, &other.to_ascii_lowercase());
        (distance <= most).then_some((distance, other))
    };
    let nearest = all(server).iter().filter_map(distance).min();
    nearest.map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_the_pen_are_seen() {
        let nginx = |name: &str| meant(Server::Nginx, name.as_bytes());
        assert_eq!(nginx("htpp"), Some("http"));
        assert_eq!(nginx("ssl_sesion_tickets"), Some("ssl_session_tickets"));
        assert_eq!(nginx("ssl_session_ticket"), Some("ssl_session_tickets"));
        assert_eq!(nginx("Listen"), Some("listen"), "case matters to nginx");
        assert_eq!(nginx("ssl_session_tickets"), None);
        assert_eq!(nginx("js_preread"), None, "a directive of njs");
        assert_eq!(
            meant(Server::Apache, b"sendbuffersize"),
            None,
            "of the core"
        );
        assert_eq!(nginx("root"), None);
        assert_eq!(nginx(""), None);
        assert_eq!(meant(Server::Nginx, &[0xff; 19]), None);
        let apache = |name: &str| meant(Server::Apache, name.as_bytes());
        assert_eq!(apache("sslsesiontickets"), Some("SSLSessionTickets"));
        assert_eq!(apache("<VirtualHsot"), Some("VirtualHost"));
        assert_eq!(apache("sslsessiontickets"), None);
    }
}
