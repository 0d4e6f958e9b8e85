"""The package as a whole: what it exports, needs and must not hold."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import nnlab

FOLDER = Path(nnlab.__file__).parent
MODULES = sorted(FOLDER.glob("*.py"))
ALLOWED = {"nnlab", "numpy", "scipy", "sklearn", "matplotlib", "threadpoolctl", "tqdm"}


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


def test_all_lists_public_names_that_exist_and_are_documented():
    assert nnlab.__all__ == sorted(nnlab.__all__, key=lambda name: (name.islower(), name))
    assert all(getattr(nnlab, name).__doc__ for name in nnlab.__all__)
    assert nnlab.__version__ == "0.1.0"


def test_import_leaves_the_slow_libraries_for_later():
    code = "import sys, nnlab; print(sorted({'sklearn', 'scipy.io'} & set(sys.modules)))"
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
