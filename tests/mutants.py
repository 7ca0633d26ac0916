#!/usr/bin/env python3
"""Runs the mutants that cargo-mutants finds, all of them in one build.

cargo-mutants builds the project once for each mutant, which is half a minute each here. This
asks it for the list only (`cargo mutants --list --json`), copies the tree, and writes every
mutant into its function behind a switch: `if mutant(17) { mutated body } else { body }`. One
build then holds them all; the environment variable STEKGUARD_MUTANT says which one is in force.
A mutant that does not compile is found by the compiler's own messages and left out (unviable).
What cannot stand behind a switch (a `const fn`, `-> impl Trait`, a value outside of functions)
is applied by itself and built for itself.

    python3 tests/mutants.py run --shard 1/5 --work /tmp/mutants
    python3 tests/mutants.py more --shard 1/5 --work /tmp/mutants    # what was missed, more suites
    python3 tests/mutants.py again --shard 1/5 --work /tmp/mutants   # what was missed, new tests
    python3 tests/mutants.py report --shard 1/5 --work /tmp/mutants

It must not change the tree it is started in. Needs cargo-mutants 27.
"""

import argparse
import bisect
import collections
import concurrent.futures
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# The switch. It reads the environment once; 0 is the program as it is.
SWITCH = """
pub(crate) fn stekguard_mutant(number: u32) -> bool {
    static CHOSEN: std::sync::OnceLock<u32> = std::sync::OnceLock::new();
    let chosen = CHOSEN.get_or_init(|| {
        std::env::var("STEKGUARD_MUTANT").ok().and_then(|text| text.parse().ok()).unwrap_or(0)
    });
    *chosen == number
}
"""

# Suites that may kill a room's mutants, cheap ones first; `more` tries what they missed with MORE,
# `again` with both.
SUITES = {
    "model": "model_nginx model_apache mutants_killed lib sites rules suppression fix",
    "rules": "mutants_killed rules lib sites suppression fix",
    "schedule": "lib mutants_killed keys_core",
    "fix": "lib mutants_killed fix_lists fix_places fix rules fix_write fix_files formats_sarif",
}
MORE = {
    "model": "refusals_nginx expanded cli formats source_apache first_contact",
    "rules": "rule_docs formats cli settings expanded first_contact",
    "schedule": "fleet_status keys_generator keys_memory keys_doctor keys_files",
    "fix": "fix_interactive fix_validate cli formats first_contact settings fix_faults",
}


def room(mutant):
    """The room a mutant is counted in."""
    parts = mutant["file"].split("/")
    return {"keys": "schedule", "app": "fix"}.get(parts[1], parts[1])


def listed(shard, names=None):
    """What cargo-mutants proposes, in its own order, numbered from 1; with `names` only those of
    that file, a name a line."""
    command = ["cargo", "mutants", "--list", "--json", "--diff"]
    if shard:
        command += ["--shard", shard, "--sharding", "round-robin"]
    out = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    mutants = json.loads(out)
    for number, mutant in enumerate(mutants, 1):
        mutant["number"] = number
    if names:
        kept = set(Path(names).read_text().splitlines())
        mutants = [mutant for mutant in mutants if mutant["name"] in kept]
    return mutants


def offset(lines, at):
    """The index of a 1-based line and column (in characters) in the text."""
    return lines[at["line"] - 1] + at["column"] - 1


def line_starts(text):
    starts = [0]
    for found in re.finditer("\n", text):
        starts.append(found.end())
    return starts


TOKEN = re.compile(
    r"""//[^\n]*|/\*.*?\*/|b?r(?P<h>\#*)".*?"(?P=h)|b?"(?:\\.|[^"\\])*"|b?'(?:\\.[^']*|[^'\\])'|[{}]""",
    re.S,
)


def braces(text):
    """Each closing brace's index with that of the opening one; strings and comments skipped."""
    stack, pairs = [], {}
    for found in TOKEN.finditer(text):
        if found.group() == "{":
            stack.append(found.start())
        elif found.group() == "}":
            pairs[found.start()] = stack.pop()
    return pairs


def mutated(text, starts, mutant):
    """Start, end and what stands there instead."""
    span = mutant["span"]
    return offset(starts, span["start"]), offset(starts, span["end"]), mutant["replacement"]


def agrees(text, mutant):
    """Whether our edit is the one of cargo-mutants' own diff."""
    start, end, new = mutated(text, line_starts(text), mutant)
    mine = text[:start] + new + " /* ~ changed by cargo-mutants ~ */" + text[end:]
    squeezed = "".join(mine.split())
    added = [line[1:] for line in mutant["diff"].splitlines()[2:] if line.startswith("+")]
    return all("".join(line.split()) in squeezed for line in added)


def alone(text, mutant):
    """Whether a mutant cannot stand behind a switch."""
    function = mutant["function"]
    if not function:
        return True
    starts = line_starts(text)
    head = text[offset(starts, function["span"]["start"]) : offset(starts, function["span"]["end"])]
    signature = head[: head.find("{")]
    return bool(re.search(r"\bconst\s+(unsafe\s+)?fn\b", signature)) or "-> impl " in signature


def switched(text, mutants):
    """The file with its mutants behind switches; the lines of each mutant's copy."""
    starts, pairs = line_starts(text), braces(text)
    groups = collections.OrderedDict()
    for mutant in mutants:
        span = mutant["function"]["span"]
        groups.setdefault((offset(starts, span["start"]), offset(starts, span["end"])), []).append(mutant)
    merged = []
    for (begin, end), members in sorted(groups.items()):
        if merged and begin < merged[-1][1]:
            merged[-1][2].extend(members)
        else:
            merged.append((begin, end, members))
    out, at, places = [], 0, []
    length = 0

    def put(piece):
        nonlocal length
        out.append(piece)
        length += len(piece)

    for begin, end, members in merged:
        close = text.rindex("}", begin, end)
        opening = pairs[close]
        put(text[at : opening + 1])
        for mutant in members:
            start, stop, new = mutated(text, starts, mutant)
            put(f"\nif crate::stekguard_mutant({mutant['number']}) {{")
            first = length
            put(text[opening + 1 : start] + new + text[stop:close])
            places.append((first, length, mutant["number"]))
            put("\n} else ")
        put("{")
        put(text[opening + 1 : close])
        put("\n}\n")
        at = close
    put(text[at:])
    whole = "".join(out)
    new_starts = line_starts(whole)

    def line(index):
        return bisect.bisect_right(new_starts, index)

    return whole, [(line(a), line(b), number) for a, b, number in places]


class Tree:
    """A copy of the project with all mutants switched in, and what was built from it."""

    def __init__(self, work):
        self.path = work / "tree"
        self.env = dict(os.environ, CARGO_TARGET_DIR=os.environ.get("MUTANTS_TARGET", str(work / "target")))
        self.env["CARGO_INCREMENTAL"] = "1"

    def copy(self, except_for):
        """Brings the tree up to date, by contents, so that what is unchanged is not rebuilt."""
        names = subprocess.run(
            ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True, text=True
        ).stdout.splitlines()
        for name in set(names) - except_for:
            self.write(name, (ROOT / name).read_bytes() if (ROOT / name).exists() else None)
            if (ROOT / name).exists():
                shutil.copymode(ROOT / name, self.path / name)

    def write(self, name, data):
        path = self.path / name
        if data is None:
            path.unlink(missing_ok=True)
            return
        if isinstance(data, str):
            data = data.encode()
        if path.exists() and path.read_bytes() == data:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def cargo(self, *arguments):
        """Messages of a cargo command, and whether it went well."""
        done = subprocess.run(
            ["nice", "-n", "15", "cargo", *arguments, "--message-format=json"],
            cwd=self.path, env=self.env, capture_output=True, text=True,
        )
        messages = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        return messages, done.returncode == 0, done.stderr

    def binaries(self, suites):
        """Builds the suites; the path of each one's program."""
        arguments = ["test", "--no-run"]
        for suite in suites:
            arguments += ["--lib"] if suite == "lib" else ["--test", suite]
        messages, fine, stderr = self.cargo(*arguments)
        if not fine:
            sys.exit("does not build: " + stderr[-3000:])
        found = {}
        for message in messages:
            if message.get("executable") and message["profile"]["test"]:
                target = message["target"]
                found["lib" if "lib" in target["kind"] else target["name"]] = message["executable"]
        return found


def originals(mutants):
    return {name: (ROOT / name).read_text() for name in sorted({m["file"] for m in mutants})}


def instrument(tree, texts, mutants, unviable):
    """Writes the switched files; where each mutant's copy is."""
    places = {}
    for name, text in texts.items():
        members = [m for m in mutants if m["file"] == name and m["number"] not in unviable]
        whole, lines = switched(text, members)
        places[name] = lines
        tree.write(name, whole)
    return places


def build(tree, texts, mutants, known, log):
    """Switches in what compiles. Gives the numbers of those that do not, and those to do alone."""
    single = {m["number"] for m in mutants if alone(texts[m["file"]], m)}
    unviable = dict(known)
    lib = (ROOT / "src/lib.rs").read_text()
    tree.write("src/lib.rs", lib + SWITCH)
    for attempt in range(40):
        left_out = set(unviable) | single
        places = instrument(tree, texts, mutants, left_out)
        messages, fine, stderr = tree.cargo("check", "--lib")
        if fine:
            return unviable, single
        new = {}
        for message in messages:
            inner = message.get("message") or {}
            if message.get("reason") != "compiler-message" or inner.get("level") != "error":
                continue
            for span in inner["spans"]:
                if not span["is_primary"]:
                    continue
                here = [n for a, b, n in places.get(span["file_name"], []) if a <= span["line_start"] <= b]
                for number in here[-1:]:
                    new.setdefault(number, inner["message"])
                if not here and span["file_name"] in places:
                    print("error outside of a mutant:", span["file_name"], span["line_start"], inner["message"], file=log)
                    function_of = [n for a, b, n in places[span["file_name"]] if b <= span["line_start"]]
                    single.update(function_of[-1:])
        print(f"attempt {attempt}: {len(new)} do not compile", file=log, flush=True)
        unviable.update(new)
        if not new and not (single - left_out):
            sys.exit("cannot tell which mutant does not compile: " + stderr[-3000:])
    sys.exit("too many attempts")


def limits():
    """A mutant that allocates for ever ends by itself."""
    resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def one_suite(tree, program, number, seconds):
    """`passed`, `failed` with the first test that did, or `timeout`."""
    env = dict(tree.env, STEKGUARD_MUTANT=str(number), RUSTC_BOOTSTRAP="1", CARGO_MANIFEST_DIR=str(tree.path))
    env.pop("STEKGUARD_CORPORA", None)
    command = ["nice", "-n", "15", program, "--quiet", "-Z", "unstable-options", "--fail-fast"]
    child = subprocess.Popen(
        command, cwd=tree.path, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, errors="replace", start_new_session=True, preexec_fn=limits,
    )
    try:
        output, _ = child.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        child.communicate()
        return "timeout", ""
    if child.returncode == 0:
        return "passed", ""
    found = re.search(r"^---- (\S+) stdout", output, re.M)
    return "failed", found.group(1) if found else output[-200:]


class Times:
    """Every suite has to pass without a mutant; its time sets the limit for one with."""

    def __init__(self, tree, programs, log):
        self.tree, self.programs, self.log = tree, programs, log
        self.known, self.lock = {}, threading.Lock()

    def limit(self, suite):
        with self.lock:
            if suite not in self.known:
                self.known[suite] = self.measure(suite)
        taken = self.known[suite]
        return None if taken is None else min(30 + 8 * taken, 400)

    def measure(self, suite):
        start = time.time()
        verdict, first = one_suite(self.tree, self.programs[suite], 0, 1200)
        taken = time.time() - start
        print(f"without a mutant: {suite} {verdict} {first} {taken:.1f} s", file=self.log, flush=True)
        # It cannot tell then, and is left out.
        return taken if verdict == "passed" else None


def try_mutant(tree, mutant, suites, programs, times):
    """The verdict on one mutant: which suite and test killed it, or that none did."""
    start = time.time()
    for suite in suites:
        limit = times.limit(suite)
        if limit is None:
            continue
        verdict, first = one_suite(tree, programs[suite], mutant["number"], limit)
        if verdict != "passed":
            outcome = "caught" if verdict == "failed" else "timeout"
            return {"outcome": outcome, "suite": suite, "test": first, "seconds": time.time() - start}
    return {"outcome": "missed", "suites": suites, "seconds": time.time() - start}


def try_alone(tree, texts, mutant, suites, times):
    """The same for a mutant that is built for itself; the tree is as before afterwards."""
    name = mutant["file"]
    path = tree.path / name
    before = path.read_text()
    text = texts[name]
    start, end, new = mutated(text, line_starts(text), mutant)
    tree.write(name, text[:start] + new + text[end:])
    try:
        _, fine, _ = tree.cargo("check", "--lib")
        if not fine:
            return {"outcome": "unviable"}
        programs = tree.binaries(suites)
        return try_mutant(tree, mutant, suites, programs, times)
    finally:
        tree.write(name, before)


class Results:
    """One JSON line a verdict; the last line of a mutant counts."""

    def __init__(self, work):
        self.path = work / "results.jsonl"

    def all(self):
        if not self.path.exists():
            return {}
        rows = [json.loads(line) for line in self.path.read_text().splitlines()]
        return {row["name"]: row for row in rows}

    def add(self, mutant, verdict):
        row = {"name": mutant["name"], "room": room(mutant), **verdict}
        with open(self.path, "a") as file:
            file.write(json.dumps(row) + "\n")


def wanted(arguments, mutants, results):
    """What is left to do, rooms in turn so that an interrupted run has seen all of them."""
    known = results.all()
    if arguments.what in ("again", "more"):
        chosen = [m for m in mutants if known.get(m["name"], {}).get("outcome") == "missed"]
    else:
        chosen = [m for m in mutants if m["name"] not in known]
    if arguments.what == "more":
        chosen = [m for m in chosen if not known[m["name"]].get("more")]
    if arguments.re:
        chosen = [m for m in chosen if re.search(arguments.re, m["name"])]
    seen = collections.Counter()
    totals = collections.Counter(room(m) for m in chosen)
    order = {}
    for mutant in chosen:
        seen[room(mutant)] += 1
        order[mutant["number"]] = seen[room(mutant)] / totals[room(mutant)]
    return sorted(chosen, key=lambda m: order[m["number"]])


def run(arguments):
    work = Path(arguments.work)
    work.mkdir(parents=True, exist_ok=True)
    log = open(work / "log", "a")
    mutants = listed(arguments.shard, arguments.names)
    texts = originals(mutants)
    wrong = [m["name"] for m in mutants if not agrees(texts[m["file"]], m)]
    if wrong:
        sys.exit("not the edit of cargo-mutants: " + "; ".join(wrong[:5]))
    tree, results = Tree(work), Results(work)
    tree.copy(except_for={*texts, "src/lib.rs"})
    chosen = wanted(arguments, mutants, results)
    before = results.all()
    known = {m["number"]: "" for m in mutants if before.get(m["name"], {}).get("outcome") == "unviable"}
    unviable, single = build(tree, texts, mutants, known, log)
    for mutant in mutants:
        if mutant["number"] in unviable and mutant["name"] not in before:
            results.add(mutant, {"outcome": "unviable", "why": unviable[mutant["number"]]})
    tables = {"run": [SUITES], "more": [MORE], "again": [SUITES, MORE]}[arguments.what]
    suites_of = {name: (arguments.suites or " ".join(t[name] for t in tables)).split() for name in SUITES}
    needed = sorted({s for m in chosen for s in suites_of[room(m)]})
    programs = tree.binaries(needed)
    times = Times(tree, programs, log)
    switched_in = [m for m in chosen if m["number"] not in unviable and m["number"] not in single]

    def judge(mutant):
        verdict = try_mutant(tree, mutant, suites_of[room(mutant)], programs, times)
        results.add(mutant, dict(verdict, more=arguments.what != "run"))
        print(verdict["outcome"], mutant["name"], f"{verdict['seconds']:.1f}", file=log, flush=True)

    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        list(pool.map(judge, switched_in))
    for mutant in chosen:
        if mutant["number"] in single and not arguments.no_single:
            verdict = try_alone(tree, texts, mutant, suites_of[room(mutant)], times)
            results.add(mutant, verdict)
            print(verdict["outcome"], "(alone)", mutant["name"], file=log, flush=True)
    report(arguments)


def report(arguments):
    """Counts by room, and what nothing has killed."""
    names = {m["name"] for m in listed(arguments.shard, arguments.names)}
    rows = [row for name, row in Results(Path(arguments.work)).all().items() if name in names]
    outcomes = ["caught", "timeout", "unviable", "missed"]
    print(f"{'room':10}" + "".join(f"{o:>10}" for o in outcomes) + f"{'all':>10}")
    for name in [*SUITES, "all"]:
        counts = collections.Counter(r["outcome"] for r in rows if name in ("all", r["room"]))
        print(f"{name:10}" + "".join(f"{counts[o]:10}" for o in outcomes) + f"{sum(counts.values()):10}")
    for row in rows:
        if row["outcome"] == "missed":
            print("missed:", row["name"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["run", "more", "again", "report"])
    parser.add_argument("--shard", help="k/n: every n-th mutant, as of cargo-mutants")
    parser.add_argument("--work", required=True, help="where the copy, the build and the results are")
    parser.add_argument("--names", help="only the mutants named in this file, a line each")
    parser.add_argument("--re", help="only mutants whose name has this expression")
    parser.add_argument("--suites", help="these suites instead of the room's own")
    parser.add_argument("--jobs", type=int, default=1, help="mutants at a time")
    parser.add_argument("--no-single", action="store_true", help="leave out what needs a build of its own")
    arguments = parser.parse_args()
    report(arguments) if arguments.what == "report" else run(arguments)


if __name__ == "__main__":
    main()
