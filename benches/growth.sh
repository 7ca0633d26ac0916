#!/usr/bin/env bash
# How time and memory of `stekguard lint` grow with the number of virtual hosts: a table in
# Markdown on stdout. An exponent of 1 is linear.
#
#   benches/growth.sh [COUNT...]     1000 10000 100000
#
# STEKGUARD names the binary; without it a release build is made. Processor time is shown, not
# wall time: it does not count what other programs take. Small trees are run five times and large
# ones once; a row has the median by processor time.
set -euo pipefail

HERE=$(cd "$(dirname "$0")" && pwd)
counts=("$@")
[ ${#counts[@]} -gt 0 ] || counts=(1000 10000 100000)
# Trees of so many hosts are run once.
LARGE=50000

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ -z "${STEKGUARD:-}" ]; then
    (cd "$HERE/.." && cargo build --release --locked --bin stekguard >&2)
    STEKGUARD=${CARGO_TARGET_DIR:-$HERE/../target}/release/stekguard
fi
rustc --edition 2024 -O "$HERE/trees/write.rs" -o "$work/write"

# One run: processor seconds, wall seconds, peak in KiB. GNU time counts hundredths of a second,
# which is too coarse for small trees; the shell counts thousandths.
one() {
    local code=0 TIMEFORMAT='%U %S %R'
    {
        time /usr/bin/time -o "$work/peak" -f '%M' "$@" >/dev/null 2>"$work/err" || code=$?
    } 2>"$work/time"
    [ "$code" -le 1 ] || { cat "$work/err" >&2; exit 1; }
    awk -v peak="$(tail -n 1 "$work/peak")" '{ print $1 + $2, $3, peak }' "$work/time"
}

# The median run.
median() { # RUNS COMMAND...
    local runs=$1 run
    shift
    for ((run = 0; run < runs; run++)); do one "$@"; done | sort -n | sed -n "$((runs / 2 + 1))p"
}

printf '| server | tree | version | hosts | processor s | wall s | peak MiB | exponent of time | of memory |\n'
printf '|---|---|---|---:|---:|---:|---:|---:|---:|\n'
for server in nginx apache; do
    case $server in nginx) root=nginx.conf version=1.28.3 ;; *) root=httpd.conf version=2.4.62 ;; esac
    for shape in plain one-address snippet findings own; do
        declare -A before=([known]= [unknown]=)
        for count in "${counts[@]}"; do
            "$work/write" "$server" "$shape" "$count" "$work/tree"
            runs=5
            [ "$count" -lt "$LARGE" ] || runs=1
            for given in known unknown; do
                words=("$STEKGUARD" lint "$work/tree/$root")
                [ "$given" = unknown ] || words+=(--server-version "$server=$version")
                now=$(median "$runs" "${words[@]}")
                awk -v server="$server" -v shape="$shape" -v given="$given" -v count="$count" \
                    -v now="$now" -v last="${before[$given]}" 'BEGIN {
                        split(now, n, " ")
                        printf "| %s | %s | %s | %d | %.3f | %.2f | %.0f |", server, shape, given,
                            count, n[1], n[2], n[3] / 1024
                        if (split(last, l, " ")) {
                            steps = log(count / l[4])
                            printf " %.2f | %.2f |\n", log(n[1] / l[1]) / steps, log(n[3] / l[3]) / steps
                        } else printf " | |\n" }'
                before[$given]="$now $count"
            done
            rm -rf "$work/tree"
        done
    done
done
