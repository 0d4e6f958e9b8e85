"""Who is written into the gradebook, and when the gradebook knows somebody else."""

import pytest

from coursekit.mycourses.roster import enrol
from coursekit.mycourses.worksheet import Participant

AINO = {
    "first_name": "Aino",
    "last_name": "Esimerkki",
    "email": "aino@example.invalid",
    "lms_user_id": "K1",
}


@pytest.fixture
def enrolled(course):
    """Enrol a participant where the gradebook holds Aino, who lacks some of her fields."""

    def enrol_one(without=(), name="", email="", id_number=""):
        with course.gradebook() as gradebook:
            known = {key: None if key in without else value for key, value in AINO.items()}
            gradebook.update_or_create_student("101", **known)
        notes = enrol(course, [Participant("101", name, email, id_number, None)])
        with course.gradebook() as gradebook:
            told = gradebook.find_student("101").to_dict()
        return notes, {key: told[key] for key in AINO}

    return enrol_one


@pytest.mark.parametrize(
    ("without", "told", "differs"),
    [
        ([], {"id_number": "K2", "email": AINO["email"]}, "ID number"),
        ([], {"email": "other@example.invalid"}, "e-mail address"),
        (["lms_user_id"], {"id_number": "K2", "email": "other@example.invalid"}, "e-mail address"),
    ],
)
def test_somebody_else_under_a_known_number_is_told_and_changes_nothing(
    enrolled, without, told, differs
):
    notes, student = enrolled(without, name="Other One", **told)
    assert student == AINO | dict.fromkeys(without)
    assert notes == [
        f"101: the gradebook has another {differs} for this participant and keeps it; is this the "
        "worksheet of this course?"
    ]


def test_other_name_and_address_of_a_known_student_are_written_and_told(enrolled):
    notes, student = enrolled(
        name="Aino Uusi", email="aino.uusi@example.invalid", id_number=AINO["lms_user_id"]
    )
    assert student == AINO | {"last_name": "Uusi", "email": "aino.uusi@example.invalid"}
    assert notes == ["101: another e-mail address and last name than before is in the gradebook."]


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"name": "Aino Esimerkki", "email": "Aino@Example.invalid", "id_number": "k1"},
        {"email": AINO["email"]},
    ],
)
def test_the_same_student_is_written_without_a_word(enrolled, told):
    notes, student = enrolled(**told)
    assert notes == []
    assert {key: value.casefold() for key, value in student.items()} == {
        key: value.casefold() for key, value in AINO.items()
    }


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("Aino Esimerkki", "Aino", "Esimerkki"),
        ("Aino", "", "Aino"),
        ('Ann_Marie von_Test O\'Neil, "Jr."', "Ann_Marie von_Test", 'O\'Neil, "Jr."'),
        ("小龙 李", "小龙", "李"),
    ],
)
def test_last_word_before_a_comma_begins_the_last_name(enrolled, name, first, last):
    _, student = enrolled(name=name)
    assert (student["first_name"], student["last_name"]) == (first, last)
