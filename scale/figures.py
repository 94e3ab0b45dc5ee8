"""What the commands of this folder share: running the job, making input, and putting figures into a page. Standard
library only."""

import datetime
import json
import os
import pathlib
import platform
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent
WORK = TOP / "target/spark"

sys.path.insert(0, str(TOP / "benches"))


def binary() -> pathlib.Path:
    """The program, built now, since figures of an older one would be worth nothing; or what TOKENTRAIL names."""
    if named := os.environ.get("TOKENTRAIL"):
        return pathlib.Path(named)
    subprocess.run(["cargo", "build", "--release", "--locked", "--quiet"], cwd=TOP, check=True)
    return TOP / "target/release/tokentrail"


def job(arguments: list, master: str, log: pathlib.Path, **environment: str) -> dict:
    """Runs the job, and returns its summary. What Spark says is kept in `log`."""
    with open(log, "w") as errors:
        command = [HERE / "spark/run", *arguments]
        done = subprocess.run(command, env={**os.environ, "MASTER": master, **environment}, stdout=subprocess.PIPE, stderr=errors)
    return summary(done.stdout, done.returncode, log)


def summary(stdout: bytes, code: int, log: pathlib.Path) -> dict:
    if code != 0:
        raise SystemExit(f"the job ended with {code}; see {log}")
    return json.loads(stdout.splitlines()[-1])


def links(folder: pathlib.Path, files: int, mib: int, share: float) -> int:
    """Makes one log of so many MiB, one line in `1 / share` of which holds a credential, and hard links to it under
    names of their own: as much to read, and little to store. Returns the bytes of all."""
    import generate

    folder.mkdir(parents=True)
    first = folder / "access-000.log"
    values = generate.Values(1)
    generate.log(first, mib << 20, lambda: values.line(share), block=50_000, blocks=16)
    for number in range(1, files):
        os.link(first, folder / f"access-{number:03}.log")
    # What is measured is the reading of the program, not of the disk.
    with open(first, "rb") as file:
        while file.read(1 << 24):
            pass
    return first.stat().st_size * files


def machine() -> str:
    """Where and when, in one sentence. The load tells whether anyone else was at work."""
    cores, load = os.cpu_count(), os.getloadavg()[0]
    now = datetime.datetime.now(datetime.UTC)
    model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
    quiet = "quiet" if load < 0.5 else f"loaded: {load:.1f} processes wanted a core at the start"
    return f"{now:%Y-%m-%d %H:%M} UTC, {cores} cores of {model}, {quiet}"


def put(page: pathlib.Path, name: str, text: str) -> None:
    """Puts text between the two marks of this name."""
    begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->\n"
    whole = page.read_text()
    before, rest = whole.split(begin)
    after = rest.split(end)[1]
    page.write_text(f"{before}{begin}\n{text.strip()}\n\n{end}{after}")
    print(text)
