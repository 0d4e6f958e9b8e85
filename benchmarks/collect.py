"""How long does it take to collect a class from MyCourses? (python -m benchmarks.collect).

300 students hand in the three released notebooks of the round, each with answers of its own, and a
scan of 1 MB; the download and the worksheet have the form of MyCourses. Each figure is one run of
`collect` in a fresh process: the first one, and one again on the same download.
"""

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from time import perf_counter

import nbformat

from coursekit.course import Course
from coursekit.demo.download import worksheet
from coursekit.demo.handing_in import Student
from coursekit.mycourses.collect import collect

ROOT = Path(__file__).parents[1]
OUTPUT = ROOT / "build" / "bench-collect.json"
ASSIGNMENT = "round09"
STUDENTS = 300
SCAN = 2**20  # bytes, which pack no better than a real scan
FIRST = 1204500


def make_course(folder: Path) -> None:
    """Copy the round and its release."""
    for top in ("source", "release"):
        shutil.copytree(ROOT / top / ASSIGNMENT, folder / top / ASSIGNMENT)
    shutil.copyfile(ROOT / "nbgrader_config.py", folder / "nbgrader_config.py")
    shutil.copyfile(ROOT / "requirements.txt", folder / "requirements.txt")
    with Course(folder).gradebook():
        pass


def write_download(folder: Path) -> None:
    """Write the zip of all submissions and the worksheet."""
    notebooks = {
        path.name: nbformat.read(path, as_version=4)
        for path in sorted((ROOT / "release" / ASSIGNMENT).glob("*.ipynb"))
    }
    noise = random.Random(0)
    class_ = {}
    with zipfile.ZipFile(folder / "download.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(FIRST, FIRST + STUDENTS):
            top = f"Student {number}_{number}_assignsubmission_file"
            for name, notebook in notebooks.items():
                archive.writestr(f"{top}/{name}", _answered(notebook, number))
            archive.writestr(f"{top}/scan.pdf", b"%PDF-1.4\n" + noise.randbytes(SCAN))
            student = Student(
                key=f"s{number}",
                name=f"Student {number}",
                number=str(number),
                story="",
                notebooks={},
                expected={},
                lost=frozenset(),
            )
            class_[student] = {"scan.pdf": b""}
    (folder / "worksheet.csv").write_bytes(worksheet(class_))


def _answered(notebook: nbformat.NotebookNode, number: int) -> str:
    answered = nbformat.from_dict(notebook)
    for cell in answered.cells:
        if cell.metadata.get("nbgrader", {}).get("solution"):
            cell.source += f"\n# {number}"
    return nbformat.writes(answered)


def one_run(folder: Path) -> float:
    """Collect in a process of its own; returns the seconds of the whole process."""
    begin = perf_counter()
    subprocess.run([sys.executable, "-m", "benchmarks.collect", str(folder)], check=True, cwd=ROOT)
    return perf_counter() - begin


def collect_here(folder: Path) -> None:
    """Collect, and check that all of it arrived."""
    found = collect(Course(folder), ASSIGNMENT, folder / "download.zip", folder / "worksheet.csv")
    if len(found.submissions) != STUDENTS or not all(
        len(one.notebooks) == 3 and not one.unclear for one in found.submissions
    ):
        raise SystemExit("benchmarks.collect: not everything was found.")


def main() -> None:
    """Measure, print and write the figures."""
    with tempfile.TemporaryDirectory(prefix="bench-collect-") as made:
        folder = Path(made)
        make_course(folder)
        write_download(folder)
        figures = {
            "students": STUDENTS,
            "processors": os.cpu_count(),
            "download_mb": round((folder / "download.zip").stat().st_size / 2**20),
            "first_s": round(one_run(folder), 2),
            "again_s": round(one_run(folder), 2),
        }
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(json.dumps(figures, indent=1) + "\n")
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    collect_here(Path(sys.argv[1])) if sys.argv[1:] else main()
