"""Write who takes part into the gradebook."""

from collections.abc import Iterable

from nbgrader.api import MissingEntry

from coursekit.course import Course
from coursekit.grading.gradebook import OpenGradebook
from coursekit.mycourses.worksheet import Participant


def enrol(course: Course, participants: Iterable[Participant]) -> list[str]:
    """Write the participants into the gradebook, those without a submission too.

    The participant number is nbgrader's student id. MyCourses gives it anew in every assignment;
    e-mail and ID number (`lms_user_id`), which stay, are kept beside it for joining rounds. What
    a worksheet does not tell (blind marking) stays as it was.

    Parameters
    ----------
    course : Course
    participants : iterable of Participant

    Returns
    -------
    list of str
        A sentence for each number that the gradebook knows as somebody else; it stays so.
    """
    others = []
    with course.gradebook(OpenGradebook) as gradebook, gradebook.at_once():
        for participant in participants:
            known = _known(gradebook, participant.number)
            if known and participant.id_number not in ("", known):
                others.append(
                    f"{participant.number}: the gradebook has another ID number for this "
                    "participant and keeps it; is this the worksheet of this course?"
                )
                continue
            first, _, last = participant.name.rpartition(" ")
            told = {
                "first_name": first,
                "last_name": last,
                "email": participant.email,
                "lms_user_id": participant.id_number,
            }
            gradebook.update_or_create_student(
                participant.number, **{key: value for key, value in told.items() if value}
            )
    return others


def _known(gradebook: OpenGradebook, number: str) -> str:
    """Return the ID number that the gradebook has for a participant, or nothing."""
    try:
        return gradebook.find_student(number).lms_user_id or ""
    except MissingEntry:
        return ""
