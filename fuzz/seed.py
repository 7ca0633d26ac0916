"""Turns configurations into inputs of the fuzz targets: seed.py OUT [FOLDER ...].

Reads testdata/, testdata/fuzz/ and the folders; writes OUT/TARGET/HASH. Judges nothing.
"""
import hashlib
import itertools
import os
import re
import sys

from pack import unescape

LARGEST = 16 * 1024
OPTIONS = (b"policy", b"unsafe_fixes", b"rule", b"server_version", b"fail_on", b"profile")
SKIPPED = (".json", ".txt", ".md", ".py", ".verdict", ".html", ".tsv")


def files(folders):
    for folder in folders:
        for place, names, files in os.walk(folder):
            names.sort()
            for name in sorted(files):
                path = os.path.join(place, name)
                if name.endswith(SKIPPED) or not os.path.isfile(path):
                    continue
                with open(path, "rb") as file:
                    text = file.read(LARGEST + 1)
                if len(text) <= LARGEST:
                    yield path, text


def is_apache(path, text):
    section = re.search(rb"(?m)^\s*<\w", text)
    return bool(section) or b"SSLEngine" in text or "apache" in path or "httpd" in path


def trees(folder, root):
    """A folder's files in the form of the `includes` target, with this root."""
    parts = [open(os.path.join(folder, root), "rb").read()]
    for path, text in files([folder]):
        name = os.path.relpath(path, folder)
        if name != root:
            parts.append(b"%%f " + name.removeprefix("etc/").encode() + b"\n" + text)
    return b"\n".join(parts)


def dump(folder, root):
    """The same as `nginx -T` prints it."""
    out = []
    rest = sorted(p for p, _ in files([folder]) if os.path.relpath(p, folder) != root)
    for path in [os.path.join(folder, root), *rest]:
        name = "/" + os.path.relpath(path, folder)
        out.append(b"# configuration file " + name.encode() + b":\n" + open(path, "rb").read() + b"\n")
    return b"".join(out)


def values(text):
    """Words behind directives."""
    for line in text.split(b"\n"):
        words = line.strip().rstrip(b";{>").split(None, 1)
        if len(words) == 2 and len(words[1]) < 120:
            yield words[1].strip()
            yield words[1].split()[0]


def guides():
    for name in os.listdir("docs/guides"):
        with open(os.path.join("docs/guides", name), "rb") as file:
            yield name, file.read()


def small(kind, text, how):
    """The text as a file that a root includes."""
    if len(text) > 800:
        return
    if kind == "apache":
        root = b"Listen 443\nInclude conf-enabled/*.conf\nIncludeOptional apache2/%d.conf\n" % (how % 3)
        yield "includes", bytes([1 + 2 * (how % 8)]) + root + b"%%f apache2/conf-enabled/a.conf\n" + text
        return
    root = b"events {}\nhttp {\n    include conf.d/*.conf;\n}\n"
    yield "includes", bytes([2 * (how % 8)]) + root + b"%%f nginx/conf.d/a.conf\n" + text
    root = b"events{}\nhttp{ include parts/*; }\n"
    dumped = [(b"main", root), (b"parts/a", text)]
    parts = [b"# configuration file /srv/a/%s:\n%s\n" % part for part in dumped]
    yield "expanded", b"".join(parts)
    yield "fix_nginx", bytes([how % 5, how * 7 % 256]) + b"".join(parts)


def inputs(folders):
    variants = itertools.cycle(range(256))
    for path, text in files(folders):
        kind = "apache" if is_apache(path, text) else "nginx"
        yield f"{kind}_tree", text
        how = next(variants)
        yield f"fix_{kind}", bytes([how % 5 + 128 * (how % 2), how * 7 % 256]) + text
        for value in values(text):
            yield "values", value
        yield from small(kind, text, how)
        if b"stekguard:" in text:
            yield "suppression", text
        else:
            remark = b"# stekguard: ignore[tickets-without-rotation] why\n"
            yield "suppression", remark + text
    for folder in folders:
        for place, _, names in os.walk(folder):
            for root, how in (("nginx.conf", 0), ("apache2.conf", 1), ("httpd.conf", 1)):
                if root not in names:
                    continue
                yield "includes", bytes([how]) + trees(place, root)
                if how == 0:
                    yield "expanded", dump(place, root)
                    yield "fix_nginx", b"\x01\x00" + dump(place, root)
    for path, text in sorted(guides()):
        for block in re.findall(rb"```toml\n(.*?)```", text, re.S):
            yield "settings", block
    with open("testdata/fleet/vectors.json", "rb") as file:
        for record in re.findall(rb'"([0-9a-f]{80,})"', file.read()):
            yield "fleet_record", b"\x00" + bytes.fromhex(record.decode())
            yield "fleet_record", b"\x01" + bytes.fromhex(record.decode())[:-64]
    for module in ("resumption", "resumption_info", "ticket_keys"):
        head = b'{"protocol": 1, "module": "' + module.encode() + b'", "check_mode": true, "arguments": '
        for name, value in itertools.product(OPTIONS, (b'"a, b"', b"[1, 2]", b"true", b"null")):
            arguments = b'{"path": "/etc/nginx", "%s": %s' % (name, value)
            yield "ansible", b"\x00" + head + arguments + b"}}"
            yield "ansible", b"\x01" + arguments + b', "_ansible_check_mode": true}'


def committed():
    folder = "testdata/fuzz"
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), encoding="ascii") as file:
            for line in file:
                yield name.removesuffix(".txt"), unescape(line.rstrip("\n"))


def main():
    out, *folders = sys.argv[1:]
    counts = {}
    for target, text in itertools.chain(inputs(["testdata", *folders]), committed()):
        if len(text) > LARGEST:
            continue
        place = os.path.join(out, target)
        os.makedirs(place, exist_ok=True)
        with open(os.path.join(place, hashlib.sha1(text).hexdigest()), "wb") as file:
            file.write(text)
        counts[target] = counts.get(target, 0) + 1
    for target, count in sorted(counts.items()):
        print(f"{target}: {count} seeds")


main()
