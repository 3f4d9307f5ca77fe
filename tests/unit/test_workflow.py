"""The workflow of the code host runs the same script as everybody else, on each Python that the program supports."""

from importlib import import_module
from pathlib import Path
from typing import Any

yaml: Any = import_module("yaml")  # it has no types

ROOT = Path(__file__).parents[2]
WORKFLOW = ROOT / ".github" / "workflows" / "ci.yml"


def job() -> dict[str, Any]:
    """Return the one job of the workflow."""
    (only,) = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))["jobs"].values()
    assert isinstance(only, dict)
    return only


def test_it_runs_the_script_of_the_repository_with_the_python_of_its_row() -> None:
    step = job()["steps"][-1]

    assert step["run"] == ".ci/run"
    assert step["env"]["PYTHON"] == "python${{ matrix.python }}"
    assert "${PYTHON:-}" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_it_covers_every_supported_version() -> None:
    versions = job()["strategy"]["matrix"]["python"]

    assert versions == ["3.11", "3.12", "3.13"]


def test_it_may_only_read() -> None:
    workflow = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))

    assert workflow["permissions"] == {"contents": "read"}
