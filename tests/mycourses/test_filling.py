"""Grades and comments in the teacher's own worksheet, every other byte as it was."""

import csv
import io
import os
import re
import stat
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from bs4 import BeautifulSoup
from hypothesis import example, given
from hypothesis import strategies as st

from coursekit.errors import KitError
from coursekit.grading.student import LostPoints, NotebookResult, StudentResult
from coursekit.mycourses import filling
from coursekit.mycourses.cells import CellsError, rows_of, text_of
from coursekit.mycourses.comment import comment, written_by_hand
from coursekit.mycourses.filling import FillingError, fill, fill_rows, scaled
from coursekit.mycourses.ready import RESUBMITTED, WITHDRAWN
from coursekit.mycourses.sheet import SheetError, sheet_of

BOM = "\ufeff"
HEADERS = {
    "4.3": ["Identifier", "Full name", "Status", "Grade", "Maximum Grade"],
    "4.5": ["Identifier", "Full name", "Email address", "ID number", "Status", "Grade"]
    + ["Maximum grade"],
    "5.1": ["Identifier", "Full name", "Email address", "Status", "Group", "Grade"]
    + ["Maximum grade", "Marking workflow state"],
}
END = ["Grade can be changed", "Last modified (submission)", "Online text"]
END += ["Last modified (grade)", "Feedback comments"]
SUBMITTED = "Thursday, 19 November 2026, 12:30 PM"
SUBMISSION = "Last modified (submission)"


def header(version="4.5"):
    return HEADERS[version] + END


def cells(number, names, **told):
    """Return the cells of one row."""
    usual = {
        "Identifier": f"Participant {number}",
        "Full name": "Äinö O'Neil",
        "Status": "Submitted for grading -  - ",
        "Maximum grade": "100.00",
        "Maximum Grade": "100.00",
        "Grade can be changed": "Yes",
        "Last modified (submission)": SUBMITTED,
        "Last modified (grade)": "-",
    } | told
    return [usual.get(name, "") for name in names]


def php(cell):
    """Quote like PHP, where a space is enough, and a quote after a backslash stays single."""
    if not re.search(r'[\s",\\]', cell):
        return cell
    return '"' + re.sub(r'(?<!\\)"', '""', cell) + '"'


def sheet(*rows, names=None, quote=php, end="\n", mark=BOM):
    table = [names or header(), *rows]
    return mark + "".join(",".join(map(quote, row)) + end for row in table)


def one(number="12", score=60.0, max_score=100.0, state="graded", **options):
    notebooks = (NotebookResult("classification", score, max_score, False),)
    return StudentResult(number, "Ada", state, notebooks=notebooks, **options)


def filled_with(text, *results, **options):
    sheet = sheet_of(text)
    filled = fill_rows(sheet, {result.student: result for result in results}, {}, 100.0, **options)
    return sheet.text, filled


def read(text):
    return list(csv.reader(io.StringIO(text.removeprefix(BOM), newline="")))


def forbidden(cell):
    return cell.startswith(("=", "+", "-", "@")) or cell.endswith("\\") or '\\"' in cell


WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40) | st.sampled_from(
    [
        '\\frac{1}{2}"',
        'a\\"',
        "ends in \\",
        "=1+1",
        "@x",
        "-",
        "a\r\nb\nc",
        "小龙 李",
        "Äö,;'",
        "<b>&",
    ]
)
# Cells of Moodle's worksheet that a csv.reader reads as PHP does.
PLAIN = st.text(st.characters(exclude_characters='\\"\x00', exclude_categories=["Cs"]), max_size=20)
NUMBERS = st.lists(st.integers(1, 10**9).map(str), unique=True, min_size=1, max_size=6)
FORMS = {
    "quote": st.sampled_from([php, lambda cell: '"' + cell.replace('"', '""') + '"']),
    "end": st.sampled_from(["\n", "\r\n"]),
    "mark": st.sampled_from([BOM, ""]),
}


@st.composite
def worksheets(draw):
    """A worksheet of any version, with columns in any order, and its participants."""
    names = draw(st.sampled_from(list(HEADERS)).map(header))
    names = draw(st.permutations([*names, *draw(st.sampled_from([[], ["More"]]))]))
    numbers = draw(NUMBERS)
    free = {"Full name", "Email address", "ID number", "Status", "Group", "Online text", "More"}
    rows = [
        cells(number, names, **{name: draw(PLAIN) for name in free}, **draw(earlier()))
        for number in numbers
    ]
    return names, numbers, sheet(*rows, names=names, **{k: draw(v) for k, v in FORMS.items()})


def earlier():
    """What MyCourses may hold of an earlier grading."""
    when = st.sampled_from(["-", "Monday, 23 November 2026, 7:25 AM"])
    return st.fixed_dictionaries({"Last modified (grade)": when, "Feedback comments": PLAIN})


@given(worksheets())
def test_nothing_graded_is_a_round_trip_of_every_byte(made):
    _, numbers, text = made
    again, filled = filled_with(text, *(one(number, state="absent") for number in numbers))
    assert again == text
    assert filled.students == []
    assert sum(filled.blank.values(), []) == numbers


@given(
    worksheets(),
    st.data(),
)
def test_only_the_two_cells_of_graded_rows_change(made, data):
    names, numbers, text = made
    results = [
        one(
            number,
            data.draw(st.floats(-10, 200)),
            state=data.draw(st.sampled_from(["graded", "not graded", "absent", "needs a person"])),
            lost=(LostPoints(data.draw(WORDS), 0, 2, data.draw(WORDS)),),
        )
        for number in numbers
    ]
    again, _ = filled_with(text, *results)
    before, after = rows_of(text.removeprefix(BOM)), rows_of(again.removeprefix(BOM))
    written = {names.index("Grade"), names.index("Feedback comments")}
    if names[0] == "Feedback comments":
        written.remove(0)
    assert again.startswith(BOM) == text.startswith(BOM)
    assert before[0] == after[0]
    for result, old, new in zip(results, before[1:], after[1:], strict=True):
        assert old.end == new.end
        assert len(new.cells) == len(names)
        changed = {i for i, cell in enumerate(new.cells) if cell != old.cells[i]}
        assert changed <= (written if result.state == "graded" else set())
    rows = read(again)
    assert {len(row) for row in rows} == {len(names)}
    for result, row in zip(results, rows[1:], strict=True):
        if result.state == "graded":
            assert 0 <= Decimal(row[names.index("Grade")]) <= 100
            assert not any(forbidden(row[i]) for i in written)
            assert all("\n" not in row[i] and "\r" not in row[i] for i in written)


@given(WORDS, WORDS)
def test_comment_is_one_paragraph_in_which_every_word_is_text(cell, reason):
    told = comment(one(lost=(LostPoints(cell, 0, 2, reason),)), 100)
    assert told.startswith("<p>Points: 60 of 100<br>classification: 60 of 100<br>")
    assert told.endswith("</p>")
    assert not set(told) & set('"\\\n\r\x00')
    page = BeautifulSoup(told, "html.parser")
    assert {tag.name for tag in page.find_all(True)} <= {"p", "br"}
    words = "".join(letter if letter.isprintable() else " " for letter in f"{cell} -2: {reason}")
    assert words in page.text
    assert not written_by_hand(told)
    assert not written_by_hand(f" {page.text} ")  # as MyCourses gives it back


@example(100.0, 100.0, Decimal("100.00"))
@given(st.floats(-1e9, 1e9), st.floats(0.01, 1e6), st.decimals(0, 10**9, places=2))
def test_grade_is_scaled_into_its_range_with_two_decimals(score, max_points, maximum):
    grade = scaled(score, max_points, maximum)
    assert re.fullmatch(r"[0-9]+(\.[0-9]{1,2})?", grade)
    assert 0 <= Decimal(grade) <= maximum
    inside = min(max(score / max_points * float(maximum), 0), float(maximum))
    assert float(grade) == pytest.approx(inside, abs=0.0051, rel=1e-9)


@pytest.mark.parametrize(
    ("score", "max_points", "maximum", "grade"),
    [
        (71, 100, "100.00", "71.00"),
        (71, 100, "50.00", "35.50"),
        (1, 3, "10.00", "3.33"),
        (62.505, 100, "100.00", "62.51"),
        (0.1 + 0.2, 1, "100.00", "30.00"),
        (2, 3, "100", "66.67"),
        (101, 100, "100.00", "100.00"),
        (-1, 100, "100.00", "0.00"),
        (9, 9, "33.333", "33.33"),
        (5, 10, "0.00", "0.00"),
    ],
)
def test_grade_by_hand(score, max_points, maximum, grade):
    assert scaled(score, max_points, Decimal(maximum)) == grade


def test_penalty_late_work_and_what_is_missing_are_told():
    notebooks = (NotebookResult("a", 8, 10, False), NotebookResult("b", 0, 10, True))
    lost = (LostPoints("W1", 0, 2, "the mean over the cases is missing"),)
    result = StudentResult(
        "12", "Ada", "graded", notebooks, penalty=3, late_seconds=9000, lost=lost, unsafe=True
    )
    assert comment(result, 20) == (
        "<p>Points: 5 of 20<br>a: 8 of 10<br>b: 0 of 10<br>for being late: -3<br>2.5 h late<br>"
        "b.ipynb was not handed in<br>W1 -2: the mean over the cases is missing</p>"
    )


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        (one(state="absent"), filling.LATER),
        (one(state="not graded"), "not graded: run coursekit grade"),
        (one(state="needs a person", trouble="a.ipynb: cut off"), "needs a person: a.ipynb: cut"),
        (one(needs_manual=29), "29 points are still to be given"),
        (one(changed=True), "the work changed since it was graded"),
        (one(score=float("nan")), "the points are no number"),
    ],
)
def test_row_without_the_last_word_stays_as_it_is_and_is_named(result, reason):
    text = sheet(cells("12", header(), Grade="55.50"))
    again, filled = filled_with(text, result)
    assert again == text
    (told,) = filled.blank.items()
    assert told[0].startswith(reason)
    assert told[1] == ["12"]


@pytest.mark.parametrize("options", [{"needs_manual": 29}, {"changed": True}])
def test_provisional_points_are_written_when_asked_for(options):
    text = sheet(cells("12", header()))
    again, filled = filled_with(text, one(**options), provisional=True)
    assert read(again)[1][5] == "60.00"
    assert filled.students == ["12"]
    assert ("29 points are still" in again) == ("needs_manual" in options)


def test_nothing_handed_in_differs_from_handed_in_later():
    never = cells("13", header(), **{"Last modified (submission)": "-"})
    _, filled = filled_with(sheet(cells("12", header()), never, cells("14", header())), one("14"))
    assert filled.blank == {filling.LATER: ["12"], filling.ABSENT: ["13"]}


def test_locked_grade_is_left_and_named():
    text = sheet(cells("12", header(), **{"Grade can be changed": "No"}))
    again, filled = filled_with(text, one())
    assert again == text
    assert filled.blank == {filling.LOCKED: ["12"]}


def test_what_is_replaced_and_what_is_cut_is_told():
    rows = [
        cells("12", header(), Grade="55.50", **{"Feedback comments": 'By hand, "well"'}),
        cells("13", header(), Grade="60.00", **{"Feedback comments": "Points: 60 of 100"}),
    ]
    _, filled = filled_with(sheet(*rows), one("12", 120), one("13"))
    assert filled.grades == {"12": "55.50"}
    assert filled.comments == ["12"]
    assert filled.cut == ["12"]


def test_worksheet_without_comments_gets_grades():
    names = header()[:-1]
    again, filled = filled_with(sheet(cells("12", names), names=names), one())
    assert read(again)[1] == cells("12", names, Grade="60.00")
    assert not filled.has_comments


def test_quote_after_a_backslash_is_read_as_moodle_writes_it():
    row = cells("12", header(), **{"Online text": 'He said \\"hi\\", and \\frac'})
    text = sheet(row)
    again, filled = filled_with(text, one())
    assert filled.students == ["12"]
    assert again.startswith(text[: text.index(",-,")].replace(",,100.00", ",60.00,100.00"))


def test_blank_lines_and_a_last_line_without_end_stay():
    text = sheet(cells("12", header())) + "\n\n" + ",".join(map(php, cells("13", header())))
    again, filled = filled_with(text, one("13"))
    assert filled.students == ["13"]
    assert again[: len(text) - 20].startswith(text[: text.index("Participant 13")])


@given(st.text(alphabet='ab",\\\r\n \ufeff'))
def test_any_text_is_put_together_again_or_refused(text):
    try:
        rows = rows_of(text)
    except CellsError:
        return
    assert text_of(rows) == text


NAMES = header()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", 'no column "Identifier"; set the language'),
        (sheet(names=["Tunniste", "Arvosana"]), 'no column "Identifier"; set the language'),
        (sheet(names=[";".join(NAMES)], quote=str), "not saved from a spreadsheet"),
        (sheet(names=[n.replace("Maximum grade", "Scale") for n in NAMES]), "a scale or with adv"),
        (sheet(names=[n for n in NAMES if n != "Maximum grade"]), "Simple direct grading"),
        (sheet(names=[n for n in NAMES if "(grade)" not in n]), r'"Last modified \(grade\)"'),
        (sheet(names=[*NAMES, "Grade"]), "two columns have the same name"),
        (sheet(cells("12", NAMES)[:-1]), "row 2: 11 cells, expected 12"),
        (sheet(cells("12", NAMES), [*cells("13", NAMES), ""]), "row 3: 13 cells, expected 12"),
        (sheet(cells("12", NAMES), cells("12", NAMES)), "row 3: participant 12 stands there twice"),
        (sheet(cells("x", NAMES)), "row 2: the identifier is 'Participant x'"),
        (sheet(cells("12", NAMES, **{"Maximum grade": "100,00"})), "row 2: the maximum grade"),
        (sheet(cells("12", NAMES, **{"Maximum grade": "-"})), "row 2: the maximum grade"),
        (sheet(cells("12", NAMES, **{"Full name": "ends in \\"})), "row 2"),
        (sheet(cells("12", NAMES)) + '"open', "row 3: the quotes around a cell do not match"),
        (sheet(cells("12", NAMES)) + '"a"b,', "row 3: the quotes around a cell do not match"),
    ],
)
def test_worksheet_that_moodle_would_not_take_is_refused(text, message):
    with pytest.raises((SheetError, CellsError), match=message):
        filled_with(text, one())


def test_worksheet_of_another_assignment_is_refused_whatever_is_allowed():
    text = sheet(cells("77", header()))
    with pytest.raises(FillingError, match="worksheet of another assignment"):
        filled_with(text, one("12"), unknown=9)


def test_graded_students_are_not_lost_silently():
    text = sheet(cells("12", header()))
    results = one("12"), one("13"), one("14", state="needs a person"), one("15", state="absent")
    with pytest.raises(FillingError, match="2 who handed in are not in it.*: 13, 14;.*unknown 2"):
        filled_with(text, *results, unknown=1)
    _, filled = filled_with(text, *results, unknown=2)
    assert filled.unknown == ["13", "14"]


@pytest.fixture
def results_of(released, monkeypatch):
    """Let the gradebook say what a test wants, of work that was handed in at the usual time."""

    def say(*results, collected="2026-11-19 10:30:00 UTC"):
        monkeypatch.setattr(filling, "results", lambda course, assignment: list(results))
        for result in results:
            folder = released.submitted / result.student / "round"
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "timestamp.txt").write_text(collected)

    return say


@pytest.fixture
def path(tmp_path):
    made = tmp_path / "Grades-round.csv"
    made.write_bytes(sheet(cells("12", header()), end="\r\n").encode())
    return made


def test_copy_lies_beside_the_worksheet_for_the_owner_only_and_again(released, results_of, path):
    results_of(one(score=5.0, max_score=10.0))
    before = path.read_bytes()
    filled = fill(released, "round", path)
    assert filled.path == path.with_name("Grades-round-graded.csv")
    assert stat.S_IMODE(filled.path.stat().st_mode) == 0o600
    first = filled.path.read_bytes()
    assert b",50.00,100.00," in first
    assert path.read_bytes() == before
    fill(released, "round", path)
    assert filled.path.read_bytes() == first
    assert sorted(file.name for file in path.parent.glob("*.csv*")) == [
        "Grades-round-graded.csv",
        "Grades-round.csv",
    ]


@pytest.mark.parametrize(
    ("submitted", "reason"),
    [
        ("Saturday, 21 November 2026, 1:00 PM", RESUBMITTED),
        ("Thursday, 19 November 2026, 12:31 PM", RESUBMITTED),
        ("-", WITHDRAWN),
        (SUBMITTED, ""),
        ("Wednesday, 18 November 2026, 1:00 PM", ""),
    ],
)
def test_points_of_other_work_than_mycourses_has_are_left_out(
    released, results_of, path, submitted, reason
):
    results_of(one(score=6), one("13", score=6))
    rows = [cells("12", header(), **{"Last modified (submission)": submitted}), cells("13", NAMES)]
    path.write_bytes(sheet(*rows).encode())
    filled = fill(released, "round", path)
    assert filled.blank == ({reason: ["12"]} if reason else {})
    assert filled.students == (["13"] if reason else ["12", "13"])
    assert read(filled.path.read_bytes().decode())[1][5] == ("" if reason else "60.00")
    assert fill(released, "round", path, provisional=True).students == ["12", "13"]


def test_work_of_unknown_time_is_compared_with_the_time_of_its_collection(
    released, results_of, path
):
    results_of(one(), collected="")
    folder = released.submitted / "12" / "round"
    (folder / "timestamp.txt").unlink()
    for day, reasons in ((18, {RESUBMITTED: ["12"]}), (20, {})):
        moment = datetime(2026, 11, day, 12, tzinfo=UTC).timestamp()
        os.utime(folder, (moment, moment))
        assert fill(released, "round", path).blank == reasons


def test_time_that_cannot_be_read_is_told_with_its_row(released, results_of, path):
    results_of(one())
    row = cells("12", header(), **{"Last modified (submission)": "torstai 19. marraskuuta"})
    path.write_bytes(sheet(row).encode())
    with pytest.raises(KitError, match="Grades-round.csv: row 2, .*the date 'torstai.*English"):
        fill(released, "round", path)


@pytest.mark.parametrize("options", [{}, {"provisional": True}])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("column", [SUBMISSION, "Last modified (grade)"])
def test_date_that_a_spreadsheet_program_changed_is_refused(
    released, results_of, path, column, end, options
):
    results_of(one("13"))
    rows = [cells("12", header(), **{column: "23.11.2026 9.00"}), cells("13", header())]
    path.write_bytes(sheet(*rows, end=end).encode())
    with pytest.raises(KitError) as told:
        fill(released, "round", path, **options)
    assert f"row 2, \"{column}\": the date '23.11.2026 9.00' is not of the form" in str(told.value)
    assert "download the grading worksheet again, not saved from a spreadsheet" in str(told.value)
    assert "c.MyCourses.date_format" in str(told.value)
    assert not path.with_name("Grades-round-graded.csv").exists()


def test_copy_that_was_filled_in_before_is_refused(released, results_of, path):
    results_of(one(needs_manual=5))
    fill(released, "round", path, path.with_name("other.csv"), provisional=True)
    blank = fill(released, "round", path).path
    before = sorted(path.parent.iterdir())
    with pytest.raises(KitError, match="other.csv: it is a copy .* filled in; give .* downloaded"):
        fill(released, "round", path.with_name("other.csv"))
    with pytest.raises(KitError, match="graded.csv: it is a copy .* filled in, by its name; give"):
        fill(released, "round", blank)
    assert sorted(path.parent.iterdir()) == before


def test_worksheet_with_grades_of_a_person_is_filled(released, results_of, path):
    results_of(one())
    by_hand = cells("13", header(), Grade="50", **{"Feedback comments": "Well done"})
    again = {"Grade": "60.00", "Last modified (grade)": "Monday, 23 November 2026, 7:25 AM"}
    row = cells("12", header(), **again, **{"Feedback comments": "<p>Points: 60 of 100</p>"})
    path.write_bytes(sheet(row, by_hand).encode())
    assert fill(released, "round", path).students == ["12"]


def test_copy_of_an_older_download_of_the_assignment_is_replaced(released, results_of, path):
    results_of(one())
    fill(released, "round", path)
    again = {
        "Status": "Submitted for grading - Graded - ",
        "Grade": "60.00",
        "Last modified (grade)": "Monday, 23 November 2026, 7:25 AM",
        "Feedback comments": "Points: 60 of 100",
    }
    rows = [cells("12", header(), **again), cells("14", header(), **{SUBMISSION: "-"})]
    path.write_bytes(sheet(*rows).encode())
    results_of(one(score=7))
    filled = fill(released, "round", path)
    assert [row[5] for row in read(filled.path.read_bytes().decode())] == ["Grade", "70.00", ""]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (cells("901", header(), Grade="77.00"), "is no copy of this worksheet"),
        (cells("12", header(), Grade="77.00"), "a person wrote in row 2; rename"),
        (cells("12", header(), **{"Feedback comments": "By hand"}), "a person wrote in row 2"),
        (cells("13", header(), **{"Feedback comments": "By hand"}), "is no copy of this worksheet"),
        (cells("12", header())[:-1], "is no worksheet"),
    ],
)
def test_what_a_person_wrote_or_of_another_assignment_is_not_overwritten(
    released, results_of, path, row, message
):
    results_of(one())
    other = path.with_name("Grades-round-graded.csv")
    other.write_bytes(sheet(row).encode())
    before = other.read_bytes()
    with pytest.raises(KitError, match=message) as told:
        fill(released, "round", path)
    assert "--output" in str(told.value)
    assert other.read_bytes() == before


@pytest.mark.parametrize("name", ["Grades-round.csv", "link.csv", "other.csv"])
def test_nothing_else_is_overwritten(released, results_of, path, name):
    results_of(one())
    before = path.read_bytes()
    (path.parent / "link.csv").symlink_to(path)
    (path.parent / "other.csv").write_text("precious")
    with pytest.raises(KitError, match="--output"):
        fill(released, "round", path, path.parent / name)
    assert path.read_bytes() == before
    assert (path.parent / "other.csv").read_text() == "precious"


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "No such file"), (b"\xff\xfe", "is not in UTF-8"), (b"a,b\n", "csv: there is no col")],
)
def test_nothing_is_written_for_a_file_that_is_refused(
    released, results_of, tmp_path, content, message
):
    results_of(one())
    path = tmp_path / "worksheet.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(KitError, match=message):
        fill(released, "round", path)
    assert not (tmp_path / "worksheet-graded.csv").exists()


def test_folder_that_is_not_there_is_told(released, results_of, path):
    results_of(one())
    with pytest.raises(KitError, match="x.csv cannot be written: No such file"):
        fill(released, "round", path, path.parent / "nowhere" / "x.csv")
