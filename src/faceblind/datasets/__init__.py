"""Which files a folder holds, and of whom they are."""
