//! The file that the server includes: which keys, in which order. Pure text.

use std::path::PathBuf;

use crate::tls::Layout;

/// What it is called. Hidden and temporary names do not match `*.conf`.
pub const NAME: &str = "keys.conf";

const HEAD: &str = "# Written by `stekguard keys`; the next rotation replaces it.\n";

/// The text for key files, the encrypting one first; without any, tickets are off. `cache` is a
/// session cache that changes its name with it.
pub(super) fn text(layout: Layout, files: &[PathBuf], cache: Option<&str>) -> Vec<u8> {
    let mut text = HEAD.to_owned();
    if layout == Layout::Apache48 {
        // One key: the last line would win, so there is one line.
        text.push_str(&match files.first() {
            Some(file) => format!("SSLSessionTicketKeyFile {}\n", file.display()),
            None => "SSLSessionTickets off\n".to_owned(),
        });
        return text.into_bytes();
    }
    if let Some(cache) = cache {
        text.push_str(&format!("ssl_session_cache {cache};\n"));
    }
    for file in files {
        text.push_str(&format!("ssl_session_ticket_key {};\n", file.display()));
    }
    if files.is_empty() {
        // The server's own `ssl_session_tickets` may stand beside the include, and a second one
        // would be refused; commands are applied after it.
        text.push_str("ssl_conf_command Options -SessionTicket;\n");
    }
    text.into_bytes()
}
