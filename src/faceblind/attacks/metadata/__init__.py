"""What the files say in words: names, dates, identifiers."""
