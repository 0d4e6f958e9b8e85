"""The kinds of damage to the cells of a notebook, and how the students are told of each."""

from coursekit.grading.wording import sentence

# By kind of damage: the sentence for one cell, and that for several.
SENTENCES = {
    "kept once": (
        "The cell {} was there more than once; it was kept once.",
        "The cells {} were there more than once; each was kept once.",
    ),
    "versions": (
        "The answer cell {} was there more than once, with different answers; the last counts, "
        "and the others stay as ordinary cells.",
        "The answer cells {} were there more than once, with different answers; the last of each "
        "counts, and the others stay as ordinary cells.",
    ),
    "edited copies": (
        "Edited copies of the locked cell {} stay as ordinary cells.",
        "Edited copies of the locked cells {} stay as ordinary cells.",
    ),
    "renamed": (
        "The cell {} did not carry its grade id any more; it was known by its id or its text.",
        "The cells {} did not carry their grade ids any more; they were known by their ids or "
        "their text.",
    ),
    "settings": (
        "nbgrader's settings of the cell {} had been changed; they were put back.",
        "nbgrader's settings of the cells {} had been changed; they were put back.",
    ),
    "type": (
        "The type of the cell {} had been changed; it was put back.",
        "The types of the cells {} had been changed; they were put back.",
    ),
    "edited": (
        "The locked cell {} had been edited; its text was put back.",
        "The locked cells {} had been edited; their texts were put back.",
    ),
    "own": (
        "The cell {} had settings of nbgrader that were not released; it is an ordinary cell now.",
        "The cells {} had settings of nbgrader that were not released; they are ordinary cells "
        "now.",
    ),
    "moved": (
        "The cell {} had been moved; it stands in its place again.",
        "The cells {} had been moved; they stand in their places again.",
    ),
    "missing test cell": (
        "The test cell {} was missing; it was put back.",
        "The test cells {} were missing; they were put back.",
    ),
    "missing locked cell": (
        "The locked cell {} was missing; it was put back.",
        "The locked cells {} were missing; they were put back.",
    ),
    "missing answer cell": (
        "The answer cell {} was missing; it was put back, unanswered.",
        "The answer cells {} were missing; they were put back, unanswered.",
    ),
    "beside": (
        "The answer to {} stood in a cell beside its own; it counts as the answer.",
        "The answers to {} stood in cells beside their own; they count as the answers.",
    ),
}


class Damage:
    """What was mended in a notebook: the names of the cells by the kind of damage."""

    def __init__(self):
        self.names: dict[str, list[str]] = {kind: [] for kind in SENTENCES}

    def add(self, kind: str, name: str):
        """Note that a cell was mended."""
        self.names[kind].append(name)

    def take_back(self, kind: str, name: str):
        """Forget what was noted: it turned out to be another kind of damage."""
        self.names[kind].remove(name)

    def sentences(self) -> list[str]:
        """Return one sentence for each kind that was met."""
        return [sentence(names, *SENTENCES[kind]) for kind, names in self.names.items() if names]
