"""schemathesis: the server answers requests made from its OpenAPI description, valid and not, as described."""

import pathlib
import subprocess
import sys

import pytest

from server import Server

# Enough for every operation, parameter and kind of invalid value; more examples found nothing more.
EXAMPLES = 5
DEADLINE_SECONDS = 300


@pytest.fixture(scope="module")
def market():
    with Server("--incidents", "none", rate=100) as server:
        yield server


def test_the_server_answers_as_its_description_says(market, tmp_path):
    schemathesis = pathlib.Path(sys.executable).with_name("schemathesis")
    # The same requests every time, so a failure can be repeated.
    fixed = ["--generation-deterministic", "--seed", "1", "--workers", "1", "--max-examples", str(EXAMPLES)]

    config = pathlib.Path(__file__).with_name("schemathesis.toml")
    command = [schemathesis, "--config-file", config, "run", f"{market.http}/openapi.json", *fixed]

    run = subprocess.run(command, cwd=tmp_path, text=True,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=DEADLINE_SECONDS)

    assert run.returncode == 0, run.stdout
