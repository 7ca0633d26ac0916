#!/bin/sh
# Records what httpd says of every file in testdata/syntax/apache: NAME.verdict beside
# NAME.conf holds `ok`, or `err LINE MESSAGE`. LINE is 0 where httpd names none.
# Usage: tests/record_apache_verdicts.sh   (HTTPD and HTTPD_MODULES name another httpd)
set -eu
cd "$(dirname "$0")/../testdata/syntax/apache"
httpd=${HTTPD:-apache2}
modules=${HTTPD_MODULES:-/usr/lib/apache2/modules}
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir "$root/logs"

for file in ok/*.conf err/*.conf; do
    if output=$(env -i PATH="$PATH" "$httpd" -t -d "$root" -f "$PWD/$file" \
        -C "LoadModule mpm_event_module $modules/mod_mpm_event.so" \
        -C "LoadModule authz_core_module $modules/mod_authz_core.so" \
        -C "LoadModule alias_module $modules/mod_alias.so" \
        -C "LoadModule macro_module $modules/mod_macro.so" 2>&1); then
        verdict=ok
    else
        verdict=$(printf '%s\n' "$output" | tr -d '\000' | awk -v file="$PWD/$file" '
            # Warnings stand above the error; a walk error has its message on the next line.
            /AH00526: Syntax error on line/ || /: Syntax error on line/ { found = 1 }
            found { gsub(file ":", ""); gsub(file, "FILE"); text = text (text ? " " : "") $0 }
            !found { last = $0 }
            END {
                if (!found) { print "err 0 " last; exit }
                line = text
                sub(/^.*Syntax error on line /, "", line)
                number = line
                sub(/[^0-9].*$/, "", number)
                sub(/^[0-9]+ of ("[^"]*"|.*)?: ?/, "", line)
                message = text
                sub(/^.*Syntax error on line [0-9]+ of /, "", message)
                sub(/^ /, "", message)
                sub(/^FILE: /, "", message)
                print "err " number " " message
            }')
    fi
    printf '%s\n' "$verdict" > "${file%.conf}.verdict"
    case $verdict in
        ok) [ "${file%%/*}" = ok ] || echo "$file: httpd accepts it" ;;
        *) [ "${file%%/*}" = err ] || echo "$file: $verdict" ;;
    esac
done
"$httpd" -v | sed -n 's/^Server version: Apache\///p' | cut -d' ' -f1 > httpd.version
