"""Which files there are, and which of them one task reads together. Opens none of them on the driver; a task that
cannot reach a file by its path fetches a copy first."""

import os
import re
import subprocess
from pathlib import Path
from typing import Iterable, Iterator, NamedTuple

# Files that SQLite keeps beside a database (sqlite.org/tempfiles.html): read with it, so they stay with it.
SIDECARS = ("-wal", "-shm", "-journal")

# Bytes up to which a folder on a file system that is not mounted stays together: stores and caches of a browser are
# many files that are read as one, captures may have their bodies beside them. What is larger is a folder of logs.
FOLDER = 4 << 30

# Arguments of one fetching process: the system bounds their length (Linux: 2 MiB in all).
ARGUMENTS = 500

# Bytes that are handed on at a time.
BLOCK = 1 << 20


class File(NamedTuple):
    """A file: where it lies, what it is called in the report where it must be fetched, and its size."""

    address: str
    name: str
    size: int


class Share(NamedTuple):
    """What one task reads."""

    files: tuple[File, ...]
    is_remote: bool

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)


def is_remote(address: str) -> bool:
    """Whether a path names a file system that only Hadoop knows."""
    return bool(re.match(r"[A-Za-z][A-Za-z0-9+.-]+:/", address)) and not address.startswith("file:")


def local(address: str) -> str:
    """The path of a file that every machine sees."""
    return address.removeprefix("file://").removeprefix("file:")


def walk(root: str) -> Iterator[File]:
    """Files below a path that every machine sees. Links inside are not followed, as by the binary. What cannot be looked
    at is handed to the binary all the same: it says why."""
    if not os.path.isdir(root):
        yield File(root, "", os.path.getsize(root) if os.path.exists(root) else 0)
        return
    closed: list[OSError] = []
    for folder, _, names in os.walk(root, onerror=closed.append):
        paths = (os.path.join(folder, name) for name in names)
        yield from (File(path, "", os.lstat(path).st_size) for path in paths if not os.path.islink(path))
    yield from (File(error.filename, "", 0) for error in closed)


def listed(spark, root: str, source_root: str | None) -> Iterator[File]:
    """Files that one of Spark's Hadoop file systems lists below an address."""
    jvm, conf = spark._jvm, spark.sparkContext._jsc.hadoopConfiguration()
    path = jvm.org.apache.hadoop.fs.Path(root)
    files = path.getFileSystem(conf).listFiles(path, True)
    while files.hasNext():
        status = files.next()
        address = status.getPath().toString()
        yield File(address, named(address, source_root), status.getLen())


def named(address: str, source_root: str | None) -> str:
    """The relative path under which a fetched file is read. It leads nowhere else, whatever the store's keys are."""
    if source_root and address.startswith(source_root.rstrip("/") + "/"):
        address = address[len(source_root.rstrip("/")) + 1 :]
    parts = address.replace("://", "/", 1).split("/")
    return "/".join(part if part not in ("", ".", "..") else "%" + part.encode().hex() for part in parts)


def main_of(name: str) -> str:
    """The file that a file is read with."""
    return next((name[: -len(end)] for end in SIDECARS if name.endswith(end) and name != end), name)


def units(files: Iterable[File], are_remote: bool) -> list[list[File]]:
    """Files that are of no use apart. A mounted file finds its neighbours by itself; only its log must not be read
    twice."""
    folders: dict[str, list[File]] = {}
    for file in files:
        folders.setdefault(os.path.dirname(file.address), []).append(file)
    found = []
    for folder in folders.values():
        if are_remote and sum(file.size for file in folder) <= FOLDER:
            found.append(folder)
            continue
        mains: dict[str, list[File]] = {}
        for file in folder:
            mains.setdefault(main_of(file.address), []).append(file)
        found.extend(mains.values())
    return found


def shares(files: Iterable[File], are_remote: bool, size: int) -> list[Share]:
    """Shares of about this size, the largest first, so that no task begins a large one when the others are done."""
    made: list[Share] = []
    held: list[File] = []
    for unit in sorted(units(files, are_remote), key=lambda unit: (-sum(file.size for file in unit), unit)):
        held.extend(unit)
        if sum(file.size for file in held) >= size:
            made.append(Share(tuple(held), are_remote))
            held = []
    return made + ([Share(tuple(held), are_remote)] if held else [])


def escaped(address: str) -> str:
    """An address that Hadoop's shell takes as it stands, and for no pattern."""
    return "".join("\\" + letter if letter in "\\*?[]{}" else letter for letter in address)


def fetch(files: tuple[File, ...], folder: str, hadoop: list[str]) -> None:
    """Copies files into a folder, under their names. One process streams many; where one of them is not what the
    list says (it grew, it is gone), each gets its own, and what cannot be had stays away: the binary tells it."""
    for at in range(0, len(files), ARGUMENTS):
        some = files[at : at + ARGUMENTS]
        if not stream(some, folder, hadoop):
            for file in some:
                stream((file,), folder, hadoop, as_it_is=True)


def stream(files: tuple[File, ...], folder: str, hadoop: list[str], as_it_is: bool = False) -> bool:
    """Writes what one `-cat` yields into the files, by their sizes. Whether it fits."""
    command = [*hadoop, "-cat", *(escaped(file.address) for file in files)]
    # Java takes arguments for what the locale says: names may have any letters.
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        fits = all(write(process.stdout, Path(folder, file.name), None if as_it_is else file.size) for file in files)
        fits = fits and not process.stdout.read(1)
        process.stdout.close()
    if process.returncode == 0 and fits:
        return True
    for file in files:
        Path(folder, file.name).unlink(missing_ok=True)
    return False


def write(source, path: Path, size: int | None) -> bool:
    """Writes so many bytes, or all there are, into a file. Whether there were so many."""
    path.parent.mkdir(parents=True, exist_ok=True)
    left = size
    with open(path, "wb") as out:
        while left is None or left > 0:
            block = source.read(BLOCK if left is None else min(BLOCK, left))
            if not block:
                return left is None
            out.write(block)
            left = None if left is None else left - len(block)
    return True
