//! What applications keep beside their tokens: none of it is a finding. And what the well-known libraries
//! keep: all of it is, under its kind.

use tokentrail::atoms::{FingerprintKey, Kind};
use tokentrail::collect::Store;
use tokentrail::detect::{Detector, Memory, REPORT, Reveal, Role, Sighting, sightings};

use super::leveldb::{Change, local, log, namespace, session};
use super::{Seen, rules, scan_as};

const APP: &str = "https://app.example";

/// Key and value of web storage.
const DECOYS: &[(&str, &str)] = &[
    ("theme", "dark"),
    ("i18nextLng", "en-US"),
    ("_ga", "GA1.2.1234567890.1700000000"),
    ("_gid", "GA1.2.987654321.1700000000"),
    ("_fbp", "fb.1.1700000000000.1234567890"),
    (
        "ajs_anonymous_id",
        "\"5f2b1c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d\"",
    ),
    ("ajs_user_traits", "{\"plan\":\"pro\",\"seats\":12}"),
    (
        "amplitude_id_abc",
        "{\"deviceId\":\"c1d2e3f4-a5b6-4c7d-8e9f-0a1b2c3d4e5f\",\"sessionId\":1700000000000}",
    ),
    (
        "mp_1234_mixpanel",
        "{\"distinct_id\":\"18b2f3a4c5d6e7-0f1a2b3c4d5e6f-1b2c3d4e\",\"$initial_referrer\":\"$direct\"}",
    ),
    (
        "optimizely_data$$oeu17$$visitor_profile",
        "{\"profile\":{\"visitorId\":\"oeu1700000000000r0.1234\"}}",
    ),
    ("ld:$anonUserId", "7c6b5a49-3828-4716-9504-f3e2d1c0b9a8"),
    (
        "feature_flags",
        "{\"new-checkout\":true,\"code_split\":false,\"token-refresh-v2\":\"off\"}",
    ),
    (
        "launchdarkly:flags",
        "{\"token_bucket\":{\"value\":3,\"version\":17}}",
    ),
    ("csrf_token", "8f14e45fceea167a5a36dedd4bea2543"),
    ("XSRF-TOKEN", "Zr6mV1QK0p9Y2s4T8u1W3x5A7b9C1d3E"),
    (
        "__RequestVerificationToken",
        "CfDJ8Nq0w2r4t6y8u0i2o4p6a8s0d2f4g6h8j0k2",
    ),
    ("authenticity_token", "q3Jk9s0Lm2Np4Rt6Vx8Za0Bc2De4Fg6H"),
    (
        "recaptcha_token",
        "03AFcWeA5dCJ0qZ1x2y3z4a5b6c7d8e9f0a1b2c3",
    ),
    ("device_id", "b7e23ec2-9a4c-4b1e-8f00-d8a1c2b3e4f5"),
    ("installation_id", "3f2504e0-4f89-11d3-9a0c-0305e82c3301"),
    ("push_token", "dGhpcyBpcyBub3QgYSBzZWNyZXQ"),
    ("fcm_token", "APA91bHun4MxP5egoKMwt2KZFBaFUH"),
    (
        "telemetry.session",
        "{\"id\":\"0b1c2d3e-4f50-4617-8829-3a4b5c6d7e8f\",\"seq\":18}",
    ),
    ("lastVisitedPage", "/orders/1190?page=2"),
    (
        "recent_searches",
        "[\"what is an access token\",\"code review\"]",
    ),
    ("country_code", "DE"),
    ("promo_code", "SUMMER2026"),
    ("zip_code", "10115"),
    ("language_code", "en"),
    ("error_code", "404"),
    ("page_token", "CAUQAA"),
    ("next_page_token", "EAAaBlBUOkNBVQ"),
    (
        "cart",
        "{\"items\":[{\"sku\":\"A-100\",\"qty\":1}],\"coupon\":\"WELCOME10\"}",
    ),
    ("onboarding_state", "completed"),
    ("state", "expanded"),
    ("sidebar-state", "{\"open\":true,\"width\":240}"),
    ("loglevel:webpack-dev-server", "SILENT"),
    (
        "persist:root",
        "{\"ui\":\"{\\\"modal\\\":null}\",\"_persist\":\"{\\\"version\\\":-1}\"}",
    ),
    ("redux_form", "{\"password_visible\":false,\"token\":null}"),
    ("token", "undefined"),
    ("access_token", "null"),
    ("id_token", ""),
    ("refresh_token", "[object Object]"),
    (
        "password_policy",
        "{\"min_length\":12,\"password\":\"At least 12 characters\"}",
    ),
    ("vscode.codeLens", "true"),
    ("color-tokens", "{\"token\":\"var(--blue-500)\"}"),
    (
        "intercom.intercom-state-abc",
        "{\"app\":{\"openConfig\":{\"type\":null}}}",
    ),
    (
        "hjSessionUser_123",
        "eyJpZCI6IjJkM2U0ZjUwLTYxNzItNGE4My05NDk1LWE2YjdjOGQ5ZTBmMSIsImNyZWF0ZWQiOjE3MDAwMDAwMDAwMDB9",
    ),
    (
        "sentry-replay",
        "{\"segmentId\":4,\"errorIds\":[],\"id\":\"9f8e7d6c5b4a39281706f5e4d3c2b1a0\"}",
    ),
    (
        "build",
        "{\"commit\":\"4a5b6c7d8e9f0a1b2c3d4e5f60718293a4b5c6d7\",\"version\":\"1.2.3\"}",
    ),
    ("etag:/api/items", "W/\"5f-8a9b0c1d2e3f4a5b6c7d8e9f\""),
];

fn detected(seen: &Seen) -> Vec<Sighting> {
    let key = FingerprintKey::default();
    let detector = Detector {
        rules: rules(),
        key: &key,
        jwks: None,
        reveal: Reveal::default(),
    };
    let mut memory = Memory::default();
    let all = seen.observations.iter();
    all.flat_map(|seen| sightings(seen, &detector, &mut memory))
        .collect()
}

fn stores(pairs: &[(&str, &str)]) -> [Seen; 2] {
    let in_local: Vec<Change> = pairs
        .iter()
        .map(|(key, value)| local(APP, key, value))
        .collect();
    let mut in_session = vec![namespace(0, APP)];
    in_session.extend(pairs.iter().map(|(key, value)| session(0, key, value)));
    [in_local, in_session].map(|changes| scan_as("000003.log", &log(1, &[changes])))
}

#[test]
fn what_is_no_credential_is_no_finding() {
    assert!(DECOYS.len() >= 40);
    for seen in stores(DECOYS) {
        assert_eq!(seen.problems, [] as [&str; 0]);
        for sighting in detected(&seen) {
            let reported: Vec<_> = sighting
                .credentials
                .iter()
                .filter(|credential| credential.score >= REPORT)
                .map(|credential| (&credential.name, &credential.rule, credential.score))
                .collect();
            assert_eq!(reported, [], "{:?}", sighting.params);
        }
    }
}

const VERIFIER: &str = "Zk3vQ9xT1mB7nR5wY2cD8fG4hJ6kL0pS-aUeIoXyVtE";

/// An ID token that nobody signed.
fn id_token() -> String {
    let part = |json: &str| data_encoding::BASE64URL_NOPAD.encode(json.as_bytes());
    let claims = r#"{"iss":"https://login.example","aud":"c1","sub":"a","nonce":"n","iat":1795410000,"exp":1795413600}"#;
    let head = r#"{"alg":"RS256","typ":"JWT"}"#;
    format!(
        "{}.{}.{}",
        part(head),
        part(claims),
        part("made up, verifies nowhere")
    )
}

/// Key, value and the kinds in it, in order: what libraries write.
fn libraries() -> Vec<(&'static str, String, Vec<Kind>)> {
    use Kind::{AccessToken, CodeVerifier, IdToken, OpaqueToken, RefreshToken};
    let opaque = |name: &str| format!("{name}-0Zr6mV1QK0p9Y2s4T8u1W3x5A7b9C1d3E");
    vec![
        // oidc-client-ts: a run that waits for its callback, and the user after it.
        ("oidc.4f0a9c1e7b3d4c58a2e6f1d09b7c8a53", format!("{{\"id\":\"4f0a9c1e7b3d4c58a2e6f1d09b7c8a53\",\"created\":1795410000,\"request_type\":\"si:r\",\"code_verifier\":\"{VERIFIER}\",\"authority\":\"https://idp.example\",\"client_id\":\"spa\",\"redirect_uri\":\"https://app.example/cb\",\"scope\":\"openid\",\"response_mode\":\"query\"}}"), vec![CodeVerifier]),
        ("oidc.user:https://idp.example:spa", format!("{{\"access_token\":\"{}\",\"refresh_token\":\"{}\",\"token_type\":\"Bearer\",\"scope\":\"openid\",\"profile\":{{\"sub\":\"a\"}},\"expires_at\":1795413600}}", opaque("at"), opaque("rt")), vec![AccessToken, RefreshToken]),
        // auth0-spa-js.
        ("a0.spajs.txs.Ab1Cd2Ef3", format!("{{\"nonce\":\"bm9uY2U\",\"scope\":\"openid\",\"audience\":\"default\",\"redirect_uri\":\"https://app.example\",\"code_verifier\":\"{VERIFIER}\",\"state\":\"c3RhdGU\"}}"), vec![CodeVerifier]),
        ("@@auth0spajs@@::Ab1Cd2Ef3::default::openid offline_access", format!("{{\"body\":{{\"client_id\":\"Ab1Cd2Ef3\",\"access_token\":\"{}\",\"refresh_token\":\"{}\",\"scope\":\"openid\",\"expires_in\":86400,\"token_type\":\"Bearer\"}},\"expiresAt\":1795413600}}", opaque("at"), opaque("rt")), vec![AccessToken, RefreshToken]),
        // MSAL.
        ("0a1b.2c3d-login.example-accesstoken-c1-t1-user.read--", format!("{{\"homeAccountId\":\"0a1b.2c3d\",\"credentialType\":\"AccessToken\",\"secret\":\"{}\",\"cachedAt\":\"1795410000\",\"expiresOn\":\"1795413600\",\"environment\":\"login.example\",\"clientId\":\"c1\",\"realm\":\"t1\",\"target\":\"user.read\",\"tokenType\":\"Bearer\"}}", opaque("at")), vec![AccessToken]),
        ("0a1b.2c3d-login.example-refreshtoken-c1----", format!("{{\"credentialType\":\"RefreshToken\",\"secret\":\"{}\",\"clientId\":\"c1\"}}", opaque("rt")), vec![RefreshToken]),
        ("0a1b.2c3d-login.example-idtoken-c1-t1---", format!("{{\"credentialType\":\"IdToken\",\"secret\":\"{}\",\"clientId\":\"c1\"}}", id_token()), vec![IdToken]),
        ("msal.c1.code.verifier", VERIFIER.into(), vec![CodeVerifier]),
        ("msal.c1.request.params", data_encoding::BASE64.encode(format!("{{\"authority\":\"https://login.example\",\"clientId\":\"c1\",\"codeVerifier\":\"{VERIFIER}\",\"redirectUri\":\"https://app.example\"}}").as_bytes()), vec![CodeVerifier]),
        // angular-oauth2-oidc, oauth4webapi samples, Cognito, Okta, Supabase, react-oauth2-code-pkce, Keycloak.
        ("PKCE_verifier", VERIFIER.into(), vec![CodeVerifier]),
        ("pkce_code_verifier", VERIFIER.into(), vec![CodeVerifier]),
        ("code_verifier", VERIFIER.into(), vec![CodeVerifier]),
        ("codeVerifier", VERIFIER.into(), vec![CodeVerifier]),
        ("ROCP_PKCE_code_verifier", format!("\"{VERIFIER}\""), vec![CodeVerifier]),
        ("ROCP_token", format!("\"{}\"", opaque("at")), vec![OpaqueToken]),
        ("ROCP_refreshToken", format!("\"{}\"", opaque("rt")), vec![RefreshToken]),
        ("sb-abcdef-auth-token-code-verifier", format!("\"{VERIFIER}/recovery\""), vec![CodeVerifier]),
        ("sb-abcdef-auth-token", format!("{{\"access_token\":\"{}\",\"refresh_token\":\"{}\",\"token_type\":\"bearer\",\"expires_in\":3600}}", opaque("at"), opaque("rt")), vec![AccessToken, RefreshToken]),
        ("okta-transaction-storage", format!("{{\"codeVerifier\":\"{VERIFIER}\",\"codeChallengeMethod\":\"S256\",\"redirectUri\":\"https://app.example/cb\"}}"), vec![CodeVerifier]),
        ("okta-token-storage", format!("{{\"accessToken\":{{\"accessToken\":\"{}\",\"tokenType\":\"Bearer\",\"expiresAt\":1795413600}}}}", opaque("at")), vec![AccessToken]),
        ("kc-callback-4f0a9c1e-7b3d-4c58-a2e6-f1d09b7c8a53", format!("{{\"state\":\"4f0a9c1e-7b3d-4c58-a2e6-f1d09b7c8a53\",\"nonce\":\"9b7c8a53\",\"redirectUri\":\"https%3A%2F%2Fapp.example%2F\",\"pkceCodeVerifier\":\"{VERIFIER}\"}}"), vec![CodeVerifier]),
        ("CognitoIdentityServiceProvider.c1.u1.refreshToken", opaque("rt"), vec![RefreshToken]),
        ("access_token", opaque("at"), vec![AccessToken]),
        // AppAuth, Amplify, ADAL, Firebase, Ory, Clerk.
        ("k1_appauth_authorization_request", format!("{{\"response_type\":\"code\",\"client_id\":\"spa\",\"redirect_uri\":\"https://app.example/cb\",\"scope\":\"openid\",\"state\":\"xYz0123456\",\"extras\":{{\"code_challenge\":\"abc\"}},\"internal\":{{\"code_verifier\":\"{VERIFIER}\"}}}}"), vec![CodeVerifier]),
        ("CognitoIdentityServiceProvider.c1.oauthPKCE", VERIFIER.into(), vec![CodeVerifier]),
        ("ouath_pkce_key", VERIFIER.into(), vec![CodeVerifier]),
        ("adal.idtoken", id_token(), vec![IdToken]),
        ("firebase:authUser:AbC:[DEFAULT]", format!("{{\"uid\":\"u1\",\"stsTokenManager\":{{\"refreshToken\":\"{}\",\"accessToken\":\"{}\",\"expirationTime\":1795413600000}},\"apiKey\":\"k\"}}", opaque("rt"), opaque("at")), vec![RefreshToken, AccessToken]),
        ("oauth2-pkce-verifier", VERIFIER.into(), vec![CodeVerifier]),
        ("verifier", VERIFIER.into(), vec![CodeVerifier]),
        ("pkce", format!("{{\"verifier\":\"{VERIFIER}\",\"state\":\"abcdef0123456789\"}}"), vec![CodeVerifier]),
    ]
}

#[test]
fn what_libraries_keep_is_found_under_its_kind_with_store_and_origin() {
    let mut missed = Vec::new();
    for (key, value, kinds) in libraries() {
        let expected = [Store::LocalStorage, Store::SessionStorage];
        for (seen, store) in stores(&[(key, &value)]).iter().zip(expected) {
            let found = detected(seen);
            let reported: Vec<Kind> = found
                .iter()
                .flat_map(|sighting| &sighting.credentials)
                .filter(|credential| credential.score >= REPORT)
                .map(|credential| credential.kind)
                .collect();
            if reported != kinds {
                missed.push(format!("{key} in {}: {reported:?}", store.as_str()));
                continue;
            }
            for sighting in found {
                assert_eq!(sighting.role, Role::Stored, "{key}");
                assert_eq!(sighting.store, Some(store), "{key}");
                let host = sighting.address.map(|address| address.host);
                assert_eq!(host.as_deref(), Some("app.example"), "{key}");
            }
        }
    }
    assert!(missed.is_empty(), "{missed:#?}");
}
