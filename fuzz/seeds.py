#!/usr/bin/env python3
"""Writes the first corpus of every target from the fixtures: fuzz/seeds.py."""

import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent
CORPUS = ROOT / "fuzz" / "corpus"
LARGEST = 64 * 1024

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


def main():
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
        for target, words in STORES.items():
            if any(word in str(path) for word in words):
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
