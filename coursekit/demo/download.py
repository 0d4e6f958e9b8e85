"""The class as MyCourses gives it: the zip of all submissions and the grading worksheet."""

import io
import re
import zipfile
from datetime import datetime, timedelta

from coursekit.demo.handing_in import Student
from coursekit.mycourses.worksheet import MONTHS

DEADLINE = datetime(2026, 11, 20, 23, 59)
"""In the course's time zone."""

HEADER = (
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
)
DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
# MyCourses takes these out of a name before it makes a folder of it.
NOT_IN_FOLDERS = str.maketrans({"_": " "} | dict.fromkeys("&<>\"'|:\\/`"))


def download_zip(handed_in: dict[Student, dict[str, bytes]]) -> bytes:
    """Pack what the students handed in like "Download all submissions".

    Parameters
    ----------
    handed_in : dict
        By student, contents by file name; a student without files is not in the zip.

    Returns
    -------
    bytes
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for student, files in handed_in.items():
            name = student.name.translate(NOT_IN_FOLDERS)
            for file, content in files.items():
                archive.writestr(f"{name}_{student.number}_assignsubmission_file/{file}", content)
    return buffer.getvalue()


def worksheet(handed_in: dict[Student, dict[str, bytes]]) -> bytes:
    """Write the grading worksheet, byte for byte in the form of MyCourses.

    Parameters
    ----------
    handed_in : dict
        As in `download_zip`; a student without files has a row all the same.

    Returns
    -------
    bytes
    """
    rows = [HEADER]
    for order, (student, files) in enumerate(handed_in.items(), start=1):
        rows.append(
            (
                f"Participant {student.number}",
                student.name,
                f"{student.key}@example.invalid",
                f"{100000 + order}",
                f"{_status(student, bool(files))} -  - ",
                "",
                "100.00",
                "Yes",
                _written(DEADLINE + timedelta(hours=student.late_hours)) if files else "-",
                "-",
                "",
            )
        )
    text = "".join(",".join(map(_quoted, row)) + "\n" for row in rows)
    return b"\xef\xbb\xbf" + text.encode()


def _quoted(cell: str) -> str:
    """Quote like PHP: a space is enough."""
    return '"' + cell.replace('"', '""') + '"' if re.search(r'[\s",\\]', cell) else cell


def _status(student: Student, submitted: bool) -> str:
    if not submitted:
        return "No submission"
    if student.late_hours <= 0:
        return "Submitted for grading"
    days, hours = divmod(round(student.late_hours), 24)
    return f"Submitted for grading - {days} day{'s' * (days != 1)} {hours} hours late"


def _written(moment: datetime) -> str:
    """Write a date as MyCourses does in English, whatever the locale."""
    day, month = DAYS[moment.weekday()], MONTHS[moment.month - 1]
    half = "PM" if moment.hour >= 12 else "AM"
    return f"{day}, {moment.day} {month} {moment.year}, {moment.hour % 12 or 12}:{moment:%M} {half}"


def scan(lines: list[str]) -> bytes:
    """Make a PDF of one page, in the place of a student's scan.

    Parameters
    ----------
    lines : list of str
        Text in ASCII, without brackets or backslashes.

    Returns
    -------
    bytes
    """
    text = " T* ".join(f"({line}) Tj" for line in lines)
    stream = f"BT /F1 14 Tf 20 TL 72 760 Td {text} ET"
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        "/Resources << /Font << /F1 5 0 R >> >> >>",
        f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    pdf, offsets = "%PDF-1.4\n", []
    for number, content in enumerate(objects, start=1):
        offsets.append(len(pdf))
        pdf += f"{number} 0 obj\n{content}\nendobj\n"
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    count = len(objects) + 1
    return (
        f"{pdf}xref\n0 {count}\n0000000000 65535 f \n{table}"
        f"trailer\n<< /Size {count} /Root 1 0 R >>\nstartxref\n{len(pdf)}\n%%EOF\n"
    ).encode("ascii")
