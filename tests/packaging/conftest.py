"""The program under test: TAPECAST_BIN, or the debug build."""

import os
import pathlib
import subprocess

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("TAPECAST_BIN", str(TOP / "target/debug/tapecast"))


@pytest.fixture
def options_in_force(tmp_path):
    """Prints the options in force for the text of a configuration file; fails if the program does not take it."""

    def run(text, environment=None):
        file = tmp_path / "tapecast.toml"
        file.write_text(text)
        ours = {name: value for name, value in os.environ.items() if not name.startswith("TAPECAST_")}
        command = [PROGRAM, "config", "print", "--config", str(file)]
        done = subprocess.run(command, capture_output=True, text=True, env=ours | (environment or {}))
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run
