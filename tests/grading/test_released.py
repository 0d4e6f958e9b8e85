import nbformat
import pytest

from coursekit.errors import KitError
from coursekit.grading.released import released_notebooks


def test_notebooks_are_read_as_they_were_released(released):
    notebooks = released_notebooks(released, "round")
    assert list(notebooks) == ["products", "sums"]
    for name, notebook in notebooks.items():
        path = released.release / "round" / f"{name}.ipynb"
        assert nbformat.writes(notebook) + "\n" == path.read_text("utf-8")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b"\xff"])
def test_damaged_release_is_told_with_the_remedy(released, content):
    (released.release / "round" / "sums.ipynb").write_bytes(content)
    with pytest.raises(KitError, match=r"sums\.ipynb is no notebook .*coursekit release round"):
        released_notebooks(released, "round")


def test_notebook_that_was_not_released_is_told_with_the_remedy(released):
    (released.release / "round" / "sums.ipynb").unlink()
    with pytest.raises(KitError, match=r"sums\.ipynb cannot be read: No such .* release round"):
        released_notebooks(released, "round")
