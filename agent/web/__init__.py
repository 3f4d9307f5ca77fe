"""What may be looked up outside of memory, which is off by default."""
