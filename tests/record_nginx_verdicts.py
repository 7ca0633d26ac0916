#!/usr/bin/env python3
"""Records what nginx says about the cases of testdata/syntax/nginx.

Run it anywhere with nginx 1.22 or newer:

    tests/record_nginx_verdicts.py [--nginx PATH] [--modules DIR]

Beside each case `x.conf` it writes `x.verdict`: `ok`, or `LINE SENTENCE` as `nginx -t`
reports it; bytes that are not printable ASCII stand as \\xNN. A case whose first line is
`# included by: CONFIG` is included where CONFIG has `%`. Cases `lua_*` need DIR with
ndk_http_module.so and ngx_http_lua_module.so; without it they keep their verdicts, and the
script says so. `tokens.tsv` gets its second column: the word as nginx prints it back.
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
CASES = os.path.join(HERE, "..", "testdata", "syntax", "nginx")
INCLUDED_BY = b"# included by: "


def printable(data):
    return "".join(chr(b) if 32 <= b < 127 else "\\x%02x" % b for b in data)


def run(nginx, config, extra):
    """Runs `nginx -t`; gives the bytes of its complaint, or None where it accepts."""
    with tempfile.TemporaryDirectory() as scratch:
        options = f"{extra}pid {scratch}/pid; error_log stderr emerg;"
        command = [nginx, "-t", "-q", "-p", scratch, "-c", config, "-g", options]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode == 0:
        return None
    for line in done.stderr.split(b"\nnginx: configuration file")[0:1]:
        found = re.search(rb"\[emerg\] (?:[0-9#]+: )?(.*)", line, re.S)
        if found:
            return found.group(1)
    sys.exit(f"{config}: no sentence in {done.stderr!r}")


def verdict(nginx, path, extra):
    with open(path, "rb") as case:
        first = case.readline().rstrip(b"\r\n")
    config, scratch = path, None
    if first.startswith(INCLUDED_BY):
        scratch = tempfile.NamedTemporaryFile(suffix=".conf")
        scratch.write(first[len(INCLUDED_BY):].replace(b"%", path.encode()))
        scratch.flush()
        config = scratch.name
    complaint = run(nginx, config, extra)
    if complaint is None:
        return "ok"
    found = re.fullmatch(rb"(.*) in (.*):([0-9]+)", complaint.strip(), re.S)
    if not found or found.group(2) != path.encode():
        sys.exit(f"{path}: the complaint is about something else: {complaint!r}")
    return f"{int(found.group(3))} {printable(found.group(1))}"


def token(nginx, escaped):
    """Reads `daemon TOKEN;` and takes the token out of nginx's complaint."""
    raw = re.sub(rb"\\x([0-9a-f]{2})", lambda m: bytes([int(m[1], 16)]), escaped.encode())
    with tempfile.NamedTemporaryFile(suffix=".conf") as config:
        config.write(b"daemon " + raw + b";\n")
        config.flush()
        complaint = run(nginx, config.name, "")
    found = re.match(rb'invalid value "(.*)" in "daemon" directive', complaint or b"", re.S)
    if not found:
        sys.exit(f"{escaped}: not a single word: {complaint!r}")
    return found.group(1)


def escape(data):
    return "".join(chr(b) if 32 <= b < 127 and b != 92 else "\\x%02x" % b for b in data)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--nginx", default="/usr/sbin/nginx")
    parser.add_argument("--modules")
    arguments = parser.parse_args()
    lua = ""
    if arguments.modules:
        names = ["ndk_http_module.so", "ngx_http_lua_module.so"]
        lua = "".join(f"load_module {arguments.modules}/{name}; " for name in names)
    written = kept = 0
    for folder in ["ok", "err"]:
        for name in sorted(os.listdir(os.path.join(CASES, folder))):
            if not name.endswith(".conf"):
                continue
            path = os.path.realpath(os.path.join(CASES, folder, name))
            if name.startswith("lua_") and not lua:
                kept += 1
                continue
            extra = lua if name.startswith("lua_") else ""
            result = verdict(arguments.nginx, path, extra)
            if (result == "ok") != (folder == "ok"):
                print(f"{folder}/{name}: nginx says {result}", file=sys.stderr)
            with open(path[: -len(".conf")] + ".verdict", "w") as out:
                out.write(result + "\n")
            written += 1
    tokens = os.path.join(CASES, "tokens.tsv")
    with open(tokens) as lines:
        words = [line.rstrip("\n").split("\t")[0] for line in lines]
    with open(tokens, "w") as out:
        for word in words:
            out.write(f"{word}\t{escape(token(arguments.nginx, word))}\n")
    print(f"{written} verdicts and {len(words)} tokens written, {kept} kept (no --modules)")


if __name__ == "__main__":
    main()
