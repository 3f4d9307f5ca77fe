"""Tell whether a question asks for anything but what was said."""

from collections.abc import Iterator

from memory.folding import Token, tokens_of


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


FUNCTION_WORDS = _words("""
    a an the this that these those it its there here
    i me my you your he him his she her we us our they them their one ones someone somebody anyone anybody everyone
    everybody people folk folks guys all both each any some every other others else
    what which who whom whose when where why how whatever
    am is are was were be been being do does did done doing have has had having can could would should shall might must
    s t d ll m re ve isn aren wasn weren don doesn didn haven hasn hadn couldn
    about above according across after against along among around as at back before behind between by down during for
    from in inside into of off on onto out over per since through throughout till to together toward towards under
    until up upon via with within without
    and or but nor if so then than yet not no nope
    also again already actually basically briefly currently else ever exactly generally just mainly mostly much many
    more most lot lots only quickly quite rather really roughly shortly so specifically still too very well
    please pls plz thanks thank hey hi hello ok okay yes kindly
    sometime somewhere once ago earlier later lately recently then now
""")
"""Words, folded, that say nothing of a topic, contracted ones in the two parts that an apostrophe makes of them."""

_TALK_WORDS = _words("""
    talk speak spoke spoken say said tell told discuss chat converse mention cover touch bring brought come came raise
    address go went gone exchange write wrote written post share state express communicate
    happen occur transpire miss take took taken place
    summarise summarize sum recap recall remember remind list show give gave outline describe explain refresh
    catch fill find look see read know hear heard get got let like want help provide
    anything everything something nothing thing stuff topic subject matter theme sort kind type content detail point
    conversation discussion session dialogue chatter exchange message msg word channel thread transcript
    summary overview gist rundown highlight tl dr tldr digest synopsis
    main key important interesting notable major big whole entire full complete quick short brief general different
    various several few new part bit item
""")
"""Verbs of talking and of asking for a report, and nouns for talk as such; their endings may vary."""

_ENDINGS = ("s", "es", "d", "ed", "ing", "ies", "ied")


def asks_for_talk_alone(question: str, *, names: frozenset[str] = frozenset()) -> bool:
    """Tell whether a question, without its time, asks for nothing but what was said, or what these speakers said.

    "What did we talk about?" does, and "summarise the conversation"; "what did we say about the logo?" does not.
    `names` are the words, folded, by which it names speakers.
    """
    words = [token for token in tokens_of(question) if token.is_word]
    shouted = all(_is_shouted(word, question) for word in words)
    return all(_is_empty(word, question, shouted=shouted) or word.folded in names for word in words)


def _is_empty(word: Token, question: str, *, shouted: bool) -> bool:
    if word.folded in FUNCTION_WORDS:
        return shouted or len(word.folded) == 1 or not _is_shouted(word, question)  # "IT" and "US" are topics
    return any(form in _TALK_WORDS for form in _forms(word.folded))


def _is_shouted(word: Token, question: str) -> bool:
    return question[word.start : word.end].isupper()


def _forms(word: str) -> Iterator[str]:
    """Yield what a word may be without its ending: "chatting" may come from "chat", "sharing" from "share"."""
    yield word
    for ending in _ENDINGS:
        stem = word.removesuffix(ending)
        if stem != word:
            yield from (stem, f"{stem}e", f"{stem}y")
            if stem[-1:] == stem[-2:-1]:
                yield stem[:-1]
