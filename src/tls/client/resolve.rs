//! The addresses behind a host, as the system gives them.

use std::net::{SocketAddr, ToSocketAddrs};
use std::time::Duration;

use super::wire::Wire;

/// All of them, each once, in the system's order.
///
/// # Errors
/// What the system says, or that there is none.
pub fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, String> {
    let found = (host, port).to_socket_addrs();
    let mut addresses: Vec<SocketAddr> = Vec::new();
    for address in found.map_err(|why| why.to_string())? {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    if addresses.is_empty() {
        return Err("the system knows none".to_owned());
    }
    Ok(addresses)
}

/// Of several addresses the first that takes a connection; where none does, the first.
pub fn first_that_answers(addresses: Vec<SocketAddr>, patience: Duration) -> Vec<SocketAddr> {
    let several = addresses.len() > 1;
    let answers = |address: &&SocketAddr| Wire::connect(**address, patience).is_ok();
    let first = several.then(|| addresses.iter().find(answers)).flatten();
    first.or(addresses.first()).copied().into_iter().collect()
}
