"""python frame.py HOW BASE_URL TOKEN: lists all contacts into a pandas.DataFrame.

Prints the number of rows, the nanoseconds and CPU nanoseconds, and the KiB by which the most memory grew. HOW: columns
(`to_pandas`) or records (a frame of dicts).
"""

import re
import sys
import time
from pathlib import Path

import pandas
import privy
import pyarrow

HOW = {
    "columns": lambda contacts: contacts.to_pandas(),
    "records": lambda contacts: pandas.DataFrame([contact.to_dict() for contact in contacts]),
}


def peak() -> int:
    return int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1])


client = privy.Client(base_url=sys.argv[2], token=sys.argv[3])
make = HOW[sys.argv[1]]
assert pyarrow.__version__
make(client.contacts.list(limit=100))  # what the first use imports
memory, wall, cpu = peak(), time.perf_counter_ns(), time.process_time_ns()
frame = make(client.contacts.list())
print(len(frame), time.perf_counter_ns() - wall, time.process_time_ns() - cpu, peak() - memory)
