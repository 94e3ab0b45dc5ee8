#!/usr/bin/env python3
"""Runs the fuzz targets and adds what they did to the table of README.md: fuzz/run.py [SECONDS] [TARGET ...].

Sixty seconds for each target when nothing is said. `--brief` leaves README.md as it is, for CI. Exit code 1 when a
target fails; the input that made it fail lies below fuzz/artifacts/.
"""

import datetime
import pathlib
import re
import subprocess
import sys

import seeds

HERE = pathlib.Path(__file__).resolve().parent
README = HERE / "README.md"
HEAD = "| target | executions | CPU hours | edges covered | last run |"
DONE = re.compile(r"DONE\s+cov: (\d+)")
COUNT = re.compile(r"Done (\d+) runs in (\d+) second")


def targets():
    return sorted(path.stem for path in (HERE / "fuzz_targets").glob("*.rs"))


def table():
    """What earlier runs did: target -> executions, seconds, edges, day."""
    rows = {}
    for line in README.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 5 and cells[0].startswith("`"):
            runs, hours, edges = cells[1].replace(",", ""), cells[2], cells[3].replace(",", "")
            rows[cells[0].strip("`")] = (int(runs), float(hours) * 3600, int(edges), cells[4])
    return rows


def write(rows):
    before, _, after = README.read_text().partition("<!-- table -->\n")
    after = after.partition("<!-- end of table -->")[2]
    lines = [HEAD, "|---|---|---|---|---|"]
    for target, (runs, seconds, edges, day) in sorted(rows.items()):
        lines.append(f"| `{target}` | {runs:,} | {seconds / 3600:.2f} | {edges:,} | {day} |")
    text = before + "<!-- table -->\n" + "\n".join(lines) + "\n<!-- end of table -->" + after
    README.write_text(text)


def fuzz(target, seconds):
    command = ["cargo", "fuzz", "run", "--sanitizer", "none", target, "--"]
    bounds = [f"-max_total_time={seconds}", "-timeout=20", "-rss_limit_mb=2048", "-max_len=65536"]
    done = subprocess.run(command + bounds, cwd=HERE, capture_output=True, text=True, check=False)
    edges, count = DONE.search(done.stderr), COUNT.search(done.stderr)
    if done.returncode != 0 or not edges or not count:
        print(done.stderr[-4000:], file=sys.stderr)
        return None
    return int(count[1]), int(count[2]), int(edges[1])


def main():
    asked = [word for word in sys.argv[1:] if word != "--brief"]
    brief = len(asked) != len(sys.argv) - 1
    seconds = int(asked.pop(0)) if asked and asked[0].isdigit() else 60
    build = ["cargo", "fuzz", "build", "--sanitizer", "none"]
    subprocess.run(build, cwd=HERE, check=True)
    seeds.main()
    rows = table()
    failed = []
    today = datetime.date.today().isoformat()
    for target in asked or targets():
        found = fuzz(target, seconds)
        if found is None:
            failed.append(target)
            continue
        runs, spent, edges = found
        print(f"{target}: {runs:,} executions in {spent} s, {edges:,} edges, no fault")
        before = rows.get(target, (0, 0.0, 0, ""))
        rows[target] = (before[0] + runs, before[1] + spent, max(before[2], edges), today)
        if not brief:
            write(rows)
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
