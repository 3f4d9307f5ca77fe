"""Know what may not be kept: of whom, of which channels, and of which times."""
