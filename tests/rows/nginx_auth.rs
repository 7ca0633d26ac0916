//! nginx: sessions of one name at another name of the socket where clients show certificates.

use super::nginx::{block, two};
use crate::support::client::Kind::{Id12, Ticket12, Tls13};
use crate::support::observe::State;
use crate::support::table::Row;

const ON: State = State::ON;
const OFF_CACHED: State = State::OFF_CACHED;

const FIRST: &str = "ssl_verify_client on;\nssl_client_certificate {dir}/ca1.pem;";
const SECOND: &str = "ssl_verify_client on;\nssl_client_certificate {dir}/ca2.pem;";
const FIRST_STORED: &str = "ssl_verify_client on;\nssl_client_certificate {dir}/ca1.pem;\n\
    ssl_session_tickets off;\nssl_session_cache shared:{zone}:1m;";
const SECOND_STORED: &str = "ssl_verify_client on;\nssl_client_certificate {dir}/ca2.pem;\n\
    ssl_session_tickets off;\nssl_session_cache shared:{zone}:1m;";
const FIRST_REVOKING: &str = "ssl_verify_client on;\nssl_client_certificate {dir}/ca1.pem;\n\
    ssl_crl {dir}/one.crl;";

/// The client of a session is the one of the block that issued it. A session of TLS 1.2 brings
/// its own name along until 1.29.2: nginx takes the connection for one of the first name and
/// refuses the request for the other one with 421.
pub fn rows(checked: bool) -> Vec<Row> {
    let refused = if checked { "fails" } else { "resumes" };
    // Before and with the check, and where the session id context knows the authorities.
    let other = [refused, "fails", "full"];
    let same = [refused, "fails", "resumes"];
    let misdirected = ["resumes, 421", "resumes, 421", "full"];
    vec![
        two(
            "other authorities",
            block("a.test", FIRST, ON).client(0),
            block("b.test", SECOND, ON).client(1),
        )
        .crossing_by_family(Tls13, other, other)
        .crossing_by_family(Ticket12, misdirected, misdirected)
        .nameless(["resumes", "resumes", "full"]),
        two(
            "other authorities, sessions in a shared cache",
            block("a.test", FIRST_STORED, OFF_CACHED).client(0),
            block("b.test", SECOND_STORED, OFF_CACHED).client(1),
        )
        .crossing_by_family(Tls13, other, other)
        .crossing_by_family(Id12, misdirected, misdirected)
        .nameless(["resumes", "resumes", "full"]),
        two(
            "other authorities and other certificates",
            block("a.test", FIRST, ON).client(0),
            block("b.test", SECOND, ON).client(1).other_certificate(),
        )
        .crossing_by_family(Tls13, other, other)
        .nameless(["resumes", "resumes", "full"]),
        two(
            "one authority",
            block("a.test", FIRST, ON).client(0),
            block("b.test", FIRST, ON).client(2),
        )
        .crossing_by_family(Tls13, same, same)
        .nameless(["resumes"; 3]),
        two(
            "one authority, the second revokes the client of the first",
            block("a.test", FIRST, ON).client(0),
            block("b.test", FIRST_REVOKING, ON).client(2),
        )
        .crossing_by_family(Tls13, same, same)
        .nameless(["resumes"; 3]),
        // The check asks whether the block that is asked for verifies clients, not the other one.
        two(
            "clients verified in the first alone",
            block("a.test", FIRST, ON).client(0),
            block("b.test", "", ON),
        )
        .crossing_by_family(Tls13, ["resumes", "resumes", "full"], other),
        two(
            "clients verified in the second alone",
            block("a.test", "", ON),
            block("b.test", FIRST, ON).client(0),
        )
        .crossing_by_family(Tls13, other, ["resumes", "resumes", "full"])
        // The session of an anonymous client: it resumes, and the certificate is missed then.
        .nameless(["resumes, 400", "resumes, 400", "full"]),
    ]
}
