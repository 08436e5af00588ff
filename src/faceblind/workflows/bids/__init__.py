"""BIDS in, BIDS out: whole datasets, a session at a time."""
