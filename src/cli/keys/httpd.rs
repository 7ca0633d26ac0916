//! What the arguments of `keys` mean for httpd: one key, once a day, in places of its own.

use std::path::{Path, PathBuf};

use super::args::{KeyArguments, LayoutName, RunArguments};
use crate::cli::hints::Said;
use crate::policy::Rotation;

const DAY: u64 = 24 * 60 * 60;
const FOLDER: &str = "/run/stekguard/keys/apache2";
/// nginx's path, and what takes its place: Debian's, then that of Red Hat's family.
const PLACES: [(&str, [&str; 2]); 2] = [
    (
        "/etc/nginx/nginx.conf",
        ["/etc/apache2/apache2.conf", "/etc/httpd/conf/httpd.conf"],
    ),
    (
        "/run/nginx.pid",
        ["/run/apache2/apache2.pid", "/run/httpd/httpd.pid"],
    ),
];
const NGINX_TEST: &str = "nginx -t -q";

/// One key that encrypts for a day or more, and none beside it. The plan of the settings is
/// for servers that take several.
pub(super) fn plan(keys: &KeyArguments) -> Result<(Rotation, PathBuf), Said> {
    let interval = keys.interval.map_or(DAY, |period| period.0);
    if interval < DAY {
        let sentence = "httpd takes one ticket key at a time, so every rotation costs every \
            returning client a full handshake: --interval is a day or more";
        return Err((sentence.to_owned(), Some(BETTER.to_owned())));
    }
    let unused = [
        keys.ahead.is_some(),
        keys.previous.is_some(),
        keys.preset.is_some(),
    ];
    if unused.contains(&true) {
        let sentence = "httpd takes one ticket key at a time: --ahead, --previous and --preset \
            are for nginx";
        return Err((sentence.to_owned(), None));
    }
    let plan = Rotation {
        interval,
        ahead: 0,
        previous: 0,
        lifetime: keys.lifetime.map_or(interval, |period| period.0),
        ..Rotation::default()
    };
    let folder = keys.dir.clone();
    Ok((plan, folder.unwrap_or_else(|| PathBuf::from(FOLDER))))
}

/// A path that was given, or httpd's where it is the one that nginx has unasked.
pub(super) fn path(layout: LayoutName, given: &Path) -> PathBuf {
    let other = PLACES.iter().find(|(nginx, _)| given == Path::new(nginx));
    let Some((_, places)) = other.filter(|_| layout == LayoutName::Apache48) else {
        return given.to_owned();
    };
    let there = places.iter().find(|place| Path::new(place).exists());
    PathBuf::from(there.unwrap_or(&places[0]))
}

/// The command that tests the configuration.
pub(super) fn test(arguments: &RunArguments) -> String {
    let given = &arguments.test_command;
    match arguments.keys.layout {
        LayoutName::Apache48 if given == NGINX_TEST => "apachectl -t".to_owned(),
        _ => given.clone(),
    }
}

/// Units for a key that nothing has proven are refused.
pub(super) fn unproven() -> Said {
    (
        "units for httpd are made once its key was proven by its tickets: `stekguard keys init \
         --layout apache48` tries that; every rotation costs every returning client a full \
         handshake, and on OpenSSL 3 the file's HMAC half is not used, so that it fails there"
            .to_owned(),
        Some(BETTER.to_owned()),
    )
}

const BETTER: &str = "turn tickets off and share sessions: SSLSessionTickets off, SSLSessionCache \
    shmcb:/run/apache2/ssl_scache(512000); new keys by a graceful restart: stekguard keys units \
    --service apache2 --scheduled-reload 24h";
