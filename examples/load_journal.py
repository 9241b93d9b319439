"""Load an export of the journal in pandas and in DuckDB.

    tapecast journal export DIR --channel trades > trades.ndjson
    python3 load_journal.py trades.ndjson

Needs: pip install pandas duckdb
"""

import sys

import duckdb
import pandas

file = sys.argv[1]

trades = pandas.read_json(file, lines=True, dtype={"S": str, "sq": "int64"}, convert_dates=["t"])
print(trades[["t", "S", "p", "s", "c", "sq"]].tail())
bars = trades.set_index("t").groupby("S").resample("1min")["p"].ohlc()
print(bars.tail())

print(
    duckdb.sql(
        """
        SELECT S AS symbol, count(*) AS trades, sum(s)::BIGINT AS shares, sum(p * s) / sum(s) AS vwap
        FROM read_json(?, format = 'newline_delimited')
        WHERE T = 't' GROUP BY symbol ORDER BY shares DESC
        """,
        params=[file],
    )
)
