"""How long does a notebook take to become a PDF, against nbconvert's webpdf? (make bench-pdf).

The three solved notebooks of the round, run once, and a document of 100 pages made of them. Each
figure is the median of five exports, each in a fresh process that has imported nbconvert and the
exporter before the clock starts, as a Jupyter server has. The time of the whole command is given
apart. webpdf needs playwright and a chromium; without them only ours is measured.
"""

import functools
import importlib.util
import json
import os
import shutil
import statistics
import subprocess
import sys
from pathlib import Path
from time import perf_counter

import nbformat
from nbconvert.exporters import WebPDFExporter, get_exporter

ROOT = Path(__file__).parents[1]
OUTPUT = ROOT / "build" / "bench-pdf.json"
FOLDER = ROOT / "build" / "bench-pdf"
NOTEBOOKS = ("derivation", "classification", "optimisation")
LONG = "100-pages"
COPIES = 3  # of the three notebooks, in the document of 100 pages; and the first once more
ROUNDS = 5
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ROUTES = {"ours": "typstpdf", "webpdf": "benchmarks.pdf.WebPDF"}


class WebPDF(WebPDFExporter):
    """nbconvert's, with the browser of this machine in place of one that playwright downloads."""

    def run_playwright(self, html):
        """Print the page; what it is made of is this project's own, and root has no sandbox."""
        from playwright.async_api import BrowserType

        self.disable_sandbox = True
        BrowserType.launch = functools.partialmethod(BrowserType.launch, executable_path=browser())
        return super().run_playwright(html)


def browser():
    """Find a chromium."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def run_notebooks():
    """Run the solved notebooks with outputs, unless that is done since they last changed."""
    from nbclient import NotebookClient

    source = ROOT / "source" / "round09"
    changed = max(path.stat().st_mtime for path in source.glob("*.ipynb"))
    long = FOLDER / f"{LONG}.ipynb"
    if long.exists() and long.stat().st_mtime > changed:
        return
    shutil.rmtree(FOLDER, ignore_errors=True)
    shutil.copytree(source, FOLDER)
    solved = []
    for name in NOTEBOOKS:
        print(f"running {name}, once ...", flush=True)
        path = FOLDER / f"{name}.ipynb"
        notebook = nbformat.read(path, as_version=4)
        for cell in notebook.cells:
            if "hand_in()" in cell.source:  # it would ask who hands in
                cell.metadata.tags = ["skip-execution"]
        where = {"metadata": {"path": str(FOLDER)}}
        NotebookClient(notebook, timeout=1200, resources=where).execute()
        nbformat.write(notebook, path)
        solved.append(notebook)
    nbformat.write(joined([*solved * COPIES, solved[0]]), long)


def joined(notebooks):
    """Make one notebook of several."""
    cells = [cell for notebook in notebooks for cell in notebook.cells]
    cells = [{**cell, "id": f"cell-{number}"} for number, cell in enumerate(cells)]
    return nbformat.from_dict({**notebooks[0], "cells": cells})


def export(route, name):
    """Export in this process, and print seconds, MiB and pages."""
    exporter = get_exporter(ROUTES[route])()
    start = perf_counter()
    pdf, _ = exporter.from_filename(str(FOLDER / f"{name}.ipynb"))
    seconds = perf_counter() - start
    path = FOLDER / f"{name}-{route}.pdf"
    path.write_bytes(pdf)
    print(json.dumps([seconds, peak_mib()]))


def peak_mib():
    """Tell the most memory this process had; of its children, typst has none and webpdf many."""
    lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def run(*command):
    """Run a program of the environment, and return what it printed and the seconds it took."""
    start = perf_counter()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr}")
    return done.stdout, perf_counter() - start


def exported(route, name):
    """Export in a fresh process: seconds, and MiB."""
    words, _ = run(sys.executable, "-m", "benchmarks.pdf", route, name)
    return json.loads(words.splitlines()[-1])


def command_seconds(route, name):
    """Time the whole command."""
    command = [sys.executable, "-m", "nbconvert", "--to", ROUTES[route], "--output", f"{name}-c"]
    return run(*command, str(FOLDER / f"{name}.ipynb"))[1]


def pages(route):
    """Count the pages of the long document."""
    from pypdf import PdfReader

    return len(PdfReader(FOLDER / f"{LONG}-{route}.pdf").pages)


def in_turns(routes, names, measure):
    """Measure every route and document in turns, so that a slower hour favours nobody."""
    found = {route: {name: [] for name in names} for route in routes}
    for _ in range(ROUNDS):
        for name in names:
            for route in routes:
                found[route][name].append(measure(route, name))
    return found


def medians(values):
    """Take the median of each document."""
    return {name: round(statistics.median(numbers), 3) for name, numbers in values.items()}


def main():
    """Write build/bench-pdf.json and print it in short."""
    from benchmarks.grading.comparison import machine

    result = {"machine": machine() | {"rounds": ROUNDS}}
    routes = list(ROUTES)
    if not (browser() and importlib.util.find_spec("playwright")):
        routes.remove("webpdf")
        print("webpdf is not measured: it needs `pip install playwright`, and a chromium on PATH")
    run_notebooks()
    found = in_turns(routes, (*NOTEBOOKS, LONG), exported)
    commands = in_turns(routes, NOTEBOOKS, command_seconds)
    for route in routes:
        seconds = {name: [one for one, _ in runs] for name, runs in found[route].items()}
        long = seconds.pop(LONG)
        result[f"{route}_s"] = medians(seconds)
        result[f"{route}_command_s"] = medians(commands[route])
        suffix = "" if route == "ours" else f"_{route}"
        result[f"pages_100{suffix}_s"] = round(statistics.median(long), 3)
        result[f"pages_100{suffix}"] = pages(route)
    result["peak_mb"] = round(max(mib for _, mib in found["ours"][LONG]), 1)
    if "webpdf" in routes:
        for kind in ("_s", "_command_s"):
            middle = [statistics.median(result[f"{route}{kind}"].values()) for route in routes]
            result[f"ratio{kind}".removesuffix("_s")] = round(middle[1] / middle[0], 2)
    OUTPUT.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    for key, value in result.items():
        print(f"{key:20} {value}")
    print("written: build/bench-pdf.json")


if __name__ == "__main__":
    export(*sys.argv[1:]) if sys.argv[1:] else main()
