"""Load exports of the journal in pandas and in DuckDB.

    tapecast journal export DIR --channel trades > trades.ndjson
    tapecast journal export DIR --channel quotes --format csv > quotes.csv
    python3 load_journal.py trades.ndjson quotes.csv

Needs: pip install pandas duckdb
"""

import sys

import duckdb
import pandas

trades_file, quotes_file = sys.argv[1:]

trades = pandas.read_json(trades_file, lines=True)
trades["t"] = pandas.to_datetime(trades["t"])
print(trades[["t", "S", "p", "s", "c", "sq"]].tail())
print(trades.set_index("t").groupby("S").resample("1min")["p"].ohlc().tail())

quotes = pandas.read_csv(quotes_file, parse_dates=["t"])
print((quotes["ap"] - quotes["bp"]).groupby(quotes["symbol"]).mean().tail())

# Keys of the protocol differ in case (S is the symbol, s the size) and DuckDB's column names do not, so the objects are
# read as JSON.
print(
    duckdb.sql(
        """
        SELECT json->>'$.S' AS symbol, count(*) AS trades, sum((json->>'$.s')::BIGINT) AS shares,
               sum((json->>'$.p')::DOUBLE * (json->>'$.s')::BIGINT) / shares AS vwap
        FROM read_ndjson_objects(?) WHERE json->>'$.T' = 't'
        GROUP BY symbol ORDER BY shares DESC LIMIT 5
        """,
        params=[trades_file],
    )
)
print(
    duckdb.sql(
        "SELECT symbol, count(*) AS quotes, min(t), max(t) FROM read_csv(?) GROUP BY symbol ORDER BY quotes DESC LIMIT 5",
        params=[quotes_file],
    )
)
