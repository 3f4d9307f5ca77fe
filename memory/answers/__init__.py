"""Questions and answers as rows: until they are delivered, and for as long as somebody may look at them again."""
