"""Which sightings belong together: connected components over the keys that they share. Knows of sightings what
connects them, and nothing of OAuth.

Nodes are 64-bit hashes of names. Should two names ever have one hash, two components become one, which costs a little
work and changes no result: the reduce half is right for any partition that holds whole components."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as f

# The fields of a sighting that connect it to others (`links` below); all else is not parsed.
FIELDS = """type string, id string, near array<string>, keys array<string>, exchange string,
    credentials array<struct<id: string>>, visit struct<own: string, ancestors: array<struct<key: string>>>"""

# Keys of a verifier or challenge connect even where they are common: a constant challenge is a finding of its own.
ALWAYS = ("challenge-s256:", "challenge-plain:")

NOTHING = "cast(array() as array<string>)"

# The names that a sighting shares with those that it belongs to.
LINKS = f"""array_distinct(concat(
    coalesce(s.near, {NOTHING}),
    coalesce(transform(s.credentials, it -> concat('credential:', it.id)), {NOTHING}),
    coalesce(s.keys, {NOTHING}),
    if(s.exchange is null, {NOTHING}, array(s.exchange)),
    if(s.visit is null, {NOTHING}, array(s.visit.own)),
    coalesce(transform(s.visit.ancestors, it -> it.key), {NOTHING})))"""

# What a sighting is called where others refer to it.
NODE = "xxhash64(concat('near:', s.id))"


def sightings(lines: DataFrame) -> DataFrame:
    """Lines that are sightings, with their nodes and links."""
    parsed = lines.select("value", f.from_json("value", FIELDS).alias("s")).where("s.type = 'sighting'")
    return parsed.select("value", f.expr(NODE).alias("node"), f.expr(LINKS).alias("links"))


def connected(seen: DataFrame, weak: list[str], folder: str) -> tuple[DataFrame, int]:
    """The component of every sighting that has company: `node`, `component`; and after how many rounds nothing
    changed. `folder` is for what lies between the rounds."""
    common = seen.sparkSession.createDataFrame([(key,) for key in weak if not key.startswith(ALWAYS)], "link string")
    linked = seen.select("node", f.explode("links").alias("link")).join(f.broadcast(common), "link", "left_anti")
    linked = linked.select("node", f.expr("xxhash64(link)").alias("link"))
    # A link is a node too: a sighting that is near another refers to that one's name.
    linked = linked.union(seen.selectExpr("node", "node as link")).distinct()
    least = linked.groupBy("link").agg(f.min("node").alias("least"))
    edges = linked.join(least, "link").selectExpr("node as a", "least as b").where("a <> b").distinct()
    return stars(edges, folder)


def stars(edges: DataFrame, folder: str) -> tuple[DataFrame, int]:
    """Every node of a component becomes a neighbour of its least: large-star and small-star in turn (Kiveris et al.,
    Connected Components in MapReduce and Beyond, SoCC 2014, §3). The rounds grow with the logarithm of a component's
    size, where a label that is handed from neighbour to neighbour takes as many rounds as the longest chain: a session
    that was refreshed for a year is one."""
    edges, before, rounds = kept(edges, f"{folder}/0"), None, 0
    while (now := state(edges)) != before:
        before, rounds = now, rounds + 1
        edges = kept(small_star(large_star(edges)), f"{folder}/{rounds}")
    return edges.selectExpr("a as node", "b as component"), rounds


def kept(edges: DataFrame, path: str) -> DataFrame:
    """The same, from a file: what an executor holds dies with it, and a round must not be worked out again for each
    later one."""
    edges.write.mode("overwrite").parquet(path)
    return edges.sparkSession.read.schema("a bigint, b bigint").parquet(path)


def large_star(edges: DataFrame) -> DataFrame:
    """Each node hands its larger neighbours to the least of its neighbourhood."""
    both = edges.union(edges.selectExpr("b as a", "a as b"))
    least = both.groupBy("a").agg(f.min("b").alias("m")).selectExpr("a", "least(a, m) as m")
    return both.join(least, "a").where("b > a").selectExpr("b as a", "m as b").distinct()


def small_star(edges: DataFrame) -> DataFrame:
    """Each node hands its smaller neighbours, and itself, to the least of them. After a large star `a > b` holds."""
    least = edges.groupBy("a").agg(f.min("b").alias("m"))
    handed = edges.join(least, "a").selectExpr("b as a", "m as b").union(least.selectExpr("a", "m as b"))
    return handed.where("a <> b").distinct()


def state(edges: DataFrame) -> tuple:
    """What two rounds have in common when nothing changed."""
    return tuple(edges.agg(f.count("*"), f.expr("bit_xor(xxhash64(a, b))"), f.expr("bit_xor(xxhash64(b, a, 7))")).first())
