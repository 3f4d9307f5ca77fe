"""The stop words: words that say nothing of a topic, in a question as in a name."""


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


SAYING_WORDS = _words("""
    talk talks talked talking speak speaks spoke spoken speaking say says said saying tell tells told telling
    discuss discusses discussed discussing chat chats chatted chatting converse conversed mention mentions mentioned
    mentioning write writes wrote written writing post posts posted posting share shares shared sharing state stated
    ask asks asked asking express expressed communicate communicated happen happens happened happening
    summarise summarises summarised
    summarize summarized recap recall remind show shows showed list describe described explain explained
    anything everything something nothing thing things stuff know knows
    message messages msg msgs conversation conversations discussion discussions channel channels thread threads
    transcript summary overview gist rundown synopsis
""")
"""Verbs of saying, and nouns for what was said: in a question for something else they say nothing of its topic."""
