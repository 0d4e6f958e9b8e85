"""Look again at one judged cell of one student, with the same challenges."""

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from jupyter_client.kernelspec import NoSuchKernel

from coursekit.course import Course
from coursekit.errors import KitError
from coursekit.grading.execute import BoundedExecute
from coursekit.grading.notebook import read_graded
from coursekit.judging.preprocessors import JudgeAnswers, PoseChallenges, judge_line
from coursekit.judging.verdict import Verdict, read_verdict


@dataclass(frozen=True)
class Appeal:
    """A verdict, and the verdict of the same challenges today.

    Attributes
    ----------
    notebook : Path
        The autograded notebook.
    stored, again : Verdict
    """

    notebook: Path
    stored: Verdict
    again: Verdict

    @property
    def reproduced(self):
        """Whether both verdicts say the same."""
        return self.stored == self.again


class PoseStoredChallenges(PoseChallenges):
    """Pose again the challenges whose seeds stand in the verdicts of a graded notebook."""

    def seed(self, task, cell):
        """Give the seed of the cell's verdict."""
        verdict = read_verdict(cell)
        return super().seed(task, cell) if verdict is None else verdict.seed


def appeal(course: Course, assignment: str, student: str, cell_id: str) -> Appeal:
    """Run a graded notebook again up to one judged cell, with the challenges it was graded by.

    Nothing is saved: neither the gradebook nor the autograded notebook changes.

    Parameters
    ----------
    course : Course
    assignment, student : str
    cell_id : str
        Grade id of the cell, e.g. ``"gradient-W1"``.

    Returns
    -------
    Appeal

    Raises
    ------
    KitError
        If the student is not graded, no graded notebook has a verdict in such a cell, or a graded
        notebook cannot be read or run.
    """
    folder = course.autograded / student / assignment
    if not folder.is_dir():
        raise KitError(
            f"Nothing of {student} is graded in {assignment}; run: coursekit grade {assignment}"
        )
    judged = []
    for path in sorted(folder.glob("*.ipynb")):
        notebook = read_graded(path)
        for index, cell in enumerate(notebook.cells):
            if not judge_line(cell):
                continue
            judged.append(cell.metadata.nbgrader.grade_id)
            if judged[-1] == cell_id:
                stored = read_verdict(cell)
                if stored is None:
                    raise KitError(f"Cell {cell_id} of {path} holds no verdict; grade it again.")
                notebook.cells = notebook.cells[: index + 1]
                try:
                    return Appeal(path, stored, _judge_again(course, folder, notebook))
                except (RuntimeError, TimeoutError, NoSuchKernel) as problem:
                    raise KitError(f"{path} cannot be run again: {problem}") from problem
    raise KitError(
        f"No graded notebook of {student} has a judged cell called {cell_id!r}; there are: "
        f"{', '.join(judged) or 'none'}."
    )


def _judge_again(course, folder, notebook):
    """Run a notebook in a copy of its folder and give the verdict of its last cell."""
    with tempfile.TemporaryDirectory() as place:
        work = Path(place) / folder.name
        shutil.copytree(folder, work)
        resources = {"metadata": {"path": str(work)}, "nbgrader": {}}
        for preprocessor in (PoseStoredChallenges, BoundedExecute, JudgeAnswers):
            notebook, resources = preprocessor(config=course.config).preprocess(notebook, resources)
    return read_verdict(notebook.cells[-1])
