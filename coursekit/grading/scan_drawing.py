"""Draw the pages of PDFs and pictures that students handed in: a process that locks itself in.

Run as ``python -m coursekit.grading.scan_drawing`` with an empty folder of its own. PDFium and
Pillow are native code that reads hostile bytes, so this process can read no file, write to nothing
but that folder and its output, reach nobody, and use little memory and time.
"""

import base64
import codecs
import io
import json
import resource
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import pypdfium2
from PIL import Image, ImageOps

from coursekit.kernels import landlock, seccomp, users
from coursekit.kernels.policy import MIB, Limits
from coursekit.kernels.sandbox import Sandbox

LABEL = "scan "  # nnlab's hand_in labels the scan's pages so, behind those of the notebooks
PRINTED = "Jupyter notebooks"  # keywords of a PDF that nnlab makes of notebooks alone
MOST_PAGES = 30
MOST_BYTES = 4 * MIB  # of all pictures
SIZES = ((1400, 70), (1100, 60), (850, 45))  # longer side in pixels, quality of JPEG
FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP")
LIMITS = Limits(
    address_space=1024 * MIB,
    processor_time=30,
    file_size=16 * MIB,
    open_files=32,
    threads=8,
)


@dataclass(frozen=True)
class Given:
    """A file to draw.

    Attributes
    ----------
    number : int
        Its place in the order of pages.
    rank : int
        If no PDF says which pages are the scan's, only files of the least rank are drawn.
    data : bytes
    """

    number: int
    rank: int
    data: bytes


def draw(files: list[Given]) -> Iterator[dict]:
    """Draw the scan.

    Parameters
    ----------
    files : list of Given

    Yields
    ------
    dict
        ``{"file": number, "page": n, "jpeg": base64}`` for each page, counted from 1 within the
        scan; ``{"file": number, "problem": words}`` for a file that cannot be drawn, which
        follow its name, and whether it is ``notebooks_only``; ``{"left_out": pages}`` at the end.
    """
    sources, problems = [], []
    for file in files:
        try:
            sources.append(_Pdf(file) if b"%PDF-" in file.data[:1024] else _Picture(file))
        except Exception as problem:
            only = isinstance(problem, NotebooksOnly)
            told = {"file": file.number, "problem": _words(problem), "notebooks_only": only}
            problems.append(told)
    labelled = [source for source in sources if source.is_labelled]
    best = min((source.file.rank for source in sources), default=None)
    chosen = labelled[:1] or [source for source in sources if source.file.rank == best]
    yield from problems
    pages = [(source, index) for source in chosen for index in source.pages]
    left, page = MOST_BYTES, 0
    share = MOST_BYTES // max(1, min(MOST_PAGES, len(pages)))
    for source, index in pages[:MOST_PAGES]:
        try:
            jpeg = _jpeg(source.picture(index), share)
        except Exception as problem:
            yield {"file": source.file.number, "problem": _words(problem)}
            continue
        finally:
            page += 1
        if len(jpeg) <= left:
            left -= len(jpeg)
            data = base64.b64encode(jpeg).decode()
            yield {"file": source.file.number, "page": page, "jpeg": data}
    yield {"left_out": max(0, len(pages) - MOST_PAGES)}


class Unfit(Exception):
    """A file that cannot be drawn, with the reason in words."""


class NotebooksOnly(Unfit):
    """What hand_in() made where there was no scan."""


class _Pdf:
    """The pages of a PDF that are the scan's: all, if none is labelled so."""

    def __init__(self, file: Given):
        self.file = file
        self._pdf = pypdfium2.PdfDocument(file.data)
        count = len(self._pdf)
        if not count:
            raise Unfit("it has no pages")
        labels = [self._pdf.get_page_label(index) for index in range(count)]
        scanned = [index for index, label in enumerate(labels) if label.startswith(LABEL)]
        named_scan = file.rank == 0
        if not scanned and not named_scan and PRINTED in self._pdf.get_metadata_value("Keywords"):
            raise NotebooksOnly("it holds notebooks, and no scan behind them")
        self.is_labelled = bool(scanned)
        self.pages = scanned or range(count)

    def picture(self, index: int) -> Image.Image:
        page = self._pdf[index]
        side = max(page.get_size())
        if not side > 0:
            raise Unfit(f"its page {index + 1} has no size")
        picture = page.render(scale=SIZES[0][0] / side).to_pil()
        page.close()
        return picture


class _Picture:
    """A photo, upright; of a TIFF, its pages."""

    is_labelled = False

    def __init__(self, file: Given):
        self.file = file
        self._picture = Image.open(io.BytesIO(file.data), formats=FORMATS)
        self.pages = range(getattr(self._picture, "n_frames", 1))

    def picture(self, index: int) -> Image.Image:
        self._picture.seek(index)
        self._picture.draft("RGB", (SIZES[0][0],) * 2)  # JPEG is decoded at a fraction of its size
        return ImageOps.exif_transpose(self._picture)


def _jpeg(picture: Image.Image, most: int) -> bytes:
    """Write a picture on white in the best size and quality that takes so many bytes."""
    if picture.has_transparency_data:
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture.convert("RGBA"))
    picture = picture.convert("RGB")
    for side, quality in SIZES:
        picture.thumbnail((side, side))
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=quality)
        if buffer.tell() <= most:
            break
    return buffer.getvalue()


def _words(problem: Exception) -> str:
    """Say what is wrong with a file, without a word of what it holds."""
    if isinstance(problem, pypdfium2.PdfiumError):
        return "it has a password" if "password" in str(problem).lower() else "it is damaged"
    if isinstance(problem, Unfit):
        return str(problem)
    if isinstance(problem, MemoryError | Image.DecompressionBombError):
        return "it has too many pixels"
    return "it is neither a PDF nor a picture that can be read"


class _Locked(Sandbox):
    """The sandbox of student code, but that nothing at all can be read."""

    def __init__(self):
        landlock.version()
        self._filter = seccomp.Filter()
        self._read, self._listed = [], []
        self._changes_user = users.can_be_changed()


def _limit():
    """Set the limits alone, where the user gave up the sandbox."""
    for kind, most in (
        (resource.RLIMIT_AS, LIMITS.address_space),
        (resource.RLIMIT_CPU, LIMITS.processor_time),
        (resource.RLIMIT_FSIZE, LIMITS.file_size),
    ):
        resource.setrlimit(kind, (most, most))


def _warm_up():
    """Load what would be loaded at the first page: once locked in, nothing can be read."""
    Image.init()
    empty = pypdfium2.PdfDocument.new()
    page = empty.new_page(10, 10)
    _jpeg(page.render().to_pil(), MOST_BYTES)
    _words(Unfit())
    codecs.lookup("utf-16-le")  # of the labels of pages


def main():
    """Read files from the input, one JSON object a line, and write what `draw` gives likewise."""
    _warm_up()
    work = sys.argv[1]
    if sys.argv[2:] == ["--limits-only"]:
        _limit()
    else:
        _Locked().enter(LIMITS, work)
    files = []
    for line in sys.stdin:
        told = json.loads(line)
        files.append(Given(told["number"], told["rank"], base64.b64decode(told["data"])))
    for told in draw(files):
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
