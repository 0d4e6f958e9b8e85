"""Write any notebook as a PDF, without TeX and without a browser."""

import warnings
from collections.abc import Collection
from pathlib import Path

import nbformat

from coursekit.errors import KitError
from coursekit.writing import replace_whole
from nnlab.pdf import export
from nnlab.pdf.exporter import title_of

OURS = b"<xmp:CreatorTool>Typst"


def targets(notebooks: Collection[Path], folder: Path | None = None) -> dict[Path, Path]:
    """Tell where the PDF of each notebook goes.

    Parameters
    ----------
    notebooks : collection of Path
    folder : Path, optional
        By default each PDF lies beside its notebook.

    Returns
    -------
    dict of Path to Path
        Notebooks, by their PDFs.

    Raises
    ------
    KitError
        If two of the notebooks would get the same PDF.
    """
    found: dict[Path, Path] = {}
    for path in notebooks:
        target = (folder or path.parent) / f"{path.stem}.pdf"
        other = found.setdefault(target, path)
        if other != path:
            raise KitError(f"{other} and {path} would both become {target}; rename one of them.")
    return found


def write_pdf(notebook: Path, target: Path, paper: str = "a4") -> tuple[str, ...]:
    """Write a notebook as a PDF, in place of an earlier one.

    Parameters
    ----------
    notebook : Path
    target : Path
        The PDF; its folder is made if it is not there.
    paper : {"a4", "us-letter"}
        Paper size.

    Returns
    -------
    tuple of str
        One sentence for each thing that stands in a marked box.

    Raises
    ------
    KitError
        If the notebook cannot be read, another program made the file that is there, or nothing
        can be written.
    """
    node = _read(notebook)
    try:
        if target.exists() and OURS not in target.read_bytes():
            raise KitError(
                f"{target} is there, and not from this command; rename it, or name another folder "
                "with --output."
            )
        exported = export(
            [(notebook.stem, node, notebook.parent)], title=title_of(node), paper=paper
        )
        target.parent.mkdir(parents=True, exist_ok=True)
        replace_whole(target, exported.pdf)
    except OSError as problem:
        raise KitError(f"{target} cannot be written: {problem.strerror}.") from problem
    return exported.boxed


def _read(path: Path) -> nbformat.NotebookNode:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of missing ids, which do not matter on paper
            return nbformat.read(path, as_version=4)
    except OSError as problem:
        raise KitError(f"{path} cannot be read: {problem.strerror}.") from problem
    except Exception as problem:  # a damaged file makes nbformat raise nearly anything
        what = str(problem).partition("\n")[0][:200] or type(problem).__name__
        raise KitError(
            f"{path} is not a notebook: {what}; open it in JupyterLab, and save it again."
        ) from problem
