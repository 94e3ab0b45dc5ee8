#!/usr/bin/env python3
"""Times whole processes over the files of generate.py, against tools that do less with them.

    cargo build --release
    benches/generate.py FOLDER
    benches/run.py FOLDER [--rounds 5] [--threads 2] [--write]

Every round runs every command once, in a new random order, so that a busy machine slows all of them; what counts is
the ratio within a round. `--write` puts the table into benches/README.md. Standard library only; tools that
are not installed are left out.
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
NAMES = """access_token id_token refresh_token id_token_hint code code_verifier client_secret device_code user_code state
nonce SAMLResponse SAMLRequest SAMLart wresult ticket jsessionid PHPSESSID session_id sessionid token auth_token api_key apikey key
password passwd pwd secret assertion client_assertion authorization oauth_token oauth_verifier oauth_token_secret
X-Amz-Signature X-Goog-Signature sig jwt auth_req_id""".split()
# These take a minute, and leave the page cache to others: they run once, when all else is done.
SLOW = ["kingfisher", "gitleaks"]
LOGS = ["sparse.log", "five.log", "half.log", "beacon.log", "json.log", "percent.log", "soup.log", "line.log", "tiny"]


def commands(folder, binary, threads, names):
    """Rows of the table: what, the product's command, and the commands it is compared with."""
    scan = lambda path: [binary, "scan", "--no-progress", "--threads", str(threads), "-f", "json", folder / path]
    rg = ["rg", "--no-mmap", "-c", "-F", "-f", names]
    rows = []
    for name in LOGS:
        others = {"rg -F -f": [*rg, folder / name], "rg -i -F -f": [*rg, "-i", folder / name]}
        if name == "sparse.log":
            others |= {"cat": ["cat", folder / name], "wc -l": ["wc", "-l", folder / name]}
            # They check more rules, and none of these parameters. Without a bound of the size kingfisher reads all of it.
            others |= {"kingfisher": ["kingfisher", "scan", "-n", "--max-file-size", "4096", "-f", "json", folder / name],
                       "gitleaks": ["gitleaks", "dir", "--no-banner", "-r", names + ".json", "-f", "json", folder / name]}
        rows.append((name, scan(name), others))
    rows.append(("sparse.log.gz", scan("sparse.log.gz"), {"zcat": ["zcat", folder / "sparse.log.gz"]}))
    rows.append(("sparse.log.zst", scan("sparse.log.zst"), {"zstd -dc": ["zstd", "-dc", folder / "sparse.log.zst"]}))
    har = {"jq entries": ["jq", ".log.entries|length", folder / "capture.har"],
           "serde_json entries": [*serde(), folder / "capture.har"], "cat": ["cat", folder / "capture.har"]}
    rows.append(("capture.har", scan("capture.har"), har))
    select = {"sqlite3 select url": ["sqlite3", "-readonly", folder / "History", "select url from urls not indexed"]}
    rows.append(("History", scan("History"), select))
    # Per byte, they are to be read nearly as fast as one.
    rows.append(("profiles", scan("profiles"), {"one History": scan("History")}))
    rows.append(("an empty folder", [binary, "scan", "--no-progress", folder / "empty"], {}))
    usable = lambda command: shutil.which(str(command[0]))
    return [(what, ours, {name: it for name, it in others.items() if usable(it)})
            for what, ours, others in rows if what == "an empty folder" or (folder / what).exists()]


def serde():
    """The command that reads a capture's entries with serde_json alone: the benchmark of the parts does."""
    build = ["cargo", "bench", "--bench", "parts", "--no-run", "--message-format=json", "--quiet"]
    built = subprocess.run(build, cwd=HERE, capture_output=True, text=True).stdout.splitlines()
    targets = [json.loads(line) for line in built if line.startswith("{")]
    found = [it["executable"] for it in targets if it.get("executable") and it["target"]["name"] == "parts"]
    return [*(found or ["no such benchmark"]), "serde-har"]


def run(command):
    """Wall seconds and peak memory in MiB of one run."""
    start = time.perf_counter()
    child = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, _, used = os.wait4(child.pid, 0)
    return time.perf_counter() - start, used.ru_maxrss / 1024


def spread(values):
    return " / ".join(f"{value:.2f}" for value in (min(values), statistics.median(values), max(values)))


def machine():
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
        model = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        model = platform.processor() or "unknown processor"
    return f"{model}, {platform.system()} {platform.machine()}"


def measure(options):
    folder = options.folder
    (folder / "empty").mkdir(exist_ok=True)
    # Reports of others go there too: gitleaks takes the place of what is there, be it a device.
    with tempfile.TemporaryDirectory() as own, open(os.path.join(own, "names"), "w") as names:
        names.write("\n".join(f"{name}=" for name in NAMES))
        names.flush()
        rows = commands(folder, options.binary, options.threads, names.name)
        jobs = [(what, name, it) for what, ours, others in rows for name, it in [("", ours), *others.items()]]
        times, peaks = {}, {}
        slow = [job for job in jobs if job[1] in SLOW]
        jobs = [job for job in jobs if job not in slow]
        for number in range(options.rounds + 1):
            random.Random(number).shuffle(jobs)
            for what, name, command in jobs:
                seconds, peak = run(command)
                if number:  # The first round only brings the files into the page cache.
                    times.setdefault((what, name), []).append(seconds)
                    peaks.setdefault((what, name), []).append(peak)
        for what, name, command in slow:
            times[what, name] = [run(command)[0]] * options.rounds
    lines = []
    for what, _, others in rows:
        ours = times[what, ""]
        path = folder / what
        files = [path] if path.is_file() else path.rglob("*")
        size = sum(file.stat().st_size for file in files if file.is_file()) / 2**20
        rate = f"{size / min(ours):.0f}" if size else ""
        lines.append(f"| {what} | | {spread(ours)} s | {rate} | {max(peaks[what, '']):.0f} |")
        for name in others:
            ratios = [a / b for a, b in zip(ours, times[what, name])]
            lines.append(f"| | × {name} | {spread(ratios)} | | |")
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--binary", default=HERE.parent / "target/release/tokentrail")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--write", action="store_true", help="put the table into README.md")
    options = parser.parse_args()
    table = "\n".join(["| input | against | min / median / max | MiB/s | peak MiB |", "|---|---|---|---|---|", *measure(options)])
    print(table)
    if options.write:
        commit = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=HERE, capture_output=True, text=True).stdout.strip()
        told = f"{machine()}; {options.threads} threads, {options.rounds} rounds; {datetime.date.today()}, commit {commit}."
        readme = HERE / "README.md"
        before, _ = readme.read_text().split("<!-- results -->")
        readme.write_text(f"{before}<!-- results -->\n\n{told}\n\n{table}\n")


if __name__ == "__main__":
    sys.exit(main())
