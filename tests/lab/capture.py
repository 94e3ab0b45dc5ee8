"""Cuts the last run's evidence to a few flows and writes it to a folder of the fixtures. Everything in it is made by the
lab: the credentials end with its servers, and the keys are thrown away. Usage: capture.py EVIDENCE OUT"""
import json
import re
import shutil
import sqlite3
import sys
from pathlib import Path

# Flows that the capture keeps, by client.
KEPT = ("implicit-keep", "public-s256-open", "public-none-open", "public-plain-open", "web-referer", "bff-fragment")
WORD = re.compile(r"(?<![\w-])(" + "|".join(KEPT) + r")(?![\w-])|/app#")
# Tables of a browser history that tokentrail reads, beside visits: column that holds a URL.
BESIDE = {"clusters_and_visits": "url_for_display", "downloads_url_chains": "url", "visited_links": "top_level_url"}


def cut(source: Path, out: Path, urls: str, visits: str, place: str) -> None:
    """Copies a history and deletes every visit that no kept one was reached from; urls without a visit go too."""
    shutil.copy(source, out)
    if source.with_name(source.name + "-wal").exists():
        shutil.copy(source.with_name(source.name + "-wal"), out.with_name(out.name + "-wal"))
    database = sqlite3.connect(out)
    database.create_function("kept", 1, lambda url: bool(WORD.search(url or "")))
    database.executescript("PRAGMA journal_mode=DELETE; PRAGMA recursive_triggers=OFF;")
    for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type='trigger'").fetchall():
        database.execute(f'DROP TRIGGER "{name}"')
    database.execute(f"""
        CREATE TEMP TABLE chain AS WITH RECURSIVE up(id) AS (
            SELECT v.id FROM {visits} v JOIN {urls} u ON u.id = v.{place} WHERE kept(u.url)
            UNION SELECT v.from_visit FROM {visits} v JOIN up ON v.id = up.id WHERE v.from_visit > 0)
        SELECT id FROM up""")
    database.execute(f"DELETE FROM {visits} WHERE id NOT IN chain")
    database.execute(f"DELETE FROM {urls} WHERE id NOT IN (SELECT {place} FROM {visits})")
    present = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type='table'")}
    for table, column in BESIDE.items():
        if table in present:
            database.execute(f"DELETE FROM {table} WHERE NOT kept({column})")
    database.commit()
    # Fifty tables and indexes, mostly empty: small pages keep the whole schema and little air.
    database.executescript("PRAGMA page_size=1024; VACUUM;")
    database.close()


def cut_har(source: Path, out: Path) -> None:
    """Keeps the entries of the kept flows, and the page's script once."""
    har = json.loads(source.read_text())
    entries = [entry for entry in har["log"]["entries"] if WORD.search(json.dumps(entry["request"]))]
    scripts = [entry for entry in entries if entry["request"]["url"].endswith("/spa.js")]
    har["log"]["entries"] = [entry for entry in entries if entry not in scripts[1:]]
    out.write_text(json.dumps(har, separators=(",", ":")) + "\n")


def main() -> None:
    """Writes the capture anew."""
    evidence, out = Path(sys.argv[1]), Path(sys.argv[2])
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    # Other users than those of the made-up laptop: who has both is not one holder.
    for holder, inner, user, tables in (
        ("chromium-closed/home/alice", ".config/chromium/Default/History", "dana", ("urls", "visits", "url")),
        (
            "firefox-closed/home/carol",
            ".mozilla/firefox/lab.default-esr/places.sqlite",
            "erin",
            ("moz_places", "moz_historyvisits", "place_id"),
        ),
    ):
        target = out / "home" / user / inner
        target.parent.mkdir(parents=True)
        cut(evidence / holder / inner, target, *tables)
    cut_har(evidence / "har/playwright.har", out / "playwright.har")
    for log in ("spa.lab.test", "web.lab.test", "idp.lab.test", "ads.third.test"):
        lines = (evidence / log / "access.log").read_text().splitlines(keepends=True)
        (out / f"{log}.access.log").write_text("".join(line for line in lines if WORD.search(line)))
    size = sum(file.stat().st_size for file in out.rglob("*") if file.is_file())
    print(f"{out}: {size // 1024} KiB")
    if size > 300 * 1024:
        sys.exit("more than 300 KiB: cut further")


main()
