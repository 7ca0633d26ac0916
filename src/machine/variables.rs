//! Variables of the environment by what they do to a program: most are nobody's business, some
//! make it load code or believe somebody.

use std::ffi::OsStr;
use std::path::PathBuf;

use super::trust::stranger;

/// What a program that root runs may know: who it is for, in which language and when.
const HARMLESS: [&str; 7] = ["HOME", "LANG", "LANGUAGE", "LOGNAME", "TERM", "TZ", "USER"];
const HARMLESS_BEGINNING: &str = "LC_";

/// What makes the dynamic linker, a shell, an interpreter, the C library or OpenSSL load, trust
/// or write something; what has nginx take sockets over and apachectl another configuration.
const DANGEROUS: [&str; 41] = [
    "APACHE_CONFDIR",
    "APACHE_ENVVARS",
    "APACHE_HTTPD",
    "BASHOPTS",
    "BASH_ENV",
    "CDPATH",
    "ENV",
    "GCONV_PATH",
    "GETCONF_DIR",
    "GLIBC_TUNABLES",
    "GLOBIGNORE",
    "HOSTALIASES",
    "HTTPD",
    "IFS",
    "LOCALDOMAIN",
    "LOCPATH",
    "NGINX",
    "NIS_PATH",
    "NLSPATH",
    "NODE_OPTIONS",
    "NODE_PATH",
    "OPENSSL_CONF",
    "OPENSSL_ENGINES",
    "OPENSSL_MODULES",
    "PERL5DB",
    "PERL5LIB",
    "PERL5OPT",
    "PERLIO_DEBUG",
    "PERLLIB",
    "PS4",
    "RESOLV_HOST_CONF",
    "RES_OPTIONS",
    "RUBYLIB",
    "RUBYOPT",
    "SHELLOPTS",
    "SSLKEYLOGFILE",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "TERMINFO",
    "TMPDIR",
    "TMPPREFIX",
];
const DANGEROUS_BEGINNINGS: [&str; 7] = [
    "BASH_FUNC_",
    "DYLD_",
    "LD_",
    "MALLOC_",
    "PYTHON",
    "TERMINFO_",
    "_RLD",
];

/// Variables that have this process's own TLS library load or trust something.
const OF_OPENSSL: [&str; 5] = [
    "OPENSSL_CONF",
    "OPENSSL_MODULES",
    "OPENSSL_ENGINES",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
];

pub(super) fn is_harmless(name: &OsStr) -> bool {
    let Some(name) = name.to_str() else {
        return false;
    };
    HARMLESS.contains(&name) || name.starts_with(HARMLESS_BEGINNING)
}

pub(super) fn is_dangerous(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    DANGEROUS.contains(&&*name) || DANGEROUS_BEGINNINGS.iter().any(|it| name.starts_with(it))
}

/// The first variable that would have the TLS library of this process take something that others
/// than root and this user could change, and that place.
#[must_use]
pub fn distrusted() -> Option<(&'static str, PathBuf)> {
    OF_OPENSSL.into_iter().find_map(|name| {
        let value = std::env::var_os(name).filter(|value| !value.is_empty())?;
        let part = stranger(&PathBuf::from(value))?;
        Some((name, part))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_variable_is_both() {
        for name in DANGEROUS {
            assert!(is_dangerous(OsStr::new(name)) && !is_harmless(OsStr::new(name)));
        }
        for name in ["LD_PRELOAD", "PYTHONPATH", "BASH_FUNC_nginx%%", "DYLD_X"] {
            assert!(is_dangerous(OsStr::new(name)), "{name}");
        }
        for name in ["PATH", "DOCKER_HOST", "LC_ALL", "HOME"] {
            assert!(!is_dangerous(OsStr::new(name)), "{name}");
        }
    }
}
