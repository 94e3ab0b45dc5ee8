//! The closed vocabularies that rules, detection and reports share: what a credential is, and in which
//! part of a message it sat.

use serde::Deserialize;

/// What a value is. The names are those of the wire format.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Access token (RFC 6749 §1.4).
    AccessToken,
    /// ID token (OpenID Connect Core §2).
    IdToken,
    /// Refresh token (RFC 6749 §1.5).
    RefreshToken,
    /// Authorization code (RFC 6749 §4.1.2).
    AuthorizationCode,
    /// PKCE verifier (RFC 7636 §4.1).
    CodeVerifier,
    /// PKCE challenge under plain or without a method: the verifier itself (RFC 7636 §4.2).
    CodeChallenge,
    /// Client secret (RFC 6749 §2.3.1).
    ClientSecret,
    /// Client authentication JWT (RFC 7523 §2.2).
    ClientAssertion,
    /// Bearer assertion of a grant, subject or actor token (RFC 7521 §4.1, RFC 8693 §2.1).
    Assertion,
    /// Signed request object (RFC 9101).
    RequestObject,
    /// JWT-secured authorization response (JARM).
    JarmResponse,
    /// Back-channel logout token (OpenID Connect Back-Channel Logout §2.4).
    LogoutToken,
    /// Device code (RFC 8628 §3.2), or `auth_req_id` of CIBA.
    DeviceCode,
    /// User code (RFC 8628 §3.3).
    UserCode,
    /// SAML response, assertion or logout message that carries an identity (SAML bindings §3.4-3.5).
    SamlMessage,
    /// SAML artifact (SAML bindings §3.6).
    SamlArtifact,
    /// WS-Federation sign-in response.
    WsfedToken,
    /// CAS ticket of any type.
    CasTicket,
    /// OAuth 1.0a token, token secret or consumer secret (RFC 5849).
    Oauth1Token,
    /// OAuth 1.0a verifier (RFC 5849 §2.2).
    Oauth1Verifier,
    /// Password, PIN or passphrase.
    Password,
    /// API key or provider token.
    ApiKey,
    /// Private key, or the secret key of a JWK (RFC 7468 §10, RFC 7517 §9.2).
    PrivateKey,
    /// Session identifier.
    SessionId,
    /// Signature of a signed URL: a grant for one object.
    SignedUrl,
    /// Webhook or bot URL whose path is the credential.
    WebhookUrl,
    /// Magic link, reset link, invitation, e-mail action.
    OneTimeLink,
    /// `user:password` in a URL or a Basic header (RFC 7617).
    BasicCredentials,
    /// A value that is a token by its form or its name, of a type that the evidence does not tell.
    OpaqueToken,
    /// A weakness of a flow, with no credential.
    FlowWeakness,
}

impl Kind {
    /// Every kind, in the order of the wire format's documentation.
    pub const ALL: [Self; 30] = [
        Self::AccessToken,
        Self::IdToken,
        Self::RefreshToken,
        Self::AuthorizationCode,
        Self::CodeVerifier,
        Self::CodeChallenge,
        Self::ClientSecret,
        Self::ClientAssertion,
        Self::Assertion,
        Self::RequestObject,
        Self::JarmResponse,
        Self::LogoutToken,
        Self::DeviceCode,
        Self::UserCode,
        Self::SamlMessage,
        Self::SamlArtifact,
        Self::WsfedToken,
        Self::CasTicket,
        Self::Oauth1Token,
        Self::Oauth1Verifier,
        Self::Password,
        Self::ApiKey,
        Self::PrivateKey,
        Self::SessionId,
        Self::SignedUrl,
        Self::WebhookUrl,
        Self::OneTimeLink,
        Self::BasicCredentials,
        Self::OpaqueToken,
        Self::FlowWeakness,
    ];

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AccessToken => "access_token",
            Self::IdToken => "id_token",
            Self::RefreshToken => "refresh_token",
            Self::AuthorizationCode => "authorization_code",
            Self::CodeVerifier => "code_verifier",
            Self::CodeChallenge => "code_challenge",
            Self::ClientSecret => "client_secret",
            Self::ClientAssertion => "client_assertion",
            Self::Assertion => "assertion",
            Self::RequestObject => "request_object",
            Self::JarmResponse => "jarm_response",
            Self::LogoutToken => "logout_token",
            Self::DeviceCode => "device_code",
            Self::UserCode => "user_code",
            Self::SamlMessage => "saml_message",
            Self::SamlArtifact => "saml_artifact",
            Self::WsfedToken => "wsfed_token",
            Self::CasTicket => "cas_ticket",
            Self::Oauth1Token => "oauth1_token",
            Self::Oauth1Verifier => "oauth1_verifier",
            Self::Password => "password",
            Self::ApiKey => "api_key",
            Self::PrivateKey => "private_key",
            Self::SessionId => "session_id",
            Self::SignedUrl => "signed_url",
            Self::WebhookUrl => "webhook_url",
            Self::OneTimeLink => "one_time_link",
            Self::BasicCredentials => "basic_credentials",
            Self::OpaqueToken => "opaque_token",
            Self::FlowWeakness => "flow_weakness",
        }
    }

    /// Whether values of this kind are chosen by people or short by design, so that a bare hash of one
    /// could be searched for whatever its length.
    pub fn is_low_entropy(self) -> bool {
        matches!(
            self,
            Self::Password | Self::UserCode | Self::BasicCredentials
        )
    }

    /// Whether a client hands it to the token endpoint for tokens, and not to prove who the client is.
    pub fn is_redeemed(self) -> bool {
        matches!(
            self,
            Self::AuthorizationCode
                | Self::RefreshToken
                | Self::CodeVerifier
                | Self::DeviceCode
                | Self::Password
        )
    }
}

/// In which part of a message a value sat.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Slot {
    /// Query of a URL.
    Query,
    /// Fragment of a URL.
    Fragment,
    /// Path of a URL, path parameters included.
    Path,
    /// `user:password@` of a URL.
    Userinfo,
    /// HTTP header.
    Header,
    /// Cookie, sent or set.
    Cookie,
    /// Field of a form body, multipart and `form_post` included.
    Form,
    /// Member of a JSON document.
    Json,
    /// Local storage, session storage, autofill and other stored pairs.
    Storage,
    /// Running text.
    Text,
}

impl Slot {
    /// Every slot.
    pub const ALL: [Self; 10] = [
        Self::Query,
        Self::Fragment,
        Self::Path,
        Self::Userinfo,
        Self::Header,
        Self::Cookie,
        Self::Form,
        Self::Json,
        Self::Storage,
        Self::Text,
    ];

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Fragment => "fragment",
            Self::Path => "path",
            Self::Userinfo => "userinfo",
            Self::Header => "header",
            Self::Cookie => "cookie",
            Self::Form => "form",
            Self::Json => "json",
            Self::Storage => "storage",
            Self::Text => "text",
        }
    }

    /// Whether the slot is a part of a URL.
    pub fn is_url(self) -> bool {
        matches!(
            self,
            Self::Query | Self::Fragment | Self::Path | Self::Userinfo
        )
    }
}
