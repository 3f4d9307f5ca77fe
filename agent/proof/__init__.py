"""Proof of what a model wrote: sentence by sentence, against the messages that it cites."""
