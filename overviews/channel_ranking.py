"""Rank the channels of a catch-up: which to read, which to skim, which to skip, each with the reason.

A channel with its threads has the score

    score = 10 * replies to the person + 8 * mentions of the person
          + 2 * messages of people whom they talk with (FAMILIAR_COUNTED at most)
          + 2 * open questions (QUESTIONS_COUNTED at most)
          + reactions / 2 (REACTIONS_COUNTED at most)
          + log2(1 + messages)

People whom they talk with are those who replied to them, or to whom they replied, in the weeks before. A channel with
a reply or a mention, or with a score of READ_FROM, is to be read; one with a score of SKIM_FROM to be skimmed. The
weights are chosen, not learnt: what concerns the person outweighs what others like, and mere volume never makes a
channel worth reading.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Container, Iterable
from dataclasses import dataclass
from enum import StrEnum

from overviews.traces import Trace

FAMILIAR_COUNTED = 10
QUESTIONS_COUNTED = 5
REACTIONS_COUNTED = 20
READ_FROM = 20.0
SKIM_FROM = 10.5


class Verdict(StrEnum):
    """What to do with a channel."""

    READ = "read"
    SKIM = "skim"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class RankedChannel:
    """A channel with what happened in it; `first` is its first message, or the first that concerns the person."""

    channel_id: int
    first: Trace
    messages: int
    replies: int = 0
    mentions: int = 0
    familiar: int = 0
    """Messages of people whom the person talks with."""
    questions: int = 0
    reactions: int = 0

    @property
    def score(self) -> float:
        """How much it matters to the person."""
        return (
            10 * self.replies
            + 8 * self.mentions
            + 2 * min(self.familiar, FAMILIAR_COUNTED)
            + 2 * min(self.questions, QUESTIONS_COUNTED)
            + min(self.reactions, REACTIONS_COUNTED) / 2
            + math.log2(1 + self.messages)
        )

    @property
    def verdict(self) -> Verdict:
        """What to do with it."""
        if self.replies or self.mentions or self.score >= READ_FROM:
            return Verdict.READ
        return Verdict.SKIM if self.score >= SKIM_FROM else Verdict.SKIP

    @property
    def reason(self) -> str:
        """Why that, in words, what matters most first."""
        amounts = (
            (self.replies, "reply to you", "replies to you"),
            (self.mentions, "mention of you", "mentions of you"),
            (self.familiar, "message from people you talk with", "messages from people you talk with"),
            (self.questions, "open question", "open questions"),
            (self.reactions, "reaction", "reactions"),
            (self.messages, "message", "messages"),
        )
        said = [f"{amount:,} {one if amount == 1 else many}" for amount, one, many in amounts if amount]
        only = "only " if len(said) == 1 else ""
        return f"{only}{', '.join(said)}"


def concerns(trace: Trace, own_ids: Container[int]) -> bool:
    """Return whether a message replies to what the person said, or mentions them."""
    return trace.mentions or trace.reply_to in own_ids


def ranked_channels(
    traces: Iterable[Trace],
    *,
    own_ids: Container[int],
    familiar: Collection[str],
    questions: Iterable[Trace],
) -> list[RankedChannel]:
    """Return the channels of messages that others have sent, the one that matters most first.

    `traces` are in time order, `own_ids` the messages of the person, `familiar` the people whom they talk with, and
    `questions` the open ones among the messages.
    """
    by_channel: dict[int, list[Trace]] = defaultdict(list)
    for trace in traces:
        by_channel[trace.channel_id].append(trace)
    asked = Counter(question.channel_id for question in questions)
    ranked = [
        RankedChannel(
            channel_id,
            first=next((trace for trace in said if concerns(trace, own_ids)), said[0]),
            messages=len(said),
            replies=sum(trace.reply_to in own_ids for trace in said),
            mentions=sum(trace.mentions and trace.reply_to not in own_ids for trace in said),
            familiar=sum(trace.author in familiar for trace in said),
            questions=asked[channel_id],
            reactions=sum(trace.reactions for trace in said),
        )
        for channel_id, said in by_channel.items()
    ]
    verdicts = list(Verdict)
    return sorted(ranked, key=lambda channel: (verdicts.index(channel.verdict), -channel.score, channel.channel_id))
