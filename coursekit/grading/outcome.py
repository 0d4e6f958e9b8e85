"""How the grading of a student ends."""

from dataclasses import dataclass

GRADED = "graded"
FAILED = "failed"
KEPT = "kept"
MISSING = "missing"


@dataclass(frozen=True)
class Outcome:
    """How the grading of one student went.

    Attributes
    ----------
    student : str
    status : str
        ``graded``; ``kept``, when it was graded before; ``failed``, when nbgrader could not
        grade; or ``missing``, when there is no notebook to grade.
    detail : str
        What an instructor should know, in one sentence; empty if there is nothing to say.
    """

    student: str
    status: str
    detail: str = ""
