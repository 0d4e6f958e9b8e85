"""The package as a whole: what it exports, needs and must not hold."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import nnlab

FOLDER = Path(nnlab.__file__).parent
MODULES = sorted(FOLDER.glob("*.py"))
HAND_IN = sorted((FOLDER / "handing_in").glob("*.py")) + sorted((FOLDER / "pdf").glob("*.py"))
ALLOWED = {"nnlab", "numpy", "scipy", "sklearn", "matplotlib", "threadpoolctl", "tqdm"}
NAMES = {"PIL": "pillow", "bs4": "beautifulsoup4", "fontTools": "fonttools"}


def imported(path):
    """Names of the top-level packages that a module imports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            yield node.module.partition(".")[0]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_module_imports_only_what_students_have(path):
    assert set(imported(path)) <= ALLOWED | sys.stdlib_module_names


@pytest.mark.parametrize("path", HAND_IN, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_hand_in_imports_only_what_the_requirements_bring(path):
    lines = (FOLDER.parents[2] / "requirements.txt").read_text(encoding="utf-8").splitlines()
    brought = {re.match(r"[\w-]*", line)[0].lower() for line in lines}
    brought |= {"ipython", "beautifulsoup4", "fonttools"}  # by ipykernel, nbconvert, matplotlib
    brought.add("pillow_heif")  # named in a message where it is missing
    others = set(imported(path)) - sys.stdlib_module_names - {"nnlab"}
    assert {NAMES.get(name, name).lower() for name in others} <= brought


def test_project_of_the_students_says_what_the_courses_says():
    theirs, ours = (
        tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
        for folder in (FOLDER.parent, FOLDER.parents[2])
    )
    exporters = "nbconvert.exporters"
    assert (
        theirs["project"]["entry-points"][exporters] == ours["project"]["entry-points"][exporters]
    )
    assert theirs["project"]["version"] == nnlab.__version__
    folders = {path.parent for path in FOLDER.rglob("*.py")}
    packages = {".".join(folder.relative_to(FOLDER.parent).parts) for folder in folders}
    assert set(theirs["tool"]["setuptools"]["packages"]) == packages


def test_all_lists_public_names_that_exist_and_are_documented():
    assert nnlab.__all__ == sorted(nnlab.__all__, key=lambda name: (name.islower(), name))
    assert all(getattr(nnlab, name).__doc__ for name in nnlab.__all__)
    assert nnlab.__version__ == "0.1.0"


def test_import_leaves_the_slow_libraries_for_later():
    slow = {"sklearn", "scipy.io", "nbconvert", "nbformat", "pypdf", "typst", "ziamath"}
    code = f"import sys, nnlab; print(sorted({slow} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=FOLDER.parent, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_examples_of_docstrings_work(path, monkeypatch):
    import doctest
    import importlib

    import numpy as np

    monkeypatch.delenv("ROUND09_DATA", raising=False)
    name = "nnlab" if path.stem == "__init__" else f"nnlab.{path.stem}"
    module = importlib.import_module(name)
    assert doctest.testmod(module, extraglobs={"np": np}).failed == 0
