//! Rules for nginx alone. A rule must not use another rule.

pub(super) mod forgeable_automatic_rotation;
