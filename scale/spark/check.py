"""Checks what the job does itself: components against union-find on random graphs and on shapes that are hard, keys
counted in any order, names of fetched files, sharing. `prove` runs it first; `spark-submit --py-files … check.py`."""

import io
import json
import os
import random
import sys
import tempfile
from pathlib import Path

from pyspark.sql import SparkSession

import components
import evidence
import job


def union_find(edges: list[tuple[int, int]]) -> dict[int, int]:
    """The least node of each node's component."""
    up: dict[int, int] = {}

    def top(node: int) -> int:
        while up.setdefault(node, node) != node:
            up[node] = up[up[node]]
            node = up[node]
        return node

    for one, other in edges:
        one, other = sorted((top(one), top(other)))
        up[other] = one
    return {node: top(node) for node in list(up)}


def shapes(dice: random.Random) -> list[tuple[int, int]]:
    """Chains in random and in rising order, a star, a tree, and random edges, side by side."""
    ids = dice.sample(range(-(1 << 60), 1 << 60), 12_000)
    chain, rising, star, tree, some = ids[:3000], sorted(ids[3000:6000]), ids[6000:8000], ids[8000:10_000], ids[10_000:]
    edges = list(zip(chain, chain[1:])) + list(zip(rising, rising[1:])) + [(star[0], other) for other in star[1:]]
    edges += [(tree[at], tree[(at - 1) // 2]) for at in range(1, len(tree))]
    edges += [(dice.choice(some), dice.choice(some)) for _ in range(1500)]
    dice.shuffle(edges)
    return [(max(edge), min(edge)) for edge in edges if edge[0] != edge[1]]


def check_stars(spark: SparkSession, folder: str) -> None:
    edges = shapes(random.Random(1))
    nothing, _ = components.stars(spark.createDataFrame([], "a bigint, b bigint"), f"{folder}/nothing")
    assert nothing.count() == 0
    found, rounds = components.stars(spark.createDataFrame(edges, "a bigint, b bigint").distinct(), f"{folder}/shapes")
    found = {row.node: row.component for row in found.collect()}
    truth = union_find(edges)
    assert {node: found.get(node, node) for node in truth} == truth
    assert rounds <= 20, f"{rounds} rounds"
    print(f"check: {len(set(truth.values()))} components in {rounds} rounds", flush=True)


def check_links(spark: SparkSession, folder: str) -> None:
    """What connects, by one line for each way, and what does not."""
    lines = [
        '{"type":"sighting","id":"a","keys":["state:1","state:0"]}',
        '{"type":"sighting","id":"b","keys":["state:1"],"exchange":"exchange:1"}',
        '{"type":"sighting","id":"c","exchange":"exchange:1","credentials":[{"id":"v"}]}',
        '{"type":"sighting","id":"d","credentials":[{"id":"v"}],"visit":{"own":"visit:2","ancestors":[{"hops":1,"key":"visit:1"}]}}',
        '{"type":"sighting","id":"e","visit":{"own":"visit:1"}}',
        '{"type":"sighting","id":"f","near":["near:e"]}',
        '{"type":"sighting","id":"f","near":["near:e"]}',
        '{"type":"sighting","id":"g","keys":["state:0","challenge-s256:0"]}',
        '{"type":"sighting","id":"h","keys":["challenge-s256:0"]}',
        '{"type":"sighting","id":"i","keys":["state:0"]}',
        '{"type":"source","id":"a"}',
    ]
    seen = components.sightings(spark.createDataFrame([(line,) for line in lines], "value string"))
    company, _ = components.connected(seen, ["state:0", "challenge-s256:0"], f"{folder}/links")
    rows = seen.join(company, "node", "left").selectExpr("get_json_object(value, '$.id') as id", "coalesce(component, node) as c").collect()
    groups: dict[int, set[str]] = {}
    for row in rows:
        groups.setdefault(row.c, set()).add(row.id)
    assert sorted(map(sorted, groups.values())) == [["a", "b", "c", "d", "e", "f"], ["g", "h"], ["i"]], groups


def check_keys() -> None:
    def told(key: str, beside: dict, answers: dict) -> str:
        return job.rendered(key, {"beside": {k: set(v) for k, v in beside.items()}, "answers": {k: set(v) for k, v in answers.items()}})

    lines = [told("state:1", {"nonce": [n]}, {}) for n in "ab"] + [told("state:2", {"nonce": ["a"], "x": ["b"]}, {})] * 3
    lines += [told("state:3", {}, {"code": [n]}) for n in "abcd"] + [told("state:4", {}, {"code": [n]}) for n in "ab"]
    lines.append('{"type":"redirect","digest":"0"}')
    for seed in range(5):
        random.Random(seed).shuffle(lines)
        found: dict = {}
        for key, it in map(job.keyed, lines):
            found[key] = job.merged(found[key], it) if key in found else it
        assert {key for key, it in found.items() if it and job.is_weak(it)} == {"state:1", "state:3"}, found
        assert found['{"type":"redirect","digest":"0"}'] is None
        assert job.rendered("state:3", found["state:3"]).count('"a","b","c"') == 1


def check_files() -> None:
    assert evidence.named("s3a://bucket/../a//b", None) == "s3a/bucket/%2e2e/a/%/b"
    assert evidence.named("s3a://bucket/logs/a.log", "s3a://bucket/logs/") == "a.log"
    assert [evidence.is_remote(it) for it in ("/a", "./a:b", "file:/a", "C:/a", "hdfs://n/a")] == [False] * 4 + [True]
    size = {"a/x": 5, "a/x-wal": 1, "a/y": 9, "b/z": 2}
    files = [evidence.File(name, name, n) for name, n in size.items()]
    for are_remote, groups in ((False, [["a/y"], ["a/x", "a/x-wal"], ["b/z"]]), (True, [["a/x", "a/x-wal", "a/y"], ["b/z"]])):
        made = evidence.shares(files, are_remote, 1)
        assert [[file.address for file in share.files] for share in made] == groups, made
    assert len(evidence.shares(files, False, 1 << 30)) == 1


def check_processes() -> None:
    """A process that fails fails the task, whatever it wrote before; one that reads nothing is no failure."""
    with tempfile.TemporaryDirectory() as folder:
        bad, deaf = os.path.join(folder, "bad"), os.path.join(folder, "deaf")
        for path, text in ((bad, "echo 1; exit 9"), (deaf, "echo 2")):
            with open(path, "w") as script:
                script.write(f"#!/bin/sh\n{text}\n")
            os.chmod(path, 0o700)
        assert list(job.run([deaf, "x"], (b"y\n" for _ in range(1 << 17)))) == [b"2\n"]
        try:
            list(job.run([bad, "x"]))
        except RuntimeError as error:
            assert "ended with 9" in str(error)
        else:
            raise AssertionError("a failure went unnoticed")


def check_fetch(folder: Path) -> None:
    """Copies have the bytes of the files, whatever these are called; one that grew is whole, one that is gone stays away."""
    names = ["plain.log", "we ird/[a]{b,c}*?%20#x/access ü.log", "grew.log"]
    for number, name in enumerate(names):
        evidence.write(io.BytesIO(bytes([number]) * 3_000_000), folder / "there" / name, None)
    files = [evidence.File(f"file://{folder}/there/{name}", name, 3_000_000) for name in names]
    (folder / "conf").mkdir()
    shell = job.shell(folder / "conf", {"fs.defaultFS": "file:///"})
    os.environ["LC_ALL"] = "C"
    assert evidence.stream(tuple(files), str(folder / "one"), shell)
    files[2] = files[2]._replace(size=1)
    evidence.fetch((files[0]._replace(address=f"file://{folder}/gone", name="gone"), *files), str(folder / "two"), shell)
    for copies in ("one", "two"):
        assert all((folder / copies / name).read_bytes() == (folder / "there" / name).read_bytes() for name in names), copies
    assert not (folder / "two/gone").exists()


def check_tables(spark: SparkSession, out: str) -> None:
    """The tables of a result hold what its lines hold."""
    rows = [json.loads(line) for line in open(f"{out}/report.ndjson")]
    for kind, name in job.TABLES.items():
        lines = [row for row in rows if row["type"] == kind]
        table = spark.read.parquet(f"file://{out}/{name}.parquet")
        assert table.count() == len(lines), name
        if kind in ("finding", "trail"):
            assert {row.id for row in table.select("id").collect()} == {line["id"] for line in lines}, name
    states = {line["now"]["state"] for line in rows if line["type"] == "finding"}
    found = spark.read.parquet(f"file://{out}/findings.parquet").selectExpr("now.state", "size(sightings) as n").collect()
    assert {row.state for row in found} == states and all(row.n > 0 for row in found)
    print(f"check: tables of {len(rows)} rows")


def main() -> None:
    check_keys()
    check_files()
    spark = SparkSession.builder.appName("check").getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    check_processes()
    with tempfile.TemporaryDirectory() as folder:
        check_fetch(Path(folder))
        check_links(spark, folder)
        check_stars(spark, folder)
        for out in sys.argv[1:]:
            check_tables(spark, out)
        spark.stop()
    print("check: all as it should be")


if __name__ == "__main__":
    sys.exit(main())
