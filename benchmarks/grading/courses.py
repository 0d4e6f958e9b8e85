"""The courses that are compared: the same notebooks in one of this kit and in a stock one."""

import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from benchmarks.grading import light
from coursekit.course import CONFIG_FILE, Course
from coursekit.demo.handing_in import EXPERIMENTS, hand_in, read_students
from coursekit.judging.preprocessors import JUDGE_LINE, judge_line
from coursekit.release import release

ROOT = Path(__file__).parents[2]
ROUND = "round09"
STOCK_CONFIG = 'c = get_config()\nc.CourseDirectory.course_id = "stock"\n'
NOT_COPIED = shutil.ignore_patterns(".*", "__pycache__")
STOP_KERNELS = {"endless-loop", "killed-kernel"}


@dataclass(frozen=True)
class Workload:
    """An assignment in two courses, and what students may hand in.

    Attributes
    ----------
    assignment : str
    ours, stock : Path
        Released courses, to copy.
    answers : list of dict
        Different submissions: the text of each notebook by its file name.
    """

    assignment: str
    ours: Path
    stock: Path
    answers: list[dict[str, str]]

    @property
    def notebooks(self) -> int:
        """Notebooks in one submission."""
        return len(self.answers[0])

    def handed_in(self, course: Path, folder: Path, students: Iterable[int]) -> Path:
        """Copy a course and let students hand in, the different answers in turn.

        Parameters
        ----------
        course : Path
            `ours` or `stock`.
        folder : Path
            Replaced if it exists.
        students : iterable of int

        Returns
        -------
        Path
            `folder`.
        """
        if folder.exists():
            shutil.rmtree(folder)
        shutil.copytree(course, folder)
        for student in students:
            place = folder / "submitted" / f"student-{student:03}" / self.assignment
            place.mkdir(parents=True)
            for name, text in self.answers[student % len(self.answers)].items():
                (place / name).write_text(text, "utf-8")
        return folder


def light_workload(folder: Path) -> Workload:
    """Make the courses with the light notebook.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    Workload
    """

    def in_kernel(line):
        return light.CHECK.strip()

    source = folder / "source"
    source.mkdir(parents=True)
    nbformat.write(light.source(), source / f"{light.NAME}.ipynb")
    ours, stock = _courses(folder, light.NAME, source, in_kernel)
    released = nbformat.read(ours / "release" / light.NAME / f"{light.NAME}.ipynb", as_version=4)
    answers = []
    for answer in light.ANSWERS:
        _cell(released, light.ANSWER).source = light.written(answer)
        answers.append({f"{light.NAME}.ipynb": nbformat.writes(released)})
    return Workload(light.NAME, ours, stock, answers)


def round_workload(folder: Path) -> Workload:
    """Make the courses with the whole round, handed in by the demo's invented students.

    Those who forgot a notebook, or whose code stops the kernel, are left out.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    Workload
    """

    def in_kernel(line):
        return f"from coursekit.judging.live import judge\n\n{line}"

    source = ROOT / "source" / ROUND
    ours, stock = _courses(folder, ROUND, source, in_kernel)
    released = ours / "release" / ROUND
    students = [
        student
        for student in read_students()
        if student.key not in STOP_KERNELS
        and not any(answers.missing for answers in student.notebooks.values())
    ]
    answers = [
        {
            name: _with_experiments(text, released / name)
            for name, text in hand_in(student, source, released).items()
        }
        for student in students
    ]
    return Workload(ROUND, ours, stock, answers)


def _courses(
    folder: Path, assignment: str, source: Path, in_kernel: Callable[[str], str]
) -> tuple[Path, Path]:
    """Make and release the course of this kit and the stock one, with checks in the kernel."""
    configs = {"ours": (ROOT / CONFIG_FILE).read_text("utf-8"), "stock": STOCK_CONFIG}
    for name, config in configs.items():
        shutil.copytree(source, folder / name / "source" / assignment, ignore=NOT_COPIED)
        (folder / name / CONFIG_FILE).write_text(config, "utf-8")
    for path in (folder / "stock" / "source" / assignment).glob("*.ipynb"):
        notebook = nbformat.read(path, as_version=4)
        for cell in filter(judge_line, notebook.cells):
            cell.source = JUDGE_LINE.sub(lambda line: in_kernel(line[0]), cell.source)
        nbformat.write(notebook, path)
    for name in configs:
        release(Course(folder / name), assignment)
    return folder / "ours", folder / "stock"


def _with_experiments(text: str, released: Path) -> str:
    """Fill the cells again that the demo's students emptied to save time."""
    notebook, original = nbformat.reads(text, 4), nbformat.read(released, as_version=4)
    for cell in notebook.cells:
        if cell.id in EXPERIMENTS:
            cell.source = _cell(original, cell.id).source
    return nbformat.writes(notebook)


def _cell(notebook: NotebookNode, name: str) -> NotebookNode:
    return next(cell for cell in notebook.cells if cell.id == name)
