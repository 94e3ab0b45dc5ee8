#!/usr/bin/env python3
"""Shows which lines of the sources no input of a corpus reaches: fuzz/unreached.py [FILE ...].

For each file of `src` how many lines there are, and how many of them nothing has reached, most first; with files
named, those lines. Plays some of each corpus only, so that it takes minutes. Needs `rustup component add llvm-tools`.
"""

import hashlib
import os
import pathlib
import subprocess
import sys
import tempfile

import run

ROOT = run.HERE.parent
BUILT = run.HERE / "target" / "unreached"
# Inputs of a corpus that are played.
PLAYED = 2000


def main():
    sysroot = subprocess.run(["rustc", "--print", "sysroot"], capture_output=True, text=True, check=True).stdout
    tools = {path.name: path for path in pathlib.Path(sysroot.strip()).glob("lib/rustlib/*/bin/llvm-*")}
    if not {"llvm-cov", "llvm-profdata"} <= tools.keys():
        return "llvm-tools are missing: rustup component add llvm-tools"
    flags = ["-C instrument-coverage", "--cfg=fuzzing"]
    programs = run.build("brief", flags, BUILT)
    profiles = BUILT / "profiles"
    profiles.mkdir(exist_ok=True)
    for target in run.targets():
        corpus = sorted((run.HERE / "corpus" / target).glob("*"), key=by_chance)
        with tempfile.TemporaryDirectory() as some:
            for path in corpus[:PLAYED]:
                (pathlib.Path(some) / path.name).symlink_to(path)
            environment = {**os.environ, "LLVM_PROFILE_FILE": str(profiles / f"{target}.profraw")}
            command = [programs[target], "-runs=0", "-max_len=65536", "-rss_limit_mb=4096", some]
            subprocess.run(command, env=environment, capture_output=True)
    merged = BUILT / "merged.profdata"
    subprocess.run([tools["llvm-profdata"], "merge", "-sparse", *profiles.glob("*.profraw"), "-o", merged], check=True)
    first, *others = (programs[target] for target in run.targets())
    objects = [first, *(f"--object={program}" for program in others), f"--instr-profile={merged}"]
    files = [str(ROOT / name) for name in sys.argv[1:]]
    show = ["show", "--show-instantiations=false"] if files else ["export", "--format=lcov", "--skip-functions"]
    command = [tools["llvm-cov"], *show, *objects, *files]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    print("\n".join(lines(told) if files else table(told)))


def by_chance(path):
    """The same order on each machine, which is none that means something."""
    return hashlib.sha1(path.name.encode()).digest()


def lines(told):
    """Of a listing with counts the names of the files, and the lines that count nothing."""
    for line in told.splitlines():
        count = line.split("|")[1:2]
        if line.startswith("/") or [cell.strip() for cell in count] == ["0"]:
            yield line


def table(told):
    found = []
    for record in told.split("end_of_record"):
        cells = dict(line.split(":", 1) for line in record.splitlines() if ":" in line)
        if cells and cells["SF"].startswith(str(ROOT / "src")):
            path, all_lines = pathlib.Path(cells["SF"]), int(cells["LF"])
            found.append((all_lines - int(cells["LH"]), all_lines, path.relative_to(ROOT)))
    for missed, all_lines, path in sorted(found, reverse=True):
        yield f"{missed:5} of {all_lines:5}  {path}"


if __name__ == "__main__":
    sys.exit(main())
