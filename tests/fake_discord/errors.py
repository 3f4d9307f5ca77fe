"""What the fake Discord refuses."""


class ApiError(Exception):
    """A request that Discord answers with a status, a code of its own and a sentence."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(f"{status} {code} {message}")
        self.status = status
        self.code = code
        self.message = message
