"""Messages out: vectors, keywords, ranking and results."""
