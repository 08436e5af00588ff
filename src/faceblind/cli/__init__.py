"""The command line: one thin file for each verb; the work is done by the Python interface."""
