"""Classes that were graded without running anything."""

import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import nbformat

from coursekit.course import Course, known_warnings_ignored
from coursekit.judging.round09 import TASKS
from coursekit.judging.verdict import Finding, Verdict, outputs

DUE = datetime(2026, 11, 20, 21, 59)
POINTS = {"add-test": 4.0, "add-words": 2.0, "why": 3.0, "product-test": 1.0}
TASK = "gradient-W1"
MISTAKE = next(one for one in TASKS[TASK].mistakes if one.name == "gradient summed over the cases")


@dataclass
class Student:
    """What one student handed in and got; points that are None are still to be given."""

    id: str
    first_name: str = ""
    last_name: str = ""
    points: dict[str, float | None] = field(default_factory=lambda: dict(POINTS))
    answers: dict[str, str] = field(default_factory=dict)
    before_due: timedelta | None = timedelta(hours=2)
    notebooks: tuple[str, ...] = ("sums", "products")
    mistakes: tuple = ()
    seconds: float = 1.0
    files: dict[str, str] = field(default_factory=dict)


def graded_class(course: Course, *students: Student) -> Course:
    """Write what a grading leaves behind: folders, notebooks and gradebook."""
    with course.gradebook() as gradebook, known_warnings_ignored():
        assignment = gradebook.find_assignment("round")
        assignment.duedate = DUE
        for student in students:
            _files(course, student)
            gradebook.add_student(
                student.id, first_name=student.first_name, last_name=student.last_name
            )
            moment = DUE - student.before_due if student.before_due is not None else None
            gradebook.add_submission("round", student.id, timestamp=moment)
            for notebook in gradebook.find_submission("round", student.id).notebooks:
                for grade in notebook.grades:
                    score = student.points[grade.name]
                    grade.needs_manual_grade = score is None
                    setattr(grade, "manual_score" if grade.name == "why" else "auto_score", score)
        gradebook.db.commit()
    return course


def _files(course: Course, student: Student):
    handed_in = course.submitted / student.id / "round"
    handed_in.mkdir(parents=True)
    for name, text in (student.files or {"notes.txt": student.id}).items():
        (handed_in / name).write_text(text)
    folder = course.autograded / student.id / "round"
    folder.mkdir(parents=True)
    for name in student.notebooks:
        nb = nbformat.read(course.release / "round" / f"{name}.ipynb", as_version=4)
        for cell in nb.cells:
            grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
            cell.source = student.answers.get(grade_id, cell.source)
            if cell.cell_type == "code":
                cell.metadata["execution"] = _ran(student.seconds)
            if grade_id == "add-test" and student.mistakes:
                cell.source = f'judge("{TASK}")'
                cell.outputs = outputs(_verdict(student.mistakes))
        nbformat.write(nb, folder / f"{name}.ipynb")
    shutil.copystat(handed_in, folder)


def _ran(seconds: float) -> dict:
    start = datetime(2026, 11, 21, tzinfo=UTC)
    return {
        "iopub.execute_input": start.isoformat(),
        "shell.execute_reply": (start + timedelta(seconds=seconds)).isoformat(),
    }


def _verdict(mistakes) -> Verdict:
    findings = [
        Finding("value", 2.0, one.sentence, one.name)
        if one in TASKS[TASK].mistakes
        else Finding("value", 2.0, one)
        for one in mistakes
    ]
    return Verdict(TASK, "Gradient", 4.0, tuple(findings))


def hostile_class() -> list[Student]:
    """Students with names and answers that mean harm, and scores from nothing to all."""
    zero = dict.fromkeys(POINTS, 0.0)
    return [
        Student("11", "<script>alert(1)</script>", '"><img src=x onerror=alert(2)>'),
        Student("12", '=HYPERLINK("http://evil")', "", points={**POINTS, "why": None}),
        Student("13", "فاطمة", "الزهراء", points=zero, before_due=timedelta(hours=-30)),
        Student("14", "王", "小雨" * 40, mistakes=(MISTAKE,)),
        Student("15", "O'Brien & Sons", "{{ 7 * 7 }}", mistakes=(MISTAKE, "No answer: <b>x</b>.")),
    ]
