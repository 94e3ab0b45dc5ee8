//! The closed vocabularies of this stage: flows, modifiers, what is known of PKCE, weaknesses.
//! Names only; which one fits is decided beside it.

/// A name for a protocol run ([`super::Trail::grant`]) or for the way a value got where it lies
/// ([`super::Exposure::flow`]). The names are those of `docs/flows.md`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Flow {
    /// `response_type=token` (RFC 6749 §4.2).
    Implicit,
    /// `response_type=id_token` (OpenID Connect Core §3.2).
    ImplicitOidcIdtoken,
    /// `response_type=id_token token` (OpenID Connect Core §3.2).
    ImplicitOidcBoth,
    /// `response_type=code id_token` (OpenID Connect Core §3.3).
    HybridCodeIdtoken,
    /// `response_type=code token` (OpenID Connect Core §3.3).
    HybridCodeToken,
    /// `response_type=code id_token token` (OpenID Connect Core §3.3).
    HybridCodeIdtokenToken,
    /// Code flow, PKCE not observed.
    Code,
    /// Code flow, request seen without a challenge, client type unknown.
    CodeNopkce,
    /// Code flow without PKCE by a client that does not authenticate.
    CodeNopkcePublic,
    /// Code flow without PKCE by a client that authenticates.
    CodeSecret,
    /// Code flow with PKCE S256 (RFC 7636).
    CodePkceS256,
    /// Code flow with PKCE plain, stated or by omission (RFC 7636 §4.3).
    CodePkcePlain,
    /// Resource owner password credentials (RFC 6749 §4.3).
    Ropc,
    /// Client credentials (RFC 6749 §4.4).
    ClientCredentials,
    /// Device authorization (RFC 8628).
    Device,
    /// Refresh (RFC 6749 §6).
    Refresh,
    /// JWT bearer (RFC 7523 §2.1).
    JwtBearer,
    /// SAML bearer (RFC 7522 §2.1).
    SamlBearer,
    /// Token exchange (RFC 8693).
    TokenExchange,
    /// Client-initiated back-channel authentication.
    Ciba,
    /// SAML POST binding.
    SamlPost,
    /// SAML redirect binding.
    SamlRedirect,
    /// SAML artifact binding.
    SamlArtifact,
    /// WS-Federation.
    Wsfed,
    /// CAS.
    Cas,
    /// OAuth 1.0a (RFC 5849).
    Oauth1,
    /// The client's own back end put a token into a fragment.
    HandoffFragment,
    /// The client's own back end put a token into a query.
    HandoffQuery,
    /// A token in the query of an API call (RFC 6750 §2.3).
    BearerInQuery,
    /// A one-time login link.
    MagicLink,
    /// Reset, verification, invitation.
    AccountAction,
    /// A token in a logout URL.
    LogoutLeak,
    /// A signed URL.
    SignedUrl,
    /// A webhook or bot URL.
    Webhook,
    /// A token in a fragment, implicit or hand-off: the evidence does not tell.
    FragmentTokenUnattributed,
    /// The authorization server answered with an error.
    Failed,
    /// None that the evidence tells.
    Unknown,
}

impl Flow {
    /// Every one, in the order of the documentation.
    pub const ALL: [Self; 37] = [
        Self::Implicit,
        Self::ImplicitOidcIdtoken,
        Self::ImplicitOidcBoth,
        Self::HybridCodeIdtoken,
        Self::HybridCodeToken,
        Self::HybridCodeIdtokenToken,
        Self::Code,
        Self::CodeNopkce,
        Self::CodeNopkcePublic,
        Self::CodeSecret,
        Self::CodePkceS256,
        Self::CodePkcePlain,
        Self::Ropc,
        Self::ClientCredentials,
        Self::Device,
        Self::Refresh,
        Self::JwtBearer,
        Self::SamlBearer,
        Self::TokenExchange,
        Self::Ciba,
        Self::SamlPost,
        Self::SamlRedirect,
        Self::SamlArtifact,
        Self::Wsfed,
        Self::Cas,
        Self::Oauth1,
        Self::HandoffFragment,
        Self::HandoffQuery,
        Self::BearerInQuery,
        Self::MagicLink,
        Self::AccountAction,
        Self::LogoutLeak,
        Self::SignedUrl,
        Self::Webhook,
        Self::FragmentTokenUnattributed,
        Self::Failed,
        Self::Unknown,
    ];

    /// Whether the authorization endpoint itself answers with tokens: the implicit grant, and the hybrid flow (OAuth 2.0
    /// Multiple Response Types §3, §5).
    pub fn is_front(self) -> bool {
        matches!(
            self,
            Self::Implicit
                | Self::ImplicitOidcIdtoken
                | Self::ImplicitOidcBoth
                | Self::HybridCodeIdtoken
                | Self::HybridCodeToken
                | Self::HybridCodeIdtokenToken
        )
    }

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Implicit => "implicit",
            Self::ImplicitOidcIdtoken => "implicit-oidc-idtoken",
            Self::ImplicitOidcBoth => "implicit-oidc-both",
            Self::HybridCodeIdtoken => "hybrid-code-idtoken",
            Self::HybridCodeToken => "hybrid-code-token",
            Self::HybridCodeIdtokenToken => "hybrid-code-idtoken-token",
            Self::Code => "code",
            Self::CodeNopkce => "code-nopkce",
            Self::CodeNopkcePublic => "code-nopkce-public",
            Self::CodeSecret => "code-secret",
            Self::CodePkceS256 => "code-pkce-s256",
            Self::CodePkcePlain => "code-pkce-plain",
            Self::Ropc => "ropc",
            Self::ClientCredentials => "client-credentials",
            Self::Device => "device",
            Self::Refresh => "refresh",
            Self::JwtBearer => "jwt-bearer",
            Self::SamlBearer => "saml-bearer",
            Self::TokenExchange => "token-exchange",
            Self::Ciba => "ciba",
            Self::SamlPost => "saml-post",
            Self::SamlRedirect => "saml-redirect",
            Self::SamlArtifact => "saml-artifact",
            Self::Wsfed => "wsfed",
            Self::Cas => "cas",
            Self::Oauth1 => "oauth1",
            Self::HandoffFragment => "handoff-fragment",
            Self::HandoffQuery => "handoff-query",
            Self::BearerInQuery => "bearer-in-query",
            Self::MagicLink => "magic-link",
            Self::AccountAction => "account-action",
            Self::LogoutLeak => "logout-leak",
            Self::SignedUrl => "signed-url",
            Self::Webhook => "webhook",
            Self::FragmentTokenUnattributed => "fragment-token-unattributed",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }
}

/// What else is true of a protocol run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Modifier {
    /// Pushed authorization request (RFC 9126).
    Par,
    /// Request object (RFC 9101).
    Jar,
    /// JWT-secured response (JARM).
    Jarm,
    /// The response came in a form post.
    FormPost,
    /// `prompt=none`.
    Silent,
    /// A refresh token was asked for.
    Offline,
    /// The code or the token is bound to a DPoP key (RFC 9449).
    Dpop,
    /// A back end answered the callback with a session cookie (backend for frontend).
    Bff,
    /// A hosted authentication service handed the tokens over.
    HostedAuth,
    /// The client is a native application: private-use scheme or loopback redirect (RFC 8252).
    Native,
}

impl Modifier {
    /// Every one, in the order of the documentation.
    pub const ALL: [Self; 10] = [
        Self::Par,
        Self::Jar,
        Self::Jarm,
        Self::FormPost,
        Self::Silent,
        Self::Offline,
        Self::Dpop,
        Self::Bff,
        Self::HostedAuth,
        Self::Native,
    ];

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Par => "par",
            Self::Jar => "jar",
            Self::Jarm => "jarm",
            Self::FormPost => "form-post",
            Self::Silent => "silent",
            Self::Offline => "offline",
            Self::Dpop => "dpop",
            Self::Bff => "bff",
            Self::HostedAuth => "hosted-auth",
            Self::Native => "native",
        }
    }
}

/// What the evidence says of PKCE in a protocol run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Pkce {
    /// No request, or one that hides its parameters, and no token request: not observed.
    NotObserved,
    /// A request without a challenge.
    None,
    /// A challenge under plain, stated or by omission.
    Plain,
    /// A challenge under S256.
    S256,
    /// A verifier was sent; its challenge was not seen.
    VerifierOnly,
}

impl Pkce {
    /// Every one, in the order of the documentation.
    pub const ALL: [Self; 5] = [
        Self::NotObserved,
        Self::None,
        Self::Plain,
        Self::S256,
        Self::VerifierOnly,
    ];

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotObserved => "not-observed",
            Self::None => "none",
            Self::Plain => "plain",
            Self::S256 => "s256",
            Self::VerifierOnly => "verifier-only",
        }
    }
}

/// Weaknesses of a flow (RFC 9700 §2).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum WeaknessKind {
    /// Request without `state`, `nonce` and PKCE: nothing stops CSRF (RFC 9700 §4.7).
    NoState,
    /// One `state` in many runs.
    ConstantState,
    /// One challenge in many runs (RFC 9700 §2.1.1).
    ConstantChallenge,
    /// PKCE plain (RFC 9700 §2.1.1).
    PkcePlain,
    /// No PKCE (RFC 9700 §2.1.1).
    NoPkce,
    /// The server issues tokens to whoever lacks the verifier (RFC 9700 §2.1.1).
    PkceNotEnforced,
    /// `redirect_uri` is http and not loopback (RFC 9700 §2.6).
    HttpRedirect,
    /// `redirect_uri` has a private-use scheme that another app can claim (RFC 8252 §8.1).
    CustomScheme,
    /// `response_type` asks for a token in the front channel (RFC 9700 §2.1.2).
    ImplicitRequested,
    /// Password grant (RFC 9700 §2.4).
    Ropc,
}

impl WeaknessKind {
    /// Every one, in the order of the documentation.
    pub const ALL: [Self; 10] = [
        Self::NoState,
        Self::ConstantState,
        Self::ConstantChallenge,
        Self::PkcePlain,
        Self::NoPkce,
        Self::PkceNotEnforced,
        Self::HttpRedirect,
        Self::CustomScheme,
        Self::ImplicitRequested,
        Self::Ropc,
    ];

    /// The name on the wire, in `--fail-on weakness:` and in `explain`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoState => "no-state",
            Self::ConstantState => "constant-state",
            Self::ConstantChallenge => "constant-challenge",
            Self::PkcePlain => "pkce-plain",
            Self::NoPkce => "no-pkce",
            Self::PkceNotEnforced => "pkce-not-enforced",
            Self::HttpRedirect => "http-redirect",
            Self::CustomScheme => "custom-scheme",
            Self::ImplicitRequested => "implicit-requested",
            Self::Ropc => "password-grant",
        }
    }
}
