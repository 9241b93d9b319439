#!/usr/bin/env python3
"""Counts the machine's instructions for each update, and compares them with recorded counts.

    benches/instructions.py [--profile dev|release] [--record]

Times differ from run to run and from machine to machine; how many instructions a fixed piece of work takes does not. The
work is a test of the library (`src/session/instruction_tests.rs`): market, feed, hub and sessions with sockets that take
everything. It runs under callgrind of valgrind, which counts. Exits with 1 if some work takes over 5 % more than was recorded.

Only instructions of the program itself are counted. Those of the C library (memory, copies) depend on the machine's
version of it, and on which variants of its functions the processor has; that is why calls of it are counted instead.
What cannot be compared is said and not compared: another compiler, other flags, another kind of processor, no valgrind.
"""

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
RECORD = TOP / "benches/instructions.json"
TEST = "session::instruction_tests::the_work_that_is_counted_gives_each_session_what_it_subscribes_to"
COUNTED = "tapecast::session::instruction_tests::counted_work"
ALLOWED = 1.05
# They change the code that is generated, beside the profile.
FLAGS = re.compile(r"RUSTFLAGS|CARGO_ENCODED_RUSTFLAGS|CARGO_BUILD_\w+|CARGO_INCREMENTAL|CARGO_PROFILE_\w+|CARGO_TARGET_\w+_RUSTFLAGS")


class CannotCount(Exception):
    """Why this machine cannot count, or what it counts cannot be compared."""


def last_line(text: str) -> str:
    return (text.strip().splitlines() or ["without a message"])[-1]


def valgrind() -> tuple[str, dict[str, str]]:
    """The program and its environment: that of the machine, or that of Debian's package, unpacked into the tree."""
    if installed := shutil.which("valgrind"):
        return installed, {}
    unpacked = TOP / ".tools/bin/valgrind.bin"
    if not unpacked.exists():
        tool = [TOP / ".ci/debian-tool", "program", unpacked.name, "valgrind"]
        done = subprocess.run(tool, stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode != 0:
            raise CannotCount(f"valgrind is missing: {last_line(done.stderr)}")
    return str(unpacked), {"VALGRIND_LIB": str(TOP / ".tools/debian/usr/libexec/valgrind")}


def conditions(profile: str) -> dict[str, str]:
    """What the counts depend on beside the source."""
    version = subprocess.run(["rustc", "--version", "--verbose"], capture_output=True, text=True, check=True, cwd=TOP).stdout
    facts = dict(line.split(": ", 1) for line in version.splitlines() if ": " in line)
    flags = Path("/proc/cpuinfo").read_text() if sys.platform == "linux" else ""
    return {
        "rustc": f"{facts['release']} ({facts['commit-hash'][:9]})",
        "host": facts["host"],
        # Of the processor callgrind hides what it does not know. Some crates choose their code by this.
        "avx2": "yes" if re.search(r"\bavx2\b", flags) else "no",
        "flags": " ".join(f"{name}={value}" for name, value in sorted(os.environ.items()) if FLAGS.fullmatch(name)),
        "profile": profile,
    }


def build(profile: str) -> str:
    """Builds the tests of the library, unless they are; returns the program."""
    command = ["cargo", "test", "--locked", "--lib", "--no-run", "--message-format=json"]
    if profile == "release":
        command.append("--release")
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False, cwd=TOP)
    if done.returncode != 0:
        sys.exit("the tests of the library do not build")
    messages = (json.loads(line) for line in done.stdout.splitlines() if line.startswith("{"))
    artifacts = [it for it in messages if it.get("executable") and it["target"]["name"] == "tapecast"]
    return artifacts[-1]["executable"]


def counts_of(dump: Path, program: str) -> tuple[int, int]:
    """The instructions of the program itself in a dump of callgrind, and its calls of other objects."""
    names: dict[str, str] = {}

    def name(reference: str) -> str:
        """`(1) NAME` the first time, `(1)` from then on."""
        number, _, text = reference.partition(" ")
        if text:
            names[number] = text
        return names[number]

    instructions = calls = 0
    current = called = ""
    is_call = False
    for line in dump.read_text().splitlines():
        if line.startswith("ob="):
            current = name(line[3:])
        elif line.startswith("cob="):
            called = name(line[4:])
        elif line.startswith("calls="):
            if current == program and called and called != program:
                calls += int(line[6:].split()[0])
            called, is_call = "", True
        elif line and (line[0].isdigit() or line[0] in "+-*"):
            # The line behind a call has what the called function took.
            if not is_call and current == program:
                instructions += int(line.split()[1])
            is_call = False
    return instructions, calls


def count(program: str) -> dict[str, dict]:
    """Runs the work under callgrind: for each piece its unit, and instructions and calls for each."""
    valgrind_program, environment = valgrind()
    with tempfile.TemporaryDirectory() as folder:
        command = [
            valgrind_program,
            "--tool=callgrind",
            f"--callgrind-out-file={folder}/out",
            f"--toggle-collect={COUNTED}",
            f"--dump-after={COUNTED}",
            "--compress-pos=no",
            program,
            *("--exact", TEST, "--nocapture", "--test-threads=1"),
        ]
        # Nothing of the caller's environment changes what the program does.
        environment |= {"PATH": os.environ["PATH"], "HOME": folder, "RUST_BACKTRACE": "0"}
        done = subprocess.run(command, cwd=TOP, env=environment, capture_output=True, text=True, check=False)
        pieces = re.findall(r"^(?:.*\.\.\. )?counted: (\S+) (\d+) (.+)$", done.stdout, re.MULTILINE)
        if done.returncode != 0:
            if "test result: FAILED" in done.stdout:
                sys.exit(done.stdout + done.stderr)
            raise CannotCount(f"valgrind does not run here: {last_line(done.stderr)}")
        results = {}
        for number, (piece, units, unit) in enumerate(pieces, start=1):
            instructions, calls = counts_of(Path(f"{folder}/out.{number}"), program)
            if instructions == 0:
                raise CannotCount(f"callgrind does not see {COUNTED}")
            results[piece] = {"unit": unit, "instructions": round(instructions / int(units), 1), "calls": round(calls / int(units), 3)}
        return results


def compare(results: dict[str, dict], recorded: dict[str, dict]) -> list[str]:
    """Prints the counts beside those that are recorded; returns what became worse."""
    worse, better = [], []
    print(f"{'work':10} {'instructions':>12} {'recorded':>9} {'ratio':>6} {'calls of libc':>14} {'recorded':>9} {'ratio':>6}  per")
    for piece, now in results.items():
        cells, before = "", recorded.get(piece)
        for key, width in (("instructions", 12), ("calls", 14)):
            if not before:
                cells += f" {now[key]:{width}} {'':>9} {'':>6}"
                continue
            # One call more in a thousand updates is no regression.
            ratio = (now[key] + 0.001) / (before[key] + 0.001)
            cells += f" {now[key]:{width}} {before[key]:9} {ratio:6.3f}"
            if ratio > ALLOWED:
                worse.append(f"{piece}: {now[key]} {key} per {now['unit']}, {before[key]} recorded")
            better.extend([piece] if ratio < 1 / ALLOWED else [])
        print(f"{piece:10}{cells}  {now['unit']}")
    if recorded and (differing := recorded.keys() ^ results.keys()):
        worse.append(f"recorded and not counted, or counted and not recorded: {', '.join(sorted(differing))}")
    if better and not worse:
        print(f"less than before: {', '.join(dict.fromkeys(better))}. `make instructions-record` keeps it so.")
    return worse


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profile", choices=("dev", "release"), default="dev", help="of the build that is counted")
    parser.add_argument("--record", action="store_true", help="record the counts of the dev profile")
    options = parser.parse_args()
    try:
        if platform.machine() not in ("x86_64", "aarch64") or sys.platform != "linux":
            raise CannotCount("counted on Linux on x86-64 and ARM only")
        now = conditions(options.profile)
        valgrind()
        results = count(build(options.profile))
    except CannotCount as reason:
        if options.record:
            sys.exit(f"instructions are not counted: {reason}")
        print(f"instructions are not counted: {reason}")
        return
    if options.record:
        if now["profile"] != "dev" or now["flags"]:
            sys.exit(f"recorded is the dev profile without flags ({now['flags']})")
        RECORD.write_text(json.dumps({"conditions": now, "counts": results}, indent=1) + "\n")
    record = json.loads(RECORD.read_text()) if RECORD.exists() else {"conditions": now, "counts": {}}
    differing = {key: (value, now[key]) for key, value in record["conditions"].items() if value != now[key]}
    worse = compare(results, {} if differing else record["counts"])
    if differing:
        reasons = ", ".join(f"{key} was `{was}` and is `{is_now}`" for key, (was, is_now) in differing.items())
        print(f"not compared with what is recorded: {reasons}")
    if worse:
        sys.exit("more than 5 % above the record:\n  " + "\n  ".join(worse) + "\nIf it is meant: make instructions-record")


if __name__ == "__main__":
    main()
