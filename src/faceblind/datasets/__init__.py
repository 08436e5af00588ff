"""Which files a folder holds, and which person each shows."""
