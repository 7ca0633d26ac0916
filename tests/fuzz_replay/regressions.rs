//! Inputs that have failed a check once: the target, what was wrong, and the input. Each was found
//! by the fuzzer and made small by hand.

/// A target, what its check found, and the input.
pub(crate) type Regression = (&'static str, &'static str, &'static [u8]);

pub(crate) const REGRESSIONS: &[Regression] = &[
    // The root of a dump counted as a file of this machine as soon as a repair had changed it, so
    // that keys which the dump does not show were "taken for granted" by the repair and missing
    // for who read its result.
    (
        "fix_nginx",
        "what the repair said of its result is not what reading the result says",
        b"\x5d\x00# configuration file /nginx.conf:\nevents {}\nhttp {\n    include conf.d/*.conf;\n}\n\n\
          # configuration file /conf.d/a.conf:\nserver {\n\tlisten 443 ssl;\n\tserver_name a.test;\n\t\
          ssl_certificate a.pem;\n\tssl_certificate_key a.key;\n\tssl_session_tickets on;\n}\n\n",
    ),
    // `ssl on`, which this version refuses, became `listen 80 ssl` in a server without a
    // certificate, which it refuses as well, as something that no finding says.
    (
        "fix_nginx",
        "the result of a repair is refused by the server",
        b"\x04\xac# configuration file /nginx.conf:\nevents {}\nhttp {\n    server {\n        ssl on;\n        \
          ssl_session_tickets off;\n    }\n}\n\n",
    ),
    // A part in which `ssl on;` alone stood is a comment afterwards, which may be included and is no
    // configuration by itself: the check asked for too much.
    ("fix_nginx", "problems afterwards", b"\x01\xdd# part\nssl on;\n"),
    // Each file of a chain was included by way of a macro: twice as many steps as files. The
    // check knew of files only.
    (
        "includes",
        "a bounded chain",
        b"\x09<Macro m>\nInclude conf-enabled/*.conf\n</Macro>\nUse m\n\
          %%f apache2/conf-enabled/a.conf\nUse m\n",
    ),
    // A word of the settings brought its own line into the sentence about it.
    (
        "settings",
        "the message has one line",
        b"policy = \"a\\nb\"\n",
    ),
    // A comment that names a folder was taken for the header of a file without a name.
    (
        "expanded",
        "what was printed is a dump",
        b"# configuration file .:\nevents{ Mini\" 1;\n}\n\n",
    ),
];
