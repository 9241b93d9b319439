"""examples/weather.py: each complete row of a file is one message, and the others are counted."""

import json
import pathlib
import subprocess
import sys
import urllib.request

import pytest

from server import Server

EXAMPLE = pathlib.Path(__file__).resolve().parents[3] / "examples" / "weather.py"
DEADLINE_SECONDS = 60


@pytest.fixture(scope="module")
def market():
    with Server("--weather", "none", rate=100) as server:
        yield server


def publish(market, tmp_path, rows):
    file = tmp_path / "weather.csv"
    file.write_text("date,temp_max,weather\n" + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    topic = f"weather:{tmp_path.name[-12:]}"
    command = [sys.executable, EXAMPLE, file, topic, "--url", market.http, "--per-second", "1000"]
    run = subprocess.run(command, text=True, capture_output=True, timeout=DEADLINE_SECONDS)
    assert run.returncode == 0, run.stderr
    body = json.dumps({"channel": topic, "limit": -1}).encode()
    with urllib.request.urlopen(f"{market.http}/api/history", body, timeout=10) as answer:
        history = json.load(answer)["result"]["publications"]
    return [publication["data"] for publication in history], run


def test_rows_that_are_not_complete_are_skipped_and_counted(market, tmp_path):
    bad = ["2012-01-02,nan,rain", "2012-01-03,4.5", "2012-01-04,,sun", "2012-01-05,inf,sun", "2012-01-06,1,sun,more"]
    data, run = publish(market, tmp_path, ["2012-01-01,12.8,drizzle", *bad, "2012-01-07,7,rain"])

    assert data == [
        {"date": "2012-01-01", "temp_max": 12.8, "weather": "drizzle"},
        {"date": "2012-01-07", "temp_max": 7, "weather": "rain"},
    ]
    assert run.stdout.endswith(": 2 rows published, up to number 2; 5 skipped that are not complete\n")
    assert run.stderr.splitlines() == [f"line {line}: the row is not complete" for line in range(3, 8)]


def test_a_file_without_a_complete_row_publishes_nothing(market, tmp_path):
    data, run = publish(market, tmp_path, ["2012-01-01,nan,drizzle"])

    assert data == []
    assert run.stdout.endswith(": 0 rows published; 1 skipped that are not complete\n")
