"""How the grading of a student ends."""

from dataclasses import dataclass, field

GRADED = "graded"
KEPT = "kept"
NEEDS_PERSON = "needs a person"
FAILED = "failed"
MISSING = "not handed in"


@dataclass(frozen=True)
class Outcome:
    """How the grading of one student went.

    Attributes
    ----------
    student : str
    status : str
        ``graded``; ``kept``, when it was graded before; ``needs a person``, when it is not plain
        what was handed in; ``failed``, when the machine or nbgrader could not grade it; or
        ``not handed in``.
    detail : str
        What an instructor should know, in a sentence or two; empty if there is nothing to say.
    notebooks : int
        How many notebooks were run.
    cause : BaseException or None
        The exception that a failure came from.
    """

    student: str
    status: str
    detail: str = ""
    notebooks: int = 0
    cause: BaseException | None = field(default=None, compare=False, repr=False)
