"""python upload.py HOW: sends a frame of 10,000 orders to a sandbox in this process.

Prints the number of orders that succeeded and the nanoseconds. HOW: frame (the DataFrame itself) or records (its
`to_dict("records")`, which is part of the time).
"""

import sys
import time

import pandas
import privy

COUNT = 10_000
HOW = {"frame": lambda frame: frame, "records": lambda frame: frame.to_dict("records")}


def frame_of(count: int) -> pandas.DataFrame:
    return pandas.DataFrame(
        {
            "order_id": range(1, count + 1),
            "email": [f"c{number}@example.com" for number in range(count)],
            "total": [number / 100 for number in range(count)],
            "currency": pandas.Categorical(["USD"] * count),
            "order_date": pandas.Timestamp("2026-05-12T10:00:00Z"),
            "total_items": [number % 5 for number in range(count)],
        }
    )


client = privy.Sandbox().client()
make = HOW[sys.argv[1]]
client.orders.upsert_many(make(frame_of(10))).run()  # what the first use imports
frame = frame_of(COUNT)
wall = time.perf_counter_ns()
report = client.orders.upsert_many(make(frame)).run()
print(report.succeeded, time.perf_counter_ns() - wall)
