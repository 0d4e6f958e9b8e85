"""Write who takes part into the gradebook."""

from collections.abc import Iterable

from nbgrader.api import MissingEntry

from coursekit.course import Course
from coursekit.grading.gradebook import OpenGradebook
from coursekit.grading.wording import listing
from coursekit.mycourses.worksheet import Participant

# What the gradebook keeps of a student, as a sentence calls it. Of two that stay from round to
# round, the first that both sides tell says whether two students are one.
STAYING = {"lms_user_id": "ID number", "email": "e-mail address"}
NAMES = {"first_name": "first name", "last_name": "last name"}


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
        A sentence for each number that the gradebook knows as somebody else, which stays so, and
        for each that has another name or address now. No sentence holds a name or an address.
    """
    notes = []
    with course.gradebook(OpenGradebook) as gradebook, gradebook.at_once():
        for participant in participants:
            number, told = participant.number, _told(participant)
            known = _known(gradebook, number)
            differing = [key for key in told if known.get(key) and not _same(known[key], told[key])]
            both = [key for key in STAYING if known.get(key) and told.get(key)]
            if both and both[0] in differing:
                notes.append(
                    f"{number}: the gradebook has another {STAYING[both[0]]} for this participant "
                    "and keeps it; is this the worksheet of this course?"
                )
                continue
            if differing:
                names = [(STAYING | NAMES)[key] for key in differing]
                notes.append(f"{number}: another {listing(names)} than before is in the gradebook.")
            gradebook.update_or_create_student(number, **told)
    return notes


def _told(participant: Participant) -> dict[str, str]:
    """Return what a worksheet tells of a participant, as the gradebook calls it."""
    told = {"email": participant.email, "lms_user_id": participant.id_number}
    told = {key: value for key, value in told.items() if value}
    if participant.name:
        name, comma, suffix = participant.name.partition(",")  # "Aino Esimerkki, Jr."
        first, _, last = name.rpartition(" ")
        told |= {"first_name": first, "last_name": last + comma + suffix}
    return told


def _known(gradebook: OpenGradebook, number: str) -> dict[str, str | None]:
    """Return what the gradebook has of a participant."""
    try:
        student = gradebook.find_student(number)
    except MissingEntry:
        return {}
    return {key: getattr(student, key) for key in STAYING | NAMES}


def _same(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()
