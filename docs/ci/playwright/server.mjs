// A tiny application that logs in with OAuth, and the authorization server it logs in at, on one loopback port. With
// FLOW=implicit it asks for a token; with FLOW=pkce for a code, which it redeems with its verifier (RFC 7636).
import { createHash, randomBytes } from "node:crypto";
import { createServer } from "node:http";

const value = () => randomBytes(24).toString("base64url");

const page = (flow, origin) => `<!doctype html><title>Orders</title><h1>Orders</h1><p id=state>signed out</p>
<button id=login>Sign in</button><script type=module>
const say = (text) => { document.querySelector("#state").textContent = text; };
const base64url = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)));
const redirect_uri = "${origin}/callback";
document.querySelector("#login").onclick = async () => {
  const state = random();
  const ask = new URLSearchParams({ client_id: "orders-spa", redirect_uri, scope: "orders.read", state });
  if ("${flow}" === "implicit") {
    ask.set("response_type", "token");
  } else {
    const verifier = random() + random();
    sessionStorage.setItem("verifier", verifier);
    ask.set("response_type", "code");
    ask.set("code_challenge_method", "S256");
    ask.set("code_challenge", base64url(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier))));
  }
  sessionStorage.setItem("state", state);
  location.href = "/authorize?" + ask;
};
const back = new URLSearchParams(location.hash.slice(1) || location.search);
if (back.get("state") && back.get("state") === sessionStorage.getItem("state")) {
  history.replaceState(null, "", "/");
  const token = back.get("access_token") ?? (await (await fetch("/token", { method: "POST", body: new URLSearchParams({
    grant_type: "authorization_code", code: back.get("code"), redirect_uri, client_id: "orders-spa", code_verifier: sessionStorage.getItem("verifier") }) })).json()).access_token;
  const orders = await fetch("/api/orders", { headers: { authorization: "Bearer " + token } });
  say(orders.ok ? "signed in" : "refused");
}
</script>`;

/** Starts it; `close` ends it. */
export function start(flow, port) {
  const origin = "http://127.0.0.1:" + port;
  const codes = new Map();
  const tokens = new Set();
  const token = () => { const fresh = value(); tokens.add(fresh); return fresh; };
  const server = createServer(async (request, response) => {
    const url = new URL(request.url, origin);
    const json = (status, body) => response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store" }).end(JSON.stringify(body));
    const asked = url.searchParams;
    if (url.pathname === "/authorize") {
      const back = asked.get("response_type") === "token"
        ? "#" + new URLSearchParams({ access_token: token(), token_type: "Bearer", expires_in: "3600", state: asked.get("state") })
        : "?" + new URLSearchParams({ code: keep(codes, asked.get("code_challenge")), state: asked.get("state"), iss: origin });
      response.writeHead(302, { location: origin + "/callback" + back }).end();
    } else if (url.pathname === "/token" && request.method === "POST") {
      let body = "";
      for await (const part of request) body += part;
      const form = new URLSearchParams(body);
      const challenge = codes.get(form.get("code"));
      codes.delete(form.get("code"));
      const shown = createHash("sha256").update(form.get("code_verifier") ?? "").digest("base64url");
      if (challenge && challenge === shown) json(200, { access_token: token(), token_type: "Bearer", expires_in: 3600 });
      else json(400, { error: "invalid_grant" });
    } else if (url.pathname === "/api/orders") {
      const known = tokens.has((request.headers.authorization ?? "").replace("Bearer ", ""));
      json(known ? 200 : 401, known ? [{ order: 1 }] : { error: "invalid_token" });
    } else {
      response.writeHead(200, { "content-type": "text/html" }).end(page(flow, origin));
    }
  });
  return new Promise((resolve) => server.listen(port, "127.0.0.1", () => resolve({ origin, close: () => server.close() })));
}

function keep(codes, challenge) {
  const code = value();
  codes.set(code, challenge);
  return code;
}
