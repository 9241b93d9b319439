"""Publishes the days of a CSV file to a topic, over HTTP.

    python3 examples/weather.py seattle-weather.csv weather:seattle --per-second 10

Each row is one message: a map of the columns, with numbers as numbers. Rows that are not complete are skipped and counted:
those with another number of values than columns, with an empty value, or with one that is no finite number (nan, inf), which
JSON does not have. A server with keys needs --key ID.SECRET.
"""

import argparse
import csv
import json
import math
import sys
import time
import urllib.request


def value(text):
    try:
        return float(text)
    except ValueError:
        return text


def message(row):
    """The data of a row; None if the row is not complete."""
    # The reader gives missing values as None, and those beyond the last column as a list under None.
    if None in row or any(text is None or not text.strip() for text in row.values()):
        return None
    data = {column: value(text) for column, text in row.items()}
    is_finite = all(math.isfinite(number) for number in data.values() if isinstance(number, float))
    return data if is_finite else None


def publish(url, key, topic, data):
    """Publishes a message, and returns its number."""
    body = json.dumps({"channel": topic, "data": data}).encode()
    headers = {"Content-Type": "application/json"} | ({"X-API-Key": key} if key else {})
    request = urllib.request.Request(f"{url}/api/publish", body, headers)
    with urllib.request.urlopen(request, timeout=10) as response:
        answer = json.load(response)
    if "error" in answer:
        sys.exit(f"{topic}: {answer['error']['message']}")
    return answer["result"]["offset"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    parser.add_argument("topic")
    parser.add_argument("--url", default="http://127.0.0.1:8080")
    parser.add_argument("--key")
    parser.add_argument("--per-second", type=float, default=10)
    options = parser.parse_args()
    published, skipped, number = 0, 0, None
    with open(options.file, newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file)
        for row in rows:
            data = message(row)
            if data is None:
                skipped += 1
                print(f"line {rows.line_num}: the row is not complete", file=sys.stderr)
                continue
            number = publish(options.url, options.key, options.topic, data)
            published += 1
            time.sleep(1 / options.per_second)
    up_to = "" if number is None else f", up to number {number}"
    print(f"{options.topic}: {published} rows published{up_to}; {skipped} skipped that are not complete")


if __name__ == "__main__":
    main()
