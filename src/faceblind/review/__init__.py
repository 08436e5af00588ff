"""The review app: a local page on which a person decides on each protected scan."""
