import csv
import io
from datetime import UTC, datetime

import pytest

from coursekit.errors import KitError
from coursekit.mycourses.sheet import sheet_of
from coursekit.mycourses.worksheet import Participant, WorksheetError, read_worksheet

HEADER = [
    "Identifier",
    "Full name",
    "Email address",
    "ID number",
    "Status",
    "Grade",
    "Maximum grade",
    "Grade can be changed",
    "Last modified (submission)",
    "Last modified (grade)",
    "Feedback comments",
]


def row(number, name="Aino Esimerkki", submitted="Thursday, 19 November 2026, 12:30 PM"):
    status = "Submitted for grading -  - "
    mail = f"{number}@example.invalid"
    start = [f"Participant {number}", name, mail, f"K{number}", status, "", "100.00", "Yes"]
    return [*start, submitted, "-", ""]


def worksheet(path, *rows, header=HEADER, encoding="utf-8-sig"):
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    path.write_text(text.getvalue(), encoding=encoding)
    return path


@pytest.fixture
def path(tmp_path):
    return tmp_path / "worksheet.csv"


def test_row_is_read(course, path):
    found = read_worksheet(worksheet(path, row(12, 'Väinö "V." von Häme, Jr.')), course)
    assert found == {
        "12": Participant(
            "12",
            'Väinö "V." von Häme, Jr.',
            "12@example.invalid",
            "K12",
            datetime(2026, 11, 19, 10, 30, tzinfo=UTC),
        )
    }


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("Monday, 1 June 2026, 12:05 AM", datetime(2026, 5, 31, 21, 5, tzinfo=UTC)),
        ("Monday, 1 June 2026, 11:58 PM", datetime(2026, 6, 1, 20, 58, tzinfo=UTC)),
        ("Friday, 18 December 2026, 9:00 AM", datetime(2026, 12, 18, 7, 0, tzinfo=UTC)),
        ("-", None),
        ("", None),
    ],
)
def test_time_of_submission_is_read_in_the_time_zone_of_the_course(course, path, text, utc):
    assert read_worksheet(worksheet(path, row(1, submitted=text)), course)["1"].submitted == utc


def test_blind_marking_leaves_names_empty(course, path):
    header = [HEADER[0], HEADER[8]]
    found = read_worksheet(worksheet(path, ["Participant 5", "-"], header=header), course)
    assert found == {"5": Participant("5", "", "", "", None)}


def test_order_of_columns_does_not_matter(course, path):
    found = read_worksheet(worksheet(path, row(7)[::-1], header=HEADER[::-1]), course)
    assert found["7"].id_number == "K7"


@pytest.mark.parametrize(
    ("comment", "raw"),
    [
        ("a quote after a backslash", r'"M\"akel\"a, \frac"'),
        ("a text longer than csv takes", f'"{"x" * 200_000}"'),
        ("lines", '"one\r\n\r\nParticipant 9,"'),
    ],
)
def test_texts_in_other_cells_are_read_as_mycourses_writes_them(course, path, comment, raw):
    worksheet(path, row(1), [*row(2)[:-1], "TEXT"], row(3))
    path.write_text(path.read_text("utf-8").replace("TEXT", raw), "utf-8")
    assert list(read_worksheet(path, course)) == ["1", "2", "3"], comment


def test_blank_lines_are_passed_over(course, path):
    worksheet(path, row(1), row(2))
    path.write_text(path.read_text("utf-8").replace("\n", "\n\n") + "\n", "utf-8")
    assert list(read_worksheet(path, course)) == ["1", "2"]


@pytest.mark.parametrize("command", ["collect", "fill"])
def test_file_from_a_spreadsheet_program_is_told_with_the_remedy(course, path, command):
    text = worksheet(path, row(1)).read_text("utf-8")
    path.write_text(text.replace(",", ";").replace("Participant 1", '"Participant 1"'), "utf-8")
    with pytest.raises(KitError, match="spreadsheet program has saved; download .* again"):
        read_worksheet(path, course) if command == "collect" else sheet_of(path.read_text("utf-8"))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([row(1)[:-1]], r"row 2: 10 cells, expected 11"),
        ([row(1), row(2, submitted="torstaina 19. marraskuuta")], r"row 3, .*: the date 'torst"),
        ([row(1, submitted="Thursday, 31 November 2026, 12:30 PM")], r"row 2, .*: the date"),
        ([["Osallistuja 1", *row(1)[1:]]], r"row 2: the identifier is 'Osallistuja 1'"),
        ([row(1), row(1)], r"row 3: participant 1 stands there twice"),
    ],
)
def test_broken_row_is_named(course, path, rows, message):
    with pytest.raises(WorksheetError, match=message):
        read_worksheet(worksheet(path, *rows), course)


def test_other_language_is_refused_with_the_remedy(course, path):
    with pytest.raises(WorksheetError, match="language of MyCourses to English"):
        read_worksheet(worksheet(path, header=["Tunniste", "Koko nimi"]), course)


@pytest.mark.parametrize("content", [b"", b"\x00", b"Identifier;Full name\n"])
def test_file_that_is_no_worksheet_is_refused(course, path, content):
    path.write_bytes(content)
    with pytest.raises(WorksheetError):
        read_worksheet(path, course)


def test_other_encoding_is_refused(course, path):
    with pytest.raises(WorksheetError, match="is not in UTF-8, as a file that a spreadsheet"):
        read_worksheet(worksheet(path, row(1, "Väinö"), encoding="latin-1"), course)


def test_file_that_is_not_there_is_refused(course, path):
    with pytest.raises(WorksheetError, match="cannot be read"):
        read_worksheet(path, course)
