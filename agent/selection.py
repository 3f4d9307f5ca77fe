"""Choose the messages that answer a question by themselves, or that stand for a stretch of time."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import inf
from typing import NamedTuple

from agent.refusal.features import Features, QuestionWords
from agent.refusal.weights import PROOF
from memory.message import Kind, Message, MessageKey
from memory.search.replies import answers_to, asks, only_asks
from memory.search.results import RankedMessage
from memory.search.terms import Weighed, keywords_of
from time_expressions.folding import words_of

LENGTH = 300
"""Characters of a quotation: two or three sentences."""

NAMES_ADD = 2.0
"""What it adds to a message's score to have the name of somebody whom the question names: an order, no threshold."""

MOST_QUOTES = 3
"""More is a list of search results, no answer."""

MOST_SPREAD = 5
"""Quotations that stand for a stretch of time: enough for its turns, few enough to read."""

MOST_WHOLE = 8
"""Messages of a stretch of time that are all quoted: nobody wants a choice of so few."""

SHORTEST_PASTED = 3
"""Words of a question that a message has just so, from which it is taken to be meant."""

NumberedLine = tuple[int, RankedMessage]
_Rated = tuple[NumberedLine, Features]


class Quote(NamedTuple):
    """A numbered line to quote, and the message that it answers when that is to be shown beside it."""

    number: int
    line: RankedMessage
    answers: Message | None = None


def best_lines(
    lines: Iterable[NumberedLine], *, topic: str, question: str, words: Sequence[Weighed] = ()
) -> list[Quote]:
    """Return up to MOST_QUOTES lines that answer a question, the best first; none when none is relevant.

    `topic` is what was searched for: the question without its time and place. Its telling `words` count for as much as
    each other unless they come with their weights. A message that has the question's very words comes first. In place
    of a message that asks, its answer is quoted where it got one.
    """
    messages = [(number, line) for number, line in lines if line.message.kind == Kind.MESSAGE]
    hits = [numbered for numbered in messages if numbered[1].hit]
    is_pasted = having_words(question)
    pasted = [Quote(*numbered) for numbered in hits if is_pasted(numbered[1].message)]
    if pasted and not any(asks(quote.line.message) for quote in pasted):
        return pasted[:MOST_QUOTES]
    relevant = _relevant(hits, words or [Weighed(word) for word in keywords_of(topic)])
    return _without_repeats([*pasted, *_with_answers(relevant, messages, topic)])[:MOST_QUOTES]


FALLS, RISES, LEAST = 0.65, 0.3, 0.05
"""How much less, and how much more, the likeness of a message's own words may be than its similarity, and its least.

Of the best eight messages for 44 questions about `db/sample.csv`, and for the same ones with somebody's name before or
behind them, it was 0.62 less to 0.30 more, and of the 369 of those that share a telling word none was less than 0.09
(all-MiniLM-L6-v2). Without such a word nothing answers that is so little alike.
"""


def undecided(lines: Iterable[NumberedLine], *, topic: str, words: Sequence[Weighed] = ()) -> frozenset[MessageKey]:
    """Return the hits of which the likeness of their own words decides whether they answer a question.

    The others answer it, or do not, however like it their words are within what is to be expected. In the
    order of those that do, likeness has so little weight that their similarity does as well.
    """
    hits = [(number, line) for number, line in lines if line.hit and line.message.kind == Kind.MESSAGE]
    question = _question(words or [Weighed(word) for word in keywords_of(topic)], hits)
    found = [(hit, _between(features)) for hit in hits if (features := question.features_of(hit[1]))]
    sure = [(hit, least) for hit, (least, _) in found if least.can_answer]
    unsure = [(hit, most) for hit, (least, most) in found if most.can_answer and not least.can_answer]
    return frozenset(line.message.key for (_, line), _ in _not_outshone(unsure, question, beside=sure))


def having_words(question: str) -> Callable[[Message], bool]:
    """Return what tells whether a message has the words of a question in their order, or is nothing but them."""
    words = words_of(question)
    is_whole = len(words) < SHORTEST_PASTED or not keywords_of(question)
    asked = f" {' '.join(words)} "

    def has_words(message: Message) -> bool:
        if not words:
            return False
        said = f" {' '.join(words_of(message.content))} "
        return said == asked if is_whole else asked in said

    return has_words


def spread_lines(lines: Iterable[NumberedLine]) -> list[Quote]:
    """Return the lines of a stretch of time, or up to MOST_SPREAD that stand for more than MOST_WHOLE, in time order.

    The lines, which come in time order, are parted into as many runs of one length; of each the wordiest is taken.
    """
    quotes = _without_repeats(Quote(*numbered) for numbered in lines if numbered[1].message.kind == Kind.MESSAGE)
    runs = len(quotes) if len(quotes) <= MOST_WHOLE else MOST_SPREAD
    parts = (quotes[run * len(quotes) // runs : (run + 1) * len(quotes) // runs] for run in range(runs))
    return [max(part, key=_wordiness) for part in parts]


def _relevant(hits: Sequence[NumberedLine], words: Sequence[Weighed]) -> list[NumberedLine]:
    """Return the hits that can answer and are not far outshone by the one that most likely does, the best first."""
    question = _question(words, hits)
    found = [(hit, features) for hit in hits if (features := question.features_of(hit[1]))]
    able = [(hit, features) for hit, features in found if features.can_answer]
    near = _not_outshone(able, question, beside=able)
    return [hit for hit, _ in sorted(near, key=lambda rated: -rated[1])]


def _question(words: Sequence[Weighed], hits: Sequence[NumberedLine]) -> QuestionWords:
    return QuestionWords(words, [line.message for _, line in hits])


def _not_outshone(
    lines: Sequence[_Rated], question: QuestionWords, *, beside: Sequence[_Rated]
) -> list[tuple[NumberedLine, float]]:
    """Return the lines that are not far outshone by the best that they stand `beside`, each with its odds.

    What is only alike stands back behind what has every telling word.
    """
    if any(features.share == 1.0 for _, features in beside):
        lines = [rated for rated in lines if rated[1].share]
        beside = [rated for rated in beside if rated[1].share]

    def odds(rated: _Rated) -> float:
        (_, line), features = rated
        return _odds(line, features, names=question.names_somebody_in(line.message))

    best = max(map(odds, beside), default=-inf)
    needed = min(best, PROOF.outshone * best)  # they have distances from the mean, and may be below 0
    return [(rated[0], value) for rated in lines if (value := odds(rated)) >= needed]


def _between(features: Features) -> tuple[Features, Features]:
    """Return the features of a message with the least and the greatest likeness that its own words may have."""
    if features.likeness is None:
        return features._replace(likeness=LEAST), features._replace(likeness=1.0)
    least = max(features.likeness - FALLS, min(features.likeness, LEAST))
    return features._replace(likeness=least), features._replace(likeness=features.likeness + RISES)


def _odds(line: RankedMessage, features: Features, *, names: bool) -> float:
    """Return the logarithm of the odds that a message proves an answer, but for a constant."""
    own = PROOF.likeness * (features.likeness or 0.0) + PROOF.share * features.share
    return PROOF.score * (line.score + NAMES_ADD * names) + own


def _with_answers(chosen: Sequence[NumberedLine], found: Sequence[NumberedLine], topic: str) -> list[Quote]:
    """Return the chosen lines with the answers in place of what only asks, and then what else was said in reply."""
    lines = {line.message.message_id: (number, line) for number, line in found}
    messages = [line.message for _, line in found]
    first: list[Quote] = []
    later: list[Quote] = []
    for number, line in chosen:
        answers = [
            Quote(*lines[answer.message_id], line.message) for answer in answers_to(line.message, messages, topic=topic)
        ]
        if answers and only_asks(line.message):
            first += answers
            continue
        before = lines.get(line.message.reply_to or 0)
        first.append(Quote(number, line, before[1].message if before and asks(before[1].message) else None))
        later += answers or _replies_found(line, lines, topic)
    return [*first, *later]


def _replies_found(line: RankedMessage, lines: Mapping[int, NumberedLine], topic: str) -> list[Quote]:
    """Return the replies to a line that the search found as well; of one that asks, its answer."""
    messages = [other.message for _, other in lines.values()]
    found: list[Quote] = []
    for number, reply in lines.values():
        if not reply.hit or reply.message.reply_to != line.message.message_id:
            continue
        answers = answers_to(reply.message, messages, topic=topic)
        found += [Quote(*lines[answer.message_id], reply.message) for answer in answers]
        if not asks(reply.message):
            found.append(Quote(number, reply, line.message))
    return found


def _wordiness(quote: Quote) -> int:
    """Return how many different words a line has; beyond what a quotation shows, more of them count for nothing."""
    return len(set(words_of(quote.line.message.content[:LENGTH])))


def _without_repeats(quotes: Iterable[Quote]) -> list[Quote]:
    first: dict[tuple[str, str, tuple[str, ...]], Quote] = {}
    for quote in quotes:
        message = quote.line.message
        files = tuple(file.name for file in message.attachments)
        first.setdefault((message.author_name, message.content, files), quote)
    return list(first.values())
