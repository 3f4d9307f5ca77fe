"""Documents beside messages: read, cut into passages, found and cited."""
