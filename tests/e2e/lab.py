"""What people do in JupyterLab's notebook, by the buttons and keys that they use."""

import re

from playwright.sync_api import expect

PATIENCE = 60  # seconds until something that was asked for must be there
expect.set_options(timeout=1000 * PATIENCE)
READY = "Python 3 (ipykernel) | Idle"  # in the bar at the bottom
RAN = re.compile(r"\[\d+\]:")


class Notebook:
    """A notebook that is open in JupyterLab.

    Parameters
    ----------
    page : playwright.sync_api.Page
    """

    def __init__(self, page):
        self.page = page
        self.panel = page.locator(".jp-NotebookPanel:visible")
        self.code = self.panel.locator(".jp-CodeCell")
        self.dialog = page.locator(".jp-Dialog")

    @classmethod
    def open(cls, page, address, token, name):
        """Open a notebook, and wait for its kernel."""
        page.goto(f"{address}/lab/tree/{name}?token={token}&reset")
        page.locator(".jp-Notebook .jp-Cell").first.wait_for()
        page.get_by_text(READY).wait_for()
        return cls(page)

    def cell(self, text):
        """Give the first code cell that holds a text."""
        return self.code.filter(has_text=text).first

    def write(self, cell, source):
        """Put a text in the place of a cell's, by keyboard."""
        cell.locator(".cm-content").click()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.press("Delete")
        self.page.keyboard.insert_text(source)
        expect(cell.locator(".cm-content")).to_contain_text(source.splitlines()[-1].strip())

    def start(self, cell):
        """Run a cell, without waiting for its end."""
        prompt = cell.locator(".jp-InputPrompt")
        before = prompt.inner_text()
        cell.locator(".cm-content").click()
        self.page.keyboard.press("Control+Enter")
        expect(prompt).not_to_have_text(before)

    def run(self, cell):
        """Run a cell, and give what it puts out."""
        self.start(cell)
        self.ended(cell)
        return self.output(cell)

    def run_all(self):
        """Choose Run, Run All Cells; the last cell then waits for an answer or is done."""
        self.page.get_by_role("menuitem", name="Run", exact=True).click()
        self.page.get_by_role("menuitem", name="Run All Cells", exact=True).click()

    def ended(self, cell):
        """Wait for the end of a cell's run."""
        expect(cell.locator(".jp-InputPrompt")).to_have_text(RAN, timeout=1000 * PATIENCE)

    def output(self, cell):
        """Give the text below a cell."""
        return "\n".join(cell.locator(".jp-OutputArea-output").all_inner_texts())

    def answer(self, question, text):
        """Answer what a cell asks."""
        asked = self.panel.locator(".jp-Stdin").filter(has_text=question)
        field = asked.locator("input")
        field.wait_for(timeout=1000 * PATIENCE)
        field.fill(text)
        field.press("Enter")
        field.wait_for(state="detached")

    def save(self):
        """Save by keyboard, and wait until it is done."""
        self.page.keyboard.press("Control+s")
        expect(self.page.locator(".lm-TabBar-tab.lm-mod-current.jp-mod-dirty")).to_have_count(0)

    def validate(self):
        """Press nbgrader's button, and give what its dialog says."""
        self.panel.get_by_title("Validate Assignment").click()
        results = self.dialog.filter(has_text="Validation Results")
        results.wait_for(timeout=3000 * PATIENCE)
        return results.inner_text()
