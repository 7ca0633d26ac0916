"""Packs fuzz corpora for the replay test: pack.py CORPUS [FOLDER ...] writes testdata/fuzz.

Takes the smallest inputs of CORPUS/TARGET and leaves out those that have text in common with the
folders (configurations of others) which is nowhere in the project. An input a line: printable ASCII
stands for itself, other bytes as \\xNN, \\n or \\t.
"""
import os
import sys

MOST = 300
# A repair takes many times as long as a tree.
MOST_REPAIRS = 200
LONGEST = 2500
ROOM = 120_000
SHINGLE = 16


def escape(text):
    out = []
    for byte in text:
        if byte == 0x5C:
            out.append("\\\\")
        elif byte == 0x0A:
            out.append("\\n")
        elif byte == 0x09:
            out.append("\\t")
        elif 0x20 <= byte <= 0x7E:
            out.append(chr(byte))
        else:
            out.append(f"\\x{byte:02x}")
    return "".join(out)


def unescape(line):
    out = bytearray()
    at = 0
    while at < len(line):
        if line[at] != "\\":
            out.append(ord(line[at]))
            at += 1
            continue
        kind = line[at + 1]
        if kind == "x":
            out.append(int(line[at + 2 : at + 4], 16))
            at += 4
            continue
        out.append({"n": 10, "t": 9, "\\": 92}[kind])
        at += 2
    return bytes(out)


def shingles(text):
    return {text[at : at + SHINGLE] for at in range(len(text) - SHINGLE + 1)}


def below(folders):
    found = set()
    for folder in folders:
        for place, _, names in os.walk(folder):
            for name in names:
                path = os.path.join(place, name)
                if os.path.isfile(path):
                    with open(path, "rb") as file:
                        found |= shingles(file.read())
    return found


def main():
    corpus, *others = sys.argv[1:]
    own = below(["testdata", "grammars", "tests", "docs", "src", "fuzz"])
    foreign = below(others) - own
    os.makedirs("testdata/fuzz", exist_ok=True)
    for target in sorted(os.listdir(corpus)):
        folder = os.path.join(corpus, target)
        texts = {open(os.path.join(folder, name), "rb").read() for name in os.listdir(folder)}
        texts = sorted((text for text in texts if len(text) <= LONGEST), key=lambda it: (len(it), it))
        kept = [text for text in texts if text and not shingles(text) & foreign]
        # Over all sizes, not the smallest only.
        most = MOST_REPAIRS if target.startswith("fix_") else MOST
        step = max(1, -(-len(kept) // most))
        lines = [escape(text) for text in kept[::step]]
        while sum(map(len, lines)) + len(lines) > ROOM:
            lines.pop()
        with open(f"testdata/fuzz/{target}.txt", "w", encoding="ascii") as file:
            file.writelines(line + "\n" for line in lines)
        print(f"{target}: {len(texts)} inputs, {len(kept)} own, {len(lines)} packed")


if __name__ == "__main__":
    main()
