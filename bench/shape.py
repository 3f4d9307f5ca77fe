"""Count what decides how easily a source tree is read: names, private helpers, packages and the arrows between them.

Everything is counted from the syntax trees of the files, nothing is imported. "Source" is every Python file outside
`tests`, `bench`, hidden folders and virtual environments.

The drawing is counted as follows. A room is what the name of a module begins with: a package at the top or a module
beside it. An arrow leads from one room to another when any module of the first imports anything of the second,
wherever in the file the import stands. `bench` is a room, as whoever changes a package has to look there too; `tests`,
which import everything, are none. `__main__.py` is a script and no part of its package, as in
`tests/unit/test_layers.py`. Floors are the rooms of the longest chain of arrows, a circle of rooms being one floor.
Counted so, revision d766c37 has 22 rooms on 8 floors with 107 arrows.

A helper is a function of a module, not of a class, whose name begins with an underscore. It is used once when its name
occurs once in the module outside its own body. A gerund is a module whose last word ends in "ing", unless that word
names a thing (`THINGS`); names of packages are not looked at.
"""

import ast
import io
import subprocess
import tarfile
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from bench.inputs import told_in_a_sentence
from bench.tables import table
from errors import InputFileError

ROOT = Path(__file__).resolve().parent.parent

THINGS = {
    *("ceiling", "evening", "king", "morning", "ring", "sibling", "sing", "spring", "string", "thing", "wing"),
    *("embedding", "encoding", "meaning", "ranking", "setting", "warning"),
}
"""Words in "ing" that name a thing, everybody's and the field's; a "listing" or "reading" is what somebody does."""

LONG = 50
"""Lines of a function beyond which it is long."""

_TESTS, _BENCH = "tests", "bench"
_GIT_TIMEOUT = timedelta(minutes=1)

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Module:
    """A Python file: its path under the root, its syntax tree and how many lines it has."""

    path: Path
    tree: ast.Module
    lines: int

    @property
    def room(self) -> str:
        """What its dotted name begins with."""
        return self.path.parts[0].removesuffix(".py")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What was counted of a source tree; where names are counted, these are the names."""

    files: int
    lines: int
    test_files: int
    test_lines: int
    bench_files: int
    bench_lines: int
    classes_twice: tuple[str, ...]
    functions_twice: tuple[str, ...]
    gerunds: tuple[str, ...]
    helpers: tuple[str, ...]
    """Private functions of a module that it uses exactly once."""
    functions: int
    """All functions: of modules, of classes and within others."""
    rooms: tuple[str, ...]
    floors: int
    arrows: tuple[str, ...]
    circles: tuple[str, ...]
    median_length: int
    """Lines of a function, from its `def` to its end."""
    ninetieth_length: int
    share_of_long: float

    @property
    def share_of_helpers(self) -> float:
        """Which share of all functions are private and used once."""
        return len(self.helpers) / self.functions if self.functions else 0.0


LISTED: Mapping[str, Callable[[Shape], Sequence[str]]] = {
    "classes defined in two files": lambda shape: shape.classes_twice,
    "public functions defined in two files": lambda shape: shape.functions_twice,
    "modules named by a gerund": lambda shape: shape.gerunds,
    "private helpers used once": lambda shape: shape.helpers,
    "rooms": lambda shape: shape.rooms,
    "arrows between rooms": lambda shape: shape.arrows,
    "circles": lambda shape: shape.circles,
}
"""What is counted by its names."""

ROWS: Mapping[str, Callable[[Shape], float]] = {
    "source files": lambda shape: shape.files,
    "source lines": lambda shape: shape.lines,
    "test files": lambda shape: shape.test_files,
    "test lines": lambda shape: shape.test_lines,
    "bench files": lambda shape: shape.bench_files,
    "bench lines": lambda shape: shape.bench_lines,
    "classes defined in two files": lambda shape: len(shape.classes_twice),
    "public functions defined in two files": lambda shape: len(shape.functions_twice),
    "modules named by a gerund": lambda shape: len(shape.gerunds),
    "private helpers used once": lambda shape: len(shape.helpers),
    "... per cent of all functions": lambda shape: 100 * shape.share_of_helpers,
    "functions": lambda shape: shape.functions,
    "lines of a function, median": lambda shape: shape.median_length,
    "lines of a function, 90th percentile": lambda shape: shape.ninetieth_length,
    f"functions over {LONG} lines, per cent": lambda shape: 100 * shape.share_of_long,
    "rooms": lambda shape: len(shape.rooms),
    "floors": lambda shape: shape.floors,
    "arrows between rooms": lambda shape: len(shape.arrows),
    "circles": lambda shape: len(shape.circles),
}


def measure(root: Path) -> Shape:
    """Count the Python files under a folder; raise InputFileError for one that is not Python."""
    modules = read_modules(root)
    source = [module for module in modules if module.room not in {_TESTS, _BENCH}]
    functions = [function for module in source for function in _functions(module.tree)]
    lengths = [(function.end_lineno or function.lineno) - function.lineno + 1 for function in functions]
    arrows = find_arrows(module for module in modules if module.room != _TESTS and module.path.name != "__main__.py")
    median, ninetieth = np.percentile(lengths or [0], [50, 90], method="inverted_cdf")
    return Shape(
        **_sizes("", source),
        **_sizes("test_", [module for module in modules if module.room == _TESTS]),
        **_sizes("bench_", [module for module in modules if module.room == _BENCH]),
        classes_twice=_defined_twice(source, _class_names),
        functions_twice=_defined_twice(source, _public_function_names),
        gerunds=tuple(module.path.as_posix() for module in source if is_gerund(module.path.stem)),
        helpers=tuple(f"{module.path.as_posix()}: {name}" for module in source for name in helpers_used_once(module)),
        functions=len(functions),
        rooms=tuple(sorted(arrows)),
        floors=count_floors(arrows),
        arrows=tuple(f"{start} -> {end}" for start in sorted(arrows) for end in sorted(arrows[start])),
        circles=tuple(" ".join(sorted(circle)) for circle in find_circles(arrows)),
        median_length=int(median),
        ninetieth_length=int(ninetieth),
        share_of_long=sum(length > LONG for length in lengths) / len(lengths) if lengths else 0.0,
    )


def read_modules(root: Path) -> list[Module]:
    """Parse the Python files under a folder; raise InputFileError for one that is not Python."""
    paths = sorted(root.glob("*.py"))
    for folder in sorted(root.iterdir()):
        if folder.is_dir() and not folder.name.startswith(".") and not (folder / "pyvenv.cfg").exists():
            paths += sorted(folder.rglob("*.py"))
    return [_parse(path, root) for path in paths]


def _parse(path: Path, root: Path) -> Module:
    name = path.relative_to(root)
    try:
        text = path.read_text(encoding="utf-8")
        return Module(name, ast.parse(text), len(text.splitlines()))
    except (OSError, ValueError, SyntaxError) as error:
        raise InputFileError(f"{name} cannot be parsed as Python ({error}): correct or remove it.") from error


def _sizes(prefix: str, modules: Sequence[Module]) -> dict[str, int]:
    return {f"{prefix}files": len(modules), f"{prefix}lines": sum(module.lines for module in modules)}


def _functions(tree: ast.AST) -> Iterator[Function]:
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def _class_names(module: Module) -> Iterator[str]:
    return (node.name for node in ast.walk(module.tree) if isinstance(node, ast.ClassDef))


def _public_function_names(module: Module) -> Iterator[str]:
    return (node.name for node in module.tree.body if isinstance(node, Function) and not node.name.startswith("_"))


def _defined_twice(modules: Iterable[Module], names_of: Callable[[Module], Iterable[str]]) -> tuple[str, ...]:
    """Return the names that several files define, each with these files."""
    files: dict[str, list[str]] = defaultdict(list)
    for module in modules:
        for name in sorted(set(names_of(module))):
            files[name].append(module.path.as_posix())
    return tuple(f"{name}: {' '.join(paths)}" for name, paths in sorted(files.items()) if len(paths) > 1)


def is_gerund(name: str) -> bool:
    """Return whether the last word of a module's name says what is done."""
    word = name.rpartition("_")[2]
    return word.endswith("ing") and word not in THINGS


def helpers_used_once(module: Module) -> Iterator[str]:
    """Yield the private functions whose names occur exactly once outside their own bodies."""
    uses = _uses(module.tree)
    for node in module.tree.body:
        if isinstance(node, Function) and node.name.startswith("_") and uses[node.name] - _uses(node)[node.name] == 1:
            yield node.name


def _uses(tree: ast.AST) -> Counter[str]:
    return Counter(node.id for node in ast.walk(tree) if isinstance(node, ast.Name))


def find_arrows(modules: Iterable[Module]) -> dict[str, set[str]]:
    """Return for each room the rooms that it imports."""
    imported: dict[str, set[str]] = defaultdict(set)
    for module in modules:
        imported[module.room] |= {name.partition(".")[0] for name in _imported_names(module.tree)}
    return {room: (names & imported.keys()) - {room} for room, names in imported.items()}


def _imported_names(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:  # a relative one stays in its room
            yield node.module


def find_circles(arrows: Mapping[str, set[str]]) -> list[frozenset[str]]:
    """Return the sets of rooms that can all be reached from each other."""
    return [circle for circle in dict.fromkeys(_circle_of_each(arrows).values()) if len(circle) > 1]


def count_floors(arrows: Mapping[str, set[str]]) -> int:
    """Return how many rooms the longest chain of arrows has; those of a circle are counted as one."""
    circles = _circle_of_each(arrows)
    below = {
        circle: {circles[end] for room in circle for end in arrows[room]} - {circle} for circle in circles.values()
    }
    floors: dict[frozenset[str], int] = {}
    for _ in below:  # each round settles every circle whose longest chain is one longer
        floors = {circle: 1 + max((floors.get(end, 0) for end in ends), default=0) for circle, ends in below.items()}
    return max(floors.values(), default=0)


def _circle_of_each(arrows: Mapping[str, set[str]]) -> dict[str, frozenset[str]]:
    """Return for each room itself and all that it reaches and is reached from."""
    reached = {room: _reach(room, arrows) for room in sorted(arrows)}
    return {room: frozenset({room} | {end for end in ends if room in reached[end]}) for room, ends in reached.items()}


def _reach(room: str, arrows: Mapping[str, set[str]]) -> set[str]:
    reached: set[str] = set()
    to_visit = [room]
    while to_visit:
        new = arrows[to_visit.pop()] - reached
        reached |= new
        to_visit += new
    return reached


def render(shapes: Mapping[str, Shape]) -> str:
    """Return what was counted of each tree as a table."""
    return table(
        ["", *shapes], [[label, *(_number(count(one)) for one in shapes.values())] for label, count in ROWS.items()]
    )


def _number(value: float) -> float:
    return int(value) if value == int(value) else value


def list_names(shape: Shape) -> str:
    """Return the names behind the counts."""
    parts = [[label, *(f"  {name}" for name in names(shape))] for label, names in LISTED.items()]
    return "\n\n".join("\n".join(lines) for lines in parts)


@contextmanager
def open_revision(revision: str, *, root: Path) -> Iterator[Path]:
    """Yield a temporary folder with the files of a git revision; raise InputFileError when there is none."""
    commit = _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    archive = _git(root, "archive", "--format=tar", commit.decode().strip())
    with tempfile.TemporaryDirectory(prefix="backscroll-") as folder:
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            files.extractall(folder, filter="data")
        yield Path(folder)


def _git(root: Path, *arguments: str) -> bytes:
    try:
        finished = subprocess.run(
            ["git", *arguments],  # noqa: S607
            cwd=root,
            capture_output=True,
            check=True,
            timeout=_GIT_TIMEOUT.total_seconds(),
        )
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise InputFileError("git does not know this revision: give another one with --against.") from error
    return finished.stdout


def main(
    *,
    against: Annotated[str | None, typer.Option(help="A git revision to count, too.")] = None,
    names: Annotated[bool, typer.Option("--names", help="Print the names behind the counts, too.")] = False,
    root: Annotated[Path, typer.Option(help="The folder to count; that of the project when not given.")] = ROOT,
) -> None:
    """Print how many files, names, helpers, packages and arrows the source has, and how long its functions are."""
    with told_in_a_sentence():
        shapes = {"here": measure(root)}
        if against is not None:
            with open_revision(against, root=root) as folder:
                shapes = {against: measure(folder), **shapes}
    typer.echo(render(shapes))
    if names:
        typer.echo(f"\n{list_names(shapes['here'])}")


if __name__ == "__main__":
    typer.run(main)
