"""Messages in: the journal first, then short-term memory."""
