#!/usr/bin/env python3
"""Runs the fuzz targets and adds what they did to the table of README.md: fuzz/run.py [SECONDS] [TARGET ...].

Sixty seconds for each target when nothing is said, one target on each core; what is counted is their CPU time.
`--until HOURS` gives each what it lacks of so many CPU hours, with those that the table tells of.
`--brief` is for CI: three seconds for each, built quickly, and README.md stays as it is. Needs the stable toolchain, a
C++ compiler and Python 3.11. Exit code 1 when a target fails; the input that made it fail lies below fuzz/artifacts/.
"""

import argparse
import concurrent.futures
import datetime
import json
import math
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile

import seeds

HERE = pathlib.Path(__file__).resolve().parent
README = HERE / "README.md"
HEAD = "| target | executions | CPU hours | edges covered | last run |"
# What libFuzzer needs to see which way an input took; as `cargo fuzz --sanitizer none` has it.
COVERAGE = [
    "--cfg=fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
]
DONE = re.compile(r"DONE\s+cov: (\d+)")
# Targets of a part that finds no credentials. The others must find one, or all that they tried was refused.
PARTS = {"correlate", "leveldb_library", "needles", "record", "report", "rules"}
FOUND = "a credential was found"
# What these read is longer than the small bound as soon as it is whole: the head of the index of a block cache is.
LONG = {"block_cache"}
COUNT = re.compile(r"Done (\d+) runs in \d+ second")


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


def build(profile, flags=COVERAGE, built=HERE / "target"):
    """The programs of all targets, by name."""
    version = subprocess.run(["rustc", "-vV"], capture_output=True, text=True, check=True).stdout
    host = re.search(r"host: (\S+)", version)[1]
    # With a target named, build scripts and macros are not instrumented.
    command = ["cargo", "build", "--locked", "--bins", "--profile", profile, "--target", host]
    command += ["--target-dir", built]
    environment = {**os.environ, "RUSTFLAGS": " ".join(flags)}
    told = ["--message-format", "json-render-diagnostics"]
    done = subprocess.run(command + told, cwd=HERE, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    lines = (json.loads(line) for line in done.stdout.splitlines())
    return {line["target"]["name"]: line["executable"] for line in lines if line.get("executable")}


def fuzz(target, program, seconds, brief):
    corpus, artifacts = HERE / "corpus" / target, HERE / "artifacts" / target
    for folder in [corpus, artifacts]:
        folder.mkdir(parents=True, exist_ok=True)
    # A small input is executed ten times while a large one is once; what grows with the size shows in a large one.
    small = seeds.LARGEST if target in LONG else seeds.LARGEST // 8
    largest = seeds.LARGEST if brief else random.choice([seeds.LARGEST, small])
    bounds = [f"-max_total_time={seconds}", "-rss_limit_mb=2048", f"-max_len={largest}", f"-dict={seeds.WORDS}"]
    # A brief run must be about the change: the same inputs wherever it is played, or as many as there is time for.
    bounds += ["-timeout=120"] + (["-seed=20261123", "-runs=3000"] if brief else [])
    command = [program, *bounds, f"-artifact_prefix={artifacts}/", corpus]
    with tempfile.TemporaryFile("w+", errors="replace") as told:
        child = subprocess.Popen(command, cwd=HERE, stdout=subprocess.DEVNULL, stderr=told)
        # What it used, and not how long it took: another program may have had the core.
        _, status, used = os.wait4(child.pid, 0)
        told.seek(0)
        text = told.read()
    edges, count = DONE.search(text), COUNT.search(text)
    if status != 0 or not edges or not count:
        print(f"{target}:\n{text[-4000:]}", file=sys.stderr)
        return None
    if target not in PARTS and FOUND not in text:
        print(f"{target}: nothing was found in any input; seeds.py must write one that is read", file=sys.stderr)
        return None
    return int(count[1]), used.ru_utime + used.ru_stime, int(edges[1])


def asked():
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[0])
    parser.add_argument("words", nargs="*", metavar="SECONDS | TARGET")
    parser.add_argument("--until", type=float, metavar="HOURS")
    parser.add_argument("--brief", action="store_true")
    given = parser.parse_args()
    seconds = int(given.words.pop(0)) if given.words and given.words[0].isdigit() else 3 if given.brief else 60
    return given.words or targets(), seconds, given.until, given.brief


def main():
    chosen, seconds, until, brief = asked()
    programs = build("brief" if brief else "release")
    seeds.main()
    rows = table()
    today = datetime.date.today().isoformat()
    pool = concurrent.futures.ThreadPoolExecutor(os.cpu_count())

    def spent(target):
        return rows.get(target, (0, 0.0))[1]

    def run(target):
        lacks = until and math.ceil(until * 3600 - spent(target))
        return fuzz(target, programs[target], lacks or seconds, brief)

    def lack():
        # As the table has it: two decimals of an hour.
        return [target for target in chosen if until and round(spent(target) / 3600, 2) < until]

    failed = []
    chosen = lack() if until else chosen
    while chosen:
        # What has had the least comes first, so that a run that is stopped has been of use, too.
        chosen.sort(key=spent)
        for target, found in zip(chosen, pool.map(run, chosen)):
            if found is None:
                failed.append(target)
                continue
            runs, used, edges = found
            print(f"{target}: {runs:,} executions in {used:.0f} s of CPU, {edges:,} edges, no fault", flush=True)
            before = rows.get(target, (0, 0.0, 0, ""))
            rows[target] = (before[0] + runs, before[1] + used, max(before[2], edges), today)
            if not brief:
                write(rows)
        # Where another program had the core, less time was used than was given.
        chosen = [target for target in lack() if target not in failed]
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
