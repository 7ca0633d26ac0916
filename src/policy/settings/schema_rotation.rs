//! The keys of `[rotation]`, as part of the table of [`super::schema`].

use super::schema::{Key, Kind, key};

pub(super) const ROTATION: &[Key] = &[
    key(
        "preset",
        Kind::Word(&["hourly", "published-2015"]),
        "\"hourly\"",
        "\"published-2015\"",
        "the plan to start from",
    ),
    key(
        "interval",
        Kind::Period,
        "\"1h\"",
        "\"6h\"",
        "how long one key encrypts",
    ),
    key(
        "ahead",
        Kind::Count,
        "2",
        "3",
        "how many coming keys are loaded, to decrypt only",
    ),
    key(
        "previous",
        Kind::Count,
        "19",
        "24",
        "how many past keys are kept, to decrypt only",
    ),
    key(
        "lifetime",
        Kind::Period,
        "\"18h\"",
        "\"12h\"",
        "how long a session may resume; at most what the previous keys cover, less the skew",
    ),
    key(
        "skew",
        Kind::Period,
        "\"5m\"",
        "\"2m\"",
        "by how much clocks may differ, the time of a reload included",
    ),
    key(
        "directory",
        Kind::Text,
        "",
        "\"/run/stekguard/keys/nginx\"",
        "the folder with the keys and the file that the server includes",
    ),
    key(
        "scheduled_reload",
        Kind::Period,
        "",
        "\"24h\"",
        "the server is reloaded at least this often, by somebody who says so here",
    ),
];
