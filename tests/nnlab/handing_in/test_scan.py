import io

import pytest
from pypdf import PdfReader

from nnlab.handing_in.pages import Size
from nnlab.handing_in.scan import find_scan, read_scan

SIZE = Size(200, 80)


def names(folder, given=None):
    return [path.name for path in find_scan(folder, given)[0]]


def put(folder, *files):
    folder.mkdir(exist_ok=True)
    for name in files:
        (folder / name).write_bytes(b"x")


def test_numbers_in_names_sort_as_numbers(tmp_path):
    put(tmp_path / "scan", "page10.jpg", "Page2.JPG", "page1.png", "notes.txt", ".hidden.jpg")
    assert names(tmp_path) == ["page1.png", "Page2.JPG", "page10.jpg"]


@pytest.mark.parametrize(
    "name", ["scan.pdf", "Scan_2026-11-23.PDF", "exercise1.jpg", "Exercise 1.pdf"]
)
def test_a_file_beside_the_notebooks_is_found_by_its_name(tmp_path, name):
    put(tmp_path, name, "classification.ipynb", "lecture.pdf", "scan.txt")
    assert names(tmp_path) == [name]


@pytest.mark.parametrize("name", ["scan", "Scans", "photos"])
def test_a_folder_of_pages_is_found_by_its_name(tmp_path, name):
    put(tmp_path / name, "IMG_0002.heic", "IMG_0001.jpeg")
    assert names(tmp_path) == ["IMG_0001.jpeg", "IMG_0002.heic"]


def test_one_place_is_taken_and_the_other_told(tmp_path):
    put(tmp_path, "scan.pdf")
    put(tmp_path / "scan", "page1.jpg")
    files, [line] = find_scan(tmp_path, None)
    assert [path.name for path in files] == ["scan.pdf"]
    assert line.startswith("page1.jpg: left out, because scan.pdf is taken for the scan")


def test_pages_under_another_name_are_pointed_out_but_not_the_notebooks_own_pdf(tmp_path):
    put(tmp_path, "derivation.ipynb", "derivation.pdf")
    assert find_scan(tmp_path, None) == ([], [])
    put(tmp_path, "IMG_2034.jpg")
    files, [line] = find_scan(tmp_path, None)
    assert files == []
    assert line.startswith("scan: there is none; if it is IMG_2034.jpg, put it into a folder")


def test_two_scans_are_pointed_out(tmp_path):
    put(tmp_path, "scan.pdf", "scan (1).pdf")
    _, [line] = find_scan(tmp_path, None)
    assert line.startswith("scan: it is put together from scan (1).pdf, then scan.pdf; remove")


def test_given_files_keep_their_order_and_folders_are_opened(tmp_path):
    put(tmp_path / "a", "2.jpg", "10.jpg")
    put(tmp_path, "z.pdf", "scan.pdf")
    given = (tmp_path / "z.pdf", tmp_path / "a", tmp_path / "b.pdf")
    assert names(tmp_path, given) == ["z.pdf", "2.jpg", "10.jpg", "b.pdf"]


def test_pages_come_in_order_and_what_fails_is_told(tmp_path, make_pdf, make_picture):
    folder = tmp_path / "scan"
    folder.mkdir()
    (folder / "page1.jpg").write_bytes(make_picture(size=(50, 50)))
    (folder / "page2.pdf").write_bytes(make_pdf(2, 595, 400))
    (folder / "page3.pdf").write_bytes(b"")
    (folder / "page10.png").write_bytes(make_picture("PNG", size=(30, 60)))
    scan = read_scan(tmp_path, None, SIZE)
    assert [path.name for path in scan.files] == ["page1.jpg", "page2.pdf", "page10.png"]
    heights = [round(float(p.mediabox.height)) for p in PdfReader(io.BytesIO(scan.pdf)).pages]
    assert heights == [595, 566, 566, 842]
    assert scan.pages == 4
    assert [line.partition(":")[0] for line in scan.found] == ["page3.pdf"]


def test_no_scan_is_no_pages(tmp_path):
    scan = read_scan(tmp_path, None, SIZE)
    assert (scan.files, scan.pages, scan.pdf, scan.found) == ((), 0, b"", ())
    assert scan.reduced(SIZE) == b""


def test_an_empty_folder_that_was_named_is_told(tmp_path):
    assert read_scan(tmp_path, (tmp_path,), SIZE).found == (
        "scan: there is no PDF and no picture in the folder",
    )
