//! What happened in the company: protocol runs whose messages lie in files of different kinds, so that no file tells
//! a whole one.

use serde_json::{Value, json};

use crate::corpus::{APPS, CAPTURES, Company, HOSTS, LOGINS, PROXIES};
use crate::encode::{form, fragment, jwt, query, s256};
use crate::prng::Rng;

/// Monday, 23 November 2026, 05:00 UTC, in milliseconds since 1970.
const START: i64 = 1_795_410_000_000;
/// Within one working day.
const DAY: i64 = 36_000_000;
/// Protocol runs of one sign-in each.
const RUNS: usize = 600;
/// Sessions that are refreshed over and over.
const SESSIONS: usize = 6;
/// Refreshes of one, each in another capture.
const REFRESHES: usize = 60;

/// One client of a login server.
struct Client {
    id: String,
    login: usize,
    app: usize,
    /// The one `state` that it always sends.
    constant: Option<String>,
}

impl Client {
    fn host(&self) -> String {
        format!("app{}.corp.example", self.app)
    }

    fn issuer(&self) -> String {
        format!("https://login{}.corp.example", self.login)
    }

    fn callback(&self) -> String {
        format!("https://{}/cb", self.host())
    }

    fn log(&self) -> String {
        format!("apps/{:02}/access.log", self.app)
    }
}

/// One sign-in.
struct Run<'a> {
    client: &'a Client,
    at: i64,
    host: usize,
    capture: usize,
    proxy: usize,
    state: String,
    nonce: String,
    code: String,
    verifier: String,
    access: String,
    refresh: String,
}

/// Everything that happened.
pub fn company(rng: &mut Rng) -> Company {
    let mut company = Company::default();
    let clients = clients(rng);
    for number in 0..RUNS {
        let client = &clients[number % clients.len()];
        let run = run(rng, client, number);
        match number % 8 {
            0..=2 => spread(&mut company, &run),
            3 => everywhere(&mut company, &run),
            4 => unprotected(&mut company, &run),
            5 => implicit(&mut company, &run),
            6 => signed_out(&mut company, &run),
            _ => retried(&mut company, &run, rng),
        }
    }
    for number in 0..SESSIONS {
        refreshed(&mut company, &clients[number * 7], number, rng);
    }
    everybodys(&mut company, rng);
    company
}

fn clients(rng: &mut Rng) -> Vec<Client> {
    let client = |number: usize| Client {
        id: format!("client-{number}"),
        login: number % LOGINS,
        app: number % APPS,
        constant: (number % 9 == 5).then(|| rng.opaque(24)),
    };
    // A prime, so that each client meets each kind of run.
    (0..83).map(client).collect()
}

fn run<'a>(rng: &mut Rng, client: &'a Client, number: usize) -> Run<'a> {
    let at = START + rng.between(0, DAY);
    let claims = json!({"iss": client.issuer(), "sub": format!("user-{number}"), "aud": client.id, "exp": at / 1000 + 3600, "iat": at / 1000 + 20, "jti": rng.opaque(16)});
    Run {
        client,
        at,
        // Each round of machines meets other kinds of runs.
        host: (number + number / HOSTS) % HOSTS,
        capture: number % CAPTURES,
        proxy: number % PROXIES,
        state: client.constant.clone().unwrap_or_else(|| rng.opaque(32)),
        nonce: rng.opaque(22),
        code: rng.opaque(43),
        verifier: rng.opaque(43),
        access: jwt(rng, "at+jwt", &claims),
        refresh: rng.opaque(48),
    }
}

impl Run<'_> {
    fn request(&self, kind: &str, is_protected: bool) -> String {
        let callback = self.client.callback();
        let challenge = s256(&self.verifier);
        let mut pairs = vec![
            ("response_type", kind),
            ("client_id", &self.client.id),
            ("redirect_uri", &callback),
            ("scope", "openid orders.read"),
            ("state", &self.state),
            ("nonce", &self.nonce),
        ];
        if is_protected {
            pairs.push(("code_challenge", &challenge));
            pairs.push(("code_challenge_method", "S256"));
        }
        query("/authorize", &pairs)
    }

    fn response(&self) -> String {
        let pairs = [("code", &*self.code), ("state", &self.state)];
        query(&self.client.callback(), &pairs)
    }

    fn requested(&self, company: &mut Company, target: &str) {
        let host = format!("login{}.corp.example", self.client.login);
        let log = format!("idp/{:02}/access.log", self.client.login);
        company.logged(log, self.at, (&host, target), 302);
    }

    fn redeemed(&self, company: &mut Company) {
        let callback = self.client.callback();
        let form = form(&[
            ("grant_type", "authorization_code"),
            ("client_id", &self.client.id),
            ("redirect_uri", &callback),
            ("code", &self.code),
            ("code_verifier", &self.verifier),
        ]);
        let url = format!("{}/token", self.client.issuer());
        let answer = answer(&self.access, &self.refresh);
        company.captured(self.capture, self.at + 21_000, &url, &form, &answer);
    }

    fn called(&self, company: &mut Company, after: i64) {
        let target = query("/api/orders", &[("access_token", &self.access)]);
        let at = self.at + after;
        company.logged(self.client.log(), at, (&self.client.host(), &target), 200);
    }
}

fn answer(access: &str, refresh: &str) -> Value {
    json!({"access_token": access, "token_type": "Bearer", "expires_in": 3600, "refresh_token": refresh})
}

/// The request in a login server's log, the callback in a history, the token call in a capture.
fn spread(company: &mut Company, run: &Run) {
    run.requested(company, &run.request("code", true));
    company.visited(run.host, &[(run.at + 20_000, run.response())]);
    run.redeemed(company);
}

/// The same, and request and callback in a proxy's and the application's log too.
fn everywhere(company: &mut Company, run: &Run) {
    let request = run.request("code", true);
    let (url, response) = (format!("{}{request}", run.client.issuer()), run.response());
    run.requested(company, &request);
    company.proxied(run.proxy, run.at, &url);
    company.proxied(run.proxy, run.at + 20_000, &response);
    company.visited(
        run.host,
        &[(run.at, url), (run.at + 20_000, response.clone())],
    );
    let target = response
        .split_once(".example")
        .map_or("/", |(_, target)| target);
    let host = run.client.host();
    company.logged(run.client.log(), run.at + 20_100, (&host, target), 302);
    run.redeemed(company);
    run.called(company, 30_000);
}

/// A code flow without PKCE, of which a proxy has the request and a history the callback.
fn unprotected(company: &mut Company, run: &Run) {
    let url = format!("{}{}", run.client.issuer(), run.request("code", false));
    company.proxied(run.proxy, run.at, &url);
    company.visited(run.host, &[(run.at + 20_000, run.response())]);
}

/// The request in a login server's log, the token in a history's fragment, and its use in the application's log.
fn implicit(company: &mut Company, run: &Run) {
    run.requested(company, &run.request("token", false));
    let pairs = [
        ("access_token", &*run.access),
        ("token_type", "Bearer"),
        ("expires_in", "3600"),
        ("state", &run.state),
    ];
    let landing = fragment(&run.client.callback(), &pairs);
    company.visited(run.host, &[(run.at + 20_000, landing)]);
    run.called(company, 25_000);
}

/// A code flow, and a sign-out whose hint another proxy has.
fn signed_out(company: &mut Company, run: &Run) {
    spread(company, run);
    let hint = query(
        &format!("{}/logout", run.client.issuer()),
        &[("id_token_hint", &run.access)],
    );
    company.proxied((run.proxy + 7) % PROXIES, run.at + 900_000, &hint);
}

/// The user went back and signed in again: one request, two codes on two machines.
fn retried(company: &mut Company, run: &Run, rng: &mut Rng) {
    spread(company, run);
    let again = rng.opaque(43);
    let pairs = [("code", &*again), ("state", &run.state)];
    let url = query(&run.client.callback(), &pairs);
    company.visited((run.host + 11) % HOSTS, &[(run.at + 60_000, url)]);
}

/// A session that is refreshed over and over: a chain of values that goes through sixty captures.
fn refreshed(company: &mut Company, client: &Client, number: usize, rng: &mut Rng) {
    let mut refresh = rng.opaque(48);
    let url = format!("{}/token", client.issuer());
    for step in 0..REFRESHES {
        let at = START + i64::try_from(step).expect("small") * 600_000;
        let (access, next) = (rng.opaque(40), rng.opaque(48));
        let form = form(&[
            ("grant_type", "refresh_token"),
            ("client_id", &client.id),
            ("refresh_token", &refresh),
        ]);
        let capture = (number * 17 + step * 7) % CAPTURES;
        company.captured(capture, at, &url, &form, &answer(&access, &next));
        let target = query("/api/orders", &[("access_token", &access)]);
        company.logged(client.log(), at + 5_000, (&client.host(), &target), 200);
        refresh = next;
    }
}

/// One token that every application's log has, and one key that every proxy's has.
fn everybodys(company: &mut Company, rng: &mut Rng) {
    let (token, key) = (rng.opaque(40), rng.opaque(40));
    for app in 0..APPS {
        let target = query("/health", &[("access_token", &token)]);
        let host = format!("app{app}.corp.example");
        let log = format!("apps/{app:02}/access.log");
        company.logged(log, START + 60_000, (&host, &target), 200);
    }
    for proxy in 0..PROXIES {
        let url = query("https://maps.example/tile", &[("api_key", &key)]);
        company.proxied(proxy, START + 61_000, &url);
    }
}
