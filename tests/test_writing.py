"""Files that are written as a whole or not at all."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coursekit.writing import replace_whole, table, written_whole


def test_file_is_as_it_was_until_all_is_written(tmp_path):
    path = tmp_path / "grades.csv"
    replace_whole(path, b"before")

    def write_half():
        with written_whole(path) as file:
            file.write(b"half")
            file.flush()
            assert path.read_bytes() == b"before"
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_half()
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def test_remnant_of_a_killed_run_is_in_nobodys_way_and_no_link_is_followed(tmp_path):
    path, precious = tmp_path / "grades.csv", tmp_path / "precious"
    precious.write_bytes(b"precious")
    (tmp_path / ".grades.csv.new").symlink_to(precious)
    replace_whole(path, b"after")
    assert (path.read_bytes(), precious.read_bytes()) == (b"after", b"precious")
    assert not path.is_symlink()


CELLS = st.text(st.sampled_from("a\"',;\r\n =+-@ä\u200b＝")) | st.just("x\ry")


@given(st.lists(st.lists(CELLS, min_size=2, max_size=2), min_size=1))
def test_table_is_read_as_it_was_written_but_for_formulas(rows):
    text = table(rows).decode()
    again = list(csv.reader(io.StringIO(text, newline="")))
    assert [[cell.replace("'", "") for cell in row] for row in again] == [
        [cell.replace("'", "") for cell in row] for row in rows
    ]
    starts = [cell.lstrip("\r\n \u200b") for row in again for cell in row]
    assert not any(start.startswith(tuple("=+-@＝")) for start in starts)
