import csv
import io
import stat
from datetime import datetime

import pytest
from bs4 import BeautifulSoup

from coursekit.report.page import anonymous_report, full_report, write_report
from coursekit.report.sheets import Sheet

MADE = datetime(2026, 11, 24, 13, 57)


def page(course, found):
    return BeautifulSoup(full_report(course, found, MADE)[0], "html.parser")


def classes(make):
    """Classes at the edges, by what is odd about them."""
    zero = dict.fromkeys(make.points, 0.0)
    return {
        "nobody": [],
        "one": [make.student("1")],
        "all zero": [make.student(str(n), points=zero) for n in range(5)],
        "all full": [make.student(str(n)) for n in range(5)],
        "one notebook": [make.student(str(n), notebooks=("sums",)) for n in range(5)],
        "extra credit": [make.student("1", points={**make.points, "why": 9.0})],
    }


EDGES = ("nobody", "one", "all zero", "all full", "one notebook", "extra credit")


def well_formed(soup):
    assert len(soup.find_all("h1")) == 1
    levels = [int(tag.name[1]) for tag in soup.find_all(["h1", "h2", "h3", "h4", "h5"])]
    assert all(after - before <= 1 for before, after in zip(levels, levels[1:], strict=False))
    ids = [tag["id"] for tag in soup.find_all(id=True)]
    assert len(ids) == len(set(ids))
    for link in soup.find_all("a", href=lambda href: href.startswith("#")):
        assert link["href"][1:] in ids
    for label in soup.find_all(attrs={"aria-labelledby": True}):
        assert set(label["aria-labelledby"].split()) <= set(ids)
    for table in soup.find_all("table"):
        assert table.caption.get_text(strip=True)
        assert all(cell.get("scope") for cell in table.find_all("th"))
    assert {"header", "main", "footer"} <= {tag.name for tag in soup.find_all()}


@pytest.mark.parametrize("edge", EDGES)
def test_classes_at_the_edges(released, make, edge):
    found = make(released, *classes(make)[edge])
    well_formed(page(released, found))
    well_formed(BeautifulSoup(anonymous_report(found, MADE)[0], "html.parser"))


def test_first_screen_tells_the_three_things(released, make, mistake):
    students = [make.student(str(n), mistakes=(mistake,)) for n in range(4)]
    students.append(make.student("5", points={**make.points, "why": None}))
    first = page(released, make(released, *students)).find(class_="first")
    did, explain, look = first.find_all("section")
    assert did.find(class_="big").get_text().split() == ["10", "of", "10", "points"]
    assert f"4 of 5 {mistake.sentence}" in " ".join(explain.get_text().split())
    assert look.find("a", href="#waiting").parent.parent.find(class_="count").text == "1"


def test_names_and_words_of_students_never_become_markup(released, make, hostile):
    soup = page(released, make(released, *hostile))
    well_formed(soup)
    assert not soup.find_all(["script", "img", "b"])
    assert not soup.find_all(style=True)
    text = soup.get_text()
    assert "<script>alert(1)</script>" in text
    assert "{{ 7 * 7 }}" in text
    assert all(name.find_parent("bdi") for name in soup.find_all(string=lambda s: "الزهراء" in s))


def test_page_needs_nothing_else_and_forbids_scripts(released, make):
    html = full_report(released, make(released, make.student("1")), MADE)[0]
    soup = BeautifulSoup(html, "html.parser")
    assert not soup.find_all(["script", "link", "img", "iframe", "object", "embed"])
    assert not soup.find_all(src=True)
    assert "url(" not in soup.style.text
    assert "@import" not in soup.style.text
    policy = soup.find("meta", attrs={"http-equiv": "Content-Security-Policy"})["content"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")


def test_chart_has_words_and_a_table(released, make):
    soup = page(released, make(released, *(make.student(str(n)) for n in range(3))))
    chart = soup.find("svg", role="img")
    assert chart.title.text
    assert "median is 10 of 10" in chart.desc.text
    assert soup.find(id="totals").table.find_all("tr")[-1].get_text(" ", strip=True) == "9 to 10 3"
    assert all(svg.get("aria-hidden") == "true" for svg in soup.find_all("svg") if svg is not chart)


def test_tables_are_the_figures_and_no_formula(released, make, hostile):
    _, sheets = full_report(released, make(released, *hostile), MADE)
    tables = {
        sheet.name: list(csv.DictReader(io.StringIO(sheet.data.decode()))) for sheet in sheets
    }
    assert sum(int(row["students"]) for row in tables["totals"]) == 5
    assert tables["mistakes"][0]["who"] == "14 15"
    (waiting,) = tables["needs-a-person"]
    assert waiting["name"] == '\'=HYPERLINK("http://evil")'
    assert [row["student"] for row in tables["late"]] == ["13"]
    why = next(row for row in tables["questions"] if row["question"] == "why")
    assert (why["pending"], why["students"], why["by_hand"]) == ("1", "4", "yes")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", " =x", "a;=x", "\t=x"])
def test_text_in_a_table_is_no_formula(text):
    line = Sheet("x", ("a",), [(text,)]).data.decode().splitlines()[1].strip('"')
    assert line.lstrip()[0] == "'" or ";'" in line


def test_numbers_in_a_table_stay_numbers():
    assert Sheet("x", ("a", "b", "c"), [(-0.25, None, 3)]).data == b"a,b,c\r\n-0.25,,3\r\n"


def test_files_are_the_owners_and_writing_twice_is_safe(tmp_path):
    folder = tmp_path / "made" / "here"
    sheet = Sheet("totals", ("a",), [("\ud800",)])
    for html in ("first", "second"):
        written = write_report(folder, "report", html, [sheet])
    assert written.page.read_text() == "second"
    assert sorted(path.name for path in folder.iterdir()) == ["report-totals.csv", "report.html"]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in folder.iterdir())
