"""Overviews of what memory holds: lists whose every line leads to a message, made without a language model."""
