#!/usr/bin/env python3
"""Writes the first corpus of every target from the fixtures: fuzz/seeds.py."""

import pathlib
import re
import sqlite3
import struct
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
CORPUS = ROOT / "fuzz" / "corpus"
LARGEST = 64 * 1024
# What mutations may put into an input: a word is not found by chance.
WORDS = ROOT / "fuzz" / "corpus" / "words.dict"

# What stands in the paths of the fixtures that are for a target.
STORES = {
    "leveldb": ["/leveldb/", "Session Storage"],
    "snss": ["/Sessions"],
    "chromium_cache": ["Cache_Data", "CacheStorage"],
    "block_cache": ["data_1", "data_2"],
    "firefox_cache": ["cache2"],
    "webkit_cache": ["WebKitCache"],
    "firefox_session": ["sessionstore", ".jsonlz4", ".baklz4"],
    "plist": [".plist"],
    "binary_cookies": ["binarycookies"],
    "mitmproxy": [".mitm"],
    "burp": ["burp"],
}


def files(folder):
    return sorted(path for path in (ROOT / folder).rglob("*") if path.is_file())


def seed(target, name, data):
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data[:LARGEST])


def words():
    """The names of the rules, and those of the members of JSON in the fixtures."""
    found = set()
    for path in files("rules"):
        if path.suffix == ".toml":
            found.update(re.findall(r'"([!-~]{2,32})"', path.read_text()))
    for path in files("fixtures"):
        if path.suffix in (".har", ".json", ".log"):
            found.update(re.findall(r'"([\w.-]{2,32})" ?:', path.read_text(errors="replace")))
    lines = ('"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"' for word in sorted(found))
    WORDS.parent.mkdir(parents=True, exist_ok=True)
    WORDS.write_text("\n".join(lines) + "\n")


def database(name, which, main, beside):
    main, beside = main.read_bytes(), beside.read_bytes()
    seed("sqlite", name, bytes([which]) + len(main).to_bytes(3, "big") + main + beside)


def histories():
    """Databases with what a program that was killed leaves beside them."""
    for page in (512, 1024, 4096):
        for which, mode in enumerate(("WAL", "DELETE")):
            with tempfile.TemporaryDirectory() as folder:
                path = pathlib.Path(folder) / "History"
                connection = sqlite3.connect(path, isolation_level=None)
                connection.executescript(f"""
                    PRAGMA page_size={page}; PRAGMA journal_mode={mode}; PRAGMA wal_autocheckpoint=0;
                    PRAGMA cache_size=2; CREATE TABLE urls(id INTEGER PRIMARY KEY, url TEXT);
                """)
                for number in range(12):
                    url = f"https://app.example/cb#access_token={number:040}"
                    connection.execute("INSERT INTO urls VALUES(?, ?)", (number, url))
                if mode == "WAL":
                    connection.execute("DELETE FROM urls WHERE id % 3 = 0")
                    database(f"wal-{page}", which, path, path.with_name("History-wal"))
                else:
                    connection.executescript("BEGIN; UPDATE urls SET url = url || hex(zeroblob(600))")
                    database(f"journal-{page}", which, path, path.with_name("History-journal"))
                    connection.execute("ROLLBACK")
                connection.close()


def journal(compact, text):
    """A journal of systemd with one field, and its two entries: an array has the second."""
    name = 4 if compact else 8
    header = b"LPKSHHRH" + struct.pack("<II", 0, 30 if compact else 15) + bytes(72)
    parts = [header + (208).to_bytes(8, "little") + bytes(112)]

    def add(kind, body):
        at = sum(map(len, parts))
        whole = bytes([kind]) + bytes(7) + (len(body) + 16).to_bytes(8, "little") + body
        parts.append(whole + bytes(-len(whole) % 8))
        return at

    fixed = 56 if compact else 48
    size = 16 + fixed + len(text)
    size += -size % 8
    entry = 64 + name * (1 if compact else 2)
    entry += -entry % 8
    ties = struct.pack("<5Q", 0, 0, 208 + size, 208 + size + 2 * entry, 2).rjust(48, b"\0")
    field = add(1, bytes(8) + ties[8:] + bytes(fixed - 48) + text)
    for number in (1, 2):
        item = field.to_bytes(name, "little") + bytes(0 if compact else 8)
        second = add(3, struct.pack("<6Q", number, 1795410000000000, 0, 0, 0, 0) + item)
    add(6, bytes(8) + second.to_bytes(name, "little") * 2)
    return b"".join(parts)


def main():
    words()
    histories()
    for compact in (False, True):
        text = b"MESSAGE=GET /cb?access_token=0123456789abcdefghij"
        seed("journal", f"compact-{compact}", journal(compact, text))
    fixtures = files("fixtures")
    for number, path in enumerate(fixtures):
        data = path.read_bytes()
        name = f"{number:03}"
        if "logs" in path.parts:
            seed("log", name, data)
            for line, text in enumerate(data.splitlines()[:20]):
                seed("record", f"{name}-{line}", text)
        if path.suffix == ".har":
            seed("har", name, data)
        if data.startswith(b"SQLite format 3\0"):
            end = min(len(data), LARGEST - 4)
            seed("sqlite", name, bytes([0]) + end.to_bytes(3, "big") + data[:end])
        for target, marks in STORES.items():
            if any(mark in str(path) for mark in marks):
                seed(target, name, data)
        if "archives" in path.parts:
            seed("archive", name, bytes([number % 4]) + data)
        seed("any", name, path.name.encode() + b"\n" + data)
    for path in files("rules"):
        seed("rules", path.name, path.read_bytes())
        if path.suffix == ".toml":
            lines = path.read_text().split('"')
            for line, text in enumerate(lines):
                if "=" in text or "/" in text:
                    seed("detect", f"{path.stem}-{line}", bytes([line % 8]) + text.encode())
    for path in files("tests/snapshots"):
        if path.suffix == ".json":
            seed("report", path.name, path.read_bytes())
    for folder in ("har", "laptop"):
        command = ["cargo", "run", "--quiet", "--", "scan", f"fixtures/{folder}", "--sightings"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
        seed("correlate", folder, done.stdout)


if __name__ == "__main__":
    main()
