"""What graders do in nbgrader's formgrader, by the links, buttons and keys that they use."""

from playwright.sync_api import expect

from tests.e2e.lab import PATIENCE


class Formgrader:
    """The formgrader in a page of a browser.

    Parameters
    ----------
    page : playwright.sync_api.Page
    address : str
        What `coursekit formgrader` prints.
    """

    def __init__(self, page, address):
        self.page = page
        self.root, _, token = address.partition("?")
        page.goto(f"{self.root}?{token}")

    def submissions(self, assignment):
        """Open the list of an assignment's submissions; returns its rows."""
        self.page.goto(f"{self.root}/manage_submissions/{assignment}")
        rows = self.page.locator("#main-table tr")
        expect(rows.locator(".student-id").first).not_to_be_empty()
        return rows

    def submission(self, assignment, student):
        """Give the row of one student."""
        return self.submissions(assignment).filter(has_text=student)

    def press(self, row, button):
        """Press one of the three buttons of a row, and give what the dialog says at the end."""
        row.locator(f".{button} a").click()
        dialog = self.page.locator(".modal-dialog")
        dialog.wait_for(timeout=3000 * PATIENCE)
        said = dialog.inner_text()
        dialog.get_by_role("button", name="OK").click()
        dialog.wait_for(state="detached")
        return said

    def open(self, assignment, student, notebook):
        """Go by links from the class to a graded notebook of a student."""
        self.page.goto(f"{self.root}/manage_students")
        self.page.locator(f"a[href$='/manage_students/{student}']").click()
        self.page.get_by_role("link", name=assignment).last.click()
        self.page.get_by_role("link", name=notebook, exact=True).click()
        return Sheet(self.page)


class Sheet:
    """A graded notebook in the formgrader.

    Parameters
    ----------
    page : playwright.sync_api.Page
    """

    def __init__(self, page):
        self.page = page
        self.pages = page.locator(".coursekit-scan img")
        # Points and comments are filled in when they have come from the gradebook. When MathJax has
        # started, nbgrader selects the field in use, and what is typed next replaces its text.
        for there in (
            "window.formgrader?.grades?.loaded",
            "formgrader.comments.loaded",
            "MathJax.loaded",
        ):
            page.wait_for_function(there)

    def answer(self, name):
        """Give the box of a written answer."""
        return self.page.locator(".nbgrader_cell").filter(has=self.page.locator(f"#{name}"))

    def guide(self, name):
        """Give the marking guide above an answer."""
        return self.answer(name).locator(
            "xpath=preceding::div[contains(@class, 'coursekit-guide')][1]"
        )

    def grade(self, name, points, comment):
        """Type points and a comment, going on with the tabulator."""
        answer = self.answer(name)
        answer.locator(f"#{name}").click()
        self._type(points)
        answer.locator("textarea.comment").click()
        self._type(comment)

    def _type(self, text):
        with self.page.expect_response(lambda answer: answer.request.method == "PUT") as response:
            self.page.keyboard.type(text)
            self.page.keyboard.press("Tab")
        assert response.value.ok

    def given(self, name):
        """Give the points and the comment that stand there."""
        answer = self.answer(name)
        return (
            answer.locator(f"#{name}").input_value(),
            answer.locator("textarea.comment").input_value(),
        )
