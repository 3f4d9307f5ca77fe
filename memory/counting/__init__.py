"""Questions for numbers and lists, and the counting that answers them."""
