"""Every cell of SQLite databases, whole, as SQLite itself reads a copy of each with its WAL or journal: no page border
cuts a value, and what only lies in free pages is not there. Usage: cells.py FOLDER OUT < paths, one a line.
Writes one file a database, named by its line number: each cell as its length (32 bits) and its bytes."""
import shutil
import sqlite3
import struct
import sys
import tempfile
from pathlib import Path


def cells(file: Path):
    """Yields the cells of every table; a table that cannot be read ends early."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "db"
        for tail in ("", "-wal", "-journal"):
            beside = file.with_name(file.name + tail)
            if beside.exists():
                shutil.copy(beside, copy.with_name(copy.name + tail))
        database = sqlite3.connect(copy)
        database.text_factory = bytes
        try:
            names = database.execute("SELECT name FROM sqlite_master WHERE type='table'").fetchall()
        except sqlite3.Error:
            names = []
        for (name,) in names:
            quoted = name.decode().replace('"', '""')
            try:
                for row in database.execute(f'SELECT * FROM "{quoted}"'):
                    yield from (cell for cell in row if isinstance(cell, bytes))
            except sqlite3.Error:
                continue
        database.close()


def main() -> None:
    """Dumps the databases that standard input names."""
    folder, out = Path(sys.argv[1]), Path(sys.argv[2])
    for number, line in enumerate(sys.stdin.read().splitlines()):
        with open(out / str(number), "wb") as dump:
            for cell in cells(folder / line):
                dump.write(struct.pack("<I", len(cell)) + cell)


main()
