"""One PDF for each graded student: the notebooks, with points and comments."""

from collections.abc import Callable, Collection

from nbconvert.exporters import Exporter
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell, new_notebook
from nbgrader.api import MissingEntry, SubmittedAssignment
from nbgrader.converters import GenerateFeedback
from traitlets.config import Config

from coursekit.course import Course
from coursekit.errors import KitError
from coursekit.grading.each import write_for_each
from coursekit.grading.notebook import read_graded
from coursekit.grading.student import points
from coursekit.writing import replace_whole
from nnlab.pdf import Title, export

SUMMARY = "Points"


def feedback_pdfs(
    course: Course,
    assignment: str,
    students: Collection[str] = (),
    progress: Callable[[int, int], None] | None = None,
    workers: int | None = None,
    paper: str = "a4",
) -> dict[str, str]:
    """Write ``feedback/<student>/<assignment>/<assignment>.pdf`` for every graded student.

    Parameters
    ----------
    course : Course
    assignment : str
    students : collection of str
        Only these; by default all.
    progress : callable, optional
        Called with the number of students done and of all.
    workers : int, optional
        Students at a time; by default one for each processor.
    paper : {"a4", "us-letter"}
        Paper size.

    Returns
    -------
    dict
        For each graded student an empty string, or the sentence why there is no PDF.

    Raises
    ------
    KitError
        If the assignment was never released, or a student who is asked for is not graded.
    """
    return write_for_each(_write, course, assignment, students, progress, workers, paper=paper)


def _write(course: Course, assignment: str, student: str, paper: str):
    folder = course.autograded / student / assignment
    notebooks = {path.stem: read_graded(path) for path in sorted(folder.glob("*.ipynb"))}
    remedy = f"grade the work again: coursekit grade {assignment} --student {student} --regrade"
    if not notebooks:
        raise KitError(f"{folder} holds no graded notebook; {remedy}")
    with course.gradebook() as gradebook:
        try:
            submission = gradebook.find_submission(assignment, student)
        except MissingEntry:
            raise KitError(f"the gradebook has no points in {assignment}; {remedy}") from None
        title = _title(course, submission)
        summary = _summary(submission, notebooks.keys())
        by_hand = {
            notebook.name: {grade.name for grade in notebook.grades if grade.needs_manual_grade}
            for notebook in submission.notebooks
        }
    look_up = _with_points(course, assignment, student)
    parts = [(SUMMARY, summary, None)]
    for name, notebook in notebooks.items():
        graded = look_up(name, notebook)
        waiting = by_hand.get(name, ())
        graded.cells = [part for cell in graded.cells for part in _annotated(cell, waiting)]
        parts.append((name, graded, folder))
    path = course.feedback / student / assignment / f"{assignment}.pdf"
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_whole(path, export(parts, title=title, paper=paper).pdf)


def _with_points(
    course: Course, assignment: str, student: str
) -> Callable[[str, NotebookNode], NotebookNode]:
    """Make a function that treats a notebook as the feedback pages do, short of the HTML.

    The course's own preprocessors take out hidden tests and look up points and comments.
    """
    directory = course.directory(assignment_id=assignment, student_id=student)
    converter = GenerateFeedback(directory, config=Config(course.config.copy()))
    exporter = Exporter(parent=converter, config=converter.config)
    for preprocessor in converter.preprocessors:
        exporter.register_preprocessor(preprocessor)

    def look_up(name: str, notebook: NotebookNode) -> NotebookNode:
        where = {"assignment": assignment, "student": student, "notebook": name}
        resources = {"nbgrader": {**where, "db_url": directory.db_url}, "unique_key": name}
        return exporter.from_notebook_node(notebook, resources)[0]

    return look_up


def _annotated(cell: NotebookNode, waiting: Collection[str]) -> list[NotebookNode]:
    """Return a cell, and the note on its points and its comment if it has any."""
    told = cell.metadata.get("nbgrader", {})
    name = told.get("grade_id", "")
    # Only what nbgrader has just looked up; anything else a student may have written there.
    scored = (told.get("grade") or told.get("task")) and (told.points or told.score)
    comment = (told.get("solution") or told.get("task")) and told.comment or ""
    if name in waiting:
        head = f"Not graded yet: up to {_points(told.points)}"
    elif scored:
        head = f"{points(told.score)} of {_points(told.points)}"
    elif comment:
        head = "Comment"
    else:
        return [cell]
    note = f"**{head}** (`{name}`)\n\n{comment}".strip()
    return [cell, new_markdown_cell("\n".join(f"> {line}" for line in note.splitlines()))]


def _points(value: float) -> str:
    return f"{points(value)} {'point' if value == 1 else 'points'}"


def _title(course: Course, submission: SubmittedAssignment) -> Title:
    student = submission.student
    total = f"{points(_total(submission))} of {_points(submission.max_score)}"
    so_far = " so far" if submission.needs_manual_grade else ""
    return Title(
        course=course.directory().course_id,
        round=f"{submission.assignment.name}: {total}{so_far}",
        name=f"{student.first_name or ''} {student.last_name or ''}".strip(),
        student_number=student.id,
    )


def _total(submission: SubmittedAssignment) -> float:
    return max(0.0, submission.score - submission.late_submission_penalty)


def _summary(submission: SubmittedAssignment, graded: Collection[str]) -> NotebookNode:
    """Make the table of points: one row a notebook, and their sum."""
    rows = ["| Notebook | Points | of |", "|:---|---:|---:|"]
    for notebook in sorted(submission.notebooks, key=lambda notebook: notebook.name):
        missing = "" if notebook.name in graded else ", not handed in"
        rows.append(
            f"| `{notebook.name}`{missing} | {points(notebook.score)} "
            f"| {points(notebook.max_score)} |"
        )
    if submission.late_submission_penalty:
        rows.append(f"| Late | −{points(submission.late_submission_penalty)} | |")
    rows.append(f"| **Sum** | **{points(_total(submission))}** | {points(submission.max_score)} |")
    by_hand = sum(
        grade.max_score
        for notebook in submission.notebooks
        for grade in notebook.grades
        if grade.needs_manual_grade
    )
    if by_hand:
        rows.append(f"\nWritten answers, worth up to {_points(by_hand)}, are not graded yet.")
    text = "\n".join(rows)
    return new_notebook(cells=[new_markdown_cell(f"# {SUMMARY}\n\n{text}")])
