"""Messages findable: what the two indexes read of each, and the rows that hold it."""
