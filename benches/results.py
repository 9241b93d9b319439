"""Writes results into their section of README.md."""

import pathlib
import sys


def write_into(readme: pathlib.Path, section: str, text: str) -> None:
    """Replaces what an earlier run wrote between the two comments of the section."""
    begin, end = f"<!-- {section}: written by a program -->", f"<!-- {section}: end -->"
    before, found, rest = readme.read_text().partition(begin)
    _, ended, after = rest.partition(end)
    if not found or not ended:
        sys.exit(f"{readme} has no section {section}")
    readme.write_text(f"{before}{begin}\n\n{text.strip()}\n\n{end}{after}")
