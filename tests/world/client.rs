//! Registered clients and their authorization servers.

use crate::prng::Rng;

/// A registered client and its authorization server.
pub struct Client {
    pub id: String,
    /// Origin of the application.
    pub origin: String,
    pub redirect: String,
    /// An application on the user's machine, which listens there for the response.
    pub native: bool,
    pub issuer: String,
    pub authorize: String,
    pub token: String,
    /// Held by a confidential client.
    pub secret: String,
    pub confidential: bool,
    /// Seconds that the server gives a code.
    pub code_life: i64,
    /// Seconds that documentation gives it, or RFC 6749 §4.1.2 where there is none.
    pub code_life_told: i64,
    /// The `state` of a bad client, always the same.
    pub constant_state: Option<String>,
}

impl Client {
    /// The `index`th client of the world.
    pub fn new(rng: &mut Rng, index: usize) -> Self {
        let origin = format!("https://app{index}.example");
        // Paths of products whose documentation states the lifetime of codes, and one that nobody knows.
        let (issuer, authorize, token, code_life) = match index % 4 {
            0 => (
                "https://sso.corp.example/realms/main",
                "/protocol/openid-connect/auth",
                "/protocol/openid-connect/token",
                60,
            ),
            1 => (
                "https://id.shop.example",
                "/connect/authorize",
                "/connect/token",
                300,
            ),
            2 => (
                "https://login.idp.example",
                "/oauth2/authorize",
                "/oauth2/token",
                600,
            ),
            _ => ("https://auth.news.example", "/authorize", "/token", 600),
        };
        let confidential = index / 4 % 2 == 1;
        // RFC 8252 §7.3.
        let native = !confidential && index % 11 == 7;
        Self {
            id: format!("client-{index}"),
            redirect: if native {
                format!("http://127.0.0.1:{}/cb", 40_000 + index)
            } else {
                let path = *rng.pick(&["/callback", "/cb", "/oidc/callback"]);
                let own = if index % 7 == 2 { "?tenant=7" } else { "" };
                format!("{origin}{path}{own}")
            },
            native,
            origin,
            issuer: issuer.to_owned(),
            authorize: format!("{issuer}{authorize}"),
            token: format!("{issuer}{token}"),
            secret: rng.opaque(36),
            confidential,
            code_life,
            code_life_told: if index % 4 == 1 { 600 } else { code_life },
            constant_state: (index % 9 == 4).then(|| "c0nstant-state-of-app".to_owned()),
        }
    }

    /// What authenticates a confidential client.
    pub fn secret_if_confidential(&self) -> Option<String> {
        self.confidential.then(|| self.secret.clone())
    }
}
