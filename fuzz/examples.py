"""The examples of the rules (rules/README.md) as evidence, with values in the place of `{{opaque:32}}` and the like."""

import base64
import json
import random
import re
import string
import tomllib
import urllib.parse
import zlib

# What headers and claims of a JWT may be; some of them are drawn for each.
HEADERS = [
    {"alg": "RS256", "kid": "1"},
    {"alg": "none"},
    {"alg": "HS256", "typ": "JWT"},
    {"alg": "RS256", "typ": "at+jwt"},
    {"alg": "RS256", "typ": "logout+jwt"},
    {"alg": "ES256", "typ": "dpop+jwt", "jwk": {"kty": "EC", "crv": "P-256"}},
    {"alg": "RSA-OAEP", "enc": "A256GCM"},
]
CLAIMS = {
    "iss": ["https://as.example", "c1"],
    "sub": ["u1", "c1"],
    "aud": ["c1", ["c1", "https://api.example"], "https://as.example/token", []],
    "exp": [1795410600, 1795410600.5, "1795410600", 10**18],
    "iat": [1795410000, -1],
    "nbf": [1795410000],
    "jti": ["9c1e"],
    "nonce": ["n-0S6_WzA2Mj"],
    "at_hash": ["77QmUPtjPfzWtF2AnpK9RQ"],
    "c_hash": ["LDktKdoQak3Pk0cnXxCltA"],
    "scope": ["read", ["read", "write"]],
    "scp": ["read", ["read"]],
    "typ": ["Refresh", "Bearer", "ID"],
    "token_use": ["access", "id"],
    "azp": ["c1"],
    "client_id": ["c1"],
    "cnf": [{"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}],
    "code": ["PyyFaux2o7Q0YfXBU32jhw"],
    "response_type": ["code", "id_token token"],
    "redirect_uri": ["https://app.example/cb"],
    "state": ["af0ifjsldkj"],
    "code_challenge": ["E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"],
    "htm": ["POST"],
    "htu": ["https://as.example/token"],
    "events": [{"http://schemas.openid.net/event/backchannel-logout": {}}],
    "email": ["u@example.org"],
}
SAML = """<samlp:{root} xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" \
xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_1" IssueInstant="2026-11-23T05:00:00Z" \
Destination="https://sp.example/acs"><saml:Issuer>https://idp.example</saml:Issuer>{inner}</samlp:{root}>"""
SUBJECT = """<saml:Subject><saml:NameID>u1</saml:NameID></saml:Subject>\
<saml:Conditions NotBefore="2026-11-23T04:59:00Z" NotOnOrAfter="2026-11-23T05:05:00Z"/>"""


def of(path):
    """The examples and counterexamples of a file of rules; those of logs are tables."""
    rows = [row for rows in tomllib.loads(path.read_text()).values() if isinstance(rows, list) for row in rows]
    for row in rows:
        for those in (row.get("examples", []), row.get("counterexamples", [])):
            yield from sum(those.values(), []) if isinstance(those, dict) else those


def expanded(text):
    """An example of the rules with its values (rules/README.md). What a JWT claims is drawn."""
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
        if kind == "saml":
            return base64.b64encode(saml(rest)).decode()
        if kind == "deflated":
            return urllib.parse.quote(base64.b64encode(zlib.compress(saml(rest), wbits=-15)), safe="")
        return jwt(numbers)

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


def jwt(numbers):
    drawn = numbers.sample(sorted(CLAIMS), numbers.randint(2, 12))
    claims = {name: numbers.choice(CLAIMS[name]) for name in drawn}
    header = numbers.choice(HEADERS)
    parts = [json.dumps(header).encode(), json.dumps(claims).encode(), numbers.randbytes(64)]
    if "enc" in header:
        parts[1:] = [numbers.randbytes(32), numbers.randbytes(12), numbers.randbytes(99), numbers.randbytes(16)]
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


def saml(root):
    inner = f"<saml:Assertion>{SUBJECT}</saml:Assertion>" if root == "Response" else SUBJECT
    return SAML.format(root=root.removeprefix("Status"), inner=inner).encode()


def exchange(example):
    """An example as an entry of a HAR, where it is one: request and response."""
    head, _, body = example.partition("\n\n")
    first, _, url = head.rpartition(" ")
    is_field = first.endswith(":") and "://" not in first
    if head.startswith(("text: ", "/")) or " = " in head or not is_field and "://" not in url:
        return None
    request = {"method": "GET", "url": "https://app.example/cb" if is_field else url, "headers": [], "cookies": []}
    response = {"status": 200, "headers": [], "content": {"mimeType": "text/html", "text": "-"}}
    mime = "application/json" if body[:1] in ("{", "[") else "application/x-www-form-urlencoded"
    if is_field:
        name, _, value = head.partition(": ")
        request["headers"].append({"name": name, "value": value})
    elif first.isdigit() and body.startswith("Set-Cookie: "):
        response |= {"status": int(first), "headers": [{"name": "Set-Cookie", "value": body[12:]}]}
    elif first.isdigit():
        response |= {"status": int(first), "content": {"mimeType": mime, "text": body}}
    elif first:
        request |= {"method": first, "postData": {"mimeType": mime, "text": body}}
    return request, response
