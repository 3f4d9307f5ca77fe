"""What the tests expect of words that an operator is shown."""

import re


def is_one_sentence(words: str) -> bool:
    return words.endswith(".") and "\n" not in words and len(re.findall(r"\.(\s|$)", words)) == 1
