#!/usr/bin/env bash
# Line coverage by room (the folders of src/), as a table, and the files with most lines that
# nothing ran. Only this package is instrumented, so dependencies are not built again.
#
#   tests/coverage.sh            # lib, the binary and the fast suites
#   tests/coverage.sh all        # every suite; takes as long as a pipeline
#   tests/coverage.sh NAME...    # lib and these suites
#
# Needs `rustup component add llvm-tools` (or an LLVM of rustc's version: LLVM_BIN=/usr/lib/llvm-22/bin).
# Results: $COVERAGE_DIR (default target/coverage): files.json, uncovered.txt.
set -euo pipefail
cd "$(dirname "$0")/.."

target=${CARGO_TARGET_DIR:-target}
out=${COVERAGE_DIR:-$target/coverage}
bin=${LLVM_BIN:-$(rustc --print sysroot)/lib/rustlib/$(rustc -vV | sed -n 's/^host: //p')/bin}
[ -x "$bin/llvm-profdata" ] || { echo "no llvm-profdata in $bin: rustup component add llvm-tools" >&2; exit 2; }
rm -rf "$out"
mkdir -p "$out/raw"

# The suites that are slow, need servers for long, or build the project once more.
suites=()
for file in tests/*.rs; do
    name=$(basename "$file" .rs)
    case $name in
        live_* | corpora_* | differential_* | ansible | packages | readme | html | fleet_simulation) slow=yes ;;
        alike | determinism | scaling | keys_files | fix_kill | fix_faults | fix_policies | rule_fixes) slow=yes ;;
        *) slow=no ;;
    esac
    if [ $# -gt 0 ] && [ "$1" != all ]; then
        case " $* " in *" $name "*) suites+=(--test "$name") ;; esac
    elif [ "$slow" = no ] || [ "${1:-}" = all ]; then
        suites+=(--test "$name")
    fi
done

wrapper=$out/rustc
printf '#!/bin/sh\nexec "$@" -C instrument-coverage\n' > "$wrapper"
chmod +x "$wrapper"
export RUSTC_WORKSPACE_WRAPPER=$wrapper CARGO_TARGET_DIR=$target
# Processes of one program add to one of a few files: the tests start thousands.
export LLVM_PROFILE_FILE=$out/raw/%8m.profraw

cargo test --locked --no-run --lib --bins "${suites[@]}" --message-format=json |
    python3 -c '
import json, sys
for line in sys.stdin:
    message = json.loads(line)
    if message.get("executable"):
        print(message["executable"])' > "$out/programs"
rm -f "$out"/raw/*
cargo test --locked --no-fail-fast --lib --bins "${suites[@]}" > "$out/tests.log" 2>&1 ||
    echo "some tests failed: $out/tests.log" >&2
grep -a '^test result' "$out/tests.log" |
    awk '{ passed += $4; failed += $6 } END { print passed " tests passed, " failed " failed" }'

"$bin/llvm-profdata" merge --sparse --failure-mode=all "$out"/raw/*.profraw -o "$out/merged.profdata"
objects=()
while read -r program; do objects+=(--object "$program"); done < "$out/programs"
"$bin/llvm-cov" export --summary-only --instr-profile "$out/merged.profdata" "${objects[@]}" \
    --ignore-filename-regex '/(tests|benches|registry|rustc)/|/rustlib/|tests\.rs$' > "$out/files.json"
"$bin/llvm-cov" show --instr-profile "$out/merged.profdata" "${objects[@]}" --show-instantiations=false \
    --ignore-filename-regex '/(tests|benches|registry|rustc)/|/rustlib/|tests\.rs$' |
    awk -F'|' '/^\/.*:$/ { file = $0 } $2 ~ /^ *0$/ { print file $1 "|" $3 }' > "$out/uncovered.txt"

python3 - "$out/files.json" <<'END'
import collections, json, sys
files = json.load(open(sys.argv[1]))["data"][0]["files"]
rooms, rows = collections.defaultdict(lambda: [0, 0]), []
for file in files:
    if "/src/" not in file["filename"]:
        continue
    name = file["filename"].rsplit("/src/", 1)[1]
    lines = file["summary"]["lines"]
    for key in (name.split("/")[0] if "/" in name else "(top)", "all"):
        rooms[key][0] += lines["covered"]
        rooms[key][1] += lines["count"]
    rows.append((lines["count"] - lines["covered"], lines["count"], name))
print(f"{'room':10}{'lines':>8}{'run':>8}{'percent':>9}")
for room, (covered, count) in sorted(rooms.items(), key=lambda item: (item[0] == "all", item[0])):
    print(f"{room:10}{count:8}{covered:8}{100 * covered / count:9.1f}")
print("\nfiles with most lines that nothing ran")
for missed, count, name in sorted(rows, reverse=True)[:40]:
    print(f"{missed:5} of {count:4}  {name}")
END
