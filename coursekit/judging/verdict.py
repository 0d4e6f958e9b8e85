"""What the judge found, in words, in points, and as outputs of a notebook cell."""

from dataclasses import asdict, dataclass

import nbformat

METADATA_KEY = "coursekit"


@dataclass(frozen=True)
class Finding:
    """One property that was looked at.

    Attributes
    ----------
    title : str
        The property, as a student reads it.
    worth : float
        Points for it.
    problem : str or None
        What is wrong, in one or two sentences; None if the property holds.
    mistake : str or None
        Name of the known mistake that explains it, if one does.
    """

    title: str
    worth: float
    problem: str | None = None
    mistake: str | None = None

    @property
    def holds(self):
        """Whether the property holds."""
        return self.problem is None

    @property
    def points(self):
        """Points earned: all or none."""
        return self.worth if self.holds else 0.0


@dataclass(frozen=True)
class Verdict:
    """Points and findings for one judged cell.

    Attributes
    ----------
    task : str
        Name of the task.
    title : str
        What the task asks for, as a student reads it.
    max_points : float
        Points of the cell: those of all its properties.
    findings : tuple of Finding
    seed : int or None
        Seed of the challenges, for an appeal.
    """

    task: str
    title: str
    max_points: float
    findings: tuple[Finding, ...]
    seed: int | None = None

    @property
    def points(self):
        """Points earned, in [0, max_points], to the hundredth."""
        return round(sum(finding.points for finding in self.findings), 2)

    @property
    def passed(self):
        """Whether every property holds."""
        return all(finding.holds for finding in self.findings)

    @property
    def summary(self):
        """The first problem in one line, or 'all right'."""
        problems = [finding.problem for finding in self.findings if not finding.holds]
        return problems[0] if problems else "all right"

    @property
    def text(self):
        """The whole verdict as plain lines."""
        worth = f": {self.points:g} of {self.max_points:g} points" if self.max_points else ""
        lines = [f"{self.title}{worth}"]
        for finding in self.findings:
            mark = "right" if finding.holds else "wrong"
            worth = f": {finding.points:.3g} of {finding.worth:.3g}" if finding.worth else ""
            lines.append(f"  {mark}  {finding.title}{worth}")
            if not finding.holds:
                lines.append(f"         {finding.problem}")
        return "\n".join(lines)


def outputs(verdict):
    """Write a verdict as the outputs of its cell.

    nbgrader's scorer takes the first ``execute_result`` that is a number as the cell's points, so
    partial credit and a message go together.

    Parameters
    ----------
    verdict : Verdict

    Returns
    -------
    list of nbformat.NotebookNode
        The text, then the points; the findings are kept as metadata of the second.
    """
    words = {"output_type": "stream", "name": "stdout", "text": verdict.text + "\n"}
    points = {
        "output_type": "execute_result",
        "execution_count": None,
        "data": {"text/plain": repr(float(verdict.points))},
        "metadata": {METADATA_KEY: asdict(verdict)},
    }
    return [nbformat.from_dict(words), nbformat.from_dict(points)]


def read_verdict(cell):
    """Read the verdict back from a judged cell of an autograded notebook.

    Parameters
    ----------
    cell : nbformat.NotebookNode
        A locked test cell; the judge alone wrote its outputs.

    Returns
    -------
    Verdict or None
        None if the cell holds no verdict.
    """
    for output in cell.get("outputs", []):
        stored = output.get("metadata", {}).get(METADATA_KEY)
        if stored:
            findings = tuple(Finding(**finding) for finding in stored["findings"])
            return Verdict(**{**stored, "findings": findings})
    return None
