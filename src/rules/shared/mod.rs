//! Rules for both servers. A rule must not use another rule.

pub(super) mod conf_command_overrides_tickets;
pub(super) mod directive_not_in_version;
pub(super) mod excessive_session_timeout;
pub(super) mod ignored_session_directive;
pub(super) mod malformed_session_timeout;
pub(super) mod missing_session_timeout;
pub(super) mod resumption_not_disabled;
pub(super) mod tickets_without_rotation;
