"""Read what was said before: the past of a server, and what was missed."""
