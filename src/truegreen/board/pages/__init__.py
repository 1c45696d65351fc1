"""One page a file: its document, from records and reviews. Pure; the clock is a value."""
