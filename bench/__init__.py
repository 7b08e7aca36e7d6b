"""Measures privy beside its peers: `make bench` installs them, runs everything in turns and writes RESULTS.md."""
