#!/bin/sh
# Usage: packaging/build_deb.sh [FOLDER]
# Builds the Debian package into FOLDER (default: target/debian) and prints its path. Needs
# cargo-deb (`cargo install cargo-deb`) and OpenSSL's headers: the package depends on libssl3.
set -eu
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-target}
cargo build --release --locked >&2
packaging/generate.sh "$target/release/stekguard"
cargo deb --no-build --locked --output "${1:-$target/debian}/"
