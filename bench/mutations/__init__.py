"""Change one thing in true answers, and count how often proof notices."""
