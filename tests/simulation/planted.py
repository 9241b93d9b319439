#!/usr/bin/env python3
"""Plants the bugs of `planted/*.patch` in a copy of the tree, and searches for each by simulation.

    planted.py check           all patches apply to this tree
    planted.py run [NAME…]     builds the copy and searches for each; fails if one is not found

A patch is a unified diff behind its title and, where another test than the simulation is to find the bug, a line
`Test: MODULE`. Hunks are found by their text alone, so that other lines of a file may come and go. All bugs are planted
in one copy, which is built once: `planted::is("NAME")`, which the copy alone has, says which of them is there in a run.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PATCHES = sorted((ROOT / "tests/simulation/planted").glob("*.patch"))
SEEDS = 1000
# What a build of the library and its tests needs.
PLANTED_MODULE = pathlib.Path("src/planted.rs")
IS_PLANTED = """//! Which planted bug is there.

use std::env;
use std::sync::LazyLock;

static PLANTED: LazyLock<String> = LazyLock::new(|| env::var("PLANTED").unwrap_or_default());

/// Whether the bug of this name is there.
pub(crate) fn is(name: &str) -> bool {
    *PLANTED == name
}
"""
COPIED = ["Cargo.toml", "Cargo.lock", "build.rs", "src", "benches", "docs", "examples", "tests/support", "web/dist"]


class Patch:
    """A bug: its name, what it is, and the changes of files that make it."""

    def __init__(self, path):
        self.name = path.stem
        head, *files = re.split(r"^--- a/", path.read_text(), flags=re.MULTILINE)
        self.title = head.strip().splitlines()[0]
        named = re.search(r"^Test: (\S+)$", head, re.MULTILINE)
        self.test = named[1] if named else None
        self.hunks = [hunk for file in files for hunk in hunks(file)]


def hunks(text):
    """The hunks of one file: its path, the lines before and the lines after."""
    file = text.split("\n", 1)[0].strip()
    for hunk in re.split(r"^@@ .*@@.*\n", text, flags=re.MULTILINE)[1:]:
        lines = hunk.splitlines(keepends=True)
        before = "".join(line[1:] for line in lines if line[0] in " -")
        after = "".join(line[1:] for line in lines if line[0] in " +")
        yield file, before, after


def plant(patches, root):
    """The text of all files below a folder that the patches change. Raises `ValueError` for a hunk that does not fit."""
    changed = {}
    for patch in patches:
        for file, before, after in patch.hunks:
            text = changed.get(file) or (root / file).read_text()
            if text.count(before) != 1:
                raise ValueError(f"{patch.name}: a hunk fits {text.count(before)} times into {file}")
            changed[file] = text.replace(before, after)
    return changed


def copy_tree(to, planted):
    """Brings the copy up to date. Files that are the same keep their times, so that little is built."""
    for name in COPIED:
        source = ROOT / name
        files = [source] if source.is_file() else [file for file in source.rglob("*") if file.is_file()]
        for file in files:
            path = file.relative_to(ROOT)
            new = planted.pop(str(path)).encode() if str(path) in planted else file.read_bytes()
            target = to / path
            target.parent.mkdir(parents=True, exist_ok=True)
            if not target.exists() or target.read_bytes() != new:
                target.write_bytes(new)
    for file in (to / "src").rglob("*.rs"):
        path = file.relative_to(to)
        if not (ROOT / path).exists() and path != PLANTED_MODULE:
            file.unlink()


def cargo(arguments, tree, environment):
    command = ["cargo", "test", "--locked", "--quiet", "--lib", *arguments]
    result = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False)
    return result.returncode, result.stdout + result.stderr


def search(patch, tree, environment):
    """Searches for a bug; what was found, as a row of a table, or `None`."""
    simulate = ["session::simulation::simulate", "--", "--nocapture", "--ignored", "--exact"]
    arguments = [patch.test] if patch.test else simulate
    status, output = cargo(arguments, tree, environment | {"PLANTED": patch.name})
    if status == 0:
        return None
    (tree.parent / f"{patch.name}.txt").write_text(output)
    if patch.test:
        return "every schedule", f"`{patch.test}`", ""
    found = re.search(r"seed (\d+) breaks (.+?):", output)
    steps = re.search(r"shrunk from (\d+) to (\d+) steps", output)
    if not found or not steps:
        sys.exit(f"{patch.name}: no failure of the simulation:\n{output}")
    return found[1], found[2], f"{steps[1]} → {steps[2]}"


def main(arguments):
    patches = [Patch(path) for path in PATCHES]
    try:
        planted = plant(patches, ROOT)
    except (ValueError, OSError) as fault:
        sys.exit(f"{fault}\nThe source has changed: write the patch anew in tests/simulation/planted.")
    if arguments == ["check"]:
        print(f"{len(patches)} planted bugs apply to the tree")
        return 0
    if arguments[:1] != ["run"]:
        sys.exit(__doc__)
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target").resolve()
    tree = target / "planted" / "tree"
    planted["src/lib.rs"] = (ROOT / "src/lib.rs").read_text() + "mod planted;\n"
    copy_tree(tree, planted)
    module = tree / PLANTED_MODULE
    if not module.exists() or module.read_text() != IS_PLANTED:
        module.write_text(IS_PLANTED)
    environment = os.environ | {"CARGO_TARGET_DIR": str(target), "SIMULATE_SEEDS": str(SEEDS)}
    status, output = cargo(["--no-run"], tree, environment)
    if status != 0:
        sys.exit(f"the copy does not compile:\n{output}")
    missed = 0
    print("| bug | what it does | breaks | seed | steps |\n|---|---|---|---|---|", flush=True)
    for patch in patches:
        if arguments[1:] and patch.name not in arguments[1:]:
            continue
        found = search(patch, tree, environment)
        missed += found is None
        seed, invariant, steps = found or (f"not within {SEEDS}", "", "")
        print(f"| `{patch.name}` | {patch.title} | {invariant} | {seed} | {steps} |", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
