//! Rules for nginx alone. A rule must not use another rule.

pub(super) mod client_auth_without_reject_handshake;
pub(super) mod early_data_replay;
pub(super) mod forgeable_automatic_rotation;
pub(super) mod long_lived_automatic_key;
pub(super) mod missing_ticket_keys;
pub(super) mod per_worker_session_cache;
pub(super) mod undrained_rotation;
pub(super) mod upgrade_flips_tickets;
