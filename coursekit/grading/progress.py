"""Show how the grading of a class goes on: a live bar, or plain lines where nobody looks."""

from collections import Counter
from time import monotonic

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

from coursekit.grading.outcome import FAILED, KEPT, NEEDS_PERSON, Outcome


class ClassProgress:
    """Shows who is done; a context.

    Parameters
    ----------
    console : rich.console.Console
    quiet : bool
        Show nothing.
    """

    def __init__(self, console: Console, quiet: bool = False):
        self._console, self._quiet = console, quiet
        self._start, self._notebooks = monotonic(), 0
        self._counts: Counter[str] = Counter()
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[speed]}"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[trouble]}"),
            console=console,
            disable=quiet or not console.is_terminal,
        )
        self._task = self._bar.add_task("starting ...", total=None, speed="", trouble="")

    def __enter__(self):
        """Begin to show."""
        self._bar.start()
        return self

    def __exit__(self, *problem):
        """End the bar."""
        self._bar.stop()

    def __call__(self, done: int, total: int, outcome: Outcome):
        """Show that one more student is done; see `autograde.grade`."""
        self._counts[outcome.status] += 1
        self._notebooks += outcome.notebooks
        trouble = self._counts[FAILED] + self._counts[NEEDS_PERSON]
        self._bar.update(
            self._task,
            description="grading",
            completed=done,
            total=total,
            speed=f"{self._notebooks / (monotonic() - self._start):.1f} notebooks/s",
            trouble=f"{trouble} not graded" if trouble else "",
        )
        if self._quiet or outcome.status == KEPT:
            return
        if outcome.detail or not self._console.is_terminal:
            line = f"{done}/{total} {outcome.student}: {outcome.status}. {outcome.detail}"
            self._console.print(line.rstrip(), soft_wrap=True)

    @property
    def pace(self) -> str:
        """Say how many notebooks were run, and how fast."""
        seconds = monotonic() - self._start
        if not self._notebooks:
            return "no notebook was run"
        pace = self._notebooks / seconds
        noun = "notebook" if self._notebooks == 1 else "notebooks"
        return f"{self._notebooks} {noun} in {seconds:.0f} s, {pace:.1f} a second"
