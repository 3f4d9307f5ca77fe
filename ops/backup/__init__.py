"""Back up both memories, prove it, and put them back."""
