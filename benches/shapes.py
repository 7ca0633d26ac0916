#!/usr/bin/env python3
"""Looks for steps that grow with the square of something: configurations in which one thing at a
time is numerous, at two sizes each, and how the processor time of stekguard grows from one to the
other. An exponent of 1 is linear.

    benches/shapes.py BINARY [-c COMMAND]... [-s SMALL -l LARGE] [-r RUNS] [-x LIMIT] [WORD...]

COMMAND is what stands behind the binary's name, `lint` without any; what it reads comes last. Only
shapes whose names hold a WORD are measured. Lines above LIMIT (1.25) are marked, and the exit code
is then 1. It is a benchmark, not a test: a machine that does something else beside it gives other
figures.
"""

import argparse
import math
import pathlib
import resource
import shlex
import subprocess
import sys
import tempfile

NGINX_HEAD = """\
worker_processes 1;
events { worker_connections 1024; }
"""

HTTPD_HEAD = """\
ServerRoot "ROOT"
ServerName localhost
LoadModule mpm_event_module modules/mod_mpm_event.so
LoadModule authz_core_module modules/mod_authz_core.so
LoadModule socache_shmcb_module modules/mod_socache_shmcb.so
LoadModule ssl_module modules/mod_ssl.so
"""


def address(index):
    return f"127.{index // 62500 + 10}.{index // 250 % 250}.{index % 250 + 1}:8443"


# What stands in each host, by its index. Each is asked of both layouts: a file for each host, and
# all in one.
NGINX_HOSTS = {
    "plain": lambda i: "ssl_session_cache shared:T:1m; ssl_session_tickets off;",
    "nothing-said": lambda i: "",
    "tickets": lambda i: "ssl_session_tickets on;",
    "own-lifetime": lambda i: f"ssl_session_timeout {100000 + i}s;",
    "own-cache": lambda i: f"ssl_session_cache shared:c{i}:1m;",
    "own-cache-size": lambda i: f"ssl_session_cache shared:one:{i + 1}m;",
    "cache-per-worker": lambda i: "ssl_session_cache builtin;",
    "cache-none": lambda i: "ssl_session_cache none;",
    "cache-off": lambda i: "ssl_session_cache off; ssl_session_tickets off;",
    "own-key-file": lambda i: f"ssl_session_ticket_key ROOT/own/{i}.key;",
    "own-keys": lambda i: f"ssl_session_ticket_key ROOT/own/{i}.key; ssl_session_ticket_key ROOT/own/{i + 1}.key;",
    "own-certificate": lambda i: f"ssl_certificate ROOT/own/{i}.crt; ssl_certificate_key ROOT/own/{i}.crt;",
    "own-authority": lambda i: f"ssl_verify_client on; ssl_client_certificate ROOT/own/{i}.crt;",
    "own-protocols": lambda i: f"ssl_protocols TLSv1.{2 + i % 2};",
    "own-root": lambda i: f"root /srv/{i};",
    "own-include": lambda i: f"include ROOT/own/{i}.conf;",
    "same-include": lambda i: "include ROOT/own/0.conf;",
    "no-include": lambda i: f"include ROOT/no/{i}.conf;",
    "many-includes": lambda i: "include ROOT/own/1*.conf;" if i < 20 else "",
    "locations": lambda i: " ".join(f"location /{k} {{ return 204; }}" for k in range(8)),
    "if-in-server": lambda i: f"if ($host = h{i}) {{ return 204; }}",
    "proxy-tls": lambda i: f"location / {{ proxy_pass https://127.0.0.1:{i % 60000 + 1}; proxy_ssl_session_reuse on; }}",
    "unknown-name": lambda i: f"my_directive_{i} on;",
    "misspelt": lambda i: "ssl_session_ticket off;",
    "bad-value": lambda i: f"ssl_session_timeout never{i};",
    "twice": lambda i: "ssl_session_timeout 1h; ssl_session_timeout 2h;",
    "commented": lambda i: f"# a comment of host {i}\n",
    "accepted": lambda i: f"# stekguard: ignore[tickets-without-rotation] host {i}\nssl_session_tickets on;",
    "accepted-nothing": lambda i: f"# stekguard: ignore[tickets-without-rotation] host {i}\nssl_session_tickets off;",
    "quoted": lambda i: f'add_header X-A "{i} \\" ; {{";',
    "names-left": lambda i: f"server_name *.h{i}.example.org;",
    "names-right": lambda i: f"server_name www.h{i}.*;",
    "names-dot": lambda i: f"server_name .h{i}.example.org;",
    "names-regex": lambda i: f"server_name ~^www{i}\\.example\\.org$;",
    "names-same": lambda i: "server_name one.example.org;",
    "names-many": lambda i: "server_name " + " ".join(f"a{i}x{k}.example.org" for k in range(20)) + ";",
    "conf-command": lambda i: f"ssl_conf_command Options {'-' if i % 2 else ''}SessionTicket;",
    "no-comma-13": lambda i: "ssl_protocols TLSv1.2;",
    "http2": lambda i: "http2 on;",
    "reject": lambda i: "ssl_reject_handshake on;",
    "variable-certificate": lambda i: f"ssl_certificate $cert{i}; ssl_certificate_key $cert{i};",
}

NGINX_LISTEN = {
    "own-address": lambda i: f"listen {address(i)} ssl;",
    "one-address": lambda i: "listen 127.0.0.1:8443 ssl;",
    "two-addresses": lambda i: f"listen {address(i)} ssl; listen {address(i + 1)} ssl;",
    "wildcard": lambda i: "listen 8443 ssl; listen [::]:8443 ssl;",
    "own-port": lambda i: f"listen 127.0.0.1:{i % 60000 + 1} ssl;",
    "unix": lambda i: f"listen unix:/run/s{i} ssl;",
    "quic": lambda i: f"listen {address(i)} ssl; listen {address(i)} quic;",
}

HTTPD_HOSTS = {
    "plain": lambda i: "SSLSessionTickets off",
    "nothing-said": lambda i: "",
    "tickets": lambda i: "SSLSessionTickets on",
    "own-lifetime": lambda i: f"SSLSessionCacheTimeout {100000 + i}",
    "own-key-file": lambda i: f"SSLSessionTicketKeyFile ROOT/own/{i}.key",
    "own-certificate": lambda i: f"SSLCertificateFile ROOT/own/{i}.crt\nSSLCertificateKeyFile ROOT/own/{i}.crt",
    "own-authority": lambda i: f"SSLVerifyClient require\nSSLCACertificateFile ROOT/own/{i}.crt",
    "same-authority": lambda i: "SSLVerifyClient require\nSSLCACertificateFile ROOT/own/0.crt",
    "own-protocols": lambda i: f"SSLProtocol TLSv1.{2 + i % 2}",
    "own-root": lambda i: f"DocumentRoot /srv/{i}",
    "own-include": lambda i: f"Include ROOT/own/{i}.conf",
    "same-include": lambda i: "Include ROOT/own/0.conf",
    "no-include": lambda i: f"Include ROOT/no/{i}.conf",
    "conf-command": lambda i: "SSLOpenSSLConfCmd Options -SessionTicket",
    "conf-command-own": lambda i: f"SSLOpenSSLConfCmd Curves X{i}",
    "location": lambda i: "\n".join(f"<Location /{k}>\nSSLVerifyClient optional\n</Location>" for k in range(4)),
    "directory": lambda i: f"<Directory /srv/{i}>\nSSLRequireSSL\nSSLVerifyClient require\n</Directory>",
    "if-module": lambda i: "<IfModule mod_ssl.c>\nSSLSessionTickets on\n</IfModule>",
    "if-define": lambda i: f"<IfDefine d{i}>\nSSLSessionTickets on\n</IfDefine>",
    "define": lambda i: f"Define v{i} on\nSSLSessionTickets ${{v{i}}}",
    "alias": lambda i: f"ServerAlias app{i}.example.org",
    "alias-left": lambda i: f"ServerAlias *.h{i}.example.org",
    "alias-right": lambda i: f"ServerAlias h{i}.*",
    "alias-inside": lambda i: f"ServerAlias *h{i}x*",
    "alias-around": lambda i: f"ServerAlias a*h{i}x*b",
    "alias-question": lambda i: f"ServerAlias ?{i}?",
    "alias-many": lambda i: "ServerAlias " + " ".join(f"a{i}x{k}.example.org" for k in range(20)),
    "unknown-name": lambda i: f"MyDirective{i} on",
    "misspelt": lambda i: "SSLSessionTicket off",
    "bad-value": lambda i: f"SSLSessionCacheTimeout never{i}",
    "twice": lambda i: "SSLSessionTickets off\nSSLSessionTickets on",
    "accepted": lambda i: f"# stekguard: ignore[tickets-without-rotation] host {i}\nSSLSessionTickets on",
    "accepted-nothing": lambda i: f"# stekguard: ignore[tickets-without-rotation] host {i}\nSSLSessionTickets off",
    "continued": lambda i: "SSLSessionTickets \\\n  on",
    "proxy-tls": lambda i: "SSLProxyEngine on\nSSLProxyVerify none",
    "strict-sni": lambda i: "SSLStrictSNIVHostCheck on",
}

HTTPD_ADDRESS = {
    "own-address": address,
    "one-address": lambda i: "127.0.0.1:8443",
    "two-addresses": lambda i: f"{address(i)} {address(i + 1)}",
    "wildcard": lambda i: "*:8443",
    "own-port": lambda i: f"127.0.0.1:{i % 60000 + 1}",
}


def own_files(text, count):
    """The files below `own` that a text names."""
    files = {}
    if "ROOT/own/" not in text:
        return files
    for i in range(count + 1):
        if ".crt" in text:
            line = f"{i:064}\n"
            one = f"-----BEGIN CERTIFICATE-----\n{line * 22}-----END CERTIFICATE-----\n"
            files[f"own/{i}.crt"] = one * 2
        if ".key" in text:
            files[f"own/{i}.key"] = "the quick brown fox jumps over the lazy dog, and never comes back again " + f"{i:08}"
        if ".conf" in text:
            files[f"own/{i}.conf"] = f"# file {i}\n"
    return files


def nginx(hosts, listen, layout, count, head=""):
    separator = " " if layout == "line" else "\n    "
    texts = []
    for i in range(count):
        inside = [listen(i), f"server_name h{i}.example.org;"]
        own = hosts(i)
        if "ssl_certificate " not in own:
            inside.append("ssl_certificate ROOT/tls.crt; ssl_certificate_key ROOT/tls.key;")
        inside.append(own)
        if layout == "line":
            texts.append("server { " + " ".join(inside) + " }")
        else:
            texts.append("server {\n    " + separator.join(inside) + "\n}\n")
    files = own_files("".join(texts), count)
    http = head + "ssl_protocols TLSv1.2 TLSv1.3;"
    if layout == "each":
        for i, text in enumerate(texts):
            files[f"sites/{i:06}.conf"] = text
        files["nginx.conf"] = NGINX_HEAD + f"http {{\n{http}\ninclude sites/*.conf;\n}}\n"
    else:
        end = " " if layout == "line" else "\n"
        files["nginx.conf"] = NGINX_HEAD + f"http {{\n{http}{end}{end.join(texts)}{end}}}\n"
    return files


def httpd(hosts, where, layout, count, head=""):
    texts, listens = [], []
    for i in range(count):
        own = hosts(i)
        inside = [f"ServerName h{i}.example.org", "SSLEngine on"]
        if "SSLCertificateFile " not in own:
            inside.append("SSLCertificateFile ROOT/tls.crt\nSSLCertificateKeyFile ROOT/tls.key")
        inside.append(own)
        lines = "\n".join(inside).replace("\n", "\n    ")
        texts.append(f"<VirtualHost {where(i)}>\n    {lines}\n</VirtualHost>\n")
        listens += [f"Listen {one}\n" for one in where(i).replace("*:", "").split()]
    files = own_files("".join(texts), count)
    top = HTTPD_HEAD + head + "".join(dict.fromkeys(listens)) + "SSLSessionCache shmcb:ROOT/scache(512000)\n"
    if layout == "each":
        for i, text in enumerate(texts):
            files[f"sites/{i:06}.conf"] = text
        files["httpd.conf"] = top + "IncludeOptional sites/*.conf\n"
    else:
        files["httpd.conf"] = top + "".join(texts)
    return files


def whole_nginx(text):
    """One configuration from the text of its http block."""
    return lambda n: {"nginx.conf": NGINX_HEAD + text(n)}


def lines(text, n):
    return "\n".join(text(i) for i in range(n)) + "\n"


TLS = "ssl_certificate ROOT/tls.crt; ssl_certificate_key ROOT/tls.key;"
ONE = f"listen 8443 ssl; {TLS}"
HOST = "ServerName one\nSSLEngine on\nSSLCertificateFile ROOT/tls.crt\nSSLCertificateKeyFile ROOT/tls.key\n"


def one_host(inside):
    return f"Listen 8443\n<VirtualHost *:8443>\n{HOST}{inside}</VirtualHost>\n"


# Where one thing is numerous in another.
NGINX_WHOLE = {
    "one-host-many-listens": lambda n: f"http {{ server {{ {TLS}\n" + lines(lambda i: f"listen {address(i)} ssl;", n) + "} }\n",
    "one-host-many-names": lambda n: f"http {{ server {{ {ONE}\n" + lines(lambda i: f"server_name h{i} *.h{i};", n) + "} }\n",
    "one-host-one-line-of-names": lambda n: f"http {{ server {{ {ONE} server_name " + " ".join(f"h{i}" for i in range(n)) + "; } }\n",
    "one-host-many-keys": lambda n: f"http {{ server {{ {ONE}\n" + lines(lambda i: f"ssl_session_ticket_key ROOT/k{i};", n) + "} }\n",
    "one-host-many-certificates": lambda n: "http { server { listen 8443 ssl;\n" + lines(lambda i: f"ssl_certificate ROOT/c{i}; ssl_certificate_key ROOT/c{i};", n) + "} }\n",
    "one-host-many-locations": lambda n: f"http {{ server {{ {ONE}\n" + lines(lambda i: f"location /{i} {{ return 204; }}", n) + "} }\n",
    "one-host-many-commands": lambda n: f"http {{ server {{ {ONE}\n" + lines(lambda i: "ssl_conf_command Options -SessionTicket;", n) + "} }\n",
    "one-host-many-timeouts": lambda n: f"http {{ server {{ {ONE}\n" + lines(lambda i: f"ssl_session_timeout {i + 1}h;", n) + "} }\n",
    "http-many-timeouts": lambda n: "http {\n" + lines(lambda i: f"ssl_session_timeout {i + 1}h;", n) + f"server {{ {ONE} }} }}\n",
    "http-many-keys": lambda n: "http {\n" + lines(lambda i: f"ssl_session_ticket_key ROOT/k{i};", n) + f"server {{ {ONE} }} }}\n",
    "http-many-maps": lambda n: "http {\n" + lines(lambda i: f"map $host $m{i} {{ a b; default c; }}", n) + f"server {{ {ONE} }} }}\n",
    "one-long-map": lambda n: "http { map $host $m {\n" + lines(lambda i: f"h{i} v{i};", n) + f"}} server {{ {ONE} }} }}\n",
    "many-upstreams": lambda n: "http {\n" + lines(lambda i: f"upstream u{i} {{ server 127.0.0.1:{i % 60000 + 1}; keepalive 2; }}", n) + f"server {{ {ONE} }} }}\n",
    "one-long-upstream": lambda n: "http { upstream u {\n" + lines(lambda i: f"server 127.0.0.1:{i % 60000 + 1};", n) + f"}} server {{ {ONE} }} }}\n",
    "many-http-blocks": lambda n: lines(lambda i: f"http {{ server {{ {ONE} }} }}", n),
    "many-comments": lambda n: "http {\n" + lines(lambda i: f"# {i}", n) + f"server {{ {ONE} }} }}\n",
    "many-accepted": lambda n: "http {\n" + lines(lambda i: "# stekguard: ignore[tickets-without-rotation] why", n) + f"server {{ {ONE} }} }}\n",
    "many-accepted-all": lambda n: lines(lambda i: "# stekguard: ignore-file[tickets-without-rotation] why", n) + f"http {{ server {{ {ONE} }} }}\n",
    "many-statements-in-a-line": lambda n: "http { " + " ".join(f"add_header X{i} y;" for i in range(n)) + f" server {{ {ONE} }} }}\n",
    "many-arguments": lambda n: "http { add_header " + " ".join(f"x{i}" for i in range(n)) + f"; server {{ {ONE} }} }}\n",
    "long-word": lambda n: "http { add_header X " + "x" * (40 * n) + f"; server {{ {ONE} }} }}\n",
    "long-quoted-word": lambda n: 'http { add_header X "' + "x\\\" \n" * (10 * n) + f'"; server {{ {ONE} }} }}\n',
    "open-blocks": lambda n: "http { " * n + "\n",
    "closed-blocks": lambda n: "} " * n + "\n",
    "deep-locations": lambda n: f"http {{ server {{ {ONE}\n" + "location / {\n" * (n // 10) + "}\n" * (n // 10) + "} }\n",
    "lines-of-nothing": lambda n: "http {" + "\n" * (40 * n) + f"server {{ {ONE} }} }}\n",
    "lines-of-space": lambda n: "http {" + "   \t\r\n" * (10 * n) + f"server {{ {ONE} }} }}\n",
    "no-line-end": lambda n: "http { server { " + " ".join(f"listen {address(i)} ssl;" for i in range(n)) + f" {TLS} }} }}",
    "stream": lambda n: "stream {\n" + lines(lambda i: f"server {{ listen {address(i)} ssl; {TLS} proxy_pass 127.0.0.1:1; }}", n) + "}\n",
    "stream-names": lambda n: "stream {\n" + lines(lambda i: f"server {{ listen 8443 ssl; server_name h{i}; {TLS} proxy_pass 127.0.0.1:1; }}", n) + "}\n",
    "mail": lambda n: "mail {\n" + lines(lambda i: f"server {{ listen {address(i)} ssl; protocol imap; {TLS} }}", n) + "}\n",
    "names-shared-in-pairs": lambda n: "http {\n" + lines(lambda i: f"server {{ listen {address(i)} ssl; server_name a{i} a{i + 1}; {TLS} }}", n) + "}\n",
    "caches-many-hosts-few": lambda n: "http {\n" + lines(lambda i: f"server {{ listen {address(i)} ssl; ssl_session_cache shared:c{i % 10}:1m; ssl_session_timeout {i % 7 + 1}h; {TLS} }}", n) + "}\n",
    "errors": lambda n: "http {\n" + lines(lambda i: f"nothing{i} ;", n) + "}\n",
    "bytes": lambda n: "http {\n" + "\x01;\x02{\x03}" * (5 * n) + "\n",
    "quotes": lambda n: "http {\n" + "a 'b\n\"c' ;" * (5 * n) + "\n",
    "include-missing": lambda n: "http {\n" + lines(lambda i: f"include ROOT/no/{i}.conf;", n) + f"server {{ {ONE} }} }}\n",
    "include-missing-pattern": lambda n: "http {\n" + lines(lambda i: f"include ROOT/no/{i}*.conf;", n) + f"server {{ {ONE} }} }}\n",
}

HTTPD_WHOLE = {
    "one-host-many-addresses": lambda n: lines(lambda i: f"Listen {address(i)}", n) + "<VirtualHost " + " ".join(address(i) for i in range(n)) + f">\n{HOST}</VirtualHost>\n",
    "one-host-many-aliases": lambda n: one_host(lines(lambda i: f"ServerAlias h{i} *.h{i} *h{i}x*", n)),
    "one-host-one-line-of-aliases": lambda n: one_host("ServerAlias " + " ".join(f"h{i}" for i in range(n // 4)) + "\n"),
    "one-host-many-timeouts": lambda n: one_host(lines(lambda i: f"SSLSessionCacheTimeout {i + 1}", n)),
    "one-host-many-commands": lambda n: one_host(lines(lambda i: "SSLOpenSSLConfCmd Options -SessionTicket", n)),
    "one-host-many-certificates": lambda n: one_host(lines(lambda i: f"SSLCertificateFile ROOT/c{i}", n)),
    "one-host-many-key-files": lambda n: one_host(lines(lambda i: f"SSLSessionTicketKeyFile ROOT/k{i}", n)),
    "one-host-many-locations": lambda n: one_host(lines(lambda i: f"<Location /{i}>\nSSLVerifyClient require\n</Location>", n)),
    "one-host-many-conditions": lambda n: one_host(lines(lambda i: f"<IfModule mod_{i}.c>\nSSLSessionTickets on\n</IfModule>", n)),
    "top-many-conditions": lambda n: lines(lambda i: "<IfModule mod_ssl.c>\nSSLSessionTickets on\n</IfModule>", n) + one_host(""),
    "top-many-conditions-unknown": lambda n: lines(lambda i: f"<IfModule mod_a{i}.c>\nSSLSessionTickets on\n</IfModule>", n) + one_host(""),
    "top-many-defines": lambda n: lines(lambda i: f"Define d{i} v{i}", n) + one_host(lines(lambda i: f"ServerAlias ${{d{i}}}", n)),
    "chain-of-defines": lambda n: "Define d0 x\n" + lines(lambda i: f"Define d{i + 1} ${{d{i}}}", n) + one_host(""),
    "top-many-undefines": lambda n: lines(lambda i: f"Define d{i}\nUnDefine d{i}", n) + one_host(""),
    "top-many-if-defines": lambda n: lines(lambda i: f"<IfDefine d{i}>\nSSLSessionTickets on\n</IfDefine>", n) + one_host(""),
    "top-many-listens": lambda n: lines(lambda i: f"Listen {address(i)}", n) + one_host(""),
    "top-many-modules": lambda n: lines(lambda i: f"LoadModule a{i}_module modules/mod_a{i}.so", n) + one_host(""),
    "top-many-caches": lambda n: lines(lambda i: f"SSLSessionCache shmcb:ROOT/s{i}", n) + one_host(""),
    "many-macros": lambda n: "LoadModule macro_module modules/mod_macro.so\n" + lines(lambda i: f"<Macro m{i} $a>\n<VirtualHost {address(i)}>\nServerName $a\nSSLEngine on\n</VirtualHost>\n</Macro>\nUse m{i} h{i}", n),
    "one-macro": lambda n: "LoadModule macro_module modules/mod_macro.so\n<Macro m $a $b>\n<VirtualHost $b>\nServerName $a\nSSLEngine on\n</VirtualHost>\n</Macro>\n" + lines(lambda i: f"Use m h{i} {address(i)}", n),
    "long-macro": lambda n: "LoadModule macro_module modules/mod_macro.so\n<Macro m $a>\n" + lines(lambda i: f"Define d{i} $a", n) + "</Macro>\nUse m x\n" + one_host(""),
    "many-accepted": lambda n: lines(lambda i: "# stekguard: ignore[tickets-without-rotation] why", n) + one_host(""),
    "many-comments": lambda n: lines(lambda i: f"# {i}", n) + one_host(""),
    "long-continuation": lambda n: "ServerAdmin " + "a \\\n" * (5 * n) + "b\n" + one_host(""),
    "open-sections": lambda n: "<IfModule mod_ssl.c>\n" * n,
    "closed-sections": lambda n: "</IfModule>\n" * n,
    "deep-sections": lambda n: "<IfModule mod_ssl.c>\n" * (n // 10) + "</IfModule>\n" * (n // 10) + one_host(""),
    "lines-of-nothing": lambda n: "\n" * (40 * n) + one_host(""),
    "errors": lambda n: lines(lambda i: f"Nothing{i} x", n) + one_host(""),
    "quotes": lambda n: "a 'b\n\"c' \\\n" * (5 * n) + "\n",
    "bytes": lambda n: "\x01<\x02>\n\x03</" * (5 * n) + "\n",
    "include-missing": lambda n: lines(lambda i: f"IncludeOptional ROOT/no/{i}.conf", n) + one_host(""),
    "include-missing-pattern": lambda n: lines(lambda i: f"IncludeOptional ROOT/no/{i}*.conf", n) + one_host(""),
    "directories": lambda n: lines(lambda i: f"<Directory /srv/{i}>\nSSLRequireSSL\n</Directory>", n) + one_host(""),
    "no-ssl-hosts": lambda n: "Listen 80\n" + lines(lambda i: f"<VirtualHost *:80>\nServerName h{i}\n</VirtualHost>", n) + one_host(""),
    "names-in-pairs": lambda n: "Listen 8443\n" + lines(lambda i: f"<VirtualHost *:8443>\nServerName a{i}\nServerAlias a{i + 1}\nSSLEngine on\nSSLCertificateFile ROOT/tls.crt\nSSLCertificateKeyFile ROOT/tls.key\n</VirtualHost>", n),
}


def include_tree(kind, inside):
    """Files that include one another: a chain, or each of them the same one."""
    def files(n):
        word, end = ("include", ";") if kind == "nginx" else ("Include", "")
        found = {}
        if inside == "chain":
            n = min(n // 40, 100)
            for i in range(n):
                found[f"inc/{i}.conf"] = f"{word} ROOT/inc/{i + 1}.conf{end}\n"
            found[f"inc/{n}.conf"] = "# end\n"
            first = f"{word} ROOT/inc/0.conf{end}\n"
        elif inside == "folder":
            for i in range(n):
                found[f"inc/{i}.conf"] = f"# {i}\n"
            first = f"{word} ROOT/inc/*.conf{end}\n"
        elif inside == "folder-patterns":
            for i in range(n):
                found[f"inc/{i}.conf"] = f"# {i}\n"
            first = "".join(f"{word} ROOT/inc/{i}.c*{end}\n" for i in range(0, n, 10))
        else:
            found["inc/0.conf"] = "# one\n"
            first = f"{word} ROOT/inc/0.conf{end}\n" * n
        if kind == "nginx":
            found["nginx.conf"] = NGINX_HEAD + f"http {{\n{first}server {{ {ONE} }}\n}}\n"
        else:
            found["httpd.conf"] = HTTPD_HEAD + first + one_host("")
        return found
    return files


GENERATED = "# Ansible managed: do not edit\n"


def named(kind, what):
    """What is read is named by many words, or found in a folder; `@` has the words."""
    def files(n):
        one = nginx if kind == "nginx" else httpd
        hosts = (NGINX_HOSTS if kind == "nginx" else HTTPD_HOSTS)["tickets"]
        where = NGINX_LISTEN["own-address"] if kind == "nginx" else address
        tree = one(hosts, where, "each", n)
        root = f"{kind}.conf"
        sites = [path for path in tree if path.startswith("sites/")]
        if what == "parts":
            tree["@"] = [f"ROOT/{path}" for path in sites]
        elif what == "root-and-parts":
            tree["@"] = [f"ROOT/{root}"] + [f"ROOT/{path}" for path in sites]
        elif what == "fragments":
            tree = {path: tree[path] for path in sites}
            tree["@"] = [f"ROOT/{path}" for path in sites]
        elif what == "folder-of-fragments":
            tree = {path: tree[path] for path in sites}
            tree["@"] = ["ROOT"]
        elif what == "folder-of-roots":
            small = one(hosts, where, "one", 1)[root]
            tree = {f"host{i}/{root}": small for i in range(n // 4)}
            tree["@"] = ["ROOT"]
        elif what == "folder-of-others":
            tree |= {f"other/{i}.txt": "nothing\n" for i in range(n)}
            tree["@"] = ["ROOT"]
        elif what == "generated":
            tree |= {path: GENERATED + tree[path] for path in sites}
        return tree
    return files


NAMED = ("parts", "root-and-parts", "fragments", "folder-of-fragments", "folder-of-roots", "folder-of-others", "generated")


def settings(kind, what):
    """What the settings say of each file, or of each include."""
    def files(n):
        one = nginx if kind == "nginx" else httpd
        hosts = (NGINX_HOSTS if kind == "nginx" else HTTPD_HOSTS)["tickets"]
        tree = one(hosts, NGINX_LISTEN["own-address"] if kind == "nginx" else address, "each", n)
        root = f"{kind}.conf"
        sites = [path for path in tree if path.startswith("sites/")]
        each = ", ".join(f'"{path}"' for path in sites)
        word, end = ("include", ";") if kind == "nginx" else ("Include", "")
        if what == "overrides":
            text = "".join(f'[[override]]\npaths = ["{path}"]\nrules = {{ missing-session-timeout = "note" }}\n' for path in sites)
        elif what == "one-override":
            text = f'[[override]]\npaths = [{each}]\nlifetime_warning = "1h"\n'
        elif what in ("exclude", "protected"):
            text = f"{what} = [{each}]\n"
        elif what == "allow-missing":
            text = "allow_missing = [" + ", ".join(f'"/srv/{i}/a.conf"' for i in range(n)) + "]\n"
            for i, path in enumerate(sites):
                tree[path] = f"{word} /srv/{i}/a.conf{end}\n" + tree[path]
        else:
            text = "".join(f'[[path_map]]\ndeployed = "/srv/{i}"\nrepository = "here/{i}"\n' for i in range(n))
            for i, path in enumerate(sites):
                tree[f"here/{i}/a.conf"] = "# nothing\n"
                tree[path] = f"{word} /srv/{i}/a.conf{end}\n" + tree[path]
        tree["stekguard.toml"] = text
        tree["@"] = ["--config", "ROOT/stekguard.toml", "ROOT" if what == "exclude" else f"ROOT/{root}"]
        return tree
    return files


SETTINGS = ("overrides", "one-override", "exclude", "protected", "allow-missing", "path-map")


def shapes():
    """Every shape by its name: a function from a size to files."""
    found = {}
    for layout in ("each", "one", "line"):
        both = ("own-address", "one-address", "wildcard") if layout == "one" else ("own-address", "one-address")
        for name, hosts in NGINX_HOSTS.items():
            for where in both:
                listen = NGINX_LISTEN[where]
                found[f"nginx {layout} {where} {name}"] = lambda n, h=hosts, l=listen, y=layout: nginx(h, l, y, n)
        for where, listen in NGINX_LISTEN.items():
            if where not in both:
                found[f"nginx {layout} {where} tickets"] = lambda n, l=listen, y=layout: nginx(NGINX_HOSTS["tickets"], l, y, n)
    for layout in ("each", "one"):
        both = ("own-address", "one-address", "wildcard") if layout == "one" else ("own-address", "one-address")
        for name, hosts in HTTPD_HOSTS.items():
            for where in both:
                place = HTTPD_ADDRESS[where]
                found[f"httpd {layout} {where} {name}"] = lambda n, h=hosts, w=place, y=layout: httpd(h, w, y, n)
        for where, place in HTTPD_ADDRESS.items():
            if where not in both:
                found[f"httpd {layout} {where} tickets"] = lambda n, w=place, y=layout: httpd(HTTPD_HOSTS["tickets"], w, y, n)
    for name, text in NGINX_WHOLE.items():
        found[f"nginx whole {name}"] = whole_nginx(text)
    for name, text in HTTPD_WHOLE.items():
        found[f"httpd whole {name}"] = lambda n, t=text: {"httpd.conf": HTTPD_HEAD + t(n)}
    for kind in ("nginx", "httpd"):
        for inside in ("chain", "folder", "folder-patterns", "same"):
            found[f"{kind} include {inside}"] = include_tree(kind, inside)
        for what in NAMED:
            found[f"{kind} named {what}"] = named(kind, what)
        for what in SETTINGS:
            found[f"{kind} settings {what}"] = settings(kind, what)
    return found


def write(folder, files):
    """Writes the files; the words that name what is read."""
    words = files.pop("@", ["ROOT/nginx.conf" if "nginx.conf" in files else "ROOT/httpd.conf"])
    for path, text in files.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text.replace("ROOT", str(folder)).encode("latin-1"))
    return [word.replace("ROOT", str(folder)) for word in words]


def seconds(binary, command, named, runs):
    """The least processor time of some runs, the bytes of the answer, and the exit code."""
    words = [*shlex.split(command), *named]
    best = math.inf
    for _ in range(runs):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run([binary, *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        best = min(best, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        if best > 5:
            break
    return best, len(done.stdout), done.returncode


def main():
    options = argparse.ArgumentParser()
    options.add_argument("binary")
    options.add_argument("-c", "--command", action="append")
    options.add_argument("-s", "--small", type=int, default=1000)
    options.add_argument("-l", "--large", type=int, default=4000)
    options.add_argument("-r", "--runs", type=int, default=3)
    options.add_argument("-x", "--limit", type=float, default=1.25)
    options.add_argument("words", nargs="*")
    given = options.parse_intermixed_args()
    given.binary = str(pathlib.Path(given.binary).absolute())
    marked = 0
    for name, files in shapes().items():
        if given.words and not any(word in name for word in given.words):
            continue
        with tempfile.TemporaryDirectory() as folder:
            small = write(pathlib.Path(folder, "small"), files(given.small))
            large = write(pathlib.Path(folder, "large"), files(given.large))
            tiny = write(pathlib.Path(folder, "tiny"), files(10))
            for command in given.command or ["lint"]:
                # What a run costs by itself says nothing about growth.
                alone, _, _ = seconds(given.binary, command, tiny, given.runs)
                few, _, _ = seconds(given.binary, command, small, given.runs)
                many, size, code = seconds(given.binary, command, large, given.runs)
                grown = max(many - alone, 0.001) / max(few - alone, 0.001)
                exponent = math.log(grown) / math.log(given.large / given.small)
                # Hundredths of a second say nothing about growth either.
                mark = exponent > given.limit and many > 0.1
                marked += mark
                print(f"{command:24} {name:45} {few:7.3f} {many:7.3f} s {size / 1e6:8.2f} MB  exit {code}  {exponent:5.2f}{'  <<<' if mark else ''}", flush=True)
    sys.exit(1 if marked else 0)


if __name__ == "__main__":
    main()
