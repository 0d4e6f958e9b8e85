"""The class report in a browser: axe-core in both schemes, keyboard, no network, no script."""

from datetime import datetime

import pytest
from axe_playwright_python.sync_playwright import Axe

from coursekit.report.figures import figures
from coursekit.report.page import anonymous_report, full_report, write_report
from coursekit.report.reading import read_class
from tests.report.classes import Student, graded_class, hostile_class
from tests.report.test_similar import OWN

MADE = datetime(2026, 11, 24, 13, 57)


@pytest.fixture
def pages(released, tmp_path):
    """The report, in full and anonymous, of a class with a bit of everything."""
    pair = [Student(number, answers={"add": OWN}) for number in ("21", "22")]
    graded_class(released, *hostile_class(), *pair)
    found = figures(released, read_class(released, "round"))
    assert found.pairs
    return {
        "full": write_report(tmp_path, "report", *full_report(released, found, MADE)).page,
        "anonymous": write_report(tmp_path, "anonymous", *anonymous_report(found, MADE)).page,
    }


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", ["full", "anonymous"])
def test_axe_finds_nothing(browser, pages, kind, scheme):
    asked, told = [], []
    page = browser.new_page(color_scheme=scheme)
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: told.append(message.text))
    page.goto(pages[kind].as_uri())
    for summary in page.locator("summary").all():
        summary.click()
    violations = Axe().run(page).response["violations"]
    page.close()
    assert [(one["id"], one["impact"], one["nodes"][0]["html"]) for one in violations] == []
    assert asked == [pages[kind].as_uri()]
    assert told == []  # neither a script nor a style was kept out by the page's policy


def test_keyboard(browser, pages):
    page = browser.new_page()
    page.goto(pages["full"].as_uri())
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the report"
    assert page.evaluate("document.activeElement.getBoundingClientRect().left >= 0")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.locator("details.pair summary").focus()
    page.keyboard.press("Enter")
    assert page.locator("details.pair pre").first.is_visible()
    page.close()


def test_narrow_screen_does_not_scroll_sideways(browser, pages):
    page = browser.new_page(viewport={"width": 360, "height": 700})
    page.goto(pages["full"].as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.close()


def test_print_hides_no_details(browser, pages):
    page = browser.new_page(color_scheme="dark")
    page.goto(pages["full"].as_uri())
    page.emulate_media(media="print")
    assert page.locator("details.pair pre").first.is_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert not page.locator("nav").is_visible()
    page.close()
