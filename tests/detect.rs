//! Detection from the outside: what is found, what is not, and what never shows.

mod snippet;

use std::sync::LazyLock;

use proptest::prelude::*;
use tokentrail::atoms::rules::Rules;
use tokentrail::atoms::{FingerprintKey, JoinKey, KeyKind, Kind, Locator, Raw};
use tokentrail::collect::Payload;
use tokentrail::detect::{
    Channel, Decoding, Detector, Memory, REPORT, Reveal, Role, Sighting, Signature, sightings,
};

static RULES: LazyLock<Rules> = LazyLock::new(snippet::rules);

fn detect(text: &str) -> Vec<Sighting> {
    snippet::detect(&RULES, &snippet::observation(text))
}

/// Detection that reveals nothing.
fn detector(key: &FingerprintKey) -> Detector<'_> {
    Detector {
        rules: &RULES,
        key,
        jwks: None,
        reveal: Reveal::default(),
    }
}

fn reported(sightings: &[Sighting]) -> Vec<(Kind, String)> {
    sightings
        .iter()
        .flat_map(|sighting| &sighting.credentials)
        .filter(|credential| credential.score >= REPORT)
        .map(|credential| (credential.kind, credential.rule.to_string()))
        .collect()
}

/// Snippet, and the kinds that must be reported in it, in order.
const FOUND: &[(&str, &[Kind])] = &[
    (
        "https://app.example/cb?code={{opaque:6}}&state=abc",
        &[Kind::AuthorizationCode],
    ),
    (
        "https://app.example/cb?state=abc;code={{opaque:20}}",
        &[Kind::AuthorizationCode],
    ),
    (
        "https://app.example/cb?state=abc&amp;code={{opaque:20}}",
        &[Kind::AuthorizationCode],
    ),
    (
        "https://app.example/cb?code={{opaque:20}}%23_=_&state=x1",
        &[Kind::AuthorizationCode],
    ),
    (
        "/cb?code={{opaque:20}}&state=x1",
        &[Kind::AuthorizationCode],
    ),
    (
        "com.example.app:/oauth2redirect?code={{opaque:20}}&state=x1",
        &[Kind::AuthorizationCode],
    ),
    (
        "http://127.0.0.1:8912/?code={{opaque:20}}&state=x1",
        &[Kind::AuthorizationCode],
    ),
    (
        "https://app.example/?foo=bar?code={{opaque:20}}&state=x1",
        &[Kind::AuthorizationCode],
    ),
    (
        "https://app.example/#/access_token={{opaque:20}}&token_type=bearer",
        &[Kind::AccessToken],
    ),
    (
        "https://app.example/#!/cb?access_token={{opaque:20}}",
        &[Kind::AccessToken],
    ),
    (
        "https://app.example/x#access_token={{opaque:32}}&id_token={{jwt:id}}&state=x",
        &[Kind::AccessToken, Kind::IdToken],
    ),
    (
        "https://a.example/?u=https%253A%252F%252Fb.example%252F%253Faccess_token%253D{{opaque:30}}",
        &[Kind::AccessToken],
    ),
    (
        "https://a.example/cb?error=x&state={{base64:{\"r\":\"https://b.example/#access_token=abcdef0123456789\"}}}",
        &[Kind::AccessToken],
    ),
    (
        "https://a.example/?data=%7B%22access_token%22%3A%22{{opaque:30}}%22%7D",
        &[Kind::AccessToken],
    ),
    (
        "https://a.example/?%61ccess_token={{opaque:30}}",
        &[Kind::AccessToken],
    ),
    ("https://u1:S3cretpw@a.example/", &[Kind::BasicCredentials]),
    (
        "https://hooks.slack.com/services/T{{upper:8}}/B{{upper:8}}/{{opaque:24}}",
        &[Kind::WebhookUrl],
    ),
    (
        "https://a.example/?ref={{prefix:ghp_:36}}",
        &[Kind::AccessToken],
    ),
    (
        "https://a.example/cb?code={{opaque:24}}&state={{jwt:plain}}",
        &[Kind::AuthorizationCode],
    ),
    ("cookie access_token = {{opaque:40}}", &[Kind::AccessToken]),
    (
        "cookie auth = Bearer%20{{jwt:access}}",
        &[Kind::AccessToken],
    ),
    (
        "local oidc.user:https://as.example:c1 = {\"id_token\":\"{{jwt:id}}\",\"access_token\":\"{{opaque:40}}\",\"token_type\":\"Bearer\"}",
        &[Kind::IdToken, Kind::AccessToken],
    ),
    (
        "text: \\\"access_token\\\":\\\"{{opaque:40}}\\\"",
        &[Kind::AccessToken],
    ),
    (
        "text: curl -H 'Authorization: Bearer {{opaque:40}}' https://api.example/x",
        &[Kind::AccessToken],
    ),
    (
        "text: curl https://api.example/x access_token=={{opaque:40}}",
        &[Kind::AccessToken],
    ),
    (
        "text: headers: {Authorization=Bearer {{opaque:40}}, Host=api.example}",
        &[Kind::AccessToken],
    ),
    (
        "text: metadata: map[authorization:[Bearer {{opaque:40}}] user-agent:[grpc-go/1.60]]",
        &[Kind::AccessToken],
    ),
    (
        "text: query string: {code={{opaque:40}}, state={{opaque:22}}, x=1}",
        &[Kind::AuthorizationCode],
    ),
    (
        "text: exchanging code for tokens: code={{opaque:40}} redirect_uri=https://app.example/cb",
        &[Kind::AuthorizationCode],
    ),
    (
        "text: token: &{AccessToken:{{opaque:40}} TokenType:Bearer RefreshToken: Expiry:2026-01-01 00:00:00}",
        &[Kind::AccessToken],
    ),
    (
        "text: click url=https://urldefense.com/v3/__https://app.example/reset-password?token={{opaque:40}}__;!!AbC!xyz$",
        &[Kind::OneTimeLink],
    ),
    (
        "https://urldefense.com/v3/__https://app.example/cb*access_token={{opaque:40}}&state=x1__;Iw!!AbC!xyz$",
        &[Kind::AccessToken],
    ),
    (
        "200 https://api.example/g\n\n{\"headers\":[[\"Host\",\"a.example\"],[\"Authorization\",\"Bearer {{opaque:40}}\"]]}",
        &[Kind::AccessToken],
    ),
    (
        "200 https://api.example/g\n\n{\"data\":{\"login\":{\"token\":\"{{jwt:plain}}\",\"refreshToken\":\"{{opaque:40}}\"}}}",
        &[Kind::OpaqueToken, Kind::RefreshToken],
    ),
    (
        "200 https://app.example/\n\n<html><body onload='x'><a href=\"/x?access_token={{opaque:30}}&amp;a=1\">x</a></body></html>",
        &[Kind::AccessToken],
    ),
    (
        "200 https://app.example/\n\n<script>window.location = \"https://app.example/#access_token={{opaque:30}}\";</script>",
        &[Kind::AccessToken],
    ),
    (
        "Referer: https://app.example/cb?code={{opaque:32}}&state={{opaque:8}}",
        &[Kind::AuthorizationCode],
    ),
    (
        "https://api.example/cb?response={{jwt:jarm}}",
        &[Kind::JarmResponse, Kind::AuthorizationCode],
    ),
    (
        "https://app.example/#/auth/{{jwt:plain}}",
        &[Kind::OpaqueToken],
    ),
    (
        "https://app.example/#!/callback/{{jwt:plain}}?x=1",
        &[Kind::OpaqueToken],
    ),
    ("https://app.example/#{{jwt:plain}}", &[Kind::OpaqueToken]),
    (
        "text: Cookie: theme=dark; connect.sid=s%3A{{opaque:32}}.{{opaque:43}}",
        &[Kind::SessionId],
    ),
    (
        "text: curl -b 'theme=dark; sessionid={{opaque:32}}' https://app.example/",
        &[Kind::SessionId],
    ),
    (
        "200 https://app.example/k\n\n{\"private_key\":\"-----BEGIN PRIVATE KEY-----\\n{{opaque:64}}\\n{{opaque:58}}\\n-----END PRIVATE KEY-----\\n\"}",
        &[Kind::PrivateKey],
    ),
    (
        "text: KEY=\"-----BEGIN EC PRIVATE KEY-----\n{{opaque:64}}\n{{opaque:58}}==\n-----END EC PRIVATE KEY-----\" X=1",
        &[Kind::PrivateKey],
    ),
    (
        "local key = -----BEGIN OPENSSH PRIVATE KEY-----\n{{opaque:64}}\n{{opaque:58}}\n-----END OPENSSH PRIVATE KEY-----",
        &[Kind::PrivateKey],
    ),
    (
        "https://app.example/?id_token={{jwt:none}}",
        &[Kind::IdToken],
    ),
];

#[test]
fn credentials_are_found_in_every_wrapping() {
    let mut wrong = Vec::new();
    for (text, kinds) in FOUND {
        let found = reported(&detect(text));
        let have: Vec<Kind> = found.iter().map(|(kind, _)| *kind).collect();
        if have != *kinds {
            wrong.push(format!("{text}\n    gave {found:?}"));
        }
        let bytes = snippet::bytes(&snippet::observation(text));
        if !RULES.needles.hit(&bytes) {
            wrong.push(format!("{text}\n    has no needle"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What looks like a credential and is none.
const DECOYS: &[&str] = &[
    "local key = -----BEGIN PUBLIC KEY-----\n{{opaque:64}}\n{{opaque:58}}\n-----END PUBLIC KEY-----",
    "text: -----BEGIN CERTIFICATE-----\n{{opaque:64}}\n{{opaque:58}}\n-----END CERTIFICATE-----",
    "text: -----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----",
    "text: -----BEGIN RSA PRIVATE KEY-----[REDACTED]-----END RSA PRIVATE KEY-----",
    "text: -----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----",
    "local key = -----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgevZzL1gdAFr88hb2\nOF/2NxApJCzGCEDdfSp6VQO30hyhRANCAAQRWz+jn65BtOMvdyHKcvjBeBSDZH2r\n1RTwjmYSi9R/zpBnuQ4EiMnCqfMPWiZqB4QdbAd0E7oH50VpuZ1P087G\n-----END PRIVATE KEY-----",
    "text: Cookie: theme=dark; _ga=GA1.2.{{digits:9}}.{{digits:10}}",
    "https://app.example/#/articles/how-to-log-in?x=1",
    "https://shop.example/cart?code=SAVE10",
    "https://shop.example/cart?coupon_code=SUMMER-2026-VIP",
    "https://shop.example/gift?code=ABCD-EFGH-1234",
    "https://shop.example/checkout?promo=BLACKFRIDAY&code=BF2026&utm_source=mail",
    "https://site.example/?code=de&lang=de",
    "https://site.example/?country=DE&code=EUR",
    "https://site.example/error?code=404&status=404",
    "https://site.example/oops?error_code=500&code=E1042",
    "https://site.example/products?code=AB-1234-XL",
    "https://site.example/zip?code=90210",
    "https://site.example/verify?code=482913",
    "https://bank.example/branch?swift_code=DEUTDEFF500",
    "https://maps.example/maps/api/js?key=AIza{{opaque:35}}",
    "https://fb.example/?apiKey=AIza{{opaque:35}}",
    "https://api.mapbox.com/styles/v1/x?access_token=pk.eyJ{{opaque:60}}.{{opaque:22}}",
    "https://js.stripe.example/?key=pk_live_{{opaque:24}}",
    "https://api.example/items?pageToken={{opaque:60}}",
    "https://api.example/items?page_token={{base64:offset=100&limit=20&x=y}}",
    "https://api.example/items?nextPageToken={{opaque:60}}",
    "https://api.example/items?cursor={{base64:{\"id\":123,\"dir\":\"next\"}}}",
    "https://api.example/items?continuation={{opaque:60}}",
    "https://api.example/items?continuationToken={{opaque:60}}",
    "https://api.example/sync?sync_token={{opaque:40}}",
    "https://site.example/?csrf={{opaque:40}}",
    "https://site.example/?_csrf_token={{opaque:40}}",
    "https://site.example/?authenticity_token={{opaque:60}}",
    "https://site.example/?csrfmiddlewaretoken={{opaque:64}}",
    "https://site.example/?__RequestVerificationToken={{opaque:92}}",
    "https://site.example/?xsrfToken={{opaque:40}}",
    "https://site.example/?g-recaptcha-response={{opaque:400}}",
    "https://site.example/?h-captcha-response={{opaque:200}}",
    "https://site.example/?cf-turnstile-response={{opaque:200}}",
    "https://push.example/register?device_token={{hex:64}}",
    "https://push.example/register?push_token={{opaque:150}}",
    "https://push.example/register?fcm_token={{opaque:150}}",
    "https://mail.example/unsubscribe?token={{opaque:40}}",
    "https://mail.example/email/optout?token={{opaque:40}}",
    "https://ads.example/pixel?sid={{hex:32}}&token={{opaque:30}}",
    "https://ads.example/collect?v=2&tid=G-{{upper:10}}&cid={{digits:9}}.{{digits:10}}&sid={{digits:10}}",
    "https://site.example/?gclid={{opaque:90}}",
    "https://site.example/?fbclid=IwAR{{opaque:60}}",
    "https://site.example/?utm_source=news&utm_campaign={{opaque:30}}",
    "https://site.example/?msclkid={{hex:32}}",
    "https://cdn.example/img/{{hex:40}}.png?v={{hex:20}}",
    "https://cdn.example/app.js?hash={{hex:20}}",
    "https://cdn.example/image?sig={{hex:32}}&w=200",
    "https://img.example/x.jpg?token={{digits:12}}",
    "https://store.example/app?appid=440",
    "https://weather.example/data?appid=city",
    "https://crm.example/?sid=42",
    "https://radio.example/?sid=station-7",
    "https://support.example/?ticket=123456",
    "https://tram.example/?ticket={{opaque:24}}",
    "https://events.example/?ticket=EARLY-BIRD-2026",
    "https://site.example/?auth=john.doe",
    "https://site.example/?author=john&auth=smith",
    "https://site.example/list?key=created_at&sort=asc",
    "https://site.example/i18n?key=home.title.welcome",
    "https://s3.example/b?key=folder/file-2026-01-01.txt",
    "https://site.example/?state=CA&city=LA",
    "https://site.example/?state=open&code=bug",
    "https://jobs.example/?state=NY&code=10001",
    "https://site.example/?id={{hex:24}}",
    "https://site.example/?id={{opaque:11}}",
    "https://video.example/watch?v={{opaque:11}}&t=120",
    "https://site.example/?hash={{hex:40}}",
    "https://site.example/?access_token=undefined",
    "https://site.example/?access_token=null",
    "https://site.example/?access_token=%5Bobject%20Object%5D",
    "https://site.example/?access_token=YOUR_ACCESS_TOKEN",
    "https://site.example/?access_token=%7B%7Btoken%7D%7D",
    "https://site.example/?access_token=%3Ctoken%3E",
    "https://site.example/?client_secret=xxxxxxxxxxxx",
    "https://site.example/?token=true",
    "https://site.example/?token=home",
    "https://site.example/?token=usd-coin-ethereum",
    "https://dex.example/swap?token=0x{{hex:4}}",
    "https://site.example/?password=true",
    "https://site.example/?password=0",
    "https://site.example/forgot-password?email=u%40example.org",
    "https://site.example/?pass=season",
    "https://site.example/?pwd=/home/u1",
    "https://site.example/login?next=/account/password/change",
    "https://site.example/?q=access_token+expired+what+to+do",
    "https://docs.example/oauth#access_token-parameter",
    "https://docs.example/?page=response_type",
    "https://as.example/.well-known/openid-configuration",
    "https://as.example/authorize?client_id=c1&response_type=code&redirect_uri=https%3A%2F%2Fapp.example%2Fcb&scope=openid&state={{opaque:16}}&nonce={{opaque:16}}&code_challenge={{opaque:43}}&code_challenge_method=S256",
    "https://as.example/authorize?client_id=c1&redirect_uri=https%3A%2F%2Fapp.example%2Fcb&scope=repo&state={{opaque:16}}",
    "https://idp.example/sso?SAMLRequest={{deflated:AuthnRequest}}&RelayState={{opaque:20}}",
    "https://sp.example/slo?SAMLResponse={{deflated:LogoutResponse}}",
    "https://app.example/cb?error=access_denied&state={{opaque:16}}",
    "cookie _ga = GA1.2.{{digits:9}}.{{digits:10}}",
    "cookie csrftoken = {{opaque:64}}",
    "cookie XSRF-TOKEN = {{opaque:200}}",
    "cookie __cf_bm = {{opaque:90}}",
    "cookie theme = dark",
    "cookie _fbp = fb.1.{{digits:13}}.{{digits:10}}",
    "cookie ajs_anonymous_id = {{hex:8}}-{{hex:4}}-{{hex:4}}-{{hex:4}}-{{hex:12}}",
    "cookie AWSALB = {{opaque:100}}",
    "local theme = dark",
    "local mp_{{hex:32}}_mixpanel = {\"distinct_id\":\"{{hex:40}}\"}",
    "Content-Type: application/json",
    "If-None-Match: \"{{hex:40}}\"",
    "X-Request-Id: {{hex:32}}",
    "X-CSRF-Token: {{opaque:64}}",
    "Authorization: AWS4-HMAC-SHA256 Credential=x/20260101/eu/s3/aws4_request, SignedHeaders=host, Signature={{hex:64}}",
    "Authorization: Negotiate {{opaque:200}}",
    "DPoP: {{jwt:dpop}}",
    "200 https://api.example/x\n\n{\"code\":200,\"message\":\"ok\"}",
    "200 https://api.example/x\n\n{\"code\":\"INVALID_ARGUMENT\",\"state\":\"FAILED\"}",
    "200 https://api.example/x\n\n{\"items\":[{\"id\":\"{{hex:24}}\",\"code\":\"{{upper:12}}\",\"state\":\"active\"}],\"nextPageToken\":\"{{opaque:40}}\"}",
    "200 https://api.example/x\n\n{\"country\":{\"code\":\"DE\",\"state\":\"BY\"}}",
    "200 https://api.example/x\n\n{\"usage\":{\"prompt_tokens\":12,\"completion_tokens\":20,\"total_tokens\":32}}",
    "200 https://api.example/x\n\n{\"errors\":{\"password\":\"Password is too short\"}}",
    "200 https://api.example/x\n\n{\"labels\":{\"password\":\"Passwort\",\"username\":\"Benutzername\"}}",
    "200 https://api.example/x\n\n<form><input type=\"hidden\" name=\"authenticity_token\" value=\"{{opaque:80}}\"><input type=password name=password></form>",
    "200 https://api.example/x\n\n<script>if (params.code && params.state) { exchange(params.code); } var token = getToken();</script>",
    "200 https://cdn.example/app.js\n\nfunction f(e){var t=e.access_token,n=e.refresh_token;return{access_token:t,refreshToken:n,code_verifier:e.codeVerifier}}",
    "text: token expired for user 42, code=401 state=closed",
    "text: time=2026-01-01T00:00:00Z level=info msg=started code=0 key=value",
    "text: token: &{RefreshToken: TokenType:Bearer ClientSecret: Expiry:2026-01-01T00:00:00Z}",
    "200 https://api.example/x\n\n{\"query\":[[\"code\",\"US\"],[\"state\",\"CA\"]]}",
    "text: password changed for user=admin result=success",
];

#[test]
fn decoys_are_not_reported() {
    let mut wrong = Vec::new();
    for text in DECOYS {
        let found = reported(&detect(text));
        if !found.is_empty() {
            wrong.push(format!("{text}\n    gave {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn messages_have_the_role_that_the_protocol_gives_them() {
    let cases = [
        (
            "https://as.example/authorize?client_id=c1&response_type=code&redirect_uri=https%3A%2F%2Fa%2Fcb",
            Role::AuthorizationRequest,
            Channel::Front,
        ),
        (
            "https://app.example/cb?code={{opaque:32}}&state=x",
            Role::ResponseInQuery,
            Channel::Front,
        ),
        (
            "https://app.example/cb?error=access_denied&state=x",
            Role::ResponseInQuery,
            Channel::Front,
        ),
        (
            "https://app.example/#access_token={{opaque:32}}&token_type=bearer",
            Role::ResponseInFragment,
            Channel::Front,
        ),
        (
            "POST https://as.example/token\n\ngrant_type=authorization_code&code={{opaque:32}}",
            Role::TokenRequest,
            Channel::Direct,
        ),
        (
            "200 https://as.example/token\n\n{\"access_token\":\"{{opaque:32}}\",\"token_type\":\"Bearer\"}",
            Role::TokenResponse,
            Channel::Direct,
        ),
        (
            "POST https://app.example/cb\n\ncode={{opaque:32}}&state=x&id_token={{jwt:id}}",
            Role::ResponseInBody,
            Channel::Front,
        ),
        (
            "POST https://sp.example/acs\n\nSAMLResponse={{percent:{{saml:Response}}}}&RelayState=x",
            Role::ResponseInBody,
            Channel::Front,
        ),
        (
            "Authorization: Bearer {{opaque:32}}",
            Role::ResourceRequest,
            Channel::Direct,
        ),
        (
            "https://api.example/v1/me?access_token={{opaque:32}}",
            Role::ResourceRequest,
            Channel::Front,
        ),
        (
            "https://as.example/logout?id_token_hint={{jwt:id}}&post_logout_redirect_uri=https%3A%2F%2Fa",
            Role::Logout,
            Channel::Front,
        ),
        (
            "local access_token = {{opaque:32}}",
            Role::Stored,
            Channel::Storage,
        ),
        (
            "https://idp.example/sso?SAMLRequest={{deflated:AuthnRequest}}",
            Role::AuthorizationRequest,
            Channel::Front,
        ),
        (
            "text: got {'access_token': '{{opaque:32}}', 'expires_in': 3600}",
            Role::TokenResponse,
            Channel::Direct,
        ),
        (
            "text: calling with access_token={{opaque:32}}",
            Role::None,
            Channel::Direct,
        ),
    ];
    for (text, role, channel) in cases {
        let sightings = detect(text);
        let first = sightings
            .first()
            .unwrap_or_else(|| panic!("nothing in {text}"));
        assert_eq!((first.role, first.channel), (role, channel), "{text}");
    }
}

/// What a token says of itself is text of whoever made it.
#[test]
fn claims_show_names_and_no_credentials() {
    use jsonwebtoken::{EncodingKey, Header, encode};
    let [token, other] = ["{{prefix:ghp_:36}}", "{{jwt:plain}}"].map(snippet::expand);
    let claims = serde_json::json!({
        "iss": "https://svc:Tr0ub4dor3xy@idp.example/a?key=correcthorse",
        "aud": [token, "https://api.example/v1", "svc:Tr0ub4dor3xy@api", "1-a.apps.example", format!("a/{token}/b")],
        "azp": other,
        "scope": format!("read https://api.example/auth/a {token}"),
        "cnf": {token.as_str(): "x"},
    });
    let mut header = Header::new(jsonwebtoken::Algorithm::HS256);
    header.typ = Some(token.clone());
    let jwt = encode(&header, &claims, &EncodingKey::from_secret(b"k")).unwrap();
    let found = detect(&format!("https://api.example/?access_token={jwt}"));
    let text = format!("{found:?}");
    for secret in [&*token, &*other, "Tr0ub4dor", "correcthorse"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    let claims = found[0].credentials[0].claims.as_ref().unwrap();
    assert_eq!(
        claims.iss.as_deref(),
        Some("https://‹16›@idp.example/a?key=‹12›")
    );
    let shown: Vec<&str> = claims.aud.iter().map(|it| &**it).collect();
    assert_eq!(
        shown[1..4],
        ["https://api.example/v1", "‹20›", "1-a.apps.example"]
    );
    assert_eq!(
        claims.scope.as_deref(),
        Some("read https://api.example/auth/a ‹40›")
    );
    assert_eq!(claims.alg.as_deref(), Some("HS256"));
}

/// A header of HTTP Basic in a request, and what is told of it.
fn basic(request: &str, credentials: &str) -> Vec<Sighting> {
    let value = data_encoding::BASE64.encode(credentials.as_bytes());
    let mut observation = snippet::observation(&format!("Authorization: Basic {value}"));
    observation.exchange = snippet::observation(&format!("{request}\n\nx")).exchange;
    snippet::detect(&RULES, &observation)
}

/// A client posts its id and its secret (RFC 6749 §2.3.1). An API takes its key, or a user, at paths that look alike.
#[test]
fn only_a_client_is_shown_by_its_id() {
    let id = |sightings: &[Sighting]| {
        let mut params = sightings.iter().flat_map(|it| &it.params);
        let id = params.find(|it| &*it.name == "client_id");
        id.and_then(|it| it.value.clone())
    };
    let key = snippet::expand("{{opaque:26}}7");
    for request in [
        "POST https://as.example/token",
        "POST https://as.example/oauth2/v1/introspect",
        "POST https://as.example/connect/revocation",
        "POST https://as.example/as/token.oauth2",
        "POST https://as.example/as/token_introspection",
        "GET https://as.example/token?grant_type=client_credentials",
    ] {
        let found = basic(request, "app:aB3dE5fG7hJ9");
        assert_eq!(id(&found).as_deref(), Some("app"), "{request}");
        assert_eq!(reported(&found)[0].0, Kind::ClientSecret, "{request}");
        // One without a secret proves nothing, whatever its id looks like.
        for id in ["app", "3fa85f64-5717-4562-b3fc-2c963f66afa6"] {
            let found = basic(request, &format!("{id}:"));
            assert!(found.is_empty(), "{request} {id}");
        }
        // A token in the place of a name is found, and not shown.
        let tokens = [format!("{key}:x"), format!("{key}:api_token")];
        for credentials in tokens {
            let found = basic(request, &credentials);
            assert_eq!(
                (id(&found), reported(&found).len()),
                (None, 1),
                "{request} {credentials}"
            );
        }
    }
    for request in [
        "GET https://api.example/one_time_tokens/abc.json",
        "POST https://api.example/one_time_tokens/abc.json",
        "GET https://api.example/api/partners",
        "GET https://auth.example/token",
    ] {
        let found = basic(request, "alice:hunter22aB");
        assert_eq!(id(&found), None, "{request}");
        assert_eq!(reported(&found)[0].0, Kind::BasicCredentials, "{request}");
        let found = basic(request, &format!("{key}:x"));
        assert_eq!((id(&found), reported(&found).len()), (None, 1), "{request}");
    }
}

/// Stripe's and GitHub's documentation has the token as the user name, and an empty password or one that says nothing.
#[test]
fn a_token_may_stand_in_the_place_of_a_user_name() {
    for text in [
        "https://{{prefix:ghp_:36}}:x-oauth-basic@github.example/o/r.git",
        "https://{{prefix:ghp_:36}}:@github.example/o/r.git",
        "text: cloning https://{{opaque:30}}7:@git.example/o/r.git",
        "text: curl https://api.example/v1/charges -u {{opaque:30}}7:",
        "text: curl -u {{opaque:30}}7:x https://api.example/v1/charges",
        "Authorization: Basic {{base64:{{opaque:30}}7:}}",
        "text: Authorization: Basic {{base64:{{opaque:30}}7:api_token}}",
    ] {
        assert_eq!(reported(&detect(text)).len(), 1, "{text}");
    }
    for text in [
        "https://user1:@intranet.example/",
        "text: curl -u user1: https://a.example/",
    ] {
        assert_eq!(reported(&detect(text)), [], "{text}");
    }
}

/// The default of jQuery and of curl's `-d`.
#[test]
fn json_that_is_called_a_form_is_json() {
    let login = r#"{"email":"bob@app.example","password":"Tr0ub4dor=3"}"#;
    let token = r#"{"grant_type":"authorization_code","code":"{{opaque:32}}","redirect_uri":"https://a.example/cb?t=1"}"#;
    for (body, kind) in [(login, Kind::Password), (token, Kind::AuthorizationCode)] {
        let found = detect(&format!("POST https://as.example/token\n\n{body}"));
        let mut observation = snippet::observation(&format!(
            "POST https://as.example/token\n\n{}",
            snippet::expand(body)
        ));
        if let Payload::Body { mime, .. } = &mut observation.payload {
            *mime = "application/x-www-form-urlencoded; charset=utf-8".into();
        }
        let called = snippet::detect(&RULES, &observation);
        assert_eq!(reported(&called), reported(&found));
        assert_eq!(reported(&called)[0].0, kind);
    }
}

#[test]
fn a_request_object_is_opened_into_the_request() {
    let sightings = detect("https://as.example/authorize?client_id=c1&request={{jwt:request}}");
    let params: Vec<&str> = sightings[0]
        .params
        .iter()
        .map(|param| &*param.name)
        .collect();
    assert!(
        params.contains(&"code_challenge_method") && params.contains(&"response_type"),
        "{params:?}"
    );
    assert!(sightings[0].redirect.is_some());
}

#[test]
fn a_response_lands_where_its_request_said() {
    let request = detect(
        "https://as.example/authorize?client_id=c1&response_type=code&redirect_uri=https%3A%2F%2Fapp.example%2Fcb%3Ftenant%3D7",
    );
    let response = detect("https://app.example/cb?tenant=7&code={{opaque:32}}&state=x1");
    assert_eq!(request[0].redirect, response[0].landing);
    let elsewhere = detect("https://app.example/cb2?tenant=7&code={{opaque:32}}&state=x1");
    assert_ne!(request[0].redirect, elsewhere[0].landing);
}

#[test]
fn the_chain_of_decodings_is_kept() {
    let sightings = detect(
        "https://login.example/?next=https%3A%2F%2Fapp.example%2Fcb%3Fcode%3D{{opaque:24}}%26state%3Dx1",
    );
    let credential = &sightings.last().unwrap().credentials[0];
    assert_eq!(credential.nesting, [Decoding::Url]);
    let saml = detect("https://sp.example/acs?SAMLResponse={{deflated:Response}}");
    assert_eq!(
        saml[0].credentials[0].nesting,
        [Decoding::Base64, Decoding::Deflate]
    );
    assert_eq!(
        saml[0].credentials[0].claims.as_ref().unwrap().exp,
        Some(1_767_225_900)
    );
}

/// The name of a parameter has no blank: what has one is a part of somebody's sentence.
#[test]
fn no_name_with_a_blank_is_shown() {
    for text in [
        "https://search.example/?q=my+password+is+correcthorse+access_token%3D{{opaque:20}}",
        "https://search.example/?q=my%20password%20is%20correcthorse%20access_token%3D{{opaque:20}}%20why",
        "https://search.example/?my+password+is+correcthorse+access_token={{opaque:20}}",
        "https://search.example/?q=see+https%3A%2F%2Fcorrecthorse.example%2F%3Faccess_token%3D{{opaque:20}}+please",
        "local q = my password is correcthorse access_token={{opaque:20}}",
    ] {
        let sightings = detect(text);
        assert_eq!(
            reported(&sightings),
            [(Kind::AccessToken, "access-token".to_owned())],
            "{text}"
        );
        assert!(!format!("{sightings:?}").contains("correcthorse"), "{text}");
        let credential = sightings.iter().flat_map(|it| &it.credentials).next();
        assert!(
            credential.unwrap().shown.as_str().contains("20 characters"),
            "{text}"
        );
    }
}

#[test]
fn short_values_join_inside_one_source_and_have_no_fingerprint() {
    let key = FingerprintKey::default();
    let detector = detector(&key);
    let mut memory = Memory::default();
    let mut see = |line, text: &str| {
        let mut observation = snippet::observation(text);
        observation.place.locator = Locator::Line {
            number: line,
            byte: line * 100,
        };
        sightings(&observation, &detector, &mut memory).remove(0)
    };
    let state = |sighting: &Sighting| {
        let of_kind = |key: &&JoinKey| key.kind == KeyKind::State;
        sighting.keys.iter().find(of_kind).copied()
    };
    let request = see(
        1,
        "https://as.example/authorize?client_id=c&response_type=code&state=s1&redirect_uri=x",
    );
    let response = see(2, "https://app.example/cb?code=abc123&state=s1");
    let other = see(3, "https://app.example/cb?code=abc124&state=s2");
    assert!(state(&request).is_some());
    assert_eq!(state(&request), state(&response));
    assert_ne!(state(&request), state(&other));
    assert_ne!(response.id, other.id);
    assert_ne!(response.credentials[0].id, other.credentials[0].id);
    assert_eq!(response.credentials[0].fingerprint, None);
    let long_password = see(
        4,
        "https://app.example/login?user=u&password=correct-horse-battery-staple",
    );
    assert_eq!(long_password.credentials[0].fingerprint, None);
    let again = see(
        5,
        "https://app.example/login?user=u&password=correct-horse-battery-staple",
    );
    assert_eq!(long_password.credentials[0].id, again.credentials[0].id);
    assert_ne!(long_password.id, again.id);
}

#[test]
fn a_cookie_that_a_callback_sets_is_a_candidate_and_no_finding() {
    let seen = |url: &str, name: &str| -> Option<(Kind, bool)> {
        let evidence = format!("302 {url}\n\nSet-Cookie: {name}={{{{opaque:64}}}}");
        let sightings = detect(&evidence);
        let credential = sightings.first()?.credentials.first()?;
        Some((credential.kind, credential.score >= REPORT))
    };
    let callback = "https://app.example/callback?code=x&state=y";
    assert_eq!(seen(callback, "__Host-bff"), Some((Kind::SessionId, false)));
    assert_eq!(
        seen(callback, "shop.session"),
        Some((Kind::SessionId, true))
    );
    assert_eq!(seen(callback, "__Host-csrf"), None);
    assert_eq!(seen("https://app.example/shop", "__Host-bff"), None);
}

#[test]
fn a_verifier_and_its_challenge_share_a_key() {
    let challenge = detect(
        "https://as.example/authorize?client_id=c1&response_type=code&code_challenge=XtkDoQNsLmvUqjTg1y3uFFpXW08IteLDYLeAcfKRxvI&code_challenge_method=S256",
    );
    let verifier = detect(
        "POST https://as.example/token\n\ngrant_type=authorization_code&code=x1y2z3&code_verifier=unseen-verifier.of_this~test-0123456789-abcdefghijk",
    );
    let key = |sightings: &[Sighting]| {
        let of_kind = |key: &&JoinKey| key.kind == KeyKind::ChallengeS256;
        sightings[0].keys.iter().find(of_kind).copied()
    };
    assert!(key(&challenge).is_some());
    assert_eq!(key(&challenge), key(&verifier));
    assert!(challenge[0].credentials.is_empty());
}

#[test]
fn a_forged_token_is_told_from_a_real_one() {
    use jsonwebtoken::{EncodingKey, Header};
    let key: [u8; 32] = std::array::from_fn(|at| u8::try_from(at).unwrap());
    let jwks: jsonwebtoken::jwk::JwkSet = serde_json::from_value(serde_json::json!({
        "keys": [{"kty": "oct", "alg": "HS256", "kid": "k1", "k": data_encoding::BASE64URL_NOPAD.encode(&key)}]
    }))
    .unwrap();
    let header = Header {
        kid: Some("k1".into()),
        ..Header::default()
    };
    let claims = serde_json::json!({"sub": "u1", "scope": "read", "exp": 1});
    let real = jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(&key)).unwrap();
    let forged =
        jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(b"other")).unwrap();
    let unknown = jsonwebtoken::encode(
        &Header::default(),
        &claims,
        &EncodingKey::from_secret(b"other"),
    )
    .unwrap();
    let unsigned = snippet::expand("{{jwt:none}}");
    let fingerprint_key = FingerprintKey::default();
    let signature = |token: &str, jwks: Option<&jsonwebtoken::jwk::JwkSet>| {
        let detector = Detector {
            rules: &RULES,
            key: &fingerprint_key,
            jwks,
            reveal: Reveal::default(),
        };
        let observation = snippet::observation(&format!("https://a.example/#access_token={token}"));
        sightings(&observation, &detector, &mut Memory::default())[0].credentials[0].signature
    };
    assert_eq!(signature(&real, Some(&jwks)), Signature::Verified);
    assert_eq!(signature(&forged, Some(&jwks)), Signature::Invalid);
    assert_eq!(signature(&unknown, Some(&jwks)), Signature::Unverified);
    assert_eq!(signature(&unsigned, Some(&jwks)), Signature::Unsigned);
    assert_eq!(signature(&real, None), Signature::Unverified);
    // Two issuers may give their keys the same name.
    let named = |key: &[u8]| {
        let key = data_encoding::BASE64URL_NOPAD.encode(key);
        serde_json::json!({"kty": "oct", "alg": "HS256", "kid": "k1", "k": key})
    };
    let set = |keys: [serde_json::Value; 2]| {
        serde_json::from_value::<jsonwebtoken::jwk::JwkSet>(serde_json::json!({ "keys": keys }))
            .unwrap()
    };
    for keys in [
        [named(b"wrong"), named(&key)],
        [named(&key), named(b"wrong")],
    ] {
        let keys = set(keys);
        assert_eq!(signature(&real, Some(&keys)), Signature::Verified);
        assert_eq!(signature(&forged, Some(&keys)), Signature::Invalid);
    }
    // What cannot be tried may be the right one.
    let broken = serde_json::json!({"kty": "RSA", "alg": "HS256", "kid": "k1", "n": "!", "e": "!"});
    let keys = set([broken, named(b"wrong")]);
    assert_eq!(signature(&real, Some(&keys)), Signature::Unverified);
}

/// RFC 7518 §3.2 to §3.5, RFC 8037 §3.1: how long a signature is, its algorithm says.
#[test]
fn a_signature_that_is_too_short_for_its_algorithm_was_cut() {
    let fingerprint_key = FingerprintKey::default();
    let of = |alg: &str, signature: &str| {
        let detector = detector(&fingerprint_key);
        let header = format!("{{{{base64:{{\"alg\":\"{alg}\"}}}}}}");
        let claims = "{{base64:{\"sub\":\"u1\",\"scope\":\"read\",\"exp\":1}}}";
        let token = format!("{header}.{claims}{signature}");
        let observation = snippet::observation(&format!("https://a.example/#access_token={token}"));
        sightings(&observation, &detector, &mut Memory::default())[0].credentials[0].signature
    };
    let made = |bytes: usize| {
        let whole = vec![0xa5; bytes];
        format!(".{}", data_encoding::BASE64URL_NOPAD.encode(&whole))
    };
    for (alg, bytes) in [
        ("HS256", 32),
        ("HS384", 48),
        ("HS512", 64),
        ("ES256", 64),
        ("ES384", 96),
        ("ES512", 132),
        ("EdDSA", 64),
        ("RS256", 128),
        ("PS512", 128),
        ("made-up", 1),
    ] {
        assert_eq!(of(alg, &made(bytes)), Signature::Unverified, "{alg}");
        assert_eq!(of(alg, &made(bytes - 1)), Signature::Cut, "{alg}");
        // A key may be longer, and a signature in another encoding.
        assert_eq!(of(alg, &made(bytes + 8)), Signature::Unverified, "{alg}");
        let mut cut = vec!["", "."];
        if alg != "made-up" {
            cut.extend([".redacted", ".(removed)", ".[signature]"]);
        }
        for cut in cut {
            assert_eq!(of(alg, cut), Signature::Cut, "{alg} {cut}");
        }
        // What follows a whole one was taken together with it.
        let followed = format!("{}|x", made(bytes));
        assert_eq!(of(alg, &followed), Signature::Unverified, "{alg}");
    }
    for unsigned in ["", ".", ".redacted"] {
        assert_eq!(of("none", unsigned), Signature::Unsigned);
    }
}

#[test]
fn raw_values_are_kept_only_when_asked_for() {
    let key = FingerprintKey::default();
    for (values, identities) in [(false, false), (true, false), (false, true)] {
        let detector = Detector {
            rules: &RULES,
            key: &key,
            jwks: None,
            reveal: Reveal { values, identities },
        };
        let mut memory = Memory::default();
        sightings(
            &snippet::observation("https://a.example/#id_token={{jwt:id}}"),
            &detector,
            &mut memory,
        );
        assert_eq!(!memory.revealed.values.is_empty(), values);
        assert_eq!(!memory.revealed.identities.is_empty(), identities);
    }
}

#[test]
fn hostile_input_costs_linear_time() {
    for text in [
        format!("https://a.example/?next={}", "%25".repeat(200_000)),
        format!("https://a.example/?next=%{}3D", "25".repeat(200_000)),
        format!("https://a.example/?access_token={}", "a;b=".repeat(50_000)),
        format!("text: {}", "access_token=\"".repeat(20_000)),
        format!("200 https://a.example/\n\n<{}", "<a \"".repeat(50_000)),
        format!("200 https://a.example/\n\n{}", "[{\"code\":".repeat(20_000)),
        format!("https://a.example/#{}", "/#?".repeat(50_000)),
    ] {
        snippet::detect(&RULES, &snippet::observation(&text));
    }
}

#[test]
fn form_data_in_form_data_is_opened_as_deep_as_it_is_ever_written() {
    // Each value is the rest of the text: opened to its end, it would be held a thousand times.
    let text = format!("text: {}", "access_token=cBAZ7w8B{}}X".repeat(3_000));
    let observation = snippet::observation(&text);
    let key = FingerprintKey::default();
    let detector = detector(&key);
    let mut memory = Memory::default();
    let found = sightings(&observation, &detector, &mut memory);
    assert!(found.len() < 20, "{}", found.len());
    assert_eq!(memory.cut_short, 0);
}

/// Columns of a database have nothing between them.
#[test]
fn text_that_stands_directly_before_a_url_is_no_scheme() {
    let secret = "RTzDfWhWvSuzQewqiQOaWfcrzEcmMVypAVgDEdSiLf";
    for (scheme, shown) in [
        ("https", "https://a.example/"),
        ("HTTP", "http://a.example/"),
        ("com.example.app", "://a.example/"),
    ] {
        let text = format!("text: {secret}{scheme}://a.example/cb?access_token={{{{opaque:30}}}}");
        let sightings = snippet::detect(&RULES, &snippet::observation(&text));
        let told = everything_shown(&sightings);
        assert!(told.contains(shown), "{told}");
        assert!(!told.to_lowercase().contains("rtzdfwhw"), "{told}");
    }
    for scheme in [
        "git+https",
        "com.googleusercontent.apps.123456789012-abcdefghij0123456789abcdefghij12",
    ] {
        let text = format!("text: {scheme}://a.example/cb?access_token={{{{opaque:30}}}}");
        let told = everything_shown(&snippet::detect(&RULES, &snippet::observation(&text)));
        assert!(told.contains(&format!("{scheme}://")), "{told}");
    }
}

fn everything_shown(sightings: &[Sighting]) -> String {
    format!("{sightings:?}")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn nothing_shows_a_planted_credential(
        secret in "[A-Za-z0-9_-]{18,60}",
        wrapping in 0..12_usize,
    ) {
        let percent = snippet::percent(&secret);
        let encoded = data_encoding::BASE64URL_NOPAD.encode(secret.as_bytes());
        let text = match wrapping {
            0 => format!("https://a.example/cb?code={secret}&state=x"),
            1 => format!("https://a.example/#access_token={percent}&x={secret}"),
            2 => format!("https://a.example/{secret}/x?refresh_token={secret}"),
            3 => format!("https://u:{secret}@a.example/?access_token={secret}"),
            4 => format!("https://a.example/?next=https%3A%2F%2Fb%2F%3Faccess_token%3D{secret}"),
            5 => format!("https://as.example/authorize?client_id=c&response_type=code&redirect_uri=https%3A%2F%2Fb%2F%3Faccess_token%3D{secret}"),
            6 => format!("https://a.example/cb?access_token={secret}&scope={secret}&iss={secret}&client_id={secret}"),
            7 => format!("https://a.example/?access_token={encoded}&q={encoded}"),
            8 => format!("https://a.example/?{secret}=1&{secret}&access_token={secret}"),
            9 => format!("local {secret} = {{\"access_token\":\"{secret}\"}}"),
            10 => format!("text: password={secret} user=x https://a.example/?access_token={secret}"),
            _ => format!("200 https://a.example/{secret}\n\n{{\"access_token\":\"{secret}\",\"token_type\":\"x\"}}"),
        };
        let sightings = detect(&text);
        let shown = everything_shown(&sightings);
        prop_assert!(!shown.contains(&secret), "{text}\n{shown}");
        prop_assert!(!shown.contains(&encoded), "{text}\n{shown}");
        prop_assert!(!sightings.is_empty(), "{text}");
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400), kind in 0..5_usize) {
        let mut observation = snippet::observation("https://a.example/");
        let raw = Raw::new(bytes.clone());
        observation.payload = match kind {
            0 => Payload::Url(raw),
            1 => Payload::Text(raw),
            2 => Payload::Header { name: "Authorization".into(), value: raw },
            3 => Payload::Body { mime: "multipart/form-data; boundary=a".into(), bytes: raw },
            _ => Payload::Body { mime: "text/html".into(), bytes: raw },
        };
        snippet::detect(&RULES, &observation);
    }

    #[test]
    fn no_grammar_makes_it_panic(text in "(https?://|/|#|\\?|&|=|;|%25|%3D|code|access_token|eyJ|\\{\"|\":\"|\"\\}|<input name=\"|value='|>|Bearer |\\\\u003d|@|:|[a-z]|é){0,60}", kind in 0..4_usize) {
        let mut observation = snippet::observation("https://a.example/");
        let raw = Raw::new(text.into_bytes());
        observation.payload = match kind {
            0 => Payload::Url(raw),
            1 => Payload::Text(raw),
            2 => Payload::Body { mime: "".into(), bytes: raw },
            _ => Payload::Body { mime: "text/html".into(), bytes: raw },
        };
        snippet::detect(&RULES, &observation);
    }

    #[test]
    fn one_value_has_one_fingerprint_however_it_is_written(secret in "[A-Za-z0-9/+=._~-]{16,60}") {
        let print = |text: &str| {
            let sightings = detect(text);
            sightings.iter().flat_map(|sighting| &sighting.credentials).map(|credential| credential.fingerprint).next()
        };
        let percent = snippet::percent(&secret);
        let plain = print(&format!("https://a.example/?refresh_token={percent}"));
        // Three dots at its end say that the rest was cut off, and then it is no value.
        prop_assume!(!secret.ends_with("..."));
        prop_assert!(plain.is_some());
        prop_assert_eq!(plain, print(&format!("https://a.example/#refresh_token={}", snippet::percent(&percent))));
        let json = secret.replace('/', "\\/").replace('=', "\\u003d");
        prop_assert_eq!(plain, print(&format!("200 https://a.example/\n\n{{\"refresh_token\":\"{json}\"}}")));
        prop_assert_ne!(plain, print(&format!("https://a.example/?refresh_token={percent}x")));
    }
}
