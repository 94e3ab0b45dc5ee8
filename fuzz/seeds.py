#!/usr/bin/env python3
"""Writes the first corpus of every target from the fixtures and the rules: fuzz/seeds.py [--tests [ARGUMENT ...]].

With `--tests` also from what the tests write, which has every case that somebody thought of: they are run
(`cargo test ARGUMENT ...`), and each file of theirs is taken while it is there.
"""

import hashlib
import json
import os
import pathlib
import plistlib
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

import examples
import formats

ROOT = pathlib.Path(__file__).resolve().parent.parent
CORPUS = ROOT / "fuzz" / "corpus"
LARGEST = 64 * 1024
# What mutations may put into an input: a word is not found by chance.
WORDS = ROOT / "fuzz" / "corpus" / "words.dict"

# The target of each reader; the other readers of profiles have `sqlite`.
TARGETS = {
    "binary-cookies": "binary_cookies",
    "burp-items": "burp",
    "chromium-block-cache": "block_cache",
    "chromium-cache": "chromium_cache",
    "chromium-session": "snss",
    "firefox-cache": "firefox_cache",
    "firefox-session": "firefox_session",
    "har": "har",
    "leveldb": "leveldb",
    "log": "log",
    "mitmproxy-flows": "mitmproxy",
    "safari-plist": "plist",
    "systemd-journal": "journal",
    "text": "log",
    "webkit-cache": "webkit_cache",
}
# Where the tests write, and what is kept of it.
WORK = ROOT / "fuzz" / "target" / "tests"
KEPT = ROOT / "fuzz" / "target" / "evidence"


def files(folder):
    return sorted(path for path in (ROOT / folder).rglob("*") if path.is_file())


def rules():
    return [path for path in files("rules") if path.suffix == ".toml"]


def seed(target, name, data):
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data[:LARGEST])


def evidence(folder):
    """Each file for the target of the reader that claims it, for `any`, and what is seen in it for `correlate`."""
    seen = scanned(folder)
    # An archive is the source of each of its members.
    sources = {row["path"]: row for row in seen if row["type"] == "source"}
    for shown, source in sources.items():
        path = ROOT / shown
        if not path.is_file():
            # Its name is not as it is shown.
            continue
        data = path.read_bytes()
        name = hashlib.sha1(data).hexdigest()
        if data.startswith(b"SQLite format 3\0"):
            rows(path, name)
        elif source["members"]:
            seed("archive", name, bytes([int(name[0], 16) % 4]) + data)
        elif target := TARGETS.get(source["reader"]):
            seed(target, name, data)
            if target == "log":
                for line, text in enumerate(data.splitlines()[:20]):
                    seed("record", f"{name}-{line}", text)
        seed("any", name, path.name.encode() + b"\n" + data)
    for part in apart(seen, folder):
        seed("correlate", hashlib.sha1(part).hexdigest(), part)


def apart(seen, folder):
    """What is seen in each file or folder of a folder, as if it had been scanned alone."""
    run, *others, trailer = seen
    parts, sources = {}, {}
    for row in others:
        if row["type"] == "source":
            sources[row["id"]] = (ROOT / row["path"]).relative_to(ROOT / folder).parts[0]
        if part := sources.get(row["id"] if row["type"] == "source" else row.get("source")):
            parts.setdefault(part, []).append(row)
    for rows in parts.values():
        count = {kind: sum(row["type"] == kind for row in rows) for kind in ("source", "sighting", "problem")}
        ends = {f"{kind}s": number for kind, number in count.items()}
        whole = [run, *rows, trailer | ends | {"not_claimed": 0}]
        if count["sighting"]:
            yield b"".join(json.dumps(row, separators=(",", ":")).encode() + b"\n" for row in whole)


def scanned(folder):
    """The lines of `--sightings`."""
    command = ["cargo", "run", "--quiet", "--", "scan", folder, "--sightings"]
    # Evidence of tests is damaged, and the exit code tells.
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return list(map(json.loads, done.stdout.splitlines()))


def rows(path, name):
    """A database, with what may lie beside it."""
    for which, suffix in enumerate(("-wal", "-journal")):
        beside = path.with_name(path.name + suffix)
        if beside.exists():
            return database(name, which, path.read_bytes(), beside.read_bytes())
    try:
        whole = formats.small(path)
    except sqlite3.Error:
        whole = path.read_bytes()
    database(name, 0, whole[: LARGEST - 4], b"")


def harvest(arguments):
    """Runs tests, and links what they write before they take it away."""
    for folder in (WORK, KEPT):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    command = ["cargo", "test", "--locked", "--quiet", *arguments]
    tests = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "TMPDIR": str(WORK)}, stdout=subprocess.DEVNULL)
    while tests.poll() is None:
        for folder, _, names in os.walk(WORK):
            into = KEPT / os.path.relpath(folder, WORK)
            for name in names:
                link(pathlib.Path(folder) / name, into / name)
        time.sleep(0.003)


def link(path, to):
    try:
        if not to.exists() and path.stat().st_size <= LARGEST:
            to.parent.mkdir(parents=True, exist_ok=True)
            to.hardlink_to(path)
    except OSError:
        # It is gone already; another test writes one like it.
        return


def words():
    """The names of the rules, and those of the members of JSON in the fixtures."""
    found = set()
    for path in rules():
        found.update(re.findall(r'"([!-~]{2,32})"', path.read_text()))
    for path in files("fixtures"):
        if path.suffix in (".har", ".json", ".log"):
            found.update(re.findall(r'"([\w.-]{2,32})" ?:', path.read_text(errors="replace")))
    lines = ('"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"' for word in sorted(found))
    WORDS.parent.mkdir(parents=True, exist_ok=True)
    WORDS.write_text("\n".join(lines) + "\n")


def database(name, which, main, beside):
    seed("sqlite", name, bytes([which]) + len(main).to_bytes(3, "big") + main + beside)


def exchanges():
    """What no fixture has: the exchanges of the HAR files and of the rules, as other programs keep them."""
    found = []
    for path in files("fixtures/har"):
        entries = json.loads(path.read_bytes())["log"]["entries"]
        found += [(f"{path.stem}-{nth}", (it["request"], it["response"])) for nth, it in enumerate(entries)]
    for path in rules():
        made = [examples.exchange(examples.expanded(it)) for it in examples.of(path) if isinstance(it, str)]
        found += [(f"{path.stem}-{nth}", it) for nth, it in enumerate(made) if it]
    for number, (name, (request, response)) in enumerate(found):
        kept = {
            "mitmproxy": ("flows.mitm", formats.flow(request, response)),
            "burp": ("items.xml", formats.items(request, response)),
            "binary_cookies": ("Cookies.binarycookies", formats.cookies(request)),
            "firefox_session": ("sessionstore.js", formats.tabs_of_firefox(request, response)),
            "plist": ("LastSession.plist", formats.tabs_of_safari(request, plistlib.FMT_XML)),
        }
        for target, (_, data) in kept.items():
            seed(target, name, data)
        seed("plist", f"{name}-binary", formats.tabs_of_safari(request, plistlib.FMT_BINARY))
        kept["fiddler"] = ("sessions.saz", formats.session(request, response))
        kept["gnome-web"] = ("session_state.xml", formats.tabs(request))
        # All targets are in one here, and much of each is the same.
        for kind, (file, data) in kept.items() if number % 8 == 0 else ():
            seed("any", f"{kind}-{name}", file.encode() + b"\n" + data)
    with tempfile.TemporaryDirectory() as folder:
        for name, (request, response) in found:
            entry = {"startedDateTime": "2026-11-23T05:00:00Z", "request": request, "response": response}
            har = json.dumps({"log": {"version": "1.2", "entries": [entry]}})
            (pathlib.Path(folder) / f"{name}.har").write_text(har)
        evidence(folder)


def pieces():
    """The examples of the rules, which are whole pieces of evidence, and of the logs, which are records."""
    for path in rules():
        for number, example in enumerate(examples.of(path)):
            if isinstance(example, str):
                for kind, piece in examples.payloads(examples.expanded(example)):
                    seed("detect", f"{path.stem}-{number}-{kind}", bytes([kind]) + piece.encode())
            elif "line" in example:
                seed("record", f"{path.stem}-{number}", example["line"].encode())
                seed("log", f"{path.stem}-{number}", example["line"].encode() + b"\n")


def main():
    words()
    for history in formats.histories():
        database(*history)
    exchanges()
    pieces()
    for compact in (False, True):
        text = b"MESSAGE=GET /cb?access_token=0123456789abcdefghij"
        seed("journal", f"compact-{compact}", formats.journal(compact, text))
    evidence("fixtures")
    for path in files("rules"):
        seed("rules", path.name, path.read_bytes())
    for path in files("tests/snapshots"):
        if path.suffix == ".json":
            seed("report", path.name, path.read_bytes())
    if sys.argv[1:2] == ["--tests"]:
        harvest(sys.argv[2:])
        if not any(KEPT.iterdir()):
            sys.exit("no test was run that writes evidence")
        evidence(KEPT)


if __name__ == "__main__":
    main()
