"""The error tree: each name says what the one who catches it should do.

BackscrollError
├── OperatorError                 fix what the sentence says, then start again (exit status 2)
│   ├── SettingsError             a setting has no usable value
│   ├── SessionError              the session's name or folder cannot be used
│   ├── SessionInUseError         another process uses this storage folder, or has these shards
│   ├── InputFileError            a file that was given cannot be read as what it should be
│   ├── DatabaseSetupError        a database refuses us, or is not one that we can use
│   │   └── MissingExtensionError it lacks an extension that we need
│   ├── EmbeddingModelError       the embedding model is unknown, or not the one memory was made with
│   ├── ChatModelError            the language model is unknown or its package or key is missing
│   └── DiscordSetupError         Discord refuses the token or the intents
├── TemporaryError                the same call may work later
│   ├── DatabaseUnavailableError  PostgreSQL did not answer, or does not do this now
│   │   └── StatementFailedError  it answered with an error: other statements may still work
│   ├── DiscordUnavailableError   Discord did not answer, or answered that it has trouble
│   ├── JournalUnavailableError   the session's CSV cannot be written just now
│   ├── ModelUnavailableError     a language or embedding model failed or was too slow
│   │   ├── PromptTooLongError    it reads less at once: fewer messages may fit
│   │   └── UnusableAnswerError   it answered, but with nothing that may be shown
│   ├── WebUnavailableError       a site of the web did not answer, or not with what it should
│   └── BusyError                 too many questions are under way, and more wait
├── RefusedPlaceError             Discord does not let us read this channel or thread
└── RefusedRowError               the database will never take this row
"""


class BackscrollError(Exception):
    """Base of every error that this program raises on purpose."""


class OperatorError(BackscrollError):
    """Something that the person who starts the program can correct; `str(error)` is one sentence for them."""


class SettingsError(OperatorError):
    """A setting has no usable value."""


class SessionError(OperatorError):
    """The session's name or folder cannot be used."""


class SessionInUseError(OperatorError):
    """Another process uses this storage folder, or runs the same shards on one short-term memory."""


class InputFileError(OperatorError):
    """A file that was given cannot be read as what it should be."""


class DatabaseSetupError(OperatorError):
    """A database refuses us, or is not one that we can use."""


class MissingExtensionError(DatabaseSetupError):
    """A database lacks an extension that we need."""


class EmbeddingModelError(OperatorError):
    """The embedding model is unknown, or is not the one that the memory was made with."""


class ChatModelError(OperatorError):
    """The language model is unknown, or its package or key is missing."""


class DiscordSetupError(OperatorError):
    """Discord refuses the token or the intents."""


class TemporaryError(BackscrollError):
    """A service outside this process failed; the same call may work later."""


class DatabaseUnavailableError(TemporaryError):
    """PostgreSQL did not answer, broke the connection, or does not do this now."""


class StatementFailedError(DatabaseUnavailableError):
    """PostgreSQL answered with an error, whose kind its `sqlstate` names; other statements may still work."""

    def __init__(self, sentence: str, *, sqlstate: str) -> None:
        super().__init__(sentence)
        self.sqlstate = sqlstate


class DiscordUnavailableError(TemporaryError):
    """Discord did not answer, or answered that it has trouble."""


class JournalUnavailableError(TemporaryError):
    """The session's CSV cannot be written just now; the disk may be full."""


class ModelUnavailableError(TemporaryError):
    """A language or embedding model failed, or took longer than it may."""


class PromptTooLongError(ModelUnavailableError):
    """A language model reads less at once than it was given; it may answer from less."""


class UnusableAnswerError(ModelUnavailableError):
    """A language model answered, but with nothing that may be shown: its server is well."""


class WebUnavailableError(TemporaryError):
    """A site of the web did not answer, or not with what it should."""


class BusyError(TemporaryError):
    """Too many questions are under way, and there is no place in the queue, or the turn did not come in time."""


class RefusedPlaceError(BackscrollError):
    """Discord does not let us read a channel or thread; `str(error)` says why in a few words."""


class RefusedRowError(BackscrollError):
    """The database will never take this row, however often it is tried."""


def first_line(error: BaseException) -> str:
    """Return the first line of the message of any error, or the name of its class when it has none."""
    return (str(error).splitlines() or [type(error).__name__])[0]
