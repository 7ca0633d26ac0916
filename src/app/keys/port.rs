//! A page of metrics on a loopback port. Answers every request with the same page, one after
//! the other; refuses every address that others could reach.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// A scraper that is slower than this gets nothing.
const PATIENCE: Duration = Duration::from_secs(2);
const REQUEST: usize = 8 * 1024;

/// The page that is shown.
#[derive(Clone, Debug, Default)]
pub(super) struct Page {
    text: Arc<Mutex<String>>,
}

impl Page {
    pub(super) fn show(&self, text: String) {
        *self.text.lock().unwrap_or_else(PoisonError::into_inner) = text;
    }

    fn text(&self) -> String {
        let text = self.text.lock().unwrap_or_else(PoisonError::into_inner);
        text.clone()
    }
}

/// Opens the port and serves it from a thread of its own.
pub(super) fn open(address: SocketAddr) -> io::Result<Page> {
    if !address.ip().is_loopback() {
        let why =
            format!("{address} is not a loopback address; metrics are shown to this host alone");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    }
    let listener = TcpListener::bind(address)?;
    let page = Page::default();
    let shown = page.clone();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // Whoever goes away early is not waited for.
            let _ = answer(stream, &shown);
        }
    });
    Ok(page)
}

fn answer(mut stream: TcpStream, page: &Page) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut request = [0; REQUEST];
    let mut length = 0;
    while length < REQUEST && !request[..length].windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut request[length..])? {
            0 => break,
            more => length += more,
        }
    }
    let text = page.text();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n",
        text.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(text.as_bytes())
}
