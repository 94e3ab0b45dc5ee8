#!/usr/bin/env python3
"""Writes the first corpus of every target from the fixtures: fuzz/seeds.py."""

import base64
import io
import json
import pathlib
import random
import re
import sqlite3
import string
import struct
import subprocess
import tempfile
import tomllib
import urllib.parse
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
CORPUS = ROOT / "fuzz" / "corpus"
LARGEST = 64 * 1024
# What mutations may put into an input: a word is not found by chance.
WORDS = ROOT / "fuzz" / "corpus" / "words.dict"

# What stands in the paths of the fixtures that are for a target.
STORES = {
    "leveldb": ["/leveldb/", "Session Storage"],
    "snss": ["/Sessions"],
    "chromium_cache": ["Cache_Data", "CacheStorage"],
    "block_cache": ["data_1", "data_2"],
    "firefox_cache": ["cache2"],
    "webkit_cache": ["WebKitCache"],
    "firefox_session": ["sessionstore", ".jsonlz4", ".baklz4"],
    "plist": [".plist"],
}


def files(folder):
    return sorted(path for path in (ROOT / folder).rglob("*") if path.is_file())


def seed(target, name, data):
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data[:LARGEST])


def words():
    """The names of the rules, and those of the members of JSON in the fixtures."""
    found = set()
    for path in files("rules"):
        if path.suffix == ".toml":
            found.update(re.findall(r'"([!-~]{2,32})"', path.read_text()))
    for path in files("fixtures"):
        if path.suffix in (".har", ".json", ".log"):
            found.update(re.findall(r'"([\w.-]{2,32})" ?:', path.read_text(errors="replace")))
    lines = ('"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"' for word in sorted(found))
    WORDS.parent.mkdir(parents=True, exist_ok=True)
    WORDS.write_text("\n".join(lines) + "\n")


def database(name, which, main, beside):
    main, beside = main.read_bytes(), beside.read_bytes()
    seed("sqlite", name, bytes([which]) + len(main).to_bytes(3, "big") + main + beside)


def histories():
    """Databases with what a program that was killed leaves beside them."""
    for page in (512, 1024, 4096):
        for which, mode in enumerate(("WAL", "DELETE")):
            with tempfile.TemporaryDirectory() as folder:
                path = pathlib.Path(folder) / "History"
                connection = sqlite3.connect(path, isolation_level=None)
                connection.executescript(f"""
                    PRAGMA page_size={page}; PRAGMA journal_mode={mode}; PRAGMA wal_autocheckpoint=0;
                    PRAGMA cache_size=2; CREATE TABLE urls(id INTEGER PRIMARY KEY, url TEXT);
                """)
                for number in range(12):
                    url = f"https://app.example/cb#access_token={number:040}"
                    connection.execute("INSERT INTO urls VALUES(?, ?)", (number, url))
                if mode == "WAL":
                    connection.execute("DELETE FROM urls WHERE id % 3 = 0")
                    database(f"wal-{page}", which, path, path.with_name("History-wal"))
                else:
                    connection.executescript("BEGIN; UPDATE urls SET url = url || hex(zeroblob(600))")
                    database(f"journal-{page}", which, path, path.with_name("History-journal"))
                    connection.execute("ROLLBACK")
                connection.close()


def small(path):
    """A database in pages of 512 bytes: whole where the fixture would be cut, and sooner read."""
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder) / "copy"
        copy.write_bytes(path.read_bytes())
        connection = sqlite3.connect(copy)
        connection.executescript("PRAGMA journal_mode=DELETE; PRAGMA page_size=512; VACUUM")
        connection.close()
        return copy.read_bytes()


def journal(compact, text):
    """A journal of systemd with one field, and its two entries: an array has the second."""
    name = 4 if compact else 8
    header = b"LPKSHHRH" + struct.pack("<II", 0, 30 if compact else 15) + bytes(72)
    parts = [header + (208).to_bytes(8, "little") + bytes(112)]

    def add(kind, body):
        at = sum(map(len, parts))
        whole = bytes([kind]) + bytes(7) + (len(body) + 16).to_bytes(8, "little") + body
        parts.append(whole + bytes(-len(whole) % 8))
        return at

    fixed = 56 if compact else 48
    size = 16 + fixed + len(text)
    size += -size % 8
    entry = 64 + name * (1 if compact else 2)
    entry += -entry % 8
    ties = struct.pack("<5Q", 0, 0, 208 + size, 208 + size + 2 * entry, 2).rjust(48, b"\0")
    field = add(1, bytes(8) + ties[8:] + bytes(fixed - 48) + text)
    for number in (1, 2):
        item = field.to_bytes(name, "little") + bytes(0 if compact else 8)
        second = add(3, struct.pack("<6Q", number, 1795410000000000, 0, 0, 0, 0) + item)
    add(6, bytes(8) + second.to_bytes(name, "little") * 2)
    return b"".join(parts)


def netstring(value):
    """A tagged netstring, as mitmproxy writes its flows."""
    if isinstance(value, dict):
        body, tag = b"".join(netstring(it) for pair in value.items() for it in pair), b"}"
    elif isinstance(value, (list, tuple)):
        body, tag = b"".join(map(netstring, value)), b"]"
    elif isinstance(value, bytes):
        body, tag = value, b","
    elif isinstance(value, str):
        body, tag = value.encode(), b";"
    elif isinstance(value, float):
        body, tag = repr(value).encode(), b"^"
    elif value is None:
        body, tag = b"", b"~"
    else:
        body, tag = str(value).encode(), b"#"
    return b"%d:%b%b" % (len(body), body, tag)


def flow(request, response):
    """An exchange of a HAR as a flow of mitmproxy."""

    def message(part, body):
        headers = [(it["name"].encode(), it["value"].encode()) for it in part["headers"]]
        return {"headers": headers, "content": body, "timestamp_start": 1795410000.25}

    scheme, _, rest = request["url"].rpartition("://")
    host, slash, path = rest.partition("/")
    sent = {"host": host, "port": 443, "method": request["method"].encode(), "scheme": scheme.encode()}
    sent |= {"authority": b"", "path": (slash + path).encode()} | message(request, asked(request))
    received = {"status_code": response["status"], "reason": b""} | message(response, answered(response))
    return netstring({"version": 21, "type": "http", "request": sent, "response": received, "websocket": None})


def asked(request):
    return request.get("postData", {}).get("text", "").encode()


def answered(response):
    return response["content"].get("text", "").encode()


def sent(request):
    """A request of a HAR as it went over the wire."""
    return wire(f"{request['method']} {request['url']} HTTP/1.1", request, asked(request))


def received(response):
    return wire(f"HTTP/1.1 {response['status']} -", response, answered(response))


def wire(line, part, body):
    lines = [line, *(f"{it['name']}: {it['value']}" for it in part["headers"]), "", ""]
    return "\r\n".join(lines).encode() + body


def items(request, response):
    """An exchange of a HAR as items of Burp: once in base64, once as text."""
    url, halves = request["url"], {"request": sent(request), "response": received(response)}
    found = ""
    for encoded in (True, False):
        found += f"<item>\n<time>Mon Nov 23 05:00:00 UTC 2026</time>\n<url><![CDATA[{url}]]></url>\n"
        for name, half in halves.items():
            text = base64.b64encode(half) if encoded else half
            text = text.decode(errors="replace").replace("]]>", "")
            found += f'<{name} base64="{str(encoded).lower()}"><![CDATA[{text}]]></{name}>\n'
        found += "</item>\n"
    return f'<?xml version="1.0"?>\n<items burpVersion="2026.1">\n{found}</items>\n'.encode()


def session(request, response):
    """An exchange of a HAR as a session archive of Fiddler."""
    whole = io.BytesIO()
    times = '<?xml version="1.0"?>\n<Session SID="1">\n<SessionTimers ClientBeginRequest="2026-11-23T05:00:00.5Z" />\n'
    members = {"[Content_Types].xml": b"<Types/>", "raw/1_c.txt": sent(request), "raw/1_s.txt": received(response)}
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in (members | {"raw/1_m.xml": times + "</Session>"}).items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return whole.getvalue()


def cookies(request):
    """The cookies of an exchange, as Safari keeps them."""
    records = []
    pairs = [(it["name"], it["value"]) for it in request["cookies"]]
    for name, value in pairs or [("access_token", "0123456789abcdefghij")]:
        texts = [text.encode() + b"\0" for text in ("app.example", name, "/", value)]
        offsets = [56 + sum(map(len, texts[:nth])) for nth in range(4)]
        body = struct.pack("<16x4I8x2d", *offsets, 8e8, 8e8 - 86400) + b"".join(texts)
        records.append(struct.pack("<I", len(body)) + body[4:])
    starts = [12 + 4 * len(records) + sum(map(len, records[:nth])) for nth in range(len(records))]
    page = struct.pack(f"<4sI{len(records)}I4x", b"\0\0\1\0", len(records), *starts) + b"".join(records)
    return struct.pack(">4sII", b"cook", 1, len(page)) + page + bytes([0, 0, 0, 0, 7, 23, 32, 5])


def tabs(request):
    """An address in a session of GNOME Web, and in the pages before it."""
    url = request["url"].replace("&", "&amp;")
    pages = base64.b64encode(b"\0\1" + request["url"].encode() + b"\0\0").decode()
    tab = f'<embed url="{url}" title="-" history="{pages}"/>'
    return f'<?xml version="1.0"?>\n<session><window>{tab}</window></session>\n'.encode()


def exchanges():
    """What no fixture has: the exchanges of the HAR files, as other programs keep them."""
    for path in files("fixtures/har"):
        for number, entry in enumerate(json.loads(path.read_bytes())["log"]["entries"]):
            if number % 8 > 3:
                continue
            name = f"{path.stem}-{number}"
            request, response = entry["request"], entry["response"]
            kept = {
                "mitmproxy": ("flows.mitm", flow(request, response)),
                "burp": ("items.xml", items(request, response)),
                "binary_cookies": ("Cookies.binarycookies", cookies(request)),
            }
            for target, (_, data) in kept.items():
                seed(target, name, data)
            kept["fiddler"] = ("sessions.saz", session(request, response))
            kept["gnome-web"] = ("session_state.xml", tabs(request))
            for kind, (file, data) in kept.items():
                seed("any", f"{kind}-{name}", file.encode() + b"\n" + data)


def expanded(text):
    """An example of the rules with its values (rules/README.md). Those of SAML are left: a value of any form fits."""
    numbers = random.Random(text)
    letters = {
        "opaque": string.ascii_letters + string.digits,
        "hex": "0123456789abcdef",
        "HEX": "0123456789ABCDEF",
        "digits": string.digits,
        "upper": string.ascii_uppercase,
    }

    def value(found):
        kind, _, rest = found[1].partition(":")
        prefix, colon, count = rest.rpartition(":")
        if kind in letters or kind == "prefix" and colon:
            drawn = "".join(numbers.choices(letters.get(kind, letters["opaque"]), k=int(count)))
            return prefix + drawn
        if kind == "percent":
            return urllib.parse.quote(rest, safe="")
        if kind == "base64":
            return base64.b64encode(rest.encode()).decode()
        header, claims = {"alg": "RS256", "kid": "1"}, {"iss": "https://as.example", "sub": "u", "exp": 1795410600}
        parts = [json.dumps(part).encode() for part in (header, claims)] + [numbers.randbytes(64)]
        return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)

    inner = re.compile(r"\{\{([^{}]*)\}\}")
    while inner.search(text):
        text = inner.sub(value, text)
    return text


def payloads(example):
    """What an example is, as `detect` takes it: a byte for the kind, and the evidence."""
    head, _, body = example.partition("\n\n")
    name, equals, value = head.partition(" = ")
    if body:
        kind = 3 if body[0] in "{[" else 5 if body[0] == "<" else 4
        return [(kind, body), (0, head.rpartition(" ")[2])]
    if head.startswith("text: "):
        return [(1, head[6:])]
    if equals:
        store, _, key = name.partition(" ")
        return [(6 if store == "cookie" else 7, f"{key}\n{value}")]
    if re.match(r"[\w-]+: ", head):
        return [(2, head.replace(": ", "\n", 1))]
    return [(0, head), (1, head)]


def examples():
    """The examples of the rules, which are whole pieces of evidence, and of the logs, which are records."""
    for path in files("rules"):
        if path.suffix != ".toml":
            continue
        rows = [row for rows in tomllib.loads(path.read_text()).values() if isinstance(rows, list) for row in rows]
        found = []
        for row in rows:
            for those in (row.get("examples", []), row.get("counterexamples", [])):
                found += sum(those.values(), []) if isinstance(those, dict) else those
        for number, example in enumerate(found):
            if isinstance(example, str):
                for kind, evidence in payloads(expanded(example)):
                    seed("detect", f"{path.stem}-{number}-{kind}", bytes([kind]) + evidence.encode())
            elif "line" in example:
                seed("record", f"{path.stem}-{number}", example["line"].encode())
                seed("log", f"{path.stem}-{number}", example["line"].encode() + b"\n")


def main():
    words()
    histories()
    exchanges()
    examples()
    for compact in (False, True):
        text = b"MESSAGE=GET /cb?access_token=0123456789abcdefghij"
        seed("journal", f"compact-{compact}", journal(compact, text))
    fixtures = files("fixtures")
    for number, path in enumerate(fixtures):
        data = path.read_bytes()
        name = f"{number:03}"
        if "logs" in path.parts:
            seed("log", name, data)
            for line, text in enumerate(data.splitlines()[:20]):
                seed("record", f"{name}-{line}", text)
        if path.suffix == ".har":
            seed("har", name, data)
        if data.startswith(b"SQLite format 3\0"):
            data = small(path)
            end = min(len(data), LARGEST - 4)
            seed("sqlite", name, bytes([0]) + end.to_bytes(3, "big") + data[:end])
        for target, marks in STORES.items():
            if any(mark in str(path) for mark in marks):
                seed(target, name, data)
        if "archives" in path.parts:
            seed("archive", name, bytes([number % 4]) + data)
        seed("any", name, path.name.encode() + b"\n" + data)
    for path in files("rules"):
        seed("rules", path.name, path.read_bytes())
    for path in files("tests/snapshots"):
        if path.suffix == ".json":
            seed("report", path.name, path.read_bytes())
    for folder in ("har", "laptop"):
        command = ["cargo", "run", "--quiet", "--", "scan", f"fixtures/{folder}", "--sightings"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
        seed("correlate", folder, done.stdout)


if __name__ == "__main__":
    main()
