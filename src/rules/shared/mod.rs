//! Rules for both servers. A rule must not use another rule.

pub(super) mod conf_command_overrides_tickets;
pub(super) mod dead_tickets;
pub(super) mod directive_not_in_version;
pub(super) mod excessive_session_timeout;
pub(super) mod ignored_session_directive;
pub(super) mod malformed_conf_command;
pub(super) mod malformed_session_timeout;
pub(super) mod malformed_suppression;
pub(super) mod missing_session_timeout;
pub(super) mod misspelled_directive;
pub(super) mod resumption_not_disabled;
pub(super) mod revocation_outlived;
pub(super) mod session_crosses_client_auth;
pub(super) mod static_ticket_key;
pub(super) mod ticket_key_file_unsafe;
pub(super) mod ticket_keys_against_policy;
pub(super) mod tickets_without_rotation;
pub(super) mod unbounded_tls13_session;
pub(super) mod unused_suppression;
