import sqlite3
from contextlib import closing


def leave_behind(gradebook, text):
    """Leave the bytes of a removed row in a gradebook, as SQLite does where it is not told else."""
    with closing(sqlite3.connect(gradebook, isolation_level=None)) as database:
        database.execute("PRAGMA secure_delete = OFF")
        database.execute("INSERT INTO student (id, email) VALUES ('gone', ?)", [text])
        database.execute("DELETE FROM student WHERE id = 'gone'")
    assert text.encode() in gradebook.read_bytes()
