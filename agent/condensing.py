"""Let a model write a follow-up as a question that stands by itself, within a few seconds and in known words only.

It is shown questions of the person who asks, and no message. What it writes is a text to search for, and nothing else:
it is neither streamed nor kept, and without it the question is completed by program.
"""

from collections.abc import Sequence

from agent.conversations import Earlier
from agent.transcript import neutralise
from memory.search.terms import all_stems, keywords_of
from memory.stop_words import FUNCTION_WORDS, SAYING_WORDS
from time_expressions.folding import words_of

MOST_TURNS = 3
"""Earlier questions that the model is shown, the newest ones."""

LONGEST = 300
"""Characters of a question, as it is shown and as it may be written."""

_PROMPT = """\
Write the last question so that it can be understood without the others. Use the words of these questions only, and
answer nothing.

{earlier}
Last question: {question}
Written out:"""


def condensing_prompt(question: str, history: Sequence[Earlier]) -> str:
    """Return what a model is asked: the last questions of somebody, each on a line."""
    turns = [f"Question: {neutralise(turn.question[:LONGEST])}\n" for turn in history[-MOST_TURNS:]]
    return _PROMPT.format(earlier="".join(turns), question=neutralise(" ".join(question.split())[:LONGEST]))


def condensed(written: str, question: str, history: Sequence[Earlier]) -> str | None:
    """Return the question that a model wrote, None when it is not made of the words of the questions.

    It must say all that the last question says, and more than that.
    """
    lines = [line.strip(" \"'*") for line in written[: 4 * LONGEST].splitlines() if line.strip()]
    text = lines[0].removeprefix("Written out:").strip() if lines else ""
    if not 0 < len(text) <= LONGEST:
        return None
    known = all_stems(" ".join([question, *(turn.question for turn in history[-MOST_TURNS:])]))
    new = [word for word in words_of(text) if word not in FUNCTION_WORDS | SAYING_WORDS and not all_stems(word) & known]
    said = all_stems(text)
    lost = [word for word in keywords_of(question) if word.stems.isdisjoint(said)]
    adds = {word.text for word in keywords_of(text)} > {word.text for word in keywords_of(question)}
    return text if adds and not new and not lost else None
