#!/usr/bin/env bash
# How time and memory of `stekguard lint` grow with the number of virtual hosts: a table in
# Markdown on stdout. An exponent of 1 is linear.
#
#   benches/growth.sh [COUNT...]     1000 10000 100000
#
# STEKGUARD names the binary; without it a release build is made. Processor time is shown, not
# wall time: it does not count what other programs take.
set -euo pipefail

HERE=$(cd "$(dirname "$0")" && pwd)
counts=("$@")
[ ${#counts[@]} -gt 0 ] || counts=(1000 10000 100000)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ -z "${STEKGUARD:-}" ]; then
    (cd "$HERE/.." && cargo build --release --locked --bin stekguard >&2)
    STEKGUARD=${CARGO_TARGET_DIR:-$HERE/../target}/release/stekguard
fi
rustc --edition 2024 -O "$HERE/trees/write.rs" -o "$work/write"

printf '| server | tree | version | hosts | processor s | wall s | peak MiB | exponent of time | of memory |\n'
printf '|---|---|---|---:|---:|---:|---:|---:|---:|\n'
for server in nginx apache; do
    case $server in nginx) root=nginx.conf version=1.28.3 ;; *) root=httpd.conf version=2.4.62 ;; esac
    for shape in plain one-address snippet findings; do
        before= before_unknown=
        for count in "${counts[@]}"; do
            "$work/write" "$server" "$shape" "$count" "$work/tree"
            for given in known unknown; do
                words=("$STEKGUARD" lint "$work/tree/$root")
                last=$before_unknown
                if [ "$given" = known ]; then
                    words+=(--server-version "$server=$version")
                    last=$before
                fi
                code=0
                /usr/bin/time -o "$work/time" -f '%e %U %S %M' "${words[@]}" \
                    >/dev/null 2>"$work/err" || code=$?
                [ "$code" -le 1 ] || { cat "$work/err" >&2; exit 1; }
                now=$(tail -n 1 "$work/time")
                awk -v server="$server" -v shape="$shape" -v given="$given" -v count="$count" \
                    -v now="$now" -v last="$last" 'BEGIN {
                        split(now, n, " "); cpu = n[2] + n[3]
                        printf "| %s | %s | %s | %d | %.2f | %.2f | %.0f |", server, shape, given,
                            count, cpu, n[1], n[4] / 1024
                        if (split(last, l, " ")) {
                            steps = log(count / l[3])
                            printf " %.2f | %.2f |\n", log(cpu / l[1]) / steps, log(n[4] / l[2]) / steps
                        } else printf " | |\n" }'
                kept=$(awk -v now="$now" -v count="$count" 'BEGIN { split(now, n, " ")
                    print n[2] + n[3], n[4], count }')
                if [ "$given" = known ]; then before=$kept; else before_unknown=$kept; fi
            done
            rm -rf "$work/tree"
        done
    done
done
