"""Rules of the grammar, one module for each kind of time expression."""
