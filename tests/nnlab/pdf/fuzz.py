"""Mutated formulas and notebooks: none of them may crash the export, and none may take long.

The tests try a few of each. All of them:

    python -m tests.nnlab.pdf.fuzz --formulas 2000 --notebooks 200
"""

import argparse
import copy
import json
import random
import time
import tomllib
from pathlib import Path

from nbformat import NotebookNode, from_dict

from nnlab.pdf import export
from nnlab.pdf.formulas import Drawing, Formulas
from nnlab.pdf.page import CannotShow

HERE = Path(__file__).parent
PIECES = [
    "{",
    "}",
    "\\",
    "$",
    "&",
    "\\\\",
    "_",
    "^",
    "\\left",
    "\\right",
    "\\begin{align}",
    "#1",
    "\\end{align}",
    "\\frac",
    "\\newcommand",
    "\\def",
    "\\text{",
    "中",
    "\x00",
    "\ud800",
    "<",
    "\\sqrt[",
    "]",
    "\\tag{1}",
    "%",
    "\n",
    "'",
    "\u202e",
    "\\not",
    "\\hline",
    "|",
    "1em",
]
ODD = [
    None,
    0,
    -1,
    1e309,
    "",
    "x",
    [],
    {},
    ["a", "b"],
    {"a": 1},
    True,
    "\ud800\x00",
    "<" * 50,
    "$" * 9,
    "[" * 60,
    "> " * 60,
    "| a |\n|--|\n",
    "<table>" * 9,
    "\x1b[31m",
    "![](../../x)",
]


def sources() -> list[str]:
    """The formulas of the table."""
    with (HERE / "formulas.toml").open("rb") as file:
        groups = tomllib.load(file).values()
    rows = [row for group in groups for row in group.values()]
    return [row if isinstance(row, str) else row["latex"] for row in rows]


def mutated(text: str, chance: random.Random) -> str:
    """A text with some pieces put in, taken out, doubled or moved."""
    for _ in range(chance.randint(1, 2)):
        start, end = sorted(chance.randint(0, len(text)) for _ in range(2))
        end = min(end, start + 8)
        match chance.randrange(4):
            case 0:
                text = text[:start] + chance.choice(PIECES) + text[start:]
            case 1:
                text = text[:start] + text[end:]
            case 2:
                text = text[:end] + text[start:end] * chance.randint(1, 3) + text[end:]
            case _:
                text = text[:start] + text[end:] + text[start:end]
    return text


def mutated_tree(tree: object, chance: random.Random) -> object:
    """A notebook, some of whose values are others."""
    if chance.random() < 0.01:
        return copy.deepcopy(chance.choice(ODD))
    if isinstance(tree, dict):
        return {
            key: mutated_tree(value, chance)
            for key, value in tree.items()
            if chance.random() > 0.01
        }
    if isinstance(tree, list):
        return [mutated_tree(value, chance) for value in tree]
    if isinstance(tree, str) and tree and chance.random() < 0.1:
        return mutated(tree, chance)
    return tree


def try_formulas(count: int, seed: int = 0) -> tuple[int, float]:
    """Draw mutated formulas; how many were drawn, and the longest time, in seconds."""
    chance = random.Random(seed)
    texts = sources()
    drawn, longest = 0, 0.0
    for _ in range(count):
        latex = mutated(chance.choice(texts), chance)
        began = time.perf_counter()
        try:
            drawn += isinstance(Formulas().draw(latex, chance.random() < 0.7), Drawing)
        except CannotShow:
            pass
        except Exception as problem:
            raise AssertionError(f"formula {latex!r}") from problem
        longest = max(longest, time.perf_counter() - began)
    return drawn, longest


def try_notebooks(count: int, notebook: NotebookNode, seed: int = 0) -> float:
    """Export mutated notebooks; the longest time, in seconds."""
    chance = random.Random(seed)
    longest = 0.0
    for number in range(count):
        cells = mutated_tree(json.loads(json.dumps(notebook["cells"])), chance)
        broken = from_dict({**notebook, "cells": cells})
        began = time.perf_counter()
        try:
            assert export([("fuzz", broken, HERE)]).pdf.startswith(b"%PDF")
        except Exception as problem:
            raise AssertionError(f"notebook {number} of seed {seed}") from problem
        longest = max(longest, time.perf_counter() - began)
    return longest


def main() -> None:
    """Fuzz as much as asked for."""
    from tests.nnlab.pdf.stress import stress_notebook

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--formulas", type=int, default=2000)
    parser.add_argument("--notebooks", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    drawn, longest = try_formulas(options.formulas, options.seed)
    print(f"{options.formulas} formulas: {drawn} drawn, the others boxed; longest {longest:.2f} s")
    longest = try_notebooks(options.notebooks, stress_notebook(), options.seed)
    print(f"{options.notebooks} notebooks exported; longest {longest:.2f} s")


if __name__ == "__main__":
    main()
