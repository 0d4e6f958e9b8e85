import csv
import io
import zipfile

import pytest

from coursekit.demo.download import HEADER, download_zip, scan, worksheet
from coursekit.demo.handing_in import Student


def student(name, number, **facts):
    given = {"key": "somebody", "story": "", "notebooks": {}, "expected": {}, "lost": frozenset()}
    return Student(name=name, number=number, **(given | facts))


def entries(class_):
    with zipfile.ZipFile(io.BytesIO(download_zip(class_))) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("Päivi Hämäläinen", "Päivi Hämäläinen"),
        ("王小雨", "王小雨"),
        ("Sean O'Brien", "Sean OBrien"),
        ("Jean-Luc Mercier, Jr.", "Jean-Luc Mercier, Jr."),
        ("Ann_Marie <b>|&", "Ann Marie b"),
    ],
)
def test_a_student_has_a_folder_with_the_cleaned_name_and_the_number(name, folder):
    packed = entries({student(name, "17"): {"a.ipynb": b"{}", "scan.pdf": b"%PDF"}})
    assert packed == {
        f"{folder}_17_assignsubmission_file/a.ipynb": b"{}",
        f"{folder}_17_assignsubmission_file/scan.pdf": b"%PDF",
    }


def test_two_students_of_one_name_have_two_folders():
    packed = entries({student("Matti", "1"): {"a": b"1"}, student("Matti", "2"): {"a": b"2"}})
    assert list(packed.values()) == [b"1", b"2"]


def test_who_handed_nothing_in_is_in_the_worksheet_alone():
    class_ = {student("Aino", "1"): {"a": b""}, student("Ilmari", "2"): {}}
    assert list(entries(class_)) == ["Aino_1_assignsubmission_file/a"]
    row = worksheet(class_).decode("utf-8-sig").splitlines()[2]
    assert row == (
        '"Participant 2",Ilmari,somebody@example.invalid,100002,'
        '"No submission -  - ",,100.00,Yes,-,-,'
    )


@pytest.mark.parametrize(
    ("late_hours", "status", "moment"),
    [
        (-6, "Submitted for grading", "Friday, 20 November 2026, 5:59 PM"),
        (-11.5, "Submitted for grading", "Friday, 20 November 2026, 12:29 PM"),
        (1, "Submitted for grading - 0 days 1 hours late", "Saturday, 21 November 2026, 12:59 AM"),
        (30, "Submitted for grading - 1 day 6 hours late", "Sunday, 22 November 2026, 5:59 AM"),
    ],
)
def test_the_worksheet_has_the_bytes_of_mycourses(late_hours, status, moment):
    sheet = worksheet({student("Sean O'Brien", "7", late_hours=late_hours): {"a": b""}})
    header = ",".join(f'"{title}"' if " " in title else title for title in HEADER)
    assert (
        sheet
        == (
            f"\ufeff{header}\n"
            '"Participant 7","Sean O\'Brien",somebody@example.invalid,100001,'
            f'"{status} -  - ",,100.00,Yes,"{moment}",-,\n'
        ).encode()
    )


def test_a_quote_in_a_name_is_doubled():
    sheet = worksheet({student('Ann "Jr."', "7"): {"a": b""}}).decode("utf-8-sig")
    assert '"Ann ""Jr."""' in sheet
    assert next(csv.DictReader(io.StringIO(sheet)))["Full name"] == 'Ann "Jr."'


def test_the_scan_is_a_pdf_whose_table_finds_every_object():
    pdf = scan(["Exercise 1"])
    assert pdf.startswith(b"%PDF-1.4\n")
    assert pdf.endswith(b"%%EOF\n")
    start = int(pdf.split(b"startxref\n")[1].split()[0])
    table = pdf[start:].split(b"\n")
    assert table[0] == b"xref"
    for number, line in enumerate(table[3:8], start=1):
        assert pdf[int(line.split()[0]) :].startswith(b"%d 0 obj" % number)
