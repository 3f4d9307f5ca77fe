"""What decides which messages can answer a question: fitted weights and thresholds, and how they were made.

`python -m bench.refusal --fit` fits such a table anew (docs/decisions/0019-what-answers-a-question.md); this one is of
every second question. Questions of two of LoCoMo's chats, asked of both, gave the weights by logistic regression; a
question stands for its best message. Those of four other chats gave the thresholds by split conformal prediction.
Nothing was fitted on the other four chats, nor on `bench/questions.tsv`.
"""

from typing import NamedTuple


class Weights(NamedTuple):
    """What each feature of a message adds to the logarithm of the odds that it can answer."""

    likeness: float
    share: float
    words: float
    constant: float
    threshold: float
    """What a message needs to be taken for an answer."""


FALSE_REFUSALS = 0.015
"""Share of the questions whose proof the search has found that the thresholds may refuse.

Those with a word that nobody has said come on top. To refuse where the proof was not found loses no answer.
"""

BY_ALL = Weights(likeness=7.45, share=3.60, words=0.96, constant=-6.50, threshold=-1.70)

BY_WORDS = Weights(likeness=0.00, share=4.67, words=1.04, constant=-4.38, threshold=-1.78)
"""The same where likeness is not known, as the embedding model is still loading."""


class Proof(NamedTuple):
    """What adds to the logarithm of the odds that a message proves an answer, of those that can answer."""

    score: float
    likeness: float
    share: float
    outshone: float
    """The part of the best message's that a message needs to be quoted beside it, by which F2 is highest."""


PROOF = Proof(score=0.37, likeness=0.34, share=1.04, outshone=0.65)
