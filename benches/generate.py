#!/usr/bin/env python3
"""Writes the inputs of the benchmarks: the same bytes for the same seed and size.

    generate.py FOLDER [--mib 256] [--seed 1]

Logs with one credential in 500 lines and 5 % look-alikes, at 5 % and 50 % credentials, in dense shapes,
as one line, as many tiny files, compressed; a HAR capture; a browser history. Standard library only; `zstd` is called where it is installed.
All credentials are made up.
"""

import argparse
import base64
import gzip
import json
import pathlib
import random
import shutil
import sqlite3
import subprocess

HOSTS = ["app.example.com", "login.example.org", "api.example.net", "www.example.com", "intranet.example.org"]
WORDS = "account article basket catalog detail export filter gallery history index journal key list media notes order page query report search static task user view".split()
AGENTS = [
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36",
    "curl/8.5.0",
]
SAFE = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


class Values:
    """Made-up values."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def text(self, length):
        return "".join(self.random.choices(SAFE, k=length))

    def jwt(self):
        def part(value):
            return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

        claims = {"iss": "https://login.example.org", "sub": self.text(8), "exp": 1790000000, "jti": self.text(12)}
        return f"{part({'alg': 'ES256', 'typ': 'JWT'})}.{part(claims)}.{self.text(86)}"

    def path(self):
        pick = self.random.choice
        return f"/{pick(WORDS)}/{pick(WORDS)}/{self.random.randrange(10**6)}"

    def credential(self):
        """Target and referrer of a request that leaks something."""
        text, host = self.text, self.random.choice(HOSTS)
        nested = f"https%3A%2F%2F{host}%2Fcb%3Fa%3D1%26access_token%3D{text(40)}"
        targets = [
            lambda: (f"/cb?code={text(43)}&state={text(32)}", "-"),
            lambda: (f"/oauth/callback?state={text(22)}&code={text(32)}", "-"),
            lambda: (f"/api/v1/me?access_token={text(64)}", "-"),
            lambda: (f"/logout?id_token_hint={self.jwt()}", "-"),
            lambda: (f"/token?code_verifier={text(43)}", "-"),
            lambda: (f"/acs?SAMLResponse={text(400)}", "-"),
            lambda: (f"/session/{self.jwt()}/open", "-"),
            lambda: (f"/go?next={nested}", "-"),
            lambda: (f"/go?next={nested.replace('%', '%25')}", "-"),
            lambda: ("/style.css", f"https://{host}/cb?code={text(43)}&state={text(32)}"),
            lambda: (f"/token?client_secret={text(40)}", "-"),
            lambda: (f"/token?refresh_token={text(48)}", "-"),
            lambda: (f"/shop;jsessionid={text(32)}?item=3", "-"),
            lambda: (f"/api?Access_Token={text(64)}", "-"),
            lambda: (f"/token?device_code={text(40)}", "-"),
            lambda: (f"/file?X-Amz-Signature={self.random.randbytes(32).hex()}&X-Amz-Expires=900", "-"),
            lambda: (f"/api?access%5Ftoken={text(64)}", "-"),
            lambda: ("/img.png", f"https://{host}/cb?id_token={self.jwt()}"),
        ]
        return self.random.choice(targets)()

    def lookalike(self):
        """A request that resembles one."""
        text = self.text
        return self.random.choice(
            [
                f"/pages?page_token={text(6)}",
                f"/search?zipcode={self.random.randrange(10**5)}&country_code=de",
                f"/f?csrf_token={text(20)}",
                f"/colors?colorcode={text(6)}",
            ]
        )

    def line(self, share):
        """A line in the combined log format; `share` of them leak."""
        dice, pick = self.random.random(), self.random.choice
        if dice < share:
            target, referrer = self.credential()
        elif dice < share + 0.05:
            target, referrer = self.lookalike(), "-"
        elif dice < 0.5:
            target, referrer = f"{self.path()}?id={self.random.randrange(10**6)}&lang=en", f"https://{pick(HOSTS)}{self.path()}"
        else:
            target, referrer = self.path(), f"https://{pick(HOSTS)}/"
        second = self.random.randrange(86400)
        clock = f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
        address = f"192.0.2.{self.random.randrange(256)}"
        return (
            f'{address} - - [21/Nov/2026:{clock} +0000] "GET {target} HTTP/1.1" '
            f'{pick((200, 200, 302, 404))} {self.random.randrange(10**5)} "{referrer}" "{pick(AGENTS)}"\n'
        )

    def beacon(self):
        pairs = "&".join(f"{chr(97 + n)}{n}={self.random.randrange(1000)}" for n in range(24))
        return f'192.0.2.7 - - [21/Nov/2026:10:00:00 +0000] "GET /b?{pairs}&utm_source=x&z=1 HTTP/1.1" 200 3 "-" "-"\n'

    def json_line(self):
        members = {"ts": "2026-11-21T10:00:00Z", "level": "info", "msg": "request done", "path": self.path(),
                   "status": 200, "ms": self.random.randrange(1000), "host": self.random.choice(HOSTS), "agent": AGENTS[0]}
        return json.dumps(members, separators=(",", ":")) + "\n"

    def percent(self):
        path = "".join(f"%D0%{self.random.randrange(0xB0, 0xC0):02X}" for _ in range(24))
        return f'192.0.2.7 - - [21/Nov/2026:10:00:00 +0000] "GET /wiki/{path} HTTP/1.1" 200 3 "-" "{AGENTS[2]}"\n'

    def soup(self):
        return f"2026-11-21T10:00:00Z upload {base64.b64encode(self.random.randbytes(180)).decode()}\n"


def log(path, size, line, block=20_000, blocks=8):
    """Repeats some blocks of made lines until the file has its size: making each line would take too long."""
    made = ["".join(line() for _ in range(block)).encode() for _ in range(blocks)]
    order = random.Random(0)
    with open(path, "wb") as out:
        while out.tell() < size:
            out.write(order.choice(made))


def one_line(path, size, values):
    """A log that is one line, with a credential in each MiB."""
    with open(path, "wb") as out:
        while out.tell() < size:
            out.write(f"GET {values.credential()[0]} ".encode())
            out.write(b"x" * (1 << 20))


def tiny(folder, files, values):
    """Many files of a few lines each."""
    folder.mkdir(exist_ok=True)
    for number in range(files):
        text = "".join(values.line(0.02) for _ in range(5))
        (folder / f"{number:05}.log").write_text(text)


def har(path, size, values, every=100):
    """Entries of which one in `every` holds a credential; half the bytes are bodies."""
    def entry(number):
        target = values.credential()[0] if every and number % every == 0 else values.path()
        url = f"https://{values.random.choice(HOSTS)}{target}"
        script = "function a(b){return b.map((c)=>\"x\"+c)}\n" * values.random.randrange(1, 400)
        headers = [{"name": "user-agent", "value": AGENTS[0]}, {"name": "accept", "value": "*/*"}]
        return json.dumps({
            "startedDateTime": "2026-11-21T10:00:00.000Z", "time": 12,
            "request": {"method": "GET", "url": url, "httpVersion": "HTTP/2", "headers": headers, "queryString": [],
                        "cookies": [], "headersSize": -1, "bodySize": 0},
            "response": {"status": 200, "statusText": "", "httpVersion": "HTTP/2", "headers": headers, "cookies": [],
                         "content": {"size": len(script), "mimeType": "text/javascript", "text": script},
                         "redirectURL": "", "headersSize": -1, "bodySize": len(script)},
            "cache": {}, "timings": {"send": 0, "wait": 10, "receive": 2}})

    with open(path, "w") as out:
        out.write('{"log":{"version":"1.2","creator":{"name":"generate.py","version":"1"},"pages":[],"entries":[\n')
        number = 0
        while out.tell() < size:
            out.write((",\n" if number else "") + entry(number))
            number += 1
        out.write("]}}\n")


def history(path, rows, values, every=500, before=0):
    """The two tables of a Chromium history that matter, with its indices; three visits for two URLs. One URL in `every`
    holds a credential, counted on from the URLs of the histories `before`."""
    path.unlink(missing_ok=True)
    base = sqlite3.connect(path)
    base.executescript("""
        PRAGMA journal_mode=OFF;
        CREATE TABLE meta(key LONGVARCHAR NOT NULL UNIQUE PRIMARY KEY, value LONGVARCHAR);
        INSERT INTO meta VALUES('version','70'),('last_compatible_version','16');
        CREATE TABLE urls(id INTEGER PRIMARY KEY AUTOINCREMENT, url LONGVARCHAR, title LONGVARCHAR,
          visit_count INTEGER DEFAULT 0 NOT NULL, typed_count INTEGER DEFAULT 0 NOT NULL,
          last_visit_time INTEGER NOT NULL, hidden INTEGER DEFAULT 0 NOT NULL);
        CREATE TABLE visits(id INTEGER PRIMARY KEY AUTOINCREMENT, url INTEGER NOT NULL, visit_time INTEGER NOT NULL,
          from_visit INTEGER, external_referrer_url TEXT, transition INTEGER DEFAULT 0 NOT NULL, segment_id INTEGER,
          visit_duration INTEGER DEFAULT 0 NOT NULL, incremented_omnibox_typed_score BOOLEAN DEFAULT FALSE NOT NULL,
          opener_visit INTEGER, originator_cache_guid TEXT, originator_visit_id INTEGER);
    """)

    def url(number):
        target = values.credential()[0] if every and (before + number) % every == 0 else values.path() + f"?id={number}"
        return f"https://{HOSTS[number % 5]}{target}"

    at = 13_400_000_000_000_000
    base.executemany("INSERT INTO urls VALUES(?,?,?,1,0,?,0)",
                     ((n, url(n), f"Page number {n}", at + n) for n in range(1, rows + 1)))
    # Chromium writes an empty text where there is no referrer, and no other machine.
    base.executemany("INSERT INTO visits(id,url,visit_time,from_visit,external_referrer_url,transition,opener_visit,"
                     "originator_cache_guid,originator_visit_id) VALUES(?,?,?,?,'',?,0,'',0)",
                     ((n, 1 + n * 2 // 3 % rows, at + n, 0, 805306368) for n in range(1, rows * 3 // 2)))
    base.executescript("CREATE INDEX visits_url_index ON visits(url); CREATE INDEX urls_url_index ON urls(url);"
                       "CREATE INDEX visits_time_index ON visits(visit_time); CREATE INDEX visits_from_index ON visits(from_visit);")
    base.commit()
    base.close()


def profiles(folder, count, rows, values):
    """As many histories, each in a folder as Chromium names it."""
    for number in range(count):
        profile = folder / f"home/user{number}/.config/chromium/Default"
        profile.mkdir(parents=True, exist_ok=True)
        history(profile / "History", rows, values, before=number * rows)


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("folder", type=pathlib.Path)
    options.add_argument("--mib", type=int, default=256, help="size of each file")
    options.add_argument("--seed", type=int, default=1)
    options = options.parse_args()
    folder, size, values = options.folder, options.mib << 20, Values(options.seed)
    folder.mkdir(parents=True, exist_ok=True)
    log(folder / "sparse.log", size, lambda: values.line(1 / 500))
    log(folder / "five.log", size // 16, lambda: values.line(0.05))
    log(folder / "half.log", size // 16, lambda: values.line(0.5), block=5_000)
    for name, line in [("beacon", values.beacon), ("json", values.json_line), ("percent", values.percent), ("soup", values.soup)]:
        log(folder / f"{name}.log", size // 4, line, block=5_000, blocks=2)
    with open(folder / "sparse.log", "rb") as plain, gzip.open(folder / "sparse.log.gz", "wb", 6) as packed:
        shutil.copyfileobj(plain, packed, 1 << 20)
    if shutil.which("zstd"):
        subprocess.run(["zstd", "-q", "-f", folder / "sparse.log", "-o", folder / "sparse.log.zst"], check=True)
    one_line(folder / "line.log", size, values)
    tiny(folder / "tiny", min(size >> 14, 20_000), values)
    har(folder / "capture.har", size, values)
    history(folder / "History", size // 512, values)
    profiles(folder / "profiles", 2000, size // 512 // 2000, values)


if __name__ == "__main__":
    main()
