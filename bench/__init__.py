"""Measures privy and its peers: `make bench` installs them, runs everything in turns and writes RESULTS.md."""
