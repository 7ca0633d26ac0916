#!/usr/bin/env bash
# stekguard beside other programs that read the same configurations, on one machine, one after
# the other: a table of medians and ratios in Markdown on stdout.
#
#   benches/compare.sh [HOSTS] [RUNS]     2000 virtual hosts, 5 runs
#
# STEKGUARD names the binary; without it a release build is made. crossplane and gixy-ng
# come from PyPI into a folder of their own; augeas, the servers and GNU time
# are the distribution's, installed by apt-get where they are missing and this user may. A program
# that is missing all the same has a row that says so. The trees come from benches/trees.
# Everything else on the machine should rest: wall time counts what others take.
set -euo pipefail

HERE=$(cd "$(dirname "$0")" && pwd)
HOSTS=${1:-2000}
RUNS=${2:-5}
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/stekguard/bench
# A program that takes longer than this in its first run is run only once.
LONG=10

say() { printf '%s\n' "$*" >&2; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if [ -z "${STEKGUARD:-}" ]; then
    (cd "$HERE/.." && cargo build --release --locked --bin stekguard >&2)
    target=${CARGO_TARGET_DIR:-$HERE/../target}
    STEKGUARD=$target/release/stekguard
fi
PATH=$PATH:/usr/sbin:/usr/local/sbin
packages=()
command -v nginx >/dev/null || packages+=(nginx)
command -v apache2 >/dev/null || command -v httpd >/dev/null || packages+=(apache2)
command -v augtool >/dev/null || packages+=(augeas-tools)
command -v openssl >/dev/null || packages+=(openssl)
[ -x /usr/bin/time ] || packages+=(time)
python3 -c 'import ensurepip' 2>/dev/null || packages+=(python3-venv)
if [ ${#packages[@]} -gt 0 ] && command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    say "installing ${packages[*]}"
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${packages[@]}" >&2 ||
        say "not all of them could be installed"
fi
PEERS="crossplane==0.5.8 gixy-ng==0.2.59"
if [ "$(cat "$CACHE/peers" 2>/dev/null)" != "$PEERS" ]; then
    say "installing $PEERS into $CACHE"
    python3 -m venv "$CACHE"
    # Words of the list are names.
    # shellcheck disable=SC2086
    "$CACHE/bin/pip" install --quiet $PEERS >&2 && printf '%s' "$PEERS" >"$CACHE/peers" ||
        say "not all of them could be installed"
fi
nginx=$(command -v nginx || echo /usr/sbin/nginx)
apache=$(command -v apache2 || command -v httpd || echo /usr/sbin/apache2)

say "writing trees of $HOSTS virtual hosts"
rustc --edition 2024 -O "$HERE/trees/write.rs" -o "$work/write"
openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost -days 2 \
    -keyout "$work/tls.key" -out "$work/tls.crt" 2>"$work/openssl"
for server in nginx apache; do
    "$work/write" "$server" plain "$HOSTS" "$work/$server"
    cp "$work/tls.key" "$work/tls.crt" "$work/$server/"
done
"$work/write" nginx findings "$HOSTS" "$work/nginx-findings"
"$work/write" apache findings "$HOSTS" "$work/apache-findings"
N=$work/nginx/nginx.conf
A=$work/apache/httpd.conf
cat >"$work/augeas" <<END
transform Httpd.lns incl $work/apache/httpd.conf
transform Httpd.lns incl $work/apache/sites/*.conf
load
END

# What is run: group, name, exit codes that are success, command.
jobs=(
    "nginx|stekguard lint, version unknown|0|$STEKGUARD lint $N"
    "nginx|stekguard lint, version given|0|$STEKGUARD lint --server-version nginx=1.28.3 $N"
    "nginx|stekguard inspect|0|$STEKGUARD inspect $N"
    "nginx|nginx -t|0|$nginx -t -c $N"
    "nginx|crossplane parse|0|$CACHE/bin/crossplane parse $N"
    "nginx|gixy-ng|0 1|$CACHE/bin/gixy $N"
    "nginx, findings|stekguard lint, version unknown|1|$STEKGUARD lint $work/nginx-findings/nginx.conf"
    "nginx, findings|stekguard fix, version unknown|1|$STEKGUARD fix $work/nginx-findings/nginx.conf"
    "nginx, findings|stekguard lint, version given|1|$STEKGUARD lint --server-version nginx=1.28.3 $work/nginx-findings/nginx.conf"
    "nginx, findings|stekguard fix, version given|1|$STEKGUARD fix --server-version nginx=1.28.3 $work/nginx-findings/nginx.conf"
    "httpd|stekguard lint, version unknown|0|$STEKGUARD lint $A"
    "httpd|stekguard lint, version given|0|$STEKGUARD lint --server-version apache=2.4.62 $A"
    "httpd|stekguard inspect|0|$STEKGUARD inspect $A"
    "httpd|apache2 -t|0|$apache -t -f $A"
    "httpd|augeas|0|augtool --noautoload --file $work/augeas"
    "httpd, findings|stekguard lint, version unknown|1|$STEKGUARD lint $work/apache-findings/httpd.conf"
    "httpd, findings|stekguard fix, version unknown|1|$STEKGUARD fix $work/apache-findings/httpd.conf"
    "httpd, findings|stekguard lint, version given|1|$STEKGUARD lint --server-version apache=2.4.62 $work/apache-findings/httpd.conf"
    "httpd, findings|stekguard fix, version given|1|$STEKGUARD fix --server-version apache=2.4.62 $work/apache-findings/httpd.conf"
)

# One run: wall, processor seconds, peak in KiB, or a word where it failed.
one() {
    local good=$1 code=0
    shift
    if ! command -v "$1" >/dev/null; then
        echo missing
        return
    fi
    /usr/bin/time -o "$work/time" -f '%e %U %S %M' "$@" >/dev/null 2>"$work/err" || code=$?
    case " $good " in
        *" $code "*) tail -n 1 "$work/time" | awk '{ print $1, $2 + $3, $4 }' ;;
        *) say "exit code $code: $*"; tail -n 3 "$work/err" >&2; echo "failed ($code)" ;;
    esac
}

for ((run = 1; run <= RUNS; run++)); do
    say "run $run of $RUNS"
    for index in "${!jobs[@]}"; do
        IFS='|' read -r _ _ good command <<<"${jobs[$index]}"
        first=$work/result.$index
        if [ "$run" -gt 1 ] && awk -v long="$LONG" 'NR == 1 { exit !($1 !~ /^[0-9]/ || $1 > long) }' "$first"; then
            continue
        fi
        # Words of a command hold no spaces.
        read -ra words <<<"$command"
        one "$good" "${words[@]}" >>"$first"
    done
done

median() { # column file
    awk -v column="$1" '{ print $column }' "$2" | sort -n |
        awk '{ all[NR] = $1 } END { print (all[int((NR + 1) / 2)] + all[int(NR / 2) + 1]) / 2 }'
}

printf '%s, %s cores (%s), %s: %s virtual hosts in %s files, medians of up to %s runs\n\n' \
    "$(date -u +%Y-%m-%d)" "$(nproc)" \
    "$(awk -F': ' '/model name/ { print $2; exit }' /proc/cpuinfo)" \
    "$("$STEKGUARD" --version)" "$HOSTS" "$((HOSTS + 1))" "$RUNS"
printf '| configuration | program | wall s | processor s | peak MiB | wall ratio | processor ratio |\n'
printf '|---|---|---:|---:|---:|---:|---:|\n'
group=
for index in "${!jobs[@]}"; do
    IFS='|' read -r kind name _ _ <<<"${jobs[$index]}"
    file=$work/result.$index
    if ! grep -q '^[0-9]' "$file"; then
        printf '| %s | %s | %s | | | | |\n' "$kind" "$name" "$(head -n 1 "$file")"
        continue
    fi
    wall=$(median 1 "$file") cpu=$(median 2 "$file") peak=$(median 3 "$file")
    if [ "$group" != "$kind" ]; then
        group=$kind base_wall=$wall base_cpu=$cpu
    fi
    awk -v kind="$kind" -v name="$name" -v wall="$wall" -v cpu="$cpu" -v peak="$peak" \
        -v bw="$base_wall" -v bc="$base_cpu" 'BEGIN {
            printf "| %s | %s | %.2f | %.2f | %.0f | %.1f | %.1f |\n", kind, name, wall, cpu, peak / 1024,
                wall / (bw > 0 ? bw : 0.01), cpu / (bc > 0 ? bc : 0.01) }'
done
