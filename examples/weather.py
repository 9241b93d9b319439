"""Publishes the days of a CSV file to a topic, over HTTP.

    python3 examples/weather.py seattle-weather.csv weather:seattle --per-second 10

Each row is one message: a map of the columns, with numbers as numbers. A server with keys needs --key ID.SECRET.
"""

import argparse
import csv
import json
import sys
import time
import urllib.request


def value(text):
    try:
        return float(text)
    except ValueError:
        return text


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
    with open(options.file, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            data = {column: value(text) for column, text in row.items()}
            number = publish(options.url, options.key, options.topic, data)
            time.sleep(1 / options.per_second)
    print(f"{options.topic}: published up to number {number}")


if __name__ == "__main__":
    main()
