"""Evidence as programs keep it, for what no fixture has: small databases, journals, and the exchanges of a HAR as
proxies and browsers would have kept them."""

import base64
import datetime
import gzip
import io
import json
import pathlib
import plistlib
import sqlite3
import struct
import tempfile
import urllib.parse
import zipfile
import zlib


def small(path):
    """A database in pages of 512 bytes: whole where the fixture would be cut, and sooner read."""
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder) / "copy"
        copy.write_bytes(path.read_bytes())
        connection = sqlite3.connect(copy)
        connection.executescript("PRAGMA journal_mode=DELETE; PRAGMA page_size=512; VACUUM")
        connection.close()
        return copy.read_bytes()


def histories():
    """Databases with what a killed program leaves beside them: name, 0 for a WAL or 1 for a journal, both files."""
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
                    yield f"wal-{page}", which, path.read_bytes(), path.with_name("History-wal").read_bytes()
                else:
                    connection.executescript("BEGIN; UPDATE urls SET url = url || hex(zeroblob(600))")
                    yield f"journal-{page}", which, path.read_bytes(), path.with_name("History-journal").read_bytes()
                    connection.execute("ROLLBACK")
                connection.close()


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
    """A response, in a coding that depends on its length."""
    body, added = answered(response), ["", ""]
    if len(body) % 2:
        body, added = gzip.compress(body, mtime=0), ["Content-Encoding: gzip", *added]
    elif len(body) % 4:
        body, added = zlib.compress(body), ["Content-Encoding: deflate", *added]
    if len(body) % 3:
        body, added = chunked(body), ["Transfer-Encoding: chunked", *added]
    return wire(f"HTTP/1.1 {response['status']} -", response, body, added)


def chunked(body):
    """A body in chunks (RFC 9112 §7.1)."""
    pieces = [body[at : at + 100] for at in range(0, len(body), 100)]
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in [*pieces, b""])


def wire(line, part, body, added=("", "")):
    lines = [line, *(f"{it['name']}: {it['value']}" for it in part["headers"]), *added]
    return "\r\n".join(lines).encode() + body


def items(request, response):
    """An exchange of a HAR as items of Burp: once in base64, once as text."""
    url, halves = request["url"], {"request": sent(request), "response": received(response)}
    found = ""
    for encoded in (True, False):
        found += f"<item>\n<time>Mon Nov 23 05:00:00 UTC 2026</time>\n<url><![CDATA[{url}]]></url>\n"
        for name, half in halves.items():
            text = base64.b64encode(half) if encoded else half
            text = text.decode("latin-1").replace("]]>", "")
            found += f'<{name} base64="{str(encoded).lower()}"><![CDATA[{text}]]></{name}>\n'
        found += "</item>\n"
    return f'<?xml version="1.0"?>\n<items burpVersion="2026.1">\n{found}</items>\n'.encode("latin-1", "replace")


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
    pairs += urllib.parse.parse_qsl(request["url"].replace("#", "?").partition("?")[2])
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


def tabs_of_firefox(request, response):
    """A session of Firefox of old, which is plain JSON: a page with what was posted to it, forms, storage, cookies."""
    posted = b"Content-Type: application/x-www-form-urlencoded\r\n\r\n" + asked(request)
    page = {"url": request["url"], "postdata_b64": base64.b64encode(posted).decode()}
    page["structuredCloneState"] = base64.b64encode(b"\0\1" + request["url"].encode() + b"\0").decode()
    pairs = {it["name"]: it["value"] for it in request["headers"] + request["cookies"] + response["headers"]}
    tab = {"entries": [page], "lastAccessed": 1795410000000, "userTypedValue": request["url"]}
    tab |= {"formdata": {"url": request["url"], "id": pairs, "xpath": {f"//x[@name='{it}']": "x" for it in pairs}}}
    tab |= {"storage": {"https://app.example": pairs | {"answer": answered(response).decode()}}}
    jar = [{"host": ".app.example", "name": name, "value": value} for name, value in pairs.items()]
    window = {"tabs": [tab], "_closedTabs": [{"state": tab}], "cookies": jar}
    return json.dumps({"windows": [window]}, separators=(",", ":")).encode()


def tabs_of_safari(request, form):
    """The closed tabs of Safari, with what WebKit keeps of each, as an XML document or in binary."""
    pages = {"SessionHistory": {"SessionHistoryEntries": [{"SessionHistoryEntryURL": request["url"]}]}}
    inner = b"\0\0\0\2" + plistlib.dumps(pages, fmt=plistlib.FMT_BINARY)
    tab = {"TabURL": request["url"], "TabTitle": "-", "SessionState": inner}
    closed = {"PersistentStateType": 0, "PersistentState": tab, "DateClosed": datetime.datetime(2026, 11, 23, 5)}
    return plistlib.dumps({"ClosedTabOrWindowPersistentStates": [closed]}, fmt=form)
