"""python memory.py BASE_URL TOKEN: lists all contacts, prints their number and the most memory it took, in KiB."""

import re
import sys
from pathlib import Path

import privy

client = privy.Client(base_url=sys.argv[1], token=sys.argv[2])
count = sum(1 for contact in client.contacts.list() if contact.id)
print(count, re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1])
