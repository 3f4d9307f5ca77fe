"""What a question asks for: topic, times, places and people."""
