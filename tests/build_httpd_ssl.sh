#!/bin/sh
# Builds httpd's mod_ssl with OpenSSL 1.1.1 inside it: the last OpenSSL with which httpd 2.4 uses
# both halves of a ticket key file. Debian's httpd loads it in place of its own. The sources are
# those of Debian's package `apache2` and of the crate `openssl-src`. Builds once, into a cache
# folder; installs nothing. Needs apt, apache2-dev, dpkg-dev, cargo, perl and a C compiler.
# Prints where the module stands.
set -eu

CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/stekguard/httpd-openssl-1.1.1
HERE=$(cd "$(dirname "$0")" && pwd)
JOBS=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
PATH=$PATH:/usr/sbin:/usr/local/sbin

say() { printf '%s\n' "$*" >&2; }
fail() { say "$*"; [ ! -f "$work/log" ] || tail -n 30 "$work/log" >&2; exit 1; }

if [ ! -f "$CACHE/mod_ssl.so" ]; then
    mkdir -p "$CACHE"
    work=$(mktemp -d "$CACHE/new.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    say "building mod_ssl with OpenSSL 1.1.1 (about three minutes)"

    cargo fetch --locked --quiet --manifest-path "$HERE/openssl_src/Cargo.toml" >&2
    crate=$(cargo metadata --locked --offline --format-version 1 \
        --manifest-path "$HERE/openssl_src/Cargo.toml" |
        grep -o '"manifest_path":"[^"]*openssl-src-[^"]*/Cargo.toml"' |
        sed 's/^"manifest_path":"//; s/\/Cargo.toml"$//' | head -n 1)
    [ -f "$crate/openssl/Configure" ] || fail "no OpenSSL in the crate openssl-src"
    cp -R "$crate/openssl" "$work/openssl"
    # Installed into the work folder, for its headers alone.
    (
        cd "$work/openssl"
        ./Configure linux-$(uname -m) no-shared no-tests no-engine no-dso -fPIC -O1 \
            --prefix="$work/built" && make -j"$JOBS" build_libs && make install_dev
    ) >"$work/log" 2>&1 || fail "OpenSSL 1.1.1 does not build"

    # The sources of the package, whose version need not be that of the binaries to the last
    # digit; a mirror may have dropped the newest ones' or not have them yet.
    mkdir -p "$work/lists/partial"
    sed -n 's/^URIs: *//p; s/^deb \(\[[^]]*\] \)\{0,1\}\([^ ]*debian[^ ]*\) .*/\2/p' \
        /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | sort -u >"$work/mirrors"
    # shellcheck disable=SC1091
    suite=$(. /etc/os-release && printf '%s' "$VERSION_CODENAME")
    while read -r mirror; do
        case $mirror in
            *security*) printf 'deb-src %s %s-security main\n' "$mirror" "$suite" ;;
            *debian*) printf 'deb-src %s %s main\n' "$mirror" "$suite" ;;
        esac
    done <"$work/mirrors" >"$work/sources.list"
    apt() {
        command=$1
        shift
        "$command" -qq -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=- \
            -o Dir::State::lists="$work/lists" -o APT::Sandbox::User=root "$@"
    }
    apt apt-get update >>"$work/log" 2>&1 || say "some lists of sources cannot be had"
    cd "$work"
    for version in $(apt apt-cache showsrc apache2 2>/dev/null | sed -n 's/^Version: //p' | sort -Vru); do
        apt apt-get source --download-only "apache2=$version" >>"$work/log" 2>&1 && break
    done
    set -- "$work"/apache2_*.orig.tar.gz
    [ -f "$1" ] || fail "Debian's sources of apache2 cannot be had"
    tar -xzf "$1"
    set -- "$work"/httpd-*/modules/ssl
    [ -f "$1/mod_ssl.c" ] || fail "no mod_ssl in Debian's sources"

    cd "$1"
    # Words are split on purpose.
    # shellcheck disable=SC2046
    cc -O1 -w -fPIC -shared -DHAVE_OPENSSL -DHAVE_OPENSSL_INIT_SSL=1 \
        -DHAVE_SSL_CTX_USE_CERTIFICATE_CHAIN=1 \
        -I"$work/built/include" -I. -I../../include -I../generators -I../md \
        $(apxs -q EXTRA_CPPFLAGS) $(apr-1-config --includes --cppflags) \
        -I"$(apxs -q INCLUDEDIR)" ./*.c -o "$work/mod_ssl.so" \
        -Wl,-Bsymbolic -Wl,--exclude-libs,ALL \
        "$work/built/lib/libssl.a" "$work/built/lib/libcrypto.a" -lpthread -ldl \
        >>"$work/log" 2>&1 || fail "mod_ssl does not build"
    grep -q 'OpenSSL 1\.1\.1' "$work/mod_ssl.so" || fail "the build is not with OpenSSL 1.1.1"
    # Last, so that a broken build leaves nothing that looks installed.
    mv "$work/mod_ssl.so" "$CACHE/mod_ssl.so"
fi

printf '%s\n' "$CACHE/mod_ssl.so"
