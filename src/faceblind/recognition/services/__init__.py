"""Remote services that identify faces; the only code that sends pictures anywhere."""
