"""One open gradebook for a whole class, which saves each student's points at once or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager

from nbgrader.api import BaseCell, Comment, Grade, Gradebook, MissingEntry
from sqlalchemy.orm import Session, scoped_session, sessionmaker


class _Session(Session):
    """A session that leaves it to its owner when to commit."""

    def commit(self):
        """Do nothing: nbgrader's code commits after every cell."""

    def save(self):
        """Commit."""
        super().commit()


class OpenGradebook(Gradebook):
    """nbgrader's gradebook, opened once; for one thread.

    Opening it costs nbgrader more than all it then asks of it, and it is opened ten times for each
    notebook. What was released is looked up once, and a notebook's grades together.

    Parameters
    ----------
    db_url, course_id : str
    """

    def __init__(self, db_url: str, course_id: str):
        super().__init__(db_url, course_id)
        self.db = scoped_session(
            sessionmaker(class_=_Session, bind=self.engine, expire_on_commit=False)
        )
        self._released = {}
        self._notebooks, self._entries = {}, {}

    @contextmanager
    def at_once(self) -> Iterator[Gradebook]:
        """Save all that is done inside in one transaction, or nothing of it."""
        try:
            yield self
            self.db().save()
        except BaseException:
            self.db.rollback()
            raise
        finally:
            self.db.remove()
            self._notebooks.clear()
            self._entries.clear()

    def find_source_cell(self, name, notebook, assignment):
        """Find a cell as it was released; see `Gradebook.find_source_cell`."""
        return self._find_released(super().find_source_cell, name, notebook, assignment)

    def find_graded_cell(self, name, notebook, assignment):
        """Find what a cell is worth; see `Gradebook.find_graded_cell`."""
        return self._find_released(super().find_graded_cell, name, notebook, assignment)

    def find_submission_notebook(self, *where):
        """Find a student's notebook; see `Gradebook.find_submission_notebook`."""
        if where not in self._notebooks:
            self._notebooks[where] = super().find_submission_notebook(*where)
        return self._notebooks[where]

    def find_grade(self, grade_cell, notebook, assignment, student):
        """Find a student's grade of a cell; see `Gradebook.find_grade`."""
        return self._find_entry(Grade, grade_cell, notebook, assignment, student)

    def find_comment(self, solution_cell, notebook, assignment, student):
        """Find a student's comment on a cell; see `Gradebook.find_comment`."""
        return self._find_entry(Comment, solution_cell, notebook, assignment, student)

    def _find_released(self, find, *names):
        key = find.__name__, *names
        if key not in self._released:
            found = self._released[key] = find(*names)
            self.db.expunge(found)  # a rollback must not touch what the next student needs
        return self._released[key]

    def _find_entry(self, kind, name, *where):
        entries = self._entries.get((kind, *where))
        if entries is None:
            notebook = self.find_submission_notebook(*where)
            rows = (
                self.db.query(BaseCell.name, kind)
                .join(kind, kind.cell_id == BaseCell.id)
                .filter(kind.notebook_id == notebook.id)
            )
            entries = self._entries[kind, *where] = dict(map(tuple, rows))
        if name not in entries:
            raise MissingEntry(f"No {kind.__name__.lower()} of {name} in {'/'.join(where)}")
        return entries[name]
