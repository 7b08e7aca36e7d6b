"""A worker of the measurements: `python worker.py THEME CASE ARGUMENT...`, then lines on its input.

A theme is a module next to this file, a case a function of it that gives (work, answer): what to time, and what reports
the result as plain JSON.
"""

import gc
import importlib
import json
import sys
import time


def main() -> None:
    theme, name, *arguments = sys.argv[1:]
    work, answer = getattr(importlib.import_module(theme), name)(*arguments)
    for line in sys.stdin:
        command, *times = line.split()
        if command == "answer":
            print(json.dumps(answer(), ensure_ascii=False), flush=True)
            continue
        repeat = range(int(times[0]))
        gc.collect()
        wall, cpu = time.perf_counter_ns(), time.process_time_ns()
        for _ in repeat:
            work()
        cpu, wall = time.process_time_ns() - cpu, time.perf_counter_ns() - wall
        print(wall, cpu, flush=True)


main()
