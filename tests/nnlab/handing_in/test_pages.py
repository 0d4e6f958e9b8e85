import io
import sys

import pytest
from PIL import Image, ImageDraw
from pypdf import PdfReader, PdfWriter
from pypdf.errors import DependencyError
from pypdf.generic import DecodedStreamObject, NameObject

from nnlab.handing_in import pages as module
from nnlab.handing_in.pages import ScanError, Size, reduce_pictures, to_pages

SIZE = Size(200, 80)
EXIF_ORIENTATION = 0x112


@pytest.fixture
def read(tmp_path):
    """Return a reader of what becomes of a file."""

    def read(name, data, size=SIZE):
        path = tmp_path / name
        path.write_bytes(data)
        return PdfReader(io.BytesIO(to_pages(path, size)))

    return read


def corners(page):
    """Colours near the four corners: top left, top right, bottom left, bottom right."""
    picture = page.images[0].image.convert("RGB")
    width, height = picture.size
    places = [(x, y) for y in (3, height - 4) for x in (3, width - 4)]
    return ["RGBW"[max(range(3), key=picture.getpixel(p).__getitem__)] for p in places]


def four_colours(width=80, height=60):
    picture = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(picture)
    for x, y, colour in ((0, 0, "red"), (1, 0, "lime"), (0, 1, "blue"), (1, 1, "red")):
        box = (x * width // 2, y * height // 2, (x + 1) * width // 2, (y + 1) * height // 2)
        draw.rectangle(box, fill=colour)
    return picture


TURNED = {
    1: [],
    2: [Image.Transpose.FLIP_LEFT_RIGHT],
    3: [Image.Transpose.ROTATE_180],
    4: [Image.Transpose.FLIP_TOP_BOTTOM],
    5: [Image.Transpose.TRANSPOSE],
    6: [Image.Transpose.ROTATE_90],
    7: [Image.Transpose.TRANSVERSE],
    8: [Image.Transpose.ROTATE_270],
}


@pytest.mark.parametrize("orientation", TURNED)
def test_photos_are_turned_upright(read, orientation):
    picture = four_colours()
    for step in TURNED[orientation]:
        picture = picture.transpose(step)
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = orientation
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=95, exif=exif)
    [page] = read("photo.jpg", buffer.getvalue()).pages
    assert corners(page) == ["R", "G", "B", "R"]
    assert page.mediabox.width > page.mediabox.height


@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        ("JPEG", "RGB"),
        ("JPEG", "L"),
        ("JPEG", "CMYK"),
        ("PNG", "RGBA"),
        ("PNG", "P"),
        ("PNG", "LA"),
        ("PNG", "1"),
        ("PNG", "I;16"),
        ("WEBP", "RGB"),
        ("BMP", "RGB"),
    ],
)
def test_pictures_of_all_modes_become_a_page_of_a4(read, make_picture, kind, mode):
    [page] = read("photo", make_picture(kind, mode)).pages
    assert (float(page.mediabox.width), float(page.mediabox.height)) == pytest.approx(
        (841.9, 841.9 * 2 / 3), abs=0.1
    )


def test_transparent_paper_is_white(read, make_picture):
    [page] = read("page.png", make_picture("PNG", "RGBA", color=(0, 0, 0, 0))).pages
    assert page.images[0].image.convert("L").getextrema()[0] > 250


def test_sixteen_bit_grey_keeps_its_shades(read, make_picture):
    [page] = read("page.png", make_picture("PNG", "I;16", color=128 * 256)).pages
    assert page.images[0].image.getpixel((5, 5)) == pytest.approx(128, abs=2)


def test_large_photos_are_reduced_and_small_ones_are_not(read, make_picture):
    for side, pixels in ((900, (200, 100)), (90, (90, 45))):
        [page] = read("photo.jpg", make_picture(size=(side, side // 2))).pages
        assert page.images[0].image.size == pixels


def test_all_pages_of_a_tiff_are_taken(read):
    buffer = io.BytesIO()
    first, second = (Image.new("L", (30, height)) for height in (40, 50))
    first.save(buffer, "TIFF", save_all=True, append_images=[second])
    assert len(read("scan.tif", buffer.getvalue()).pages) == 2


def test_a_picture_named_pdf_and_a_pdf_named_jpg_are_used(read, make_picture, make_pdf):
    assert len(read("scan.pdf", make_picture()).pages) == 1
    assert len(read("scan.jpg", make_pdf(3)).pages) == 3


def test_a_pdf_with_an_empty_password_is_read(read, make_pdf):
    data = make_pdf(2, user_password="", owner_password="secret", algorithm="RC4-128")
    reader = read("scan.pdf", data)
    assert len(reader.pages) == 2
    assert not reader.is_encrypted


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (lambda pdf, picture: b"", "is empty; "),
        (lambda pdf, picture: bytes(500), "is empty; "),
        (lambda pdf, picture: pdf(0), "is a PDF without pages; "),
        (lambda pdf, picture: pdf(2)[:300], "is cut off or damaged (Pdf"),
        (lambda pdf, picture: pdf(2)[:-30], "is cut off or damaged (Pdf"),
        (lambda pdf, picture: b"%PDF-1.7\n", "is cut off or damaged (Pdf"),
        (
            lambda pdf, picture: pdf(user_password="x", algorithm="RC4-128"),
            "has a password; print it to a new PDF without one",
        ),
        (lambda pdf, picture: b"\n <!DOCTYPE html><p>Log in", "is a web page, "),
        (lambda pdf, picture: b"<HTML>", "is a web page, "),
        (lambda pdf, picture: b"hello", "is neither a PDF nor a picture; save it as PDF or JPEG"),
        (lambda pdf, picture: picture(size=(900, 900))[:900], "is cut off or damaged (OSError); "),
        (lambda pdf, picture: b"\0\0\0\x18ftypheic" + bytes(99), "is in Apple's HEIC format; "),
    ],
)
def test_what_cannot_be_used_is_one_sentence_with_the_remedy(
    read, make_pdf, make_picture, monkeypatch, data, words
):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(ScanError) as caught:
        read("scan.pdf", data(make_pdf, make_picture))
    assert str(caught.value).startswith(words)
    assert ";" in str(caught.value)


def test_aes_without_the_package_for_it_is_one_sentence(read, make_pdf, monkeypatch):
    def refuse(*arguments):
        raise DependencyError("cryptography>=3.1 is required for AES algorithm")

    monkeypatch.setattr(PdfReader, "decrypt", refuse)
    with pytest.raises(ScanError, match="^is encrypted; print it to a new PDF without encryption$"):
        read("scan.pdf", make_pdf(user_password="", owner_password="x", algorithm="RC4-128"))


def test_heic_is_read_where_its_library_is_installed(read, make_picture, monkeypatch):
    registered = []
    library = type(sys)("pillow_heif")
    library.register_heif_opener = lambda: registered.append(True)
    monkeypatch.setitem(sys.modules, "pillow_heif", library)
    with pytest.raises(ScanError, match="neither"):
        read("photo.heic", b"\0\0\0\x18ftypheic" + bytes(99))
    assert registered


def test_files_that_are_missing_folders_or_too_large_are_told(tmp_path, make_pdf, monkeypatch):
    with pytest.raises(ScanError, match="is not there; "):
        to_pages(tmp_path / "scan.pdf", SIZE)
    with pytest.raises(ScanError, match="cannot be read"):
        to_pages(tmp_path, SIZE)
    (tmp_path / "scan.pdf").write_bytes(make_pdf())
    monkeypatch.setattr(module, "LARGEST", 100)
    with pytest.raises(ScanError, match="is too large"):
        to_pages(tmp_path / "scan.pdf", SIZE)


def test_a_picture_with_too_many_pixels_is_told(read, make_picture, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(ScanError, match="too many pixels"):
        read("photo.png", make_picture("PNG"))


@pytest.mark.parametrize(
    ("sides", "fitted"),
    [((1190.6, 1683.8), (595.3, 841.9)), ((3000, 2000), (841.9, 561.3)), ((595, 842), (595, 842))],
)
def test_pages_of_a_pdf_are_scaled_to_fit(read, make_pdf, sides, fitted):
    [page] = read("scan.pdf", make_pdf(1, *sides)).pages
    assert (float(page.mediabox.width), float(page.mediabox.height)) == pytest.approx(
        fitted, abs=0.1
    )


def test_pages_that_share_their_content_are_scaled_once(read):
    writer = PdfWriter()
    pages = [writer.add_blank_page(1190.6, 1683.8) for _ in range(3)]
    stream = DecodedStreamObject()
    stream.set_data(b"0 0 1 rg 100 100 200 300 re f")
    shared = writer._add_object(stream)
    for page in pages:
        page[NameObject("/Contents")] = shared
    buffer = io.BytesIO()
    writer.write(buffer)
    contents = [page.get_contents().get_data() for page in read("s.pdf", buffer.getvalue()).pages]
    assert len(set(contents)) == 1
    assert contents[0].count(b" cm") == 1


def test_pictures_in_a_pdf_are_reduced(make_pdf):
    picture = Image.effect_noise((900, 1200), 60)
    buffer = io.BytesIO()
    picture.save(buffer, "PDF", quality=98)
    small = reduce_pictures(buffer.getvalue(), Size(300, 50))
    [page] = PdfReader(io.BytesIO(small)).pages
    assert page.images[0].image.size == (225, 300)
    assert len(small) < len(buffer.getvalue()) / 10


def test_a_pdf_that_does_not_get_smaller_stays(make_pdf, monkeypatch):
    data = make_pdf(2)
    assert len(reduce_pictures(data, SIZE)) <= len(data)
