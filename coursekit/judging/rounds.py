"""The judged cells of all rounds: each package in this folder brings its own, as ``TASKS``."""

from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from coursekit.errors import KitError

TASKS = {}
for found in iter_modules([str(Path(__file__).parent)]):
    if found.ispkg:
        tasks = import_module(f"{__package__}.{found.name}").TASKS
        if twice := sorted(TASKS.keys() & tasks):
            raise KitError(
                f"coursekit/judging/{found.name}: another round has a task {twice[0]}, too; "
                "name one of the two, and its cell, in another way."
            )
        TASKS |= tasks
