"""What `bench.shape` counts of a source tree is what a reader would count by hand."""

import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from typer import Exit

from bench import shape
from bench.shape import measure

Tree = Callable[[Mapping[str, str]], Path]


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """Write files under a folder and return it."""

    def write(files: Mapping[str, str]) -> Path:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return tmp_path

    return write


def function(name: str, *, lines: int = 1, body: str = "pass") -> str:
    """Return a function of so many lines."""
    return (
        "\n".join([f"def {name}():", *["    pass"] * (lines - 2), f"    {body}"])
        if lines > 1
        else f"def {name}(): {body}"
    )


def test_source_tests_and_benches_are_counted_apart(tree: Tree) -> None:
    counted = measure(
        tree({"run.py": "x = 1\ny = 2\n", "shop/__init__.py": "", "tests/test_run.py": "z = 3\n", "bench/a.py": "\n"})
    )

    assert (counted.files, counted.lines) == (2, 2)
    assert (counted.test_files, counted.test_lines) == (1, 1)
    assert (counted.bench_files, counted.bench_lines) == (1, 1)


@pytest.mark.parametrize("folder", [".cache", "env"])
def test_hidden_folders_and_virtual_environments_are_no_source(tree: Tree, folder: str) -> None:
    counted = measure(tree({"run.py": "", f"{folder}/lib/other.py": "x = 1", f"{folder}/pyvenv.cfg": ""}))

    assert counted.files == 1


def test_a_class_counts_when_two_files_define_it(tree: Tree) -> None:
    counted = measure(
        tree(
            {
                "a.py": "class Kiln: ...\nclass Glaze: ...\n",
                "b.py": "def make():\n    class Kiln: ...\n",
                "c.py": "class Wheel: ...\n\nclass Bench:\n    class Wheel: ...\n",
                "tests/d.py": "class Glaze: ...\n",
            }
        )
    )

    assert counted.classes_twice == ("Kiln: a.py b.py",)


def test_a_public_function_counts_when_two_files_define_it(tree: Tree) -> None:
    counted = measure(
        tree(
            {
                "a.py": "def fire(): ...\ndef _cool(): ...\n",
                "b.py": "async def fire(): ...\ndef _cool(): ...\ndef load(): ...\n",
                "c.py": "class Kiln:\n    def load(self): ...\n",
            }
        )
    )

    assert counted.functions_twice == ("fire: a.py b.py",)


@pytest.mark.parametrize("name", ["loading", "dump_loading", "reembedding"])
def test_a_module_named_by_what_it_does_is_a_gerund(tree: Tree, name: str) -> None:
    assert measure(tree({f"shop/{name}.py": ""})).gerunds == (f"shop/{name}.py",)


@pytest.mark.parametrize("name", ["string", "ranking", "loading_dock", "load", "embedding/model", "sing"])
def test_a_module_named_by_a_thing_is_none(tree: Tree, name: str) -> None:
    assert measure(tree({f"shop/{name}.py": ""})).gerunds == ()


def test_a_private_helper_counts_when_it_is_used_exactly_once(tree: Tree) -> None:
    text = """
def run():
    return _used_once(_used_twice(), _used_twice(), key=_passed_on)

def _used_once(*some, key): ...
def _used_twice(): ...
def _passed_on(): ...
def _never_used(): ...
def _calls_itself():
    return _calls_itself()

class Kiln:
    def _method(self): ...
"""
    counted = measure(tree({"a.py": text}))

    assert counted.helpers == ("a.py: _used_once", "a.py: _passed_on")
    assert counted.functions == 7
    assert counted.share_of_helpers == pytest.approx(2 / 7)


def test_rooms_are_what_a_name_begins_with_and_arrows_lead_where_imports_do(tree: Tree) -> None:
    counted = measure(
        tree(
            {
                "run.py": "import shop.kiln\nfrom tools import hammer\nimport asyncio\n",
                "tools.py": "",
                "shop/kiln.py": "from shop.glaze import Glaze\ndef fire():\n    import tools\n",
                "shop/glaze.py": "",
                "bench/speed.py": "import run\n",
                "tests/test_run.py": "import run\n",
            }
        )
    )

    assert counted.rooms == ("bench", "run", "shop", "tools")
    assert counted.arrows == ("bench -> run", "run -> shop", "run -> tools", "shop -> tools")
    assert counted.floors == 4
    assert counted.circles == ()


def test_what_python_m_runs_of_a_package_is_a_script_outside_the_drawing(tree: Tree) -> None:
    counted = measure(tree({"db/tables.py": "", "db/__main__.py": "import settings\n", "settings.py": "import db\n"}))

    assert counted.arrows == ("settings -> db",)
    assert counted.circles == ()


def test_rooms_that_import_each_other_are_a_circle_on_one_floor(tree: Tree) -> None:
    counted = measure(
        tree(
            {
                "a.py": "import b\n",
                "b.py": "import c\n",
                "c.py": "import b\nimport d\n",
                "d.py": "",
            }
        )
    )

    assert counted.circles == ("b c",)
    assert counted.floors == 3


def test_lengths_are_those_of_all_functions_from_def_to_end(tree: Tree) -> None:
    text = "\n".join(
        [
            "import functools",
            "@functools.cache",
            function("a", lines=2),
            function("b", lines=4),
            "class Kiln:",
            "    def fire(self):",
            "        pass",
            "        pass",
            function("c", lines=51),
            function("d", lines=50),
        ]
    )
    counted = measure(tree({"a.py": text}))

    assert counted.median_length == 4
    assert counted.ninetieth_length == 51
    assert counted.share_of_long == pytest.approx(1 / 5)


def test_an_empty_tree_is_all_noughts(tmp_path: Path) -> None:
    counted = measure(tmp_path)

    assert (counted.files, counted.functions, counted.floors, counted.median_length) == (0, 0, 0, 0)
    assert (counted.share_of_helpers, counted.share_of_long) == (0, 0)


def test_two_trees_stand_side_by_side(tree: Tree) -> None:
    counted = measure(tree({"loading.py": "def a(): ...\n"}))

    lines = shape.render({"before": counted, "after": counted}).splitlines()

    assert lines[0].split() == ["before", "after"]
    assert "modules named by a gerund" in "\n".join(lines)
    assert all(len(line.split("  ")) >= 3 for line in lines[1:])


def test_the_names_behind_a_count_can_be_read(tree: Tree) -> None:
    counted = measure(tree({"loading.py": "def a(): ...\n", "b.py": "def a(): ...\n"}))

    listed = shape.list_names(counted)

    assert "public functions defined in two files\n  a: b.py loading.py" in listed
    assert "modules named by a gerund\n  loading.py" in listed


def git(folder: Path, *arguments: str) -> None:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main")
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True, timeout=30)  # noqa: S607


def test_an_earlier_revision_is_counted_beside_the_tree(tree: Tree, capsys: pytest.CaptureFixture[str]) -> None:
    root = tree({"a.py": "x = 1\n"})
    git(root, "init")
    git(root, "add", ".")
    git(root, "commit", "-m", "first")
    tree({"b.py": "y = 2\nz = 3\n"})

    shape.main(against="HEAD", root=root)

    out = capsys.readouterr().out
    assert [line.split()[-2:] for line in out.splitlines()[1:3]] == [["1", "2"], ["1", "3"]]


@pytest.mark.parametrize("revision", ["no-such-revision", "--output=x", ""])
def test_a_revision_that_is_none_is_refused_in_a_sentence(
    tree: Tree, revision: str, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tree({"a.py": ""})
    git(root, "init")

    with pytest.raises(Exit) as ended:
        shape.main(against=revision, root=root)

    err = capsys.readouterr().err
    assert ended.value.exit_code == 2
    assert err.count("\n") == 1
    assert "--against" in err


def test_a_file_that_is_no_python_is_refused_in_a_sentence(tree: Tree, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Exit):
        shape.main(root=tree({"a.py": "def (:\n"}))

    assert "a.py" in capsys.readouterr().err
