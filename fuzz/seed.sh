#!/usr/bin/env bash
# Seeds for the fuzzer: ./fuzz/seed.sh [FOLDER ...] fills fuzz/corpus/TARGET from testdata/, the
# committed corpora and, where folders are given, from the configurations below them (which are
# not committed). Writes nothing else.
set -euo pipefail
cd "$(dirname "$0")/.."
exec python3 fuzz/seed.py fuzz/corpus "$@"
