//! The keys of `stekguard.toml`, as a table: the check of a file, the JSON schema, `config
//! init` and `config show` all read it. A test holds it against the types.

use super::schema_fleet::FLEET;
use super::schema_rotation::ROTATION;

/// One key.
#[derive(Copy, Clone, Debug)]
pub struct Key {
    /// As written in the file.
    pub name: &'static str,
    /// What may stand behind it.
    pub kind: Kind,
    /// One line for people.
    pub about: &'static str,
    /// Its value where no file sets it, as TOML; empty where there is none.
    pub default: &'static str,
    /// A value to show, as TOML.
    pub example: &'static str,
}

/// What may stand behind a key.
#[derive(Copy, Clone, Debug)]
pub enum Kind {
    /// `true` or `false`.
    Flag,
    /// A whole number from 0 to 4294967295.
    Count,
    /// Text.
    Text,
    /// A length of time: `24h`.
    Period,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A list of texts.
    Texts,
    /// A table of names that the file chooses, each with one of these words.
    Names(&'static [&'static str]),
    /// `[name]` with these keys.
    Table(&'static [Key]),
    /// `[[name]]`, any number of times, with these keys; those named have to be there.
    Tables(&'static [Key], &'static [&'static str]),
}

pub(super) const fn key(
    name: &'static str,
    kind: Kind,
    default: &'static str,
    example: &'static str,
    about: &'static str,
) -> Key {
    Key {
        name,
        kind,
        about,
        default,
        example,
    }
}

const POLICY: Key = key(
    "policy",
    Kind::Word(&[
        "sound",
        "no-tickets",
        "no-resumption",
        "rotate",
        "automatic",
    ]),
    "",
    "\"no-tickets\"",
    "what resumption has to look like; without it `lint` takes sound and `fix` no-tickets",
);
const PROFILE: Key = key(
    "profile",
    Kind::Word(&["cis-2", "cis-3", "mozilla"]),
    "",
    "\"mozilla\"",
    "a known demand: policy and thresholds at once; the keys beside it say it better",
);
const LIFETIME_WARNING: Key = key(
    "lifetime_warning",
    Kind::Period,
    "\"24h\"",
    "\"12h\"",
    "a session that lives longer than this is a warning",
);
const LIFETIME_ERROR: Key = key(
    "lifetime_error",
    Kind::Period,
    "\"7d\"",
    "\"2d\"",
    "a session that lives longer than this is an error",
);
const KEY_AGE: Key = key(
    "key_age",
    Kind::Period,
    "\"24h\"",
    "\"12h\"",
    "a ticket key has to be replaced at least this often",
);
const APACHE_DIRECTIVE: Key = key(
    "apache_directive",
    Kind::Word(&["auto", "session-tickets", "conf-command"]),
    "\"auto\"",
    "\"conf-command\"",
    "how httpd's tickets are turned off",
);
const RULES: Key = key(
    "rules",
    Kind::Names(&["off", "default", "error", "warning", "note", "pedantic"]),
    "",
    "{ missing-session-timeout = \"off\" }",
    "rules by name: off, or the grade of all their findings; default takes the rule's own back",
);

/// All keys, in the order in which they are shown.
pub const KEYS: &[Key] = &[
    POLICY,
    PROFILE,
    LIFETIME_WARNING,
    LIFETIME_ERROR,
    KEY_AGE,
    APACHE_DIRECTIVE,
    key(
        "pedantic",
        Kind::Flag,
        "false",
        "true",
        "show pedantic findings too",
    ),
    key(
        "min_confidence",
        Kind::Word(&["low", "medium", "high"]),
        "\"low\"",
        "\"medium\"",
        "leave out findings that are less sure than this",
    ),
    key(
        "protected",
        Kind::Texts,
        "[]",
        "[\"generated/*.conf\"]",
        "files that `fix` does not edit: globs as in .gitignore; one that starts with / is \
         absolute",
    ),
    key(
        "exclude",
        Kind::Texts,
        "[]",
        "[\"vendor/\"]",
        "files that a search through a directory leaves out: globs as in .gitignore; one that \
         starts with / is absolute",
    ),
    key(
        "respect_gitignore",
        Kind::Flag,
        "true",
        "false",
        "a search through a directory also leaves out what .gitignore names",
    ),
    key(
        "allow_missing",
        Kind::Texts,
        "[]",
        "[\"/etc/nginx/secrets/*.conf\"]",
        "includes that may be missing, as --allow-missing takes them",
    ),
    RULES,
    key(
        "rotation",
        Kind::Table(ROTATION),
        "",
        "",
        "how ticket keys rotate",
    ),
    key(
        "fleet",
        Kind::Table(FLEET),
        "",
        "",
        "ticket keys that many hosts share",
    ),
    key(
        "versions",
        Kind::Table(VERSIONS),
        "",
        "",
        "what to judge for where nothing nearer says it",
    ),
    key(
        "root",
        Kind::Tables(ROOT, &["path"]),
        "",
        "",
        "a configuration to read where no PATH is given, and what holds for it",
    ),
    key(
        "path_map",
        Kind::Tables(PATH_MAP, &["deployed", "repository"]),
        "",
        "",
        "a folder of the server and the folder here that holds its files",
    ),
    key(
        "output",
        Kind::Table(OUTPUT),
        "",
        "",
        "how the report looks",
    ),
    key(
        "override",
        Kind::Tables(OVERRIDE, &["paths"]),
        "",
        "",
        "what holds for findings in some files only; a later one wins over an earlier one",
    ),
];

const VERSIONS: &[Key] = &[
    key(
        "nginx",
        Kind::Texts,
        "[]",
        "[\"1.22.1\", \"1.28.3\"]",
        "versions of nginx",
    ),
    key(
        "apache",
        Kind::Texts,
        "[]",
        "[\"2.4.62\"]",
        "versions of Apache httpd",
    ),
    key("openssl", Kind::Text, "", "\"3.0\"", "OpenSSL's version"),
];

const ROOT: &[Key] = &[
    key(
        "path",
        Kind::Text,
        "",
        "\"files/etc/nginx/nginx.conf\"",
        "the file in which it begins, from the folder of this file",
    ),
    key(
        "kind",
        Kind::Word(&["nginx", "apache"]),
        "",
        "\"nginx\"",
        "whose it is; usually its text tells",
    ),
    key(
        "versions",
        Kind::Texts,
        "[]",
        "[\"1.28.3\"]",
        "the server's versions",
    ),
    key("openssl", Kind::Text, "", "\"3.0\"", "OpenSSL's version"),
    key(
        "package",
        Kind::Text,
        "",
        "\"1.22.1-9+deb12u11\"",
        "the package's version, which tells what it has been patched for",
    ),
    key(
        "defines",
        Kind::Texts,
        "[]",
        "[\"SSL\", \"!DEV\"]",
        "httpd: what --define takes",
    ),
    key(
        "modules",
        Kind::Texts,
        "[]",
        "[\"ssl_module\", \"socache_shmcb_module\"]",
        "httpd: all modules",
    ),
    key(
        "context",
        Kind::Text,
        "",
        "\"http,server\"",
        "nginx: the blocks around a file that is no root",
    ),
];

const PATH_MAP: &[Key] = &[
    key(
        "deployed",
        Kind::Text,
        "",
        "\"/etc/nginx\"",
        "on the server, absolute",
    ),
    key(
        "repository",
        Kind::Text,
        "",
        "\"roles/web/files/nginx\"",
        "here, from the folder of this file",
    ),
];

const OUTPUT: &[Key] = &[
    key(
        "format",
        Kind::Word(&[
            "text",
            "full",
            "concise",
            "json",
            "json-lines",
            "sarif",
            "github",
            "gitlab",
            "junit",
            "checkstyle",
            "html",
        ]),
        "\"text\"",
        "\"json\"",
        "the report's format, as --format takes it",
    ),
    key(
        "color",
        Kind::Word(&["auto", "always", "never"]),
        "\"auto\"",
        "\"never\"",
        "when there are colours",
    ),
    key(
        "fail_on",
        Kind::Word(&["error", "warning", "note", "never"]),
        "\"warning\"",
        "\"error\"",
        "the exit code is 1 when a finding is this bad or worse",
    ),
];

const OVERRIDE: &[Key] = &[
    key(
        "paths",
        Kind::Texts,
        "",
        "[\"legacy/**\"]",
        "globs as in .gitignore; one that starts with / is absolute",
    ),
    POLICY,
    PROFILE,
    LIFETIME_WARNING,
    LIFETIME_ERROR,
    KEY_AGE,
    APACHE_DIRECTIVE,
    RULES,
];
