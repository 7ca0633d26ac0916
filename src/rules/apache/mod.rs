//! Rules for httpd alone. A rule must not use another rule.

pub(super) mod predictable_cache_path;
pub(super) mod session_cache_on_disk;
pub(super) mod shared_session_context;
mod store;
pub(super) mod ticket_key_file_partial;
pub(super) mod unreliable_ticket_key_file;
