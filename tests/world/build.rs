//! What every run is built from: pages, messages, tokens.

use serde_json::{Value, json};

use crate::client::Client;
use crate::encode::{base64, jwt, query};
use crate::prng::Rng;
use crate::truth::{Challenge, Credential, End, Message, Name, Part, Power, Run, State, Tie, What};

/// A run under construction.
pub struct Builder<'a> {
    pub rng: &'a mut Rng,
    pub client: &'a Client,
    /// Milliseconds since 1970.
    pub now: i64,
    pub run: Run,
}

impl<'a> Builder<'a> {
    pub fn new(
        rng: &'a mut Rng,
        client: &'a Client,
        now: i64,
        case: &'static str,
        name: Name,
    ) -> Self {
        let run = Run {
            case,
            name,
            tie: Tie::ChainOnly,
            client_id: client.id.clone(),
            messages: Vec::new(),
            credentials: Vec::new(),
            primary: None,
            single: false,
            capture_only: false,
            native: client.native,
        };
        Self {
            rng,
            client,
            now,
            run,
        }
    }

    pub fn wait(&mut self, low: i64, high: i64) {
        self.now += self.rng.between(low, high);
    }

    fn push(&mut self, part: Part, what: What) -> usize {
        self.run.messages.push(Message {
            part,
            at: self.now,
            what,
            inside: Vec::new(),
            cookie: None,
        });
        self.run.messages.len() - 1
    }

    pub fn visit(&mut self, part: Part, url: String, from: Option<usize>, redirect: bool) -> usize {
        self.wait(30, 400);
        // The browser lost the chain: another tab, a restart, an application in between.
        if part == Part::Response
            && self.run.tie == Tie::Key
            && !url.contains('#')
            && self.rng.chance(8)
        {
            return self.push(
                part,
                What::Visit {
                    url,
                    from: None,
                    redirect: false,
                },
            );
        }
        self.push(
            part,
            What::Visit {
                url,
                from,
                redirect,
            },
        )
    }

    pub fn post(&mut self, part: Part, url: &str, form: String, from: Option<usize>) -> usize {
        self.wait(30, 400);
        self.push(
            part,
            What::Post {
                url: url.to_owned(),
                form,
                from,
            },
        )
    }

    pub fn call(
        &mut self,
        part: Part,
        url: &str,
        headers: &[(&str, String)],
        form: String,
        answer: Value,
    ) -> usize {
        self.wait(40, 300);
        let headers = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect();
        let status = if answer.get("error").is_some() {
            400
        } else {
            200
        };
        let call = What::Call {
            url: url.to_owned(),
            headers,
            form,
            status,
            answer,
        };
        self.push(part, call)
    }

    pub fn fetch(&mut self, url: &str, referer: &str) -> usize {
        self.wait(40, 300);
        let fetch = What::Fetch {
            url: url.to_owned(),
            referer: referer.to_owned(),
        };
        self.push(Part::Other, fetch)
    }

    /// Where a visit went.
    pub fn url(&self, visit: usize) -> String {
        match &self.run.messages[visit].what {
            What::Visit { url, .. } => url.clone(),
            other => panic!("no visit: {other:?}"),
        }
    }

    /// The application's page that starts the login, most times.
    pub fn start(&mut self) -> Option<usize> {
        if self.rng.chance(30) {
            return None;
        }
        let path = *self.rng.pick(&["/", "/login", "/account"]);
        let url = format!("{}{path}", self.client.origin);
        let page = self.visit(Part::Other, url, None, false);
        self.wait(300, 4000);
        Some(page)
    }

    /// Pages of the authorization server between request and response; none where it knows the user.
    pub fn login(&mut self, request: usize) -> usize {
        let hops = if self.rng.chance(45) {
            0
        } else {
            self.rng.between(1, 4)
        };
        let mut last = request;
        for hop in 0..hops {
            if hop > 0 {
                self.wait(800, 5000);
            }
            let url = self.login_page(request, hop);
            let inside = self.run.messages[request].inside.clone();
            let repeats = url.contains("/login?");
            last = self.visit(Part::Other, url, Some(last), hop == 0);
            if repeats {
                self.run.messages[last].inside = inside;
            }
        }
        if hops > 0 {
            self.wait(500, 3000);
        }
        last
    }

    /// A page that asks the user for something; products repeat the request's parameters in it.
    fn login_page(&mut self, request: usize, hop: i64) -> String {
        let issuer = &self.client.issuer;
        let id = self.client.id.as_str();
        // Keycloak's own pages do not.
        let own_pages = self.client.code_life == 60;
        match self.rng.below(4) {
            0 if !own_pages => match self.url(request).split_once('?') {
                Some((_, parameters)) => format!("{issuer}/login?{parameters}"),
                None => format!("{issuer}/login"),
            },
            1 => query(
                &format!("{issuer}/login-actions/authenticate"),
                &[
                    ("session_code", &self.rng.opaque(43)),
                    ("client_id", id),
                    ("tab_id", &self.rng.opaque(11)),
                ],
            ),
            2 => query(
                &format!("{issuer}/u/login"),
                &[("state", &self.rng.opaque(30))],
            ),
            _ => query(
                &format!("{issuer}/consent"),
                &[
                    ("execution", &self.rng.opaque(12)),
                    ("step", &hop.to_string()),
                ],
            ),
        }
    }

    /// A `state`: of its own, the constant of a bad client, or none.
    pub fn state(&mut self, percent: usize) -> Option<String> {
        if !self.rng.chance(percent) {
            return None;
        }
        if let Some(constant) = &self.client.constant_state {
            return Some(constant.clone());
        }
        self.run.tie = Tie::Key;
        Some(match self.rng.below(6) {
            0 => {
                let page = json!({"n": self.rng.opaque(16), "returnTo": "/orders?page=2"});
                base64(page.to_string().as_bytes())
            }
            1 => {
                let claims = json!({"rfp": self.rng.opaque(20), "target": self.client.origin});
                jwt(self.rng, "JWT", &claims)
            }
            _ => self.rng.opaque(22),
        })
    }

    pub fn credential(
        &mut self,
        value: &str,
        kind: &'static str,
        expires: Option<i64>,
        power: Power,
    ) -> &mut Credential {
        let flows = Vec::new();
        self.run.credentials.push(Credential {
            value: value.to_owned(),
            kind,
            flows,
            expires,
            expires_unseen: None,
            end: None,
            power,
        });
        self.run.credentials.last_mut().expect("just pushed")
    }

    /// A bearer access token, opaque or JWT, good for `life` seconds.
    pub fn access_token(&mut self, life: i64, flows: &[&'static str]) -> String {
        let iat = self.now / 1000;
        let value = if self.rng.chance(50) {
            let claims = json!({"iss": self.client.issuer, "sub": format!("u{}", self.rng.below(900)),
                "aud": format!("{}/api", self.client.origin), "client_id": self.client.id,
                "iat": iat, "exp": iat + life, "jti": self.rng.opaque(12)});
            jwt(self.rng, "at+jwt", &claims)
        } else {
            self.rng.opaque(43)
        };
        self.credential(
            &value,
            "access_token",
            Some((iat + life) * 1000),
            Power::Alone,
        )
        .flows = flows.to_vec();
        value
    }

    /// An ID token with these further claims.
    pub fn id_token(
        &mut self,
        life: i64,
        flows: &[&'static str],
        more: &[(&str, String)],
    ) -> String {
        let iat = self.now / 1000;
        let mut claims = json!({"iss": self.client.issuer, "sub": format!("u{}", self.rng.below(900)),
            "aud": self.client.id, "iat": iat, "exp": iat + life});
        for (name, value) in more {
            claims[*name] = json!(value);
        }
        let value = jwt(self.rng, "JWT", &claims);
        self.credential(&value, "id_token", Some((iat + life) * 1000), Power::Alone)
            .flows = flows.to_vec();
        value
    }

    /// A code: what it needs besides itself follows from the challenge and the client.
    pub fn code(&mut self, challenge: Challenge, verifier: &str, flows: &[&'static str]) -> String {
        let value = match self.rng.below(4) {
            0 => format!("4/0A{}", self.rng.opaque(60)),
            1 => format!(
                "{}.{}.{}",
                self.rng.opaque(36),
                self.rng.opaque(36),
                self.rng.opaque(36)
            ),
            2 => self.rng.opaque(20),
            _ => self.rng.opaque(32),
        };
        // Under a plain challenge the verifier is the challenge, so who holds the one holds the other.
        let needs = if challenge == Challenge::None {
            Vec::new()
        } else {
            vec![verifier.to_owned()]
        };
        let power = Power::With {
            needs,
            secret: self.client.secret_if_confidential(),
            whole: State::Replayable,
            without: State::Guarded,
        };
        let (now, client) = (self.now, self.client);
        let expires = Some(now + client.code_life_told * 1000);
        let code = self.credential(&value, "authorization_code", expires, power);
        code.expires_unseen = Some(now + client.code_life * 1000);
        code.flows = flows.to_vec();
        value
    }

    /// The `index`th last credential ends with the message `by`.
    pub fn end(&mut self, value: &str, state: State, by: usize) {
        let at = self.run.messages[by].at;
        for credential in &mut self.run.credentials {
            if credential.value == value {
                credential.end = Some(End {
                    at,
                    state,
                    shown_by: Some(by),
                });
            }
        }
    }

    /// A refresh token; of a confidential client it needs the secret.
    pub fn refresh_token(&mut self, flows: &[&'static str]) -> String {
        let value = self.rng.opaque(48);
        let power = Power::With {
            needs: Vec::new(),
            secret: self.client.secret_if_confidential(),
            whole: State::Live,
            without: State::Guarded,
        };
        self.credential(&value, "refresh_token", None, power).flows = flows.to_vec();
        value
    }

    /// A page after the run: the application's, or the same callback again.
    pub fn after(&mut self, from: usize, reload: bool) {
        if reload {
            self.wait(2000, 90_000);
            let url = self.url(from);
            self.visit(Part::Other, url, None, false);
        } else {
            let url = format!(
                "{}{}",
                self.client.origin,
                *self.rng.pick(&["/home", "/", "/orders?page=2"])
            );
            self.visit(Part::Other, url, Some(from), true);
        }
    }
}
