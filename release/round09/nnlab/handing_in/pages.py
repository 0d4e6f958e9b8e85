"""From one file of a scan, a PDF or a picture, to PDF pages: upright and of a sane size."""

import contextlib
import io
import logging
import warnings
from dataclasses import dataclass
from pathlib import Path

from nnlab.handing_in.trouble import MEGABYTE, in_words

PICTURES = (".jpg", ".jpeg", ".png", ".heic", ".heif", ".webp", ".tif", ".tiff", ".bmp")
LARGEST = 300 * MEGABYTE
A4 = (595.3, 841.9)  # points
HEIC = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
AGAIN = "scan or export it again"

# pypdf repairs much and logs each repair, which would confuse a student.
logging.getLogger("pypdf").setLevel(logging.CRITICAL)


@dataclass(frozen=True)
class Size:
    """How large a picture may be.

    Attributes
    ----------
    side : int
        Pixels of the longer side.
    quality : int
        Of JPEG, from 1 to 95.
    """

    side: int
    quality: int


class ScanError(Exception):
    """A file that cannot be used, told in words that follow its name, with the remedy."""


def to_pages(path: Path, size: Size) -> bytes:
    """Turn a file into a PDF, by what it holds and not by what its name says.

    Parameters
    ----------
    path : Path
        A PDF, or a picture in JPEG, PNG, TIFF, WebP or, if pillow-heif is installed, HEIC.
    size : Size
        Larger pictures are reduced to it. A PDF stays as it is, see `reduce_pictures`.

    Returns
    -------
    bytes
        A PDF that pypdf can read, not encrypted, with at least one page.

    Raises
    ------
    ScanError
        If that is not possible.
    """
    try:
        length = path.stat().st_size
        if length > LARGEST:
            raise ScanError(f"is too large ({in_words(length)}); scan with 150 to 200 dpi")
        data = path.read_bytes()
    except FileNotFoundError:
        raise ScanError("is not there; check the name and the folder") from None
    except OSError as problem:
        raise ScanError(
            f"cannot be read ({problem.strerror}); copy it beside the notebooks"
        ) from None
    if not data.strip(b"\0"):
        raise ScanError(f"is empty; {AGAIN}, or wait until your cloud drive has fetched it")
    if b"%PDF-" in data[:1024]:
        return _from_pdf(data)
    if data[:1000].lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith((b"<!doctype html", b"<html")):
        raise ScanError("is a web page, whatever its name says; download the scan itself")
    return _from_picture(data, size)


def _from_pdf(data: bytes) -> bytes:
    from pypdf import PasswordType, PdfReader, PdfWriter
    from pypdf.errors import DependencyError, LimitReachedError

    try:
        reader = PdfReader(io.BytesIO(data))
        if reader.is_encrypted and reader.decrypt("") == PasswordType.NOT_DECRYPTED:
            raise ScanError("has a password; print it to a new PDF without one")
        if not len(reader.pages):
            raise ScanError(f"is a PDF without pages; {AGAIN}")
        writer = PdfWriter()
        writer.append(reader, import_outline=False)
        for page in writer.pages:
            _fit(page, writer)
        return _bytes(writer)
    except ScanError:
        raise
    except DependencyError:
        raise ScanError("is encrypted; print it to a new PDF without encryption") from None
    except LimitReachedError:
        raise ScanError("holds a picture that is too large; scan with 150 to 200 dpi") from None
    except Exception as problem:  # a damaged PDF makes pypdf raise nearly anything
        raise ScanError(f"is cut off or damaged ({type(problem).__name__}); {AGAIN}") from None


def _fit(page, writer) -> None:
    """Scale a page so that it fits into A4; one on its side stays so."""
    from pypdf.errors import LimitReachedError
    from pypdf.generic import NameObject

    box = page.cropbox
    short, long = sorted((float(box.width), float(box.height)))
    if not short > 0:
        return
    factor = min(A4[0] / short, A4[1] / long)
    if abs(factor - 1) > 0.01:
        if "/Contents" in page:  # pypdf scales what pages share once for each of them
            contents = page["/Contents"].clone(writer, force_duplicate=True)
            page[NameObject("/Contents")] = contents.indirect_reference
        with contextlib.suppress(LimitReachedError):  # then it stays as large as it is
            page.scale_by(factor)


def _from_picture(data: bytes, size: Size) -> bytes:
    from PIL import Image, ImageSequence, UnidentifiedImageError
    from pypdf import PdfWriter

    if data[4:8] == b"ftyp" and data[8:12] in HEIC:
        try:
            from pillow_heif import register_heif_opener
        except ImportError:
            raise ScanError(
                "is in Apple's HEIC format; export it as JPEG, or run "
                "“python -m pip install pillow-heif” and restart the kernel"
            ) from None
        register_heif_opener()
    writer = PdfWriter()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            picture = Image.open(io.BytesIO(data))
            frames = ImageSequence.Iterator(picture) if picture.format == "TIFF" else [picture]
            for frame in frames:
                writer.append(io.BytesIO(_page(frame, size)))
    except UnidentifiedImageError:
        raise ScanError("is neither a PDF nor a picture; save it as PDF or JPEG") from None
    except Image.DecompressionBombError:
        raise ScanError("has too many pixels; take the photo with fewer, or crop it") from None
    except Exception as problem:  # a damaged picture makes Pillow raise nearly anything
        raise ScanError(f"is cut off or damaged ({type(problem).__name__}); {AGAIN}") from None
    return _bytes(writer)


def _page(picture, size: Size) -> bytes:
    """Draw a picture on a page that fits into A4, upright."""
    from PIL import ImageOps

    picture.draft("RGB", (size.side, size.side))  # JPEG is decoded at a fraction of its size
    picture = _plain(ImageOps.exif_transpose(picture))
    picture.thumbnail((size.side, size.side))
    page = A4 if picture.height >= picture.width else A4[::-1]
    pixels_per_point = max(picture.width / page[0], picture.height / page[1])
    buffer = io.BytesIO()
    picture.save(buffer, "PDF", quality=size.quality, resolution=72 * pixels_per_point)
    return buffer.getvalue()


def _plain(picture):
    """Make a picture grey or RGB, what is transparent white."""
    from PIL import Image

    if picture.mode.startswith("I"):  # 16 bits of grey
        return picture.point(lambda value: value / 256).convert("L")
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        return Image.alpha_composite(white, picture).convert("RGB")
    return picture.convert("L" if picture.mode in ("1", "L") else "RGB")


def reduce_pictures(pdf: bytes, size: Size) -> bytes:
    """Reduce the pictures in a PDF; what cannot be reduced stays.

    Parameters
    ----------
    pdf : bytes
    size : Size

    Returns
    -------
    bytes
        `pdf` itself where nothing is gained.
    """
    from pypdf import PdfWriter

    writer = PdfWriter(clone_from=io.BytesIO(pdf))
    for page in writer.pages:
        try:
            for image in page.images:
                picture = image.image
                if picture.mode in ("L", "RGB") and len(image.data) > 200_000:
                    picture.thumbnail((size.side, size.side))
                    image.replace(picture, quality=size.quality)
        except Exception:  # a form of picture that pypdf or Pillow does not know
            continue
    smaller = _bytes(writer)
    return min(pdf, smaller, key=len)


def _bytes(writer) -> bytes:
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()
