//! Which protocol message it is: names beside names, where they sat, and what was found in them.

use super::endpoint::{DECOUPLED, INTROSPECTION, PUSHED, REVOCATION};
use super::message::{Field, Form, Message};
use super::score::{Found, Setting};
use super::{REPORT, Role, failure, grant};
use crate::atoms::{Kind, Slot};
use crate::collect::{Observation, Payload, Store, Via};

/// What is asked of a message.
struct Seen<'a> {
    /// Names with values, sorted.
    names: Vec<&'a str>,
    message: &'a Message,
    found: &'a [Found],
    setting: &'a Setting<'a>,
}

/// The message's role.
pub(super) fn role(
    observation: &Observation,
    message: &Message,
    found: &[Found],
    setting: &Setting<'_>,
) -> Role {
    let valued = message.fields.iter();
    let valued = valued.filter(|field| !field.canonical.is_empty());
    let mut names: Vec<_> = valued.map(|field| &*field.key.key).collect();
    names.sort_unstable();
    let seen = Seen {
        names,
        message,
        found,
        setting,
    };
    match message.form {
        Form::Pair(Store::LogField) => Role::None,
        Form::Pair(_) => Role::Stored,
        Form::Header => seen.of_header(),
        Form::Url => seen.of_url(observation),
        Form::Fields => seen.of_form(observation),
        Form::Json => seen.of_json(observation),
        // What a store holds inside of a value is as little a message as the value is.
        Form::Inner if observation.via == Via::Stored => Role::Stored,
        Form::Inner => seen.of_text(false),
        Form::Text | Form::Members => seen.of_text(observation.via != Via::Stored),
    }
}

impl Role {
    /// Whether it is an authorization response, by whichever way it came.
    pub fn is_response(self) -> bool {
        matches!(
            self,
            Self::ResponseInQuery | Self::ResponseInFragment | Self::ResponseInBody
        )
    }
}

impl Seen<'_> {
    fn has(&self, name: &str) -> bool {
        self.names.binary_search(&name).is_ok()
    }

    fn any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.has(name))
    }

    fn path(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.setting.words.contains(word))
    }

    fn field(&self, key: &str) -> Option<&Field> {
        self.message
            .fields
            .iter()
            .find(|field| *field.key.key == *key)
    }

    /// A credential of one of these kinds, reported, in one of these slots.
    fn found(&self, kinds: &[Kind], slots: &[Slot]) -> bool {
        self.found.iter().any(|found| {
            found.score >= REPORT
                && kinds.contains(&found.kind)
                && self
                    .message
                    .fields
                    .get(found.field)
                    .is_some_and(|field| slots.is_empty() || slots.contains(&field.slot))
        })
    }

    fn root(&self, key: &str) -> Option<&str> {
        Some(&self.field(key)?.saml()?.root)
    }

    fn is_request(&self) -> bool {
        const REQUEST: [&str; 7] = [
            "responsetype",
            "redirecturi",
            "redirecturl",
            "scope",
            "requesturi",
            "request",
            "codechallenge",
        ];
        let oauth = self.any(&["clientid", "clientkey"])
            && self.any(&REQUEST)
            && !self.any(&[
                "code",
                "granttype",
                "clientsecret",
                "accesstoken",
                "refreshtoken",
            ]);
        let response_type = self.has("responsetype")
            && self.any(&["redirecturi", "scope", "state", "nonce"])
            && !self.has("code");
        let hosted = self.has("provider") && self.has("redirectto") && self.path(&["authorize"]);
        let wsfed = self.is("wa", "wsignin1.0") && !self.has("wresult");
        let cas = self.has("service") && self.path(&["/login"]) && !self.has("ticket");
        let oauth1 = self.has("oauthtoken")
            && !self.has("oauthverifier")
            && self.path(&["/authorize", "/authenticate"]);
        let device = self.has("usercode") && self.path(&["device", "activate"]);
        let saml = self.has("samlrequest") && !self.is_saml_logout();
        oauth || response_type || hosted || wsfed || cas || oauth1 || device || saml
    }

    fn is(&self, key: &str, value: &str) -> bool {
        self.field(key)
            .is_some_and(|field| field.canonical == value)
    }

    fn is_saml_logout(&self) -> bool {
        let roots = [
            self.root("samlrequest"),
            self.root("samlresponse"),
            self.root("logoutrequest"),
        ];
        roots
            .iter()
            .flatten()
            .any(|root| matches!(*root, "LogoutRequest" | "LogoutResponse"))
    }

    fn is_logout(&self) -> bool {
        self.has("postlogoutredirecturi")
            || self.has("logouttoken")
            || self.is("wa", "wsignout1.0")
            || self.is("wa", "wsignoutcleanup1.0")
            || self.has("idtokenhint") && !self.any(&["responsetype", "prompt"])
            || self.is_saml_logout()
            || self.any(&[
                "idtoken",
                "token",
                "sid",
                "accesstoken",
                "refreshtoken",
                "logouthint",
                "sessionid",
            ]) && self.path(&[
                "/logout",
                "/signout",
                "/endsession",
                "/end_session",
                "/logoff",
            ])
    }

    fn is_token_request(&self) -> bool {
        // RFC 6749 §3.2: it is a POST. The browser asks first whether a page may send it (Fetch §3.3.2).
        if self.setting.method == Some("OPTIONS") {
            return false;
        }
        let grant = self
            .field("granttype")
            .is_some_and(|field| grant::is_known(&field.canonical));
        // What the body of a request redeems is a part of the request that names the grant in its query.
        let redeems = matches!(self.message.form, Form::Fields | Form::Json)
            && !self.setting.response
            && self.setting.grant.is_some_and(grant::is_known)
            && self.any(&["code", "authcode", "refreshtoken", "password"]);
        // Some say in the authorization request already which grant it begins.
        let begins = self.is("granttype", "authorization_code")
            && self.has("responsetype")
            && !self.has("code");
        let exchange = self.any(&["codeverifier", "clientsecret", "clientassertion"])
            && self.any(&["code", "refreshtoken", "clientid", "authcode", "token"]);
        // RFC 6749 §2.3.1 forbids the query, and some send their secret there, and the rest in the body.
        let in_query = self.message.form == Form::Url
            && self.setting.method == Some("POST")
            && self.path(&["/token"])
            && self.any(&["clientsecret", "clientassertion"]);
        let hinted = self.has("token") && self.has("tokentypehint")
            || self.has("token") && (self.path(&REVOCATION) || self.path(&INTROSPECTION));
        let pushed = self.message.form == Form::Fields
            && self.has("clientid")
            && (self.path(&PUSHED) || self.path(&DECOUPLED));
        grant && !begins || redeems || exchange || in_query || hinted || pushed
    }

    fn is_failure(&self) -> bool {
        let error = self.field("error").map(|field| field.canonical.as_str());
        error.is_some_and(|code| self.has("state") || failure::is_of_authorization(code))
    }

    /// An answer of the token endpoint, or of one beside it, that grants or ends nothing. An API may use the same words.
    fn is_token_error(&self, observation: &Observation) -> bool {
        let is_endpoint = self.path(&["token", "oauth"]) || self.path(&REVOCATION);
        is_endpoint && failure::grants_nothing(observation, self.message)
    }

    /// RFC 6749 §5.1: what stands beside a token where it is delivered.
    fn is_token_response(&self) -> bool {
        self.has("accesstoken") && self.any(&["tokentype", "expiresin"])
    }

    /// GitHub's token endpoint answers in form data unless JSON is asked for; a form in a page is no answer.
    fn is_form_answer(&self, observation: &Observation) -> bool {
        let in_page =
            matches!(&observation.payload, Payload::Body { mime, .. } if mime.contains("html"));
        observation.via == Via::Response
            && !in_page
            && (self.is_token_error(observation) || self.any(&["accesstoken", "refreshtoken"]))
    }

    fn slot_of(&self, names: &[&str], slot: Slot) -> bool {
        self.message.fields.iter().any(|field| {
            field.slot == slot && !field.canonical.is_empty() && names.contains(&&*field.key.key)
        })
    }

    fn of_url(&self, observation: &Observation) -> Role {
        const TOKENS: [&str; 5] = ["accesstoken", "idtoken", "code", "refreshtoken", "response"];
        const CODES: [Kind; 6] = [
            Kind::AuthorizationCode,
            Kind::CasTicket,
            Kind::SamlArtifact,
            Kind::Oauth1Verifier,
            Kind::JarmResponse,
            Kind::SamlMessage,
        ];
        const BEARERS: [Kind; 6] = [
            Kind::AccessToken,
            Kind::IdToken,
            Kind::RefreshToken,
            Kind::OpaqueToken,
            Kind::OneTimeLink,
            Kind::WsfedToken,
        ];
        let url = [Slot::Query, Slot::Path, Slot::Userinfo];
        let in_fragment = self.slot_of(&["error"], Slot::Fragment) && self.is_failure()
            || self.found(&CODES, &[Slot::Fragment])
            || self.found(&BEARERS, &[Slot::Fragment])
            || self.slot_of(&TOKENS, Slot::Fragment)
                && self.slot_of(&["state", "tokentype", "expiresin"], Slot::Fragment);
        let response_code = self.slot_of(&["code", "response"], Slot::Query) && self.has("state");
        if self.is_token_request() {
            Role::TokenRequest
        } else if in_fragment {
            // Before any word of the path: a logout request has no fragment, and a callback may be called
            // after the logout that it ends.
            Role::ResponseInFragment
        } else if self.is_logout() {
            Role::Logout
        } else if self.is_request() {
            Role::AuthorizationRequest
        } else if self.found(&CODES, &[Slot::Query]) || self.is_failure() || response_code {
            Role::ResponseInQuery
        } else if self.found(&BEARERS, &[Slot::Query]) {
            self.bearer_in_query(observation)
        } else if self.found(&[Kind::ApiKey, Kind::SignedUrl, Kind::WebhookUrl], &url) {
            Role::ResourceRequest
        } else {
            Role::None
        }
    }

    /// A token in a query: handed to a page, or sent to an API (RFC 6750 §2.3)?
    fn bearer_in_query(&self, observation: &Observation) -> Role {
        const API_PATH: [&str; 10] = [
            "/api/",
            "/graphql",
            ".json",
            "/userinfo",
            "/tokeninfo",
            "/rest/",
            "/v1/",
            "/v2/",
            "/v3/",
            "/debug_token",
        ];
        let api_host = ["api.", "graph.", "www.googleapis.", "gateway."]
            .iter()
            .any(|start| self.setting.host.starts_with(start));
        let sent_here = matches!(
            observation.via,
            Via::ServerRedirect | Via::ClientRedirect | Via::Location
        );
        let callback = self.path(&[
            "callback", "oauth", "sso", "login", "signin", "auth/", "redirect",
        ]);
        if sent_here || self.has("refreshtoken") {
            Role::ResponseInQuery
        } else if api_host || self.path(&API_PATH) || self.setting.words.ends_with("/api") {
            Role::ResourceRequest
        } else if callback
            || observation.visit.is_some()
            // RFC 6749 §5.1: they describe a token that is delivered; whoever sends one (RFC 6750 §2.3) does not.
            || self.any(&["tokentype", "expiresin"])
        {
            Role::ResponseInQuery
        } else {
            Role::ResourceRequest
        }
    }

    fn of_form(&self, observation: &Observation) -> Role {
        if self.is_token_request() {
            Role::TokenRequest
        } else if self.is_form_answer(observation) {
            Role::TokenResponse
        } else if self.is_logout() {
            Role::Logout
        } else if self.is_request() {
            Role::AuthorizationRequest
        } else if self.any(&["samlresponse", "wresult", "samlart"])
            || self.any(&["code", "idtoken", "response"])
                && self.any(&["state", "idtoken", "iss", "sessionstate"])
            || self.has("accesstoken") && self.has("state")
            || self.is_failure()
        {
            Role::ResponseInBody
        } else if observation.via == Via::Request && !self.found.is_empty() {
            Role::ResourceRequest
        } else {
            Role::None
        }
    }

    fn of_json(&self, observation: &Observation) -> Role {
        const GRANTED: [&str; 4] = ["accesstoken", "idtoken", "refreshtoken", "devicecode"];
        let response = observation.via != Via::Request;
        let pushed = self.has("requesturi") && self.has("expiresin");
        let introspected = self.has("active")
            && (self.any(&["scope", "clientid", "exp"]) || self.path(&INTROSPECTION));
        if self.is_token_request() {
            Role::TokenRequest
        } else if response
            && (self.any(&GRANTED)
                || pushed
                || introspected
                || self.has("authreqid")
                || (observation.via == Via::Response && self.is_token_error(observation)))
        {
            Role::TokenResponse
        } else if !response && !self.found.is_empty() {
            Role::ResourceRequest
        } else {
            Role::None
        }
    }

    fn of_header(&self) -> Role {
        let hidden = self.found.is_empty() && self.has("authorizationbasicclient");
        let client = self.found(&[Kind::ClientSecret], &[]) || hidden;
        let client = client || self.has("oauthclientattestation");
        // RFC 9449 §10.1: the proof is a part of the pushed request, and binds the code.
        if client || self.has("dpop") && self.path(&PUSHED) {
            Role::TokenRequest
        } else if self.found.is_empty() {
            Role::None
        } else {
            Role::ResourceRequest
        }
    }

    /// What a program wrote down of a message does not say which one it was. Members of one object belong together,
    /// and words of a text need not.
    fn of_text(&self, may_deliver: bool) -> Role {
        let is_object = self.message.form == Form::Members;
        if self.is_token_request() {
            Role::TokenRequest
        } else if may_deliver && self.is_token_response() {
            Role::TokenResponse
        } else if self.is_request() && (is_object || self.has("responsetype")) {
            Role::AuthorizationRequest
        } else if (is_object || may_deliver)
            && self.found(&[Kind::AuthorizationCode], &[])
            && self.has("state")
        {
            Role::ResponseInQuery
        } else {
            Role::None
        }
    }
}
