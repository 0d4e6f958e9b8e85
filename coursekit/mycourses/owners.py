"""Whose each file of a download is: a student's own, or that of a group."""

import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from coursekit.mycourses.download import Download, Entry, Ignored
from coursekit.mycourses.entries import folded, shown
from coursekit.mycourses.worksheet import Participant, WorksheetError

TIMESTAMP = "timestamp.txt"
MOST_PER_STUDENT = 200 * 2**20  # bytes, unpacked
MOST_FILES = 1000  # of one student
HIDDEN = "Participant"  # stands for a name in blind marking
# What MyCourses does to a name before it makes a folder of it.
CLEANED = str.maketrans({"_": " "} | dict.fromkeys("&<>\"'|:\\/`"))


class Belongings:
    """The files of one student, of which no two may become one on any file system.

    Attributes
    ----------
    files : dict
        The zip entries by their path in the student's folder.
    told : list of str
        Sentences on files that got another name.
    left_out : int
        How many files there were beyond the limit.
    """

    def __init__(self):
        self.files: dict[PurePosixPath, zipfile.ZipInfo] = {}
        self.told: list[str] = []
        self.left_out = 0
        self._bytes = 0
        self._taken: set[PurePosixPath] = set()
        self._folders: set[PurePosixPath] = set()

    def add(self, entry: Entry) -> str | None:
        """Take a file in, or say why not."""
        wanted = PurePosixPath(entry.path)
        if folded(wanted).parts[0] == TIMESTAMP:
            return "the time of submission comes from MyCourses alone"
        if wanted in self.files:
            return "the zip holds a second file of this name"
        if len(self.files) >= MOST_FILES:
            self.left_out += 1
            return None
        if self._bytes + entry.packed.file_size > MOST_PER_STUDENT:
            return f"more than {MOST_PER_STUDENT >> 20} MB from one student"
        path = next(free for free in _names(wanted) if folded(free) not in self._taken)
        own = folded(path)
        if own in self._folders or not self._taken.isdisjoint(own.parents):
            return "the zip holds a file and a folder of this name"
        if path != wanted:
            self.told.append(
                f"{shown(str(wanted))} is kept as {shown(path.name)}: some systems would take it "
                "for another file of the zip."
            )
        self._taken.add(own)
        self._folders.update(own.parents)
        self._bytes += entry.packed.file_size
        self.files[path] = entry.packed
        return None


def _names(path: PurePosixPath) -> Iterator[PurePosixPath]:
    """Yield a file's name, and the ones it gets where another file has it: "Sums (2).ipynb"."""
    yield path
    for number in range(2, MOST_FILES + 2):
        yield path.with_name(f"{path.stem} ({number}){path.suffix}")


def by_student(
    download: Download, participants: Mapping[str, Participant]
) -> tuple[dict[str, Belongings], list[Ignored]]:
    """Give each student the files of the download that are theirs.

    Where the worksheet names groups, what a group handed in goes to each of its members.

    Parameters
    ----------
    download : Download
    participants : mapping of str to Participant
        The worksheet's, by number; empty if there is none, and then each number is a student.

    Returns
    -------
    belongings : dict of str to Belongings
        By participant number.
    ignored : list of Ignored
        What cannot be collected, as `download` or this finds.

    Raises
    ------
    WorksheetError
        If the worksheet lists none of those whose work the download holds.
    """
    whose = _Owners(download, participants)
    belongings: dict[str, Belongings] = defaultdict(Belongings)
    ignored = list(download.ignored)
    for refused in download.ignored:  # a student with nothing else handed in all the same
        if refused.student and not whose.groups:
            belongings[refused.student]
    for entry in sorted(download.entries, key=_order):
        students, reason = whose.of(entry)
        if reason:
            among = whose.among(entry)
            ignored.append(Ignored("", f"{entry.label}/{entry.path}", reason, among))
        for student in students:
            reason = belongings[student].add(entry)
            if reason:
                ignored.append(Ignored(student, entry.path, reason))
    known = not participants.keys().isdisjoint(belongings) or any(
        whose.among(entry) or not entry.number for entry in download.entries
    )
    if participants and (belongings or download.entries) and not known:
        raise WorksheetError(
            "The worksheet lists none of those whose work the download holds, so it is of another "
            "assignment; download both anew, from one assignment."
        )
    for student, own in belongings.items():
        if own.left_out:
            reason = f"more than {MOST_FILES} files from one student"
            ignored.append(Ignored(student, f"{own.left_out} more files", reason))
    return dict(sorted(belongings.items())), ignored


def _order(entry: Entry) -> tuple[bool, str]:
    """Put notebooks first, which must fit, and lower case, whatever the order in the zip."""
    return not entry.path.lower().endswith(".ipynb"), entry.path.swapcase()


class _Owners:
    """Whose a folder is, by its name and number."""

    def __init__(self, download: Download, participants: Mapping[str, Participant]):
        self.participants = participants
        self.groups: dict[str, list[Participant]] = defaultdict(list)
        for participant in participants.values():
            if participant.group:
                self.groups[_cleaned(participant.group)].append(participant)
        folders = {(_cleaned(entry.label), entry.number) for entry in download.entries}
        self.folders = Counter(label for label, number in folders if number)

    def of(self, entry: Entry) -> tuple[list[str], str]:
        """Return the students whose a file is; or none, and why a person has to tell."""
        label, number = _cleaned(entry.label), entry.number
        members = self.groups.get(label, [])
        if not number:
            return [], (
                "it is of those who are in no group (the worksheet tells who), so a person has to "
                "tell whose it is; put it into the folder of that student under submitted/"
            )
        own = self.participants.get(number)
        if not self.groups or (own is not None and _cleaned(own.name or HIDDEN) == label):
            return [number], ""
        if not members:
            return [], "it is of a group that the worksheet does not name; download both again"
        if self.folders[label] > 1 or len({member.group for member in members}) > 1:
            return [], (
                "there are two groups of this name; give them different names in MyCourses and "
                "download both again"
            )
        return [member.number for member in members], ""

    def among(self, entry: Entry) -> tuple[str, ...]:
        """Return the participants among whom the owner of a file is, where the worksheet tells."""
        return tuple(member.number for member in self.groups.get(_cleaned(entry.label), ()))


def _cleaned(name: str) -> str:
    return " ".join(name.translate(CLEANED).split())
