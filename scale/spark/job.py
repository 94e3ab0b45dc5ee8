"""tokentrail on Apache Spark: reads evidence on many machines and writes the one report that a scan of all of it would
have.

    spark-submit --py-files evidence.py,components.py,schema.py job.py --binary tokentrail --out OUT PATH... -- --as-of TIME

README.md beside says what the steps are and what holds. All work is the binary's; here it is only divided."""

import argparse
import datetime
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Iterable, Iterator

from pyspark import SparkContext, SparkFiles, TaskContext
from pyspark.sql import SparkSession
from pyspark.sql.functions import from_json

import components
import evidence
import schema

BINARY = "tokentrail"
GZIP = "org.apache.hadoop.io.compress.GzipCodec"

# What a process that failed may say of itself. It is the binary's own text: it quotes no evidence.
SAID = 2000

# A key is weak from so many different values beside it, or answers to it, on: more than this many say no more.
BESIDE, ANSWERS = 2, 3

# Options that the map half gets as they are, and options that name files, by the half that gets them.
MAP_FLAGS = ("--all-text", "--residue", "--hash")
MAP_FILES = ("--fingerprint-key", "--jwks", "--rules")
JUDGE_FILES = ("--rules", "--baseline")

# Rows of the report that get a table of their own.
TABLES = {"finding": "findings", "trail": "trails", "source": "sources", "problem": "problems", "profile": "profiles"}


def arguments() -> argparse.Namespace:
    own, judging = sys.argv[1:], []
    if "--" in own:
        own, judging = own[: own.index("--")], own[own.index("--") + 1 :]
    options = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    options.add_argument("paths", nargs="+", metavar="PATH", help="files or folders: that every machine sees, or of hdfs:, s3a:, abfs:…")
    options.add_argument("--binary", required=True, help="the program, for the machines of the cluster")
    options.add_argument("--out", required=True, help="folder to write, on a file system that every machine sees; must not exist")
    options.add_argument("--parts", type=int, help="processes of the reduce half; 0: one, on the driver [default: as many as there are cores]")
    options.add_argument("--share", type=int, default=1024, metavar="MIB", help="evidence that a task reads [default: 1024]")
    options.add_argument("--source-root", help="paths in the report are relative to it")
    options.add_argument("--fingerprint-key", help="key of fingerprints; it is sent to the machines")
    options.add_argument("--jwks", help="keys that verify signatures")
    options.add_argument("--rules", action="append", default=[], help="more rules (repeatable)")
    options.add_argument("--baseline", help="leaks that are accepted")
    options.add_argument("--log-timezone", help="zone of logs that state none")
    for flag in (*MAP_FLAGS, "--map-only"):
        options.add_argument(flag, action="store_true")
    options = options.parse_args(own)
    if "--as-of" not in judging:
        # All parts must be judged at one moment.
        judging += ["--as-of", datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")]
    options.judging = judging
    one = [("--fingerprint-key", options.fingerprint_key), ("--jwks", options.jwks), ("--baseline", options.baseline)]
    options.named = [(flag, path) for flag, path in one if path] + [("--rules", path) for path in options.rules]
    options.map_flags = [flag for flag in MAP_FLAGS if getattr(options, flag[2:].replace("-", "_"))]
    options.map_flags += ["--log-timezone", options.log_timezone] if options.log_timezone else []
    # Another machine, or a worker on this one, stands in another folder.
    options.paths = [absolute(path) for path in options.paths]
    options.source_root = options.source_root and absolute(options.source_root)
    options.out = options.out if ":/" in options.out else "file://" + absolute(options.out)
    return options


def absolute(path: str) -> str:
    return path if evidence.is_remote(path) else os.path.abspath(evidence.local(path))


# What the machines do.


def shipped(name: str) -> str:
    """A file that Spark brought to this machine."""
    return SparkFiles.get(name)


def files(named: list[tuple[str, str]], flags: tuple[str, ...], are_here: bool = False) -> list[str]:
    """Options that name files, as this machine knows them."""
    place = lambda number, path: path if are_here else shipped(f"option-{number}")
    return [it for number, (flag, path) in enumerate(named) if flag in flags for it in (flag, place(number, path))]


def run(command: list[str], feed: Iterable[bytes] = ()) -> Iterator[bytes]:
    """The lines that a process writes while it is fed. If it fails, so does the task: what it wrote before is given up
    with the task's output, and Spark tries again."""
    # What does not fit memory goes where Spark keeps its own, not into a /tmp that may be memory.
    environment = {**os.environ, "TMPDIR": SparkFiles.getRootDirectory()}
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, bufsize=1 << 16
        )
        failed: list[BaseException] = []
        feeder = threading.Thread(target=fill, args=(process, feed, failed), daemon=True)
        feeder.start()
        try:
            yield from process.stdout
            code = process.wait()
        finally:
            # Whoever reads may have stopped before the end.
            process.kill()
            process.wait()
        feeder.join()
        if failed:
            raise failed[0]
        if code != 0:
            errors.seek(0)
            said = errors.read(SAID).decode(errors="replace")
            raise RuntimeError(f"{BINARY} {command[1]} ended with {code}: {said}")


def fill(process: subprocess.Popen, feed: Iterable[bytes], failed: list) -> None:
    """Feeds a process, beside the reading of what it writes: neither waits for the other."""
    try:
        for line in feed:
            process.stdin.write(line)
        process.stdin.close()
    except BrokenPipeError:
        pass  # It ended; its exit code says why.
    except BaseException as error:
        failed.append(error)
        process.kill()


def mapped(share: evidence.Share, options: list[str], root: str | None, settings: dict[str, str]) -> Iterator[bytes]:
    """The map half over a share."""
    scan = [shipped(BINARY), "scan", "--sightings", "--threads", str(TaskContext.get().cpus()), "--files-from", "-", *options]
    if not share.is_remote:
        names = (evidence.local(file.address) for file in share.files)
        yield from run([*scan, *(["--source-root", root] if root else [])], [listing(names)])
        return
    folder = tempfile.mkdtemp(dir=SparkFiles.getRootDirectory())
    try:
        os.mkdir(Path(folder, "conf"), 0o700)
        evidence.fetch(share.files, str(Path(folder, "evidence")), shell(Path(folder, "conf"), settings))
        names = (str(Path(folder, "evidence", file.name)) for file in share.files)
        yield from run([*scan, "--source-root", str(Path(folder, "evidence"))], [listing(names)])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def listing(names: Iterable[str]) -> bytes:
    return b"".join(os.fsencode(name) + b"\0" for name in names)


def shell(folder: Path, settings: dict[str, str]) -> list[str]:
    """The command that reads a Hadoop file system as Spark itself would: its classes and its settings, in a file of
    this task's own, since a list of processes shows arguments."""
    entry = lambda name, value: f"<property><name>{escape(name)}</name><value>{escape(value)}</value></property>"
    text = "".join(entry(name, value) for name, value in settings.items())
    Path(folder, "core-site.xml").write_text(f"<configuration>{text}</configuration>")
    import pyspark

    home = os.environ.get("SPARK_HOME") or os.path.dirname(pyspark.__file__)
    more = os.environ.get("HADOOP_CONF_DIR", "")
    path = os.pathsep.join(filter(None, [str(folder), more, os.path.join(home, "jars", "*")]))
    java = os.path.join(os.environ["JAVA_HOME"], "bin", "java") if os.environ.get("JAVA_HOME") else "java"
    return [java, "-Xmx256m", "-cp", path, "org.apache.hadoop.fs.FsShell"]


def escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def stats(lines: Iterator[str]) -> Iterator[str]:
    """What a partition's sightings say of keys."""
    for line in run([shipped(BINARY), "correlate", "--write-key-stats", "-"], (line.encode() + b"\n" for line in lines)):
        yield line.decode().rstrip("\n")


def keyed(line: str) -> tuple[str, dict | None]:
    """A line of statistics under what it is merged by: that of a key by the key, others by themselves."""
    told = json.loads(line)
    if told["type"] != "key":
        return line, None
    return told["key"], {side: {kind: set(digests) for kind, digests in told.get(side, {}).items()} for side in ("beside", "answers")}


def merged(one: dict | None, other: dict | None) -> dict | None:
    """Both together. Of many values the least are kept: enough to tell that there are many."""
    if one is None or other is None:
        return one
    both: dict = {}
    for side, enough in (("beside", BESIDE), ("answers", ANSWERS)):
        kinds = one[side].keys() | other[side].keys()
        both[side] = {kind: set(sorted(one[side].get(kind, set()) | other[side].get(kind, set()))[:enough]) for kind in kinds}
    return both


def is_weak(told: dict) -> bool:
    return any(len(it) >= BESIDE for it in told["beside"].values()) or any(len(it) >= ANSWERS for it in told["answers"].values())


def rendered(key: str, told: dict | None) -> str:
    if told is None:
        return key
    sides = {side: {kind: sorted(digests) for kind, digests in sorted(told[side].items())} for side in ("beside", "answers")}
    return json.dumps({"type": "key", "key": key, **sides}, separators=(",", ":"))


def judged(lines: Iterator[str], options: list[str]) -> Iterator[bytes]:
    """The reduce half over whole components."""

    def feed() -> Iterator[bytes]:
        with open(shipped("heads.ndjson"), "rb") as heads:
            yield from heads
        for line in lines:
            yield line.encode() + b"\n"

    part = ["correlate", "--part", "-j", "1", "--key-stats", shipped("stats.ndjson"), *options, "-"]
    yield from run([shipped(BINARY), *part], feed())


# What the driver does.


def hadoop(sc: SparkContext) -> dict[str, str]:
    """What the job was told of Hadoop's file systems."""
    mark = "spark.hadoop."
    return {name.removeprefix(mark): value for name, value in sc.getConf().getAll() if name.startswith(mark)}


class Job:
    """One run."""

    def __init__(self, spark: SparkSession, options: argparse.Namespace):
        self.spark, self.sc, self.options = spark, spark.sparkContext, options
        self.folder = tempfile.TemporaryDirectory()
        self.times: dict[str, float] = {}
        self.out = options.out.rstrip("/")
        # Sightings repeat themselves: the quickest compression makes them a tenth already.
        self.sc._jsc.hadoopConfiguration().set("zlib.compress.level", "BEST_SPEED")
        self.ship(BINARY, options.binary)
        for number, (_, path) in enumerate(options.named):
            self.ship(f"option-{number}", path)
        # Machines fetch what is sent, and start what runs Python on them, while nobody waits for evidence.
        cores = max(self.sc.defaultParallelism, 1)
        self.sc.parallelize(range(cores), cores).foreach(lambda _: shipped(BINARY))
        self.started = time.monotonic()

    def ship(self, name: str, path: str) -> None:
        """Sends a file to every machine, under a name."""
        there = Path(self.folder.name, name)
        shutil.copy(path, there)
        self.sc.addFile(str(there))

    def step(self, name: str) -> None:
        """Says how long a step took."""
        now = time.monotonic()
        self.times[name] = round(now - self.started, 2)
        self.started = now
        print(f"{BINARY}: {name} took {self.times[name]} s", file=sys.stderr, flush=True)

    def shares(self) -> list[evidence.Share]:
        given, size = self.options, self.options.share << 20
        mounted = {file.address: file for path in given.paths if not evidence.is_remote(path) for file in evidence.walk(path)}
        remote = [evidence.listed(self.spark, path, given.source_root) for path in given.paths if evidence.is_remote(path)]
        remote = {file.address: file for found in remote for file in found}
        made = evidence.shares(mounted.values(), False, size) + evidence.shares(remote.values(), True, size)
        if not made:
            raise SystemExit(f"{BINARY}: no files below {', '.join(given.paths)}")
        return made

    def map(self) -> None:
        shares = self.shares()
        self.sizes = {"files": sum(len(share.files) for share in shares), "bytes": sum(share.size for share in shares), "tasks": len(shares)}
        self.step("list")
        flags, named, root = self.options.map_flags, self.options.named, self.options.source_root
        settings = hadoop(self.sc)

        def work(share: evidence.Share) -> Iterator[bytes]:
            return (line.rstrip(b"\n") for line in mapped(share, flags + files(named, MAP_FILES), root, settings))

        self.sc.parallelize(shares, len(shares)).flatMap(work).saveAsTextFile(f"{self.out}/sightings", GZIP)
        self.step("map")

    def reduce(self) -> None:
        lines = self.spark.read.text(f"{self.out}/sightings", lineSep="\n")
        self.collect("heads.ndjson", lines.where("coalesce(get_json_object(value, '$.type'), '') <> 'sighting'").distinct())
        self.sizes["sightings"] = self.count()
        if self.options.parts == 0:
            # One process takes the sightings as they are.
            return
        found = lines.rdd.map(lambda row: row.value).mapPartitions(stats).map(keyed)
        found = found.mapValues(lambda told: told and merged(told, told)).reduceByKey(merged)
        found = found.filter(lambda it: it[1] is None or is_weak(it[1]))
        weak = self.write("stats.ndjson", found.toLocalIterator())
        self.step("count")
        seen = components.sightings(lines)
        company, self.rounds = components.connected(seen, weak, f"{self.out}/work/rounds")
        self.step("components")
        parts = self.options.parts or max(self.sc.defaultParallelism, 1)
        placed = seen.select("value", "node").join(company, "node", "left").selectExpr("value", "coalesce(component, node) as component")
        placed = placed.repartition(parts, "component").select("value")
        named, judging = self.options.named, self.options.judging

        def work(rows) -> Iterator[bytes]:
            return (line.rstrip(b"\n") for line in judged((row.value for row in rows), judging + files(named, JUDGE_FILES)))

        placed.rdd.mapPartitions(work).saveAsTextFile(f"{self.out}/work/parts", GZIP)
        self.step("judge")

    def collect(self, name: str, rows) -> None:
        """Puts lines into a file that every machine gets."""
        with open(Path(self.folder.name, name), "w", encoding="utf-8") as out:
            for row in rows.toLocalIterator():
                out.write(row.value + "\n")
        self.sc.addFile(str(Path(self.folder.name, name)))

    def count(self) -> int:
        """Sightings, by the trailers of the shards."""
        with open(Path(self.folder.name, "heads.ndjson"), encoding="utf-8") as heads:
            told = [json.loads(line) for line in heads if line.startswith('{"type":"trailer"')]
        return sum(line["sightings"] for line in told)

    def write(self, name: str, found) -> list[str]:
        """Puts statistics into a file that every machine gets; returns the weak keys."""
        weak = []
        with open(Path(self.folder.name, name), "w", encoding="utf-8") as out:
            for key, told in found:
                out.write(rendered(key, told) + "\n")
                weak += [key] if told is not None else []
        self.sc.addFile(str(Path(self.folder.name, name)))
        return weak

    def report(self) -> int:
        """The end: one process puts the parts together."""
        path = Path(self.folder.name, "report.ndjson")
        command = [self.options.binary, "correlate", "-f", "ndjson", *self.options.judging, *files(self.options.named, JUDGE_FILES, True), "-"]
        with open(path, "wb") as out, subprocess.Popen(command, stdin=subprocess.PIPE, stdout=out) as process:
            with open(Path(self.folder.name, "heads.ndjson"), "rb") as heads:
                shutil.copyfileobj(heads, process.stdin)
            self.stream("sightings" if self.options.parts == 0 else "work/parts", process.stdin)
            process.stdin.close()
        if process.returncode not in (0, 1, 3):
            raise SystemExit(f"{BINARY}: the parts could not be put together")
        self.put(path, f"{self.out}/report.ndjson")
        self.tables(f"{self.out}/report.ndjson")
        self.step("report")
        return process.returncode

    def stream(self, folder: str, to) -> None:
        """Hands on the lines of a step. Not through the driver's own memory, which would have to hold a task's at once."""
        conf = Path(self.folder.name, "conf")
        conf.mkdir(mode=0o700)
        text = [*shell(conf, hadoop(self.sc)), "-text", f"{evidence.escaped(self.out)}/{folder}/part-*"]
        with subprocess.Popen(text, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
            shutil.copyfileobj(process.stdout, to, 1 << 20)
        if process.returncode != 0:
            raise SystemExit(f"{BINARY}: {self.out}/{folder} cannot be read back")

    def put(self, path: Path, address: str) -> None:
        """Writes a file of the driver's to the file system of the results."""
        jvm, conf = self.spark._jvm, self.sc._jsc.hadoopConfiguration()
        there = jvm.org.apache.hadoop.fs.Path(address)
        system = there.getFileSystem(conf)
        system.setWriteChecksum(False)
        system.copyFromLocalFile(False, True, jvm.org.apache.hadoop.fs.Path(f"file://{path}"), there)

    def tables(self, address: str) -> None:
        """The rows of the report as Parquet, one table for each type."""
        rows = self.spark.read.text(address, lineSep="\n")
        types = schema.tables(json.loads(subprocess.check_output([self.options.binary, "schema"])))
        for kind, name in TABLES.items():
            own = rows.where(f"get_json_object(value, '$.type') = '{kind}'")
            parsed = own.select(from_json("value", types[name], {"mode": "FAILFAST"}).alias("row")).select("row.*")
            parsed.write.parquet(f"{self.out}/{name}.parquet")


def main() -> int:
    options = arguments()
    began = time.monotonic()
    spark = SparkSession.builder.appName(BINARY).getOrCreate()
    spark.sparkContext.setLogLevel("WARN")
    job = Job(spark, options)
    job.times["start"] = round(time.monotonic() - began, 2)
    job.map()
    code = 0
    if not options.map_only:
        job.reduce()
        code = job.report()
    summary = {"version": spark.version, "exit": code, **job.sizes, "rounds": getattr(job, "rounds", None), "seconds": job.times}
    print(json.dumps(summary), flush=True)
    spark.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
