"""Choose the messages that answer a question by themselves, or that stand for a stretch of time."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from memory.message import Kind, Message
from memory.search.replies import answers_to, asks, only_asks
from memory.search.results import RankedMessage
from memory.search.terms import Weighed, all_stems, keywords_of, stems_in
from time_expressions.folding import words_of

LENGTH = 300
"""Characters of a quotation: two or three sentences."""

ALIKE_ENOUGH = 0.5
"""Likeness to the question from which a message is quoted: cosine similarity plus what shared words add."""

ALL_WORDS_ADD = 0.4
"""What having all the telling words of a question adds to a message's likeness, and half of their weight half as much.

Only words that the message has itself count: its lexical score is that of the messages before it as well.
"""

EACH_WORD_ADDS, MOST_WORDS = 0.03, 4
"""What each of these words adds besides, up to so many: one may be there by chance, four are not."""

UNKNOWN_WORDS_ADD = 0.2
"""How much more likeness is needed when no message at all has any of the telling words, and half as much for half."""

ENOUGH_WORDS = 0.5
"""Share of the telling words that a message needs to be quoted when nobody knows how alike it is."""

LIKENESS_ADDS = 5.0
"""What likeness adds to a fused score, which says little of how a message by itself is about the question."""

OUTSHONE_BY = 0.65
"""Share of the best score that a quotation needs: what falls further short was found for want of better."""

NAMES_ADD = 2.0
"""What it adds to a fused score to have the name of somebody whom the question names."""

MOST_QUOTES = 3
"""More is a list of search results, no answer."""

MOST_SPREAD = 5
"""Quotations that stand for a stretch of time: enough for its turns, few enough to read."""

MOST_WHOLE = 8
"""Messages of a stretch of time that are all quoted: nobody wants a choice of so few."""

SHORTEST_PASTED = 3
"""Words of a question that a message has just so, from which it is taken to be meant."""

NumberedLine = tuple[int, RankedMessage]


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
    pasted = [Quote(*numbered) for numbered in hits if has_words(numbered[1].message, question)]
    if pasted and not any(asks(quote.line.message) for quote in pasted):
        return pasted[:MOST_QUOTES]
    relevant = _relevant(hits, words or [Weighed(word) for word in keywords_of(topic)])
    return _without_repeats([*pasted, *_with_answers(relevant, messages, topic)])[:MOST_QUOTES]


def has_words(message: Message, question: str) -> bool:
    """Return whether a message has the words of a question in their order, or is nothing but them."""
    question_words, message_words = words_of(question), words_of(message.content)
    if len(question_words) < SHORTEST_PASTED or not keywords_of(question):
        return bool(question_words) and question_words == message_words
    return f" {' '.join(question_words)} " in f" {' '.join(message_words)} "


def spread_lines(lines: Iterable[NumberedLine]) -> list[Quote]:
    """Return the lines of a stretch of time, or up to MOST_SPREAD that stand for more than MOST_WHOLE, in time order.

    The lines, which come in time order, are parted into as many runs of one length; of each the wordiest is taken.
    """
    quotes = _without_repeats(Quote(*numbered) for numbered in lines if numbered[1].message.kind == Kind.MESSAGE)
    runs = len(quotes) if len(quotes) <= MOST_WHOLE else MOST_SPREAD
    parts = (quotes[run * len(quotes) // runs : (run + 1) * len(quotes) // runs] for run in range(runs))
    return [max(part, key=_wordiness) for part in parts]


def _relevant(hits: Sequence[NumberedLine], words: Sequence[Weighed]) -> list[NumberedLine]:
    """Return the hits that are about a topic and not far outshone by the best of them, the best first."""
    authors = all_stems(" ".join(line.message.author_name for _, line in hits))
    found_stems = frozenset[str]().union(*(stems_in(line.message) for _, line in hits))
    question = _QuestionWords(words, authors, found_stems=found_stems)
    worth = {number: found for number, line in hits if (found := question.worth_of(line)) is not None}
    has_all = any(share == 1.0 for share, _ in worth.values())  # what is only alike stands back behind it
    scores = {number: score for number, (share, score) in worth.items() if share or not has_all}
    best = max(scores.values(), default=0.0)
    needed = min(best, best * OUTSHONE_BY)  # scores are distances from the mean, and may be below it
    near = [numbered for numbered in hits if numbered[0] in scores and scores[numbered[0]] >= needed]
    return sorted(near, key=lambda numbered: -scores[numbered[0]])


class _QuestionWords:
    """The telling words of a question, without the names of authors of what was found, unless it has no other words."""

    def __init__(self, words: Sequence[Weighed], authors: frozenset[str], *, found_stems: frozenset[str]) -> None:
        self._names = [word.keyword for word in words if word.keyword.stems & authors]
        own = [word for word in words if not word.keyword.stems & authors]
        self._telling = own or [word for word in words if word.keyword.stems & found_stems]
        self._weight = sum(word.weight for word in self._telling)
        unknown = sum(word.weight for word in self._telling if not word.is_known)
        self._needed = ALIKE_ENOUGH + UNKNOWN_WORDS_ADD * (unknown / self._weight if self._weight else 0.0)

    def worth_of(self, line: RankedMessage) -> tuple[float, float] | None:
        """Return which share of the weight of all telling words a line has, and what it is worth as an answer.

        None when it is not about what is asked. A vector stands for who said a message too, so that all that Ana says
        is like a question about Ana: to be by somebody whom the question names is not enough, and to be about them is
        better.
        """
        stems = stems_in(line.message)
        having = [word for word in self._telling if word.keyword.stems & stems]
        if self._telling and not having and self._is_by_somebody_named(line.message):
            return None
        shared = self._share_of(having)
        added = ALL_WORDS_ADD * shared + EACH_WORD_ADDS * min(len(having), MOST_WORDS)
        likeness = (line.alike or 0.0) + added
        is_relevant = shared >= ENOUGH_WORDS if line.alike is None else likeness >= self._needed
        names = NAMES_ADD * any(name.stems & stems for name in self._names)
        return (shared, line.score + LIKENESS_ADDS * likeness + names) if is_relevant else None

    def _share_of(self, having: Sequence[Weighed]) -> float:
        if len(having) == len(self._telling):
            return float(bool(having))
        return sum(word.weight for word in having) / self._weight

    def _is_by_somebody_named(self, message: Message) -> bool:
        stems = all_stems(message.author_name)
        return any(name.stems & stems for name in self._names)


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
