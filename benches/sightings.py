#!/usr/bin/env python3
"""Writes sightings to standard output, as `scan --sightings` does: the same bytes for the same seed and number.

    sightings.py NUMBER [--seed 1] [--repeats 0.5] | tokentrail correlate - -f ndjson

A share of them (--repeats) is one token in the lines of one log. The rest are logins of six sightings each, which three
sources hold: request and callback in a history, request, callback and API call in a log, the token call in a capture. Ten
logins in a hundred have one constant `state`. Standard library only. All values are made up, and none has a value: sightings
hold digests.
"""

import argparse
import hashlib
import random
import sys

INSTANT = 1_795_000_000


def digest(*parts):
    """As `Digest::of`: a length prefix keeps the parts apart."""
    hashed = hashlib.sha256()
    for part in parts:
        data = part.encode()
        hashed.update(len(data).to_bytes(8, "little") + data)
    return hashed.hexdigest()[:32]


class Writer:
    """Writes one run."""

    def __init__(self, seed, out):
        self.random = random.Random(seed)
        self.out = out
        self.run = digest("run", str(seed))
        self.sightings = 0
        self.lines = {"log": 0, "history": 0, "capture": 0}
        self.ids = {name: digest("source", path) for name, path in PATHS.items()}

    def hex(self):
        return f"{self.random.getrandbits(128):032x}"

    def head(self):
        self.out.write(
            f'{{"type":"run","run":"{self.run}","schema":"tokentrail-sightings/1","tool":{{"name":"tokentrail","version":"0"}},'
            '"label":null,"fingerprint_key":null,"options":{"type":null,"log_timezone":null,"all_text":false,"hash":false,'
            '"residue":false,"jwks":false,"rules":false}}\n'
        )
        for name, path in PATHS.items():
            browser = ('"chrome"', '"Default"') if name == "history" else ("null", "null")
            self.out.write(
                f'{{"type":"source","run":"{self.run}","id":"{self.ids[name]}","path":"{path}","members":[],"reader":"{READERS[name]}",'
                f'"host":null,"user":null,"browser":{browser[0]},"profile":{browser[1]},"bytes":1,"status":"read","clock_error_seconds":null}}\n'
            )

    def end(self):
        self.out.write(
            f'{{"type":"trailer","run":"{self.run}","sources":{len(PATHS)},"problems":0,"sightings":{self.sightings},"not_claimed":0}}\n'
        )

    def sighting(self, source, role, second, host, path, rest, channel="front", template=None):
        number = self.lines[source] = self.lines[source] + 1
        locator = {
            "log": f'{{"type":"line","number":{number},"byte":{number * 200}}}',
            "history": f'{{"type":"row","table":"urls","rowid":{number},"column":"url"}}',
            "capture": f'{{"type":"entry","index":{number},"pointer":"/log/entries/{number}/request/url","line":{number},"column":1}}',
        }[source]
        basis = {"log": "log_line", "history": "visit", "capture": "har_entry"}[source]
        instant = INSTANT + second
        clock = f"2026-{1 + instant // 2_592_000 % 12:02}-{1 + instant // 86_400 % 28:02}T{instant // 3600 % 24:02}:{instant // 60 % 60:02}:{instant % 60:02}Z"
        self.sightings += 1
        self.out.write(
            f'{{"type":"sighting","run":"{self.run}","id":"{self.hex()}","source":"{self.ids[source]}","locator":{locator},"view":"live",'
            f'"at":{{"instant":"{clock}","basis":"{basis}"}},"via":"{"request" if source != "history" else "link"}","role":"{role}","channel":"{channel}",'
            f'"url":"https://{host}{path}","address":{{"scheme":"https","host":"{host}","path":"{template or path}"}},{rest}}}\n'
        )

    def credential(self, kind, slot, name, value, keys):
        return (
            f'{{"id":"{value}","kind":"{kind}","rule":"{name}","slot":"{slot}","name":"{name}","shown":"{kind}, 43 characters",'
            f'"fingerprint":"{value}","keys":[{keys}],"signature":"none","score":100}}'
        )

    def repeat(self, second):
        value = digest("constant")
        keys = f'"value:{value}"'
        token = self.credential("access_token", "query", "access_token", value, keys)
        rest = f'"method":"GET","status":200,"exchange":"exchange:{self.hex()}","credentials":[{token}],"keys":[{keys}]'
        self.sighting("log", "resource_request", second, "api.example.com", f"/v1/items/{second % 100}", rest, template="/v1/items/{}")

    def login(self, second):
        number = self.random.randrange(200)
        app, server = f"app{number}.example.com", f"login{number % 7}.example.org"
        state = digest("state", str(number)) if self.random.random() < 0.1 else self.hex()
        nonce, challenge, code, token = self.hex(), self.hex(), self.hex(), self.hex()
        landing = digest("landing", app)
        asked = (
            f'"redirect":"{landing}","params":[{{"name":"client_id","value":"client{number}","slot":"query"}},'
            '{"name":"response_type","value":"code","slot":"query"},{"name":"state","slot":"query"},{"name":"code_challenge","slot":"query"}],'
            f'"keys":["state:{state}","nonce:{nonce}","challenge-s256:{challenge}"]'
        )
        code_keys = f'"code:{code}"'
        landed = (
            f'"landing":"{landing}","params":[{{"name":"state","slot":"query"}}],'
            f'"credentials":[{self.credential("authorization_code", "query", "code", code, code_keys)}],"keys":["state:{state}",{code_keys}]'
        )
        redeemed = (
            '"method":"POST","status":200,"params":[{"name":"grant_type","value":"authorization_code","slot":"form"},'
            f'{{"name":"client_id","value":"client{number}","slot":"form"}}],'
            f'"credentials":[{self.credential("authorization_code", "form", "code", code, code_keys)}],"keys":[{code_keys},"challenge-s256:{challenge}"]'
        )
        token_keys = f'"value:{token}"'
        called = (
            f'"method":"GET","status":200,"credentials":[{self.credential("access_token", "query", "access_token", token, token_keys)}],"keys":[{token_keys}]'
        )
        self.sighting("history", "authorization_request", second, server, "/authorize", asked)
        self.sighting("log", "authorization_request", second, server, "/authorize", asked + f',"exchange":"exchange:{self.hex()}"')
        self.sighting("history", "response_in_query", second + 3, app, "/cb", landed)
        self.sighting("log", "response_in_query", second + 3, app, "/cb", landed + f',"exchange":"exchange:{self.hex()}"')
        self.sighting("capture", "token_request", second + 4, server, "/token", redeemed, channel="direct")
        self.sighting("log", "resource_request", second + 9, f"api{number}.example.com", "/v1/me", called + f',"exchange":"exchange:{self.hex()}"')


PATHS = {"log": "proxy/access.log", "history": "laptop/Default/History", "capture": "captures/login.har"}
READERS = {"log": "log", "history": "chromium-history", "capture": "har"}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("number", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--repeats", type=float, default=0.5)
    options = parser.parse_args()
    writer = Writer(options.seed, sys.stdout)
    writer.head()
    second = 0
    while writer.sightings < options.number:
        second += 1
        left = options.number - writer.sightings
        for _ in range(min(left, round(6 * options.repeats / max(1 - options.repeats, 0.01)) if options.repeats < 1 else left)):
            writer.repeat(second)
        if options.number - writer.sightings >= 6 and options.repeats < 1:
            writer.login(second)
        elif options.repeats < 1:
            for _ in range(options.number - writer.sightings):
                writer.repeat(second)
    writer.end()


if __name__ == "__main__":
    main()
