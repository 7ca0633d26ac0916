#!/bin/sh
# Builds a binary that needs no library of the host and prints its path. Needs Rust's musl target
# (`rustup target add x86_64-unknown-linux-musl`). Without the feature `tls`, which would need an
# OpenSSL for musl: everything but `probe` and the live check of `keys` is in it.
set -eu
cd "$(dirname "$0")/.."
machine=$(uname -m)
target=$machine-unknown-linux-musl
cargo build --release --locked --no-default-features --target "$target" >&2
printf '%s\n' "${CARGO_TARGET_DIR:-target}/$target/release/stekguard"
