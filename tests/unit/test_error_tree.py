"""The drawing in the docstring of `errors` is the tree that the classes form."""

import inspect
import re

import errors
from errors import BackscrollError


def drawn() -> dict[str, str | None]:
    """Return the parent of each class in the drawing; None for the root."""
    parents: dict[str, str | None] = {}
    branch: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        if found := re.match(r"([│├└─ ]*)([A-Z]\w+Error)\b", line):
            depth = len(found[1]) // 4
            branch = [*branch[:depth], found[2]]
            parents[found[2]] = branch[depth - 1] if depth else None
    return parents


def written() -> dict[str, str | None]:
    """Return the parent of each class as it is written."""
    classes = [one for _, one in inspect.getmembers(errors, inspect.isclass) if issubclass(one, BackscrollError)]
    return {one.__name__: None if one is BackscrollError else one.__bases__[0].__name__ for one in classes}


def test_the_drawing_shows_every_class_under_its_base() -> None:
    assert drawn() == written()


def test_every_error_says_what_it_means() -> None:
    assert [name for name in written() if not inspect.getdoc(getattr(errors, name))] == []
