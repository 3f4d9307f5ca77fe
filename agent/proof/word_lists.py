"""Write lists of words as people read them, in one text with blanks between them."""


def listed(text: str) -> list[str]:
    """Return the words of a list."""
    return text.split()
