"""python start.py MODULE: imports it, prints nanoseconds of wall and CPU and the KiB of memory that this added."""

import sys
import time


def resident():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))


module = sys.argv[1]
memory, wall, cpu = resident(), time.perf_counter_ns(), time.process_time_ns()
__import__(module)
cpu, wall = time.process_time_ns() - cpu, time.perf_counter_ns() - wall
print(wall, cpu, resident() - memory)
