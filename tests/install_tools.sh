#!/bin/sh
# Installs what the tests of the collection and of the packages call: Ansible and its checkers,
# pre-commit and maturin out of PyPI, each into an environment of its own below the user's cache;
# cargo-deb from crates.io; Rust's musl target by rustup. Touches no system Python. Does nothing
# that is done already. Called by install_servers.sh. Fetches the crates of other platforms too:
# the rules of the supply chain hold for all in Cargo.lock.
set -eu

ANSIBLE="ansible-core==2.19.14 ansible-lint==26.10.1 antsibull-changelog==0.36.0"
PACKAGING="pre-commit==4.7.0 maturin==1.16.0"
CARGO_DEB=3.8.0
MUSL=x86_64-unknown-linux-musl
CACHES=${XDG_CACHE_HOME:-$HOME/.cache}/stekguard

say() { printf '%s\n' "$*" >&2; }

# environment FOLDER REQUIREMENT...: the list is written last, so that a broken download leaves
# nothing that looks installed.
environment() {
    folder=$1
    shift
    [ "$(cat "$folder/installed" 2>/dev/null)" = "$*" ] && return
    say "installing $* into $folder"
    rm -rf "$folder"
    python3 -m venv "$folder" >&2
    "$folder/bin/python" -m pip install --quiet "$@" >&2
    printf '%s\n' "$*" >"$folder/installed"
}
mkdir -p "$CACHES"
# The lists are meant to be split.
# shellcheck disable=SC2086
environment "$CACHES/ansible" $ANSIBLE
# shellcheck disable=SC2086
environment "$CACHES/packaging" $PACKAGING

# ansible-test makes environments of its own. It loads pip's bootstrap script from a site of
# Ansible's and hides pip's settings from what it calls; both are replaced in a home folder that
# is its alone.
HOME_OF_TEST=$CACHES/ansible-home
mkdir -p "$HOME_OF_TEST/.ansible/test/cache" "$HOME_OF_TEST/.config/pip"
cat >"$HOME_OF_TEST/.ansible/test/cache/get_pip_24_2.py" <<'PYTHON'
"""Stands for get-pip.py where only a package index can be reached."""
import runpy
import subprocess
import sys

# In a process of its own: ensurepip hides pip's settings from what follows.
subprocess.check_call([sys.executable, "-m", "ensurepip"], stdout=subprocess.DEVNULL)
wanted = [word for word in sys.argv[1:] if word not in ("--no-setuptools", "--no-wheel")]
sys.argv[1:] = ["install", "--quiet"] + wanted
runpy.run_module("pip", run_name="__main__", alter_sys=True)
PYTHON
python3 - >"$HOME_OF_TEST/.config/pip/pip.conf" <<'PYTHON'
import os

print("[global]")
for name, value in sorted(os.environ.items()):
    if name.startswith("PIP_"):
        print("%s = %s" % (name[4:].lower().replace("_", "-"), value))
PYTHON

if [ ! -x "$CACHES/cargo-deb/bin/cargo-deb" ]; then
    say "building cargo-deb $CARGO_DEB"
    cargo install --quiet --locked "cargo-deb@$CARGO_DEB" --root "$CACHES/cargo-deb" >&2
fi
if command -v rustup >/dev/null 2>&1; then
    rustup target list --installed | grep -qx "$MUSL" || rustup target add "$MUSL" >&2
fi
cargo fetch --quiet --locked --manifest-path "$(dirname "$0")/../Cargo.toml" >&2
