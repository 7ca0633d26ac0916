//! Configuration trees of any size, for benchmarks, for the comparison with other tools and
//! for the tests of growth: the same text in all of them.
//!
//! Pure: sizes in, files out. Everything listens on loopback, so that the servers themselves
//! can test the trees. It must not know what is found in them.

use std::fmt::Write as _;
use std::path::PathBuf;

/// Whose configuration.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub enum Kind {
    /// `nginx.conf` and `sites/*.conf`.
    Nginx,
    /// `httpd.conf` and `sites/*.conf`.
    Apache,
}

/// What the virtual hosts of a tree have in common.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub enum Shape {
    /// One file each, 64 to an address, nothing wrong with them.
    Plain,
    /// As `Plain`, all on one address.
    OneAddress,
    /// As `Plain`; the TLS settings stand in one snippet that each of them includes.
    Snippet,
    /// Each on an address of its own with something wrong of its own.
    Findings,
    /// As `Plain`; each with a certificate, a ticket key, an authority of its clients, a lifetime,
    /// names by pattern, an accepted finding and, in nginx, a cache of its own: what is compared
    /// between hosts must not be compared with each of them.
    Own,
}

impl Kind {
    /// By its name on a command line.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "nginx" => Some(Self::Nginx),
            "apache" => Some(Self::Apache),
            _ => None,
        }
    }

    /// The file that the tree begins with.
    pub fn root(self) -> &'static str {
        match self {
            Self::Nginx => "nginx.conf",
            Self::Apache => "httpd.conf",
        }
    }
}

impl Shape {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Plain,
        Self::OneAddress,
        Self::Snippet,
        Self::Findings,
        Self::Own,
    ];

    /// Its name on a command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::OneAddress => "one-address",
            Self::Snippet => "snippet",
            Self::Findings => "findings",
            Self::Own => "own",
        }
    }

    /// By its name on a command line.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|shape| shape.name() == name)
    }
}

/// Every file of a tree of `count` virtual hosts, with its path below `folder`; the root
/// file comes first. Certificates are named, not made: `folder/tls.crt` and `folder/tls.key`;
/// those of [`Shape::Own`] are texts that no server takes.
pub fn tree(kind: Kind, shape: Shape, count: usize, folder: &str) -> Vec<(PathBuf, String)> {
    let path = |name: &str| PathBuf::from(format!("{folder}/{name}"));
    let (root, snippet) = match kind {
        Kind::Nginx => (nginx_root(folder), nginx_tls(folder)),
        Kind::Apache => (apache_root(shape, count, folder), apache_tls(folder)),
    };
    let mut files = vec![(path(kind.root()), root)];
    if shape == Shape::Snippet {
        files.push((path("snippets/tls.conf"), snippet));
    }
    for index in 0..count {
        let text = match kind {
            Kind::Nginx => nginx_host(shape, index, folder),
            Kind::Apache => apache_host(shape, index, folder),
        };
        files.push((path(&format!("sites/host{index:06}.conf")), text));
        if shape == Shape::Own {
            files.push((path(&format!("own/{index}.crt")), certificate(index)));
            files.push((path(&format!("own/{index}.key")), ticket_key(index)));
        }
    }
    files
}

/// One virtual host's file, about 40 lines.
pub fn host(kind: Kind, index: usize) -> String {
    match kind {
        Kind::Nginx => nginx_host(Shape::Plain, index, "/srv/tree"),
        Kind::Apache => apache_host(Shape::Plain, index, "/srv/tree"),
    }
}

/// A text of at least `bytes` bytes: one virtual host after the other.
pub fn text(kind: Kind, bytes: usize) -> String {
    let mut text = String::with_capacity(bytes + 2048);
    for index in 0.. {
        if text.len() >= bytes {
            break;
        }
        text.push_str(&host(kind, index));
    }
    text
}

/// The loopback address of a virtual host.
fn address(shape: Shape, index: usize) -> String {
    let number = match shape {
        Shape::OneAddress => 0,
        Shape::Plain | Shape::Snippet | Shape::Own => index / 64,
        Shape::Findings => index,
    };
    let (high, middle, low) = (number / 62_500, number / 250 % 250, number % 250);
    format!("127.{}.{}.{}:8443", high + 10, middle, low + 1)
}

/// Looks like a chain of two certificates and is none; 3 KB.
fn certificate(index: usize) -> String {
    let line = format!("{index:064}\n");
    let begin = "-----BEGIN CERTIFICATE-----\n";
    let one = format!("{begin}{}-----END CERTIFICATE-----\n", line.repeat(22));
    one.repeat(2)
}

/// 80 bytes, as nginx takes them; text, which is found to be no good key.
fn ticket_key(index: usize) -> String {
    let words = "the quick brown fox jumps over the lazy dog, and never comes back again ";
    format!("{words}{index:08}")
}

fn nginx_root(folder: &str) -> String {
    format!(
        "worker_processes auto;\n\
         pid {folder}/nginx.pid;\n\
         error_log {folder}/error.log;\n\n\
         events {{\n    worker_connections 200000;\n}}\n\n\
         http {{\n    \
             default_type application/octet-stream;\n    \
             access_log off;\n    \
             server_names_hash_max_size 400000;\n    \
             server_names_hash_bucket_size 128;\n    \
             sendfile on;\n    \
             keepalive_timeout 65;\n\n    \
             ssl_protocols TLSv1.2 TLSv1.3;\n    \
             ssl_session_cache shared:TLS:10m;\n    \
             ssl_session_timeout 1h;\n    \
             ssl_session_tickets off;\n\n    \
             include sites/*.conf;\n}}\n"
    )
}

fn nginx_tls(folder: &str) -> String {
    format!(
        "    ssl_certificate {folder}/tls.crt;\n    \
         ssl_certificate_key {folder}/tls.key;\n    \
         ssl_protocols TLSv1.2 TLSv1.3;\n    \
         ssl_prefer_server_ciphers off;\n    \
         ssl_session_timeout 1h;\n    \
         ssl_session_cache shared:TLS:10m;\n    \
         ssl_session_tickets off;\n"
    )
}

fn nginx_host(shape: Shape, index: usize, folder: &str) -> String {
    let address = address(shape, index);
    let mut text = String::with_capacity(1400);
    let _ = write!(
        text,
        "# Host {index}: written by hand, kept in version control.\n\
         server {{\n    \
             listen {address} ssl;\n    \
             server_name www{index}.example.org app{index}.example.org;\n\n    \
             root /srv/www/host{index}/public;\n    \
             index index.html index.htm;\n\n"
    );
    match shape {
        Shape::Snippet => text.push_str("    include snippets/tls.conf;\n"),
        Shape::Findings => {
            let tls = nginx_tls(folder).replace("tickets off", "tickets on");
            text.push_str(&tls);
        }
        Shape::Own => {
            let tls = nginx_tls(&format!("{folder}/own"))
                .replace("/tls.", &format!("/{index}."))
                .replace("shared:TLS", &format!("shared:own{index}"))
                .replace("timeout 1h", &format!("timeout {}s", 100_000 + index))
                .replace(
                    "    ssl_session_timeout",
                    "    # stekguard: ignore[ignored-session-directive] it stays\n    ssl_session_timeout",
                )
                .replace("tickets off", "tickets on");
            text.push_str(&tls);
            let _ = write!(
                text,
                "    ssl_session_ticket_key {folder}/own/{index}.key;\n    \
                     ssl_verify_client on;\n    \
                     ssl_client_certificate {folder}/own/{index}.crt;\n    \
                     server_name *.host{index}.example.org;\n"
            );
        }
        Shape::Plain | Shape::OneAddress => text.push_str(&nginx_tls(folder)),
    }
    let _ = write!(
        text,
        "\n    \
             add_header Strict-Transport-Security \"max-age=31536000\" always;\n    \
             add_header X-Content-Type-Options nosniff;\n    \
             client_max_body_size 16m;\n\n    \
             location / {{\n        \
                 try_files $uri $uri/ @app;\n    \
             }}\n\n    \
             location @app {{\n        \
                 proxy_pass http://127.0.0.1:8080;\n        \
                 proxy_http_version 1.1;\n        \
                 proxy_set_header Host $host;\n        \
                 proxy_set_header X-Real-IP $remote_addr;\n        \
                 proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;\n        \
                 proxy_read_timeout 60s; # slow reports\n    \
             }}\n\n    \
             location ~* \\.(png|jpe?g|css|js)$ {{\n        \
                 expires 30d;\n    \
             }}\n}}\n"
    );
    text
}

fn apache_root(shape: Shape, count: usize, folder: &str) -> String {
    let mut text = format!(
        "ServerRoot \"{folder}\"\n\
         ServerName localhost\n\
         PidFile {folder}/httpd.pid\n\
         ErrorLog {folder}/error.log\n\
         LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so\n\
         LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so\n\
         LoadModule authz_host_module /usr/lib/apache2/modules/mod_authz_host.so\n\
         LoadModule dir_module /usr/lib/apache2/modules/mod_dir.so\n\
         LoadModule headers_module /usr/lib/apache2/modules/mod_headers.so\n\
         LoadModule socache_shmcb_module /usr/lib/apache2/modules/mod_socache_shmcb.so\n\
         LoadModule ssl_module /usr/lib/apache2/modules/mod_ssl.so\n\n\
         SSLProtocol all -SSLv3 -TLSv1 -TLSv1.1\n\
         SSLSessionCache shmcb:{folder}/scache(512000)\n\
         SSLSessionCacheTimeout 300\n\
         SSLSessionTickets off\n\n"
    );
    let mut last = String::new();
    for index in 0..count {
        let address = address(shape, index);
        if address != last {
            let _ = writeln!(text, "Listen {address}");
            last = address;
        }
    }
    text.push_str("\nIncludeOptional sites/*.conf\n");
    text
}

fn apache_tls(folder: &str) -> String {
    format!(
        "    SSLEngine on\n    \
         SSLCertificateFile {folder}/tls.crt\n    \
         SSLCertificateKeyFile {folder}/tls.key\n    \
         SSLHonorCipherOrder off\n    \
         SSLSessionTickets off\n"
    )
}

fn apache_host(shape: Shape, index: usize, folder: &str) -> String {
    let address = address(shape, index);
    let mut text = String::with_capacity(1400);
    let _ = write!(
        text,
        "# Host {index}: written by hand, kept in version control.\n\
         <VirtualHost {address}>\n    \
             ServerName www{index}.example.org\n    \
             ServerAlias app{index}.example.org\n    \
             DocumentRoot /srv/www/host{index}/public\n    \
             DirectoryIndex index.html index.htm\n\n"
    );
    match shape {
        Shape::Snippet => text.push_str("    Include snippets/tls.conf\n"),
        Shape::Findings => {
            let tls = apache_tls(folder).replace("Tickets off", "Tickets on");
            text.push_str(&tls);
        }
        Shape::Own => {
            let tls = apache_tls(&format!("{folder}/own"))
                .replace("/tls.", &format!("/{index}."))
                .replace("Tickets off", "Tickets on");
            text.push_str(&tls);
            let _ = write!(
                text,
                "    SSLSessionTicketKeyFile {folder}/own/{index}.key\n    \
                     SSLSessionCacheTimeout {}\n    \
                     SSLVerifyClient require\n    \
                     # stekguard: ignore[session-crosses-client-auth] host {index}\n    \
                     SSLCACertificateFile {folder}/own/{index}.crt\n    \
                     ServerAlias *.host{index}.example.org host{index}.*\n",
                100_000 + index
            );
        }
        Shape::Plain | Shape::OneAddress => text.push_str(&apache_tls(folder)),
    }
    let _ = write!(
        text,
        "\n    \
             Header always set Strict-Transport-Security \"max-age=31536000\"\n    \
             Header set X-Content-Type-Options nosniff\n    \
             LimitRequestBody 16777216\n\n    \
             <Directory /srv/www/host{index}/public>\n        \
                 Options -Indexes\n        \
                 AllowOverride None\n        \
                 Require all granted\n    \
             </Directory>\n\n    \
             <Location /status>\n        \
                 # Only from here.\n        \
                 Require ip 127.0.0.1\n        \
                 Require ip 10.0.0.0/8\n    \
             </Location>\n\n    \
             <FilesMatch \"\\.(png|jpe?g|css|js)$\">\n        \
                 Header set Cache-Control \"max-age=2592000\"\n    \
             </FilesMatch>\n\n    \
             <IfModule mod_rewrite.c>\n        \
                 RewriteEngine on\n        \
                 RewriteCond %{{REQUEST_URI}} !^/status\n        \
                 RewriteRule ^/old/(.*)$ /new/$1 [R=301,L]\n    \
             </IfModule>\n</VirtualHost>\n"
    );
    text
}
