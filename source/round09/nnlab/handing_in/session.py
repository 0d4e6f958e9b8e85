"""Who runs hand_in(), and is what they see on disk? Asks the notebook's kernel."""

import contextlib
import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path

# JupyterLab runs a displayed script, just before it shows where; others show the words instead.
# It saves when the script has been cleared away, so that the script is not in the file.
SAVE = """
setTimeout(() => {
    const panel = element.closest(".jp-NotebookPanel");
    const save = panel?.querySelector('.jp-Toolbar [data-command="docmanager:save"]');
    setTimeout(() => save?.click(), 800);
}, 100);
"""
SHOWN = 0.5  # seconds that the script stays
PATIENCE = 3.0  # seconds until a notebook that is asked to save has done so


def _shell():
    """Return IPython's shell, or None outside of IPython."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython else None


def somebody_answers() -> bool:
    """Tell whether a person may be there: not while nbgrader or nbconvert runs the notebook.

    Returns
    -------
    bool
    """
    if "NBGRADER_EXECUTION" in os.environ:
        return False
    kernel = getattr(_shell(), "kernel", None)
    return bool(getattr(kernel, "_allow_stdin", True))


def save_notebook(folder: Path) -> None:
    """Ask JupyterLab to save the notebook that is running, and wait a moment until it has.

    Only the browser can save what it shows. Where it does not listen, nothing happens, and
    `unsaved` notices.

    Parameters
    ----------
    folder : Path
        Where the notebooks lie.
    """
    if getattr(_shell(), "kernel", None) is None:
        return
    from IPython.display import clear_output, display

    before = _times(folder)
    display(
        {"application/javascript": SAVE, "text/plain": "Saving the notebook ..."},
        raw=True,
    )
    time.sleep(SHOWN)
    clear_output()
    end = time.monotonic() + PATIENCE
    while not _saved(folder, before) and time.monotonic() < end:
        time.sleep(0.05)


def _times(folder: Path) -> dict[str, int]:
    times = {}
    for path in folder.glob("*.ipynb"):
        with contextlib.suppress(OSError):  # it may just be replaced
            times[path.name] = path.stat().st_mtime_ns
    return times


def _saved(folder: Path, before: dict[str, int]) -> bool:
    # While Jupyter writes a notebook, the earlier state is beside it, as .~name.ipynb.
    return _times(folder) != before and not any(folder.glob(".~*.ipynb"))


def unsaved(runs: Iterable[tuple[int, str]]) -> bool:
    """Tell whether the cell that was run before this one is in none of the saved notebooks.

    Parameters
    ----------
    runs : iterable of (int, str)
        Execution count and source of each code cell on disk.

    Returns
    -------
    bool
        False also if there is no telling.
    """
    shell = _shell()
    if getattr(shell, "kernel", None) is None:
        return False
    history = shell.history_manager.input_hist_raw  # from index 1 on; the last is this call
    before = len(history) - 2
    # JupyterLab takes a cell's number away while it runs, so a hand-in has none in the file.
    while before > 0 and "hand_in(" in history[before]:
        before -= 1
    if before < 1 or not history[before].strip():
        return False
    return (before, history[before].strip()) not in {(n, source.strip()) for n, source in runs}
