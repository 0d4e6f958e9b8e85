import pytest

from nnlab.handing_in import HandInError
from nnlab.handing_in.student import MEMORY, Student, clean_name, clean_number, identify, remember


def answers(*texts):
    left = iter(texts)
    return lambda question: next(left)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1023456", "1023456"),
        (" 102 34-56\n", "1023456"),
        ("12345a", "12345a"),
        (1023456, "1023456"),
    ],
)
def test_student_numbers_may_have_spaces_and_hyphens(text, number):
    assert clean_number(text) == number


@pytest.mark.parametrize(
    "text",
    [
        "",
        "123",
        "1" * 13,
        "ada@aalto.fi",
        "../../x",
        "CON:aux",
        "１０２３４５６",
        "a\0bcd",
        "ümläut",
    ],
)
def test_what_is_no_student_number_is_one_sentence(text):
    with pytest.raises(HandInError, match="is no student number: it has 4 to 12 letters") as caught:
        clean_number(text)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("  Ada\tŁovelace\n", "Ada Łovelace"),
        ("\x1b[31mEve\0", "[31mEve"),
        ("\u202eeve", "eve"),
        ("", ""),
    ],
)
def test_names_are_one_printable_line(text, name):
    assert clean_name(text) == name
    assert len(clean_name("x" * 500)) == 80


def test_what_is_missing_is_asked_for(tmp_path):
    assert identify("", "", tmp_path, answers("Ada", "1023456")) == Student("Ada", "1023456")
    assert identify("Ada", "", tmp_path, answers("1023456")) == Student("Ada", "1023456")
    assert identify("Ada", "1023456", tmp_path, None) == Student("Ada", "1023456")


def test_a_mistyped_number_is_asked_for_again(tmp_path, capsys):
    ask = answers("Ada", "what?", "1023456")
    assert identify("", "", tmp_path, ask).number == "1023456"
    assert capsys.readouterr().out.startswith("what? is no student number")


def test_without_a_number_nothing_goes_on(tmp_path):
    with pytest.raises(HandInError, match="your student number is missing"):
        identify("Ada", "", tmp_path, None)
    with pytest.raises(HandInError, match="your student number is missing"):
        identify("Ada", "", tmp_path, answers("", "", ""))


def test_a_name_may_stay_away(tmp_path):
    assert identify("", "", tmp_path, answers("", "1023456")) == Student("", "1023456")


def test_answers_are_remembered_and_given_ones_go_before(tmp_path):
    remember(tmp_path, Student("Ada Łovelace", "1023456"))
    assert identify("", "", tmp_path, None) == Student("Ada Łovelace", "1023456")
    assert identify("Eve", "7654321", tmp_path, None) == Student("Eve", "7654321")


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", "3", '{"name": "x", "number": "../x"}', '{"name": "x", "number": null}'],
)
def test_a_memory_that_is_damaged_is_forgotten(tmp_path, text):
    (tmp_path / MEMORY).write_text(text, encoding="utf-8")
    assert identify("", "", tmp_path, answers("Ada", "1023456")) == Student("Ada", "1023456")


def test_a_folder_that_cannot_be_written_to_is_no_trouble(tmp_path):
    remember(tmp_path / "nowhere", Student("Ada", "1023456"))
