"""A grammar of English phrases of time: words and rules in, spans of the calendar out."""
