#!/bin/sh
# Usage: packaging/generate.sh STEKGUARD
# Has the given binary write its completions and manual pages into packaging/generated, where the
# packages take them from.
set -eu
program=${1:?the binary, such as target/release/stekguard}
out=$(cd "$(dirname "$0")" && pwd)/generated
rm -rf "$out"
mkdir -p "$out/man"
for shell in bash zsh fish; do "$program" completions "$shell" >"$out/$shell"; done
"$program" man --dir "$out/man"
