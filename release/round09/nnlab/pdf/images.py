"""Pictures: from attachments, files beside the notebook, data URIs and outputs."""

import base64
import binascii
import io
import re
import warnings
from urllib.parse import unquote

from PIL import Image, ImageOps

from nnlab.pdf.page import CannotShow, Page

LARGEST_FILE = 30_000_000
LARGEST_SVG = 5_000_000
MOST_PIXELS = 60_000_000
SHRINK_FROM = 6_000_000
SHRUNK_SIDE = 2400
SUFFIXES = {"PNG": "png", "JPEG": "jpg", "GIF": "gif"}


def find_picture(url: str, alt: str, page: Page) -> list:
    """Make the node of a picture that a Markdown cell shows.

    Raises
    ------
    CannotShow
        If there is no such picture, or it cannot be shown.
    """
    if url.startswith("attachment:"):
        mime, data = _attachment(unquote(url.removeprefix("attachment:")), url, page)
    elif url.startswith("data:"):
        mime, data = _data_uri(url)
    elif re.match(r"[a-zA-Z][a-zA-Z0-9+.-]+:|//", url):
        raise CannotShow("it is on the internet; save it beside the notebook instead")
    else:
        mime, data = _file(unquote(url), page)
    return picture(data, mime, alt, page)


def picture(data: bytes, mime: str, alt: str, page: Page, *, width: float | None = None) -> list:
    """Make the node of a picture.

    Parameters
    ----------
    data : bytes
        Its file.
    mime : str
        Its kind, for example ``"image/png"``.
    alt : str
        What it shows, in words.
    page : Page
        The notebook that it stands in.
    width : float, optional
        Its width in points, where its own is not the right one.

    Raises
    ------
    CannotShow
        If it is damaged, too large or of an unknown kind.
    """
    if mime.startswith("image/svg"):
        if len(data) > LARGEST_SVG:
            raise CannotShow(f"its SVG is larger than {LARGEST_SVG // 1_000_000} MB")
        if b"<filter" in data.lower():
            raise CannotShow("its SVG has filters, which may take for ever to draw")
        suffix = "svg"
    else:
        data, suffix = _checked(data)
    return ["image", page.add_file(data, suffix), alt, width]


def from_base64(text: object) -> bytes:
    """Decode what an output or an attachment holds."""
    text = "".join(map(str, text)) if isinstance(text, list) else str(text)
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as problem:
        raise CannotShow("its data is damaged") from problem


def _attachment(name: str, url: str, page: Page) -> tuple[str, bytes]:
    kinds = page.attachments.get(name) or page.attachments.get(url.removeprefix("attachment:"))
    if not kinds:
        raise CannotShow("the cell has no such attachment")
    mime, data = next(iter(kinds.items()))
    return mime, from_base64(data)


def _data_uri(url: str) -> tuple[str, bytes]:
    head, _, body = url.partition(",")
    mime = head.removeprefix("data:").partition(";")[0]
    return mime, from_base64(unquote(body)) if head.endswith(";base64") else unquote(body).encode()


def _file(name: str, page: Page) -> tuple[str, bytes]:
    name = name.partition("?")[0].partition("#")[0]
    if page.folder is None or "\0" in name or not name or re.match(r"[/\\]{2}", name):
        raise CannotShow("there is no such file")
    folder = page.folder.resolve()
    try:
        path = (folder / name).resolve()
        if not path.is_relative_to(folder):
            raise CannotShow("the file is outside of the notebook's folder")
        if not path.is_file():
            raise CannotShow("there is no such file")
        if path.stat().st_size > LARGEST_FILE:
            raise CannotShow(f"the file is larger than {LARGEST_FILE // 1_000_000} MB")
        data = path.read_bytes()
    except OSError as problem:
        raise CannotShow("the file cannot be read") from problem
    return "image/svg+xml" if path.suffix.lower() == ".svg" else "image", data


def _checked(data: bytes) -> tuple[bytes, str]:
    """Make it a whole picture of a sane size, in a format that Typst reads."""
    try:
        with warnings.catch_warnings(action="ignore"):
            image = Image.open(io.BytesIO(data))
            pixels = image.width * image.height
            if pixels > MOST_PIXELS:
                raise Image.DecompressionBombError
            suffix = SUFFIXES.get(image.format or "")
            if suffix and pixels <= SHRINK_FROM:
                image.load()
                return data, suffix
            # Photos are turned upright before they lose the mark that says how they were held.
            image.draft("RGB", (SHRUNK_SIDE, SHRUNK_SIDE))
            image = ImageOps.exif_transpose(image)
            image.thumbnail((SHRUNK_SIDE, SHRUNK_SIDE))
            out = io.BytesIO()
            kind, mode = ("JPEG", "RGB") if suffix == "jpg" else ("PNG", "RGBA")
            image.convert(mode).save(out, kind, quality=85)
            return out.getvalue(), SUFFIXES[kind]
    except Image.DecompressionBombError as problem:
        raise CannotShow(f"it has more than {MOST_PIXELS // 1_000_000} million pixels") from problem
    except Exception as problem:
        raise CannotShow("it is not a picture, or it is damaged") from problem
