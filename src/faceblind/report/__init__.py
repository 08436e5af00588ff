"""Results as pages for people: self-contained HTML, one for everybody and one for the owner."""
