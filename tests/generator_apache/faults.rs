//! Statements that httpd may refuse, some only in some places, put somewhere into a tree.

use super::rng::Rng;
use super::tree::Node;

/// One statement as text; some are fine everywhere, some nowhere.
const STATEMENTS: [&str; 58] = [
    "SSLSessionCache none",
    "SSLSessionCache shmcb:{dir}/other(100000)",
    "SSLSessionCache nonenotnull",
    "SSLSessionCache",
    "SSLSessionCache none none",
    "SSLSessionCache SHMCB:{dir}/x(64000)",
    "SSLSessionCache foo",
    "SSLSessionCache redis:127.0.0.1:1",
    "SSLSessionCache shmcb:{dir}/x(10)",
    "SSLSessionCache shmcb:{dir}/x(64000",
    "SSLSessionCache shmcb:{dir}/x(64k)",
    "SSLSessionCache \"\"",
    "SSLSessionCacheTimeout 300",
    "SSLSessionCacheTimeout 1d",
    "SSLSessionCacheTimeout -1",
    "SSLSessionCacheTimeout 3000000000",
    "SSLSessionCacheTimeout 5 s",
    "SSLSessionCacheTimeout",
    "SSLSessionTickets",
    "SSLSessionTickets perhaps",
    "SSLSessionTickets \"off\"",
    "SSLSessionTickets off # no",
    "SSLSessionTickets offf",
    "SSLSessionTicketKeyFile {w}/k1.key {w}/k2.key",
    "SSLSessionTicketKeyFile",
    "SSLOpenSSLConfCmd Options",
    "SSLOpenSSLConfCmd Options -SessionTicket",
    "SSLOpenSSLConfCmd Options -SessionTicket +ServerPreference",
    "SSLOpenSSLConfCmd Bogus x",
    "SSLOpenSSLConfCmd -SessionTicket off",
    "SSLOpenSSLConfCmd numtickets 2",
    "SSLProtocol all -SSLv3",
    "SSLProtocol TLSv1.4",
    "SSLProtocol all -TLSv1.0",
    "SSLProtocol SSLv2",
    "SSLProtocol all -SSLv2",
    "SSLProtocol TLSv1.2,TLSv1.3",
    "SSLVerifyClient maybe",
    "SSLVerifyClient none",
    "SSLVerifyClient off",
    "SSLVerifyClient none x",
    "SSLEngine maybe",
    "SSLEngine",
    "SSLEngine on # yes",
    "SSLStrictSNIVHostCheck off",
    "SSLStrictSNIVHostCheck no",
    "SSLVHostSNIPolicy secure",
    "SSLVHostSNIPolicy lax",
    "SSLStaplingCache shmcb:{dir}/staple(64000)",
    "SSLStaplingCache none",
    "ServerName *.a.test",
    "ServerName a.test b.test",
    "ServerAlias e.test",
    "Listen 127.0.0.1",
    "Listen 127.0.0.1:2 http x",
    "<VirtualHost>\n</VirtualHost>",
    "<VirtualHost 127.0.0.1:2>\n</VirtualHost>",
    "Protocols h2 http/1.1",
];

/// Puts one of the statements somewhere.
pub fn spoil(rng: &mut Rng, nodes: &mut Vec<Node>, (dir, world): (&str, &str)) -> String {
    let text = rng
        .word(&STATEMENTS)
        .replace("{dir}", dir)
        .replace("{w}", world);
    let node = Node::Exact(text.clone());
    let sections = ["Directory /x", "Location /x", "If true", "Files x"];
    let node = match rng.below(6) {
        0 => {
            let section = rng.word(&sections);
            Node::Section(section, vec![node])
        }
        1 => Node::Conditional("IfModule none_module".to_owned(), vec![node]),
        _ => node,
    };
    let vhosts: Vec<usize> = nodes
        .iter()
        .enumerate()
        .filter(|(_, node)| matches!(node, Node::Section(..)))
        .map(|(index, _)| index)
        .collect();
    if !vhosts.is_empty() && rng.percent(55) {
        let index = *rng.pick(&vhosts);
        if let Node::Section(_, body) = &mut nodes[index] {
            body.insert(rng.below(body.len() + 1), node);
        }
        return format!("{text} in a vhost");
    }
    nodes.insert(rng.below(nodes.len() + 1), node);
    text
}
