"""Who and which places are called what, and where."""
