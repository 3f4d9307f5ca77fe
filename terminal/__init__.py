"""The terminal front end: the same capture and the same agent as Discord, without Discord."""
