"""The words for saying and for what is said, in all their forms."""

from collections.abc import Iterator


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _forms(verb: str) -> Iterator[str]:
    """Yield a regular verb with its endings; one of "!" at its end doubles its last letter."""
    stem, doubled = verb.rstrip("!"), verb.endswith("!")
    yield stem
    if stem.endswith("y") and stem[-2] not in "aeiou":
        yield from (f"{stem[:-1]}ies", f"{stem[:-1]}ied", f"{stem}ing")
    elif stem.endswith("ee"):
        yield from (f"{stem}s", f"{stem}d", f"{stem}ing")
    elif stem.endswith("e"):
        yield from (f"{stem}s", f"{stem}d", f"{stem[:-1]}ing")
    else:
        base = stem + stem[-1] if doubled else stem
        yield from (f"{stem}es" if stem.endswith(("sh", "ch", "s", "x")) else f"{stem}s", f"{base}ed", f"{base}ing")


_REGULAR = """
    reply answer respond ask post mention suggest propose recommend explain share promise agree disagree warn report
    claim argue comment complain decide announce link upload paste state talk discuss chat! believe admit! confirm deny
    insist describe declare note remark offer request remind advise inform notify joke quote pledge assert object
    protest repeat reveal message text type thank apologise apologize invite urge predict estimate react summarise
    summarize debate concede acknowledge rant vent express contribute submit! forward publish whisper scream shout
    point add clarify stress emphasise emphasize conclude remember recall retort counter tweet dm ping vote attach
    communicate disclose list demand wonder question guess hint imply assume
"""
_IRREGULAR = """
    say says said saying tell tells told telling write writes wrote written writing think thinks thought thinking
    send sends sent sending speak speaks spoke spoken speaking mean means meant meaning feel feels felt feeling
    swear swears swore sworn swearing
"""

NOUNS_AS_WELL = frozenset(verb.rstrip("!") for verb in _REGULAR.split())
"""Verbs whose plain form may be a noun, "post" and "talk": they say something only behind "did" or the like."""

HELPING = _words("""
    do does did will would can could should may might must let to
    don doesn didn won wouldn couldn shouldn
""")
"""Verbs that such a plain form follows, contracted ones without their ending."""

SAYING = _words(_IRREGULAR) | frozenset(form for verb in _REGULAR.split() for form in _forms(verb))
"""The verbs by which somebody says, writes or posts something, folded, in all forms."""

WORDS_OF = _words("""
    message messages post posts word words comment comments remark remarks statement statements text texts contribution
    contributions opinion opinions view views viewpoint thought thoughts take takes idea ideas reply replies answer
    answers response responses question questions suggestion suggestions proposal proposals recommendation
    recommendations explanation explanations claim claims argument arguments complaint complaints announcement
    announcements warning warnings promise promises feedback advice reaction reactions stance position perspective
    msg msgs quote quotes objection objections
""")
"""Nouns for what somebody said."""

POSTED = _words("""
    link links url urls photo photos picture pictures pic pics image images file files attachment attachments video
    videos clip clips gif gifs meme memes screenshot screenshots document documents doc docs upload uploads report
    reports news update updates note notes story stories joke jokes tip tips recording recordings
""")
"""Nouns for what somebody posted."""

BRINGING = _words("bring brings brought bringing")
"""Forms of what says something with "up" behind it."""

BE = _words("is are was were am be been being get gets got getting")
"""Forms of the verbs that make a passive."""

CONTRACTED = _words("didn doesn don hasn haven hadn won wouldn couldn shouldn can isn wasn weren aren")
"""The beginnings of negated verbs, before the apostrophe."""

ADVERBS = _words("""
    also just ever actually really last first have had has having recently yesterday today originally then not never
    always already since still usually often once to do does did exactly specifically initially finally even only
    would could should will can might must later earlier previously again explicitly publicly
    himself herself themselves themself
""")
"""What may stand between somebody's name and the verb that belongs to it."""
