//! Who put a token into a fragment: each test and each point of the table, alone and where it decides, from the
//! evidence of a history to the name of the flow.

#![allow(
    clippy::expect_used,
    clippy::format_collect,
    clippy::format_push_string,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    dead_code,
    reason = "a test fails by panicking, and reads stories without their expectations"
)]

#[path = "flows/found.rs"]
mod found;
#[path = "flows/story.rs"]
mod story;

use std::sync::OnceLock;

use found::find;
use story::Story;
use tokentrail::atoms::Kind;
use tokentrail::atoms::rules::Rules;
use tokentrail::flow::Flow;

/// A response that says nothing of who made it: every required parameter, and nothing else.
const PLAIN: &str = "#access_token={token}&token_type=Bearer&expires_in=3600&state={state}";
const APP: &str = "https://app.example.com";
const OPEN: Flow = Flow::FragmentTokenUnattributed;
const HANDED: Flow = Flow::HandoffFragment;

#[test]
fn nothing_is_said_of_a_fragment_alone() {
    assert_eq!(landing(&format!("{APP}/{PLAIN}")), OPEN);
}

#[test]
fn a_request_for_a_token_just_before_at_the_same_place_is_certain() {
    let asked = request("idp.example.net", "&response_type=token&state={state}");
    assert_eq!(after(&asked, &format!("{APP}/cb{PLAIN}")), Flow::Implicit);
}

#[test]
fn a_refresh_token_is_certain() {
    let fragment = "#access_token={token}&token_type=Bearer&refresh_token={refresh}";
    assert_eq!(landing(&format!("{APP}/{fragment}")), HANDED);
}

#[test]
fn a_code_at_the_hop_before_is_certain_on_the_same_site_only() {
    let page = format!("{APP}/{PLAIN}");
    let own = "https://api.example.com/callback?code={code}&state={other}";
    assert_eq!(after(own, &page), HANDED);
    let foreign = "https://broker.example.net/callback?code={code}&state={other}";
    assert_eq!(after(foreign, &page), OPEN);
}

#[test]
fn a_host_without_a_registrable_domain_is_a_site_of_its_own() {
    let code = |host: &str| format!("https://{host}/callback?code={{code}}&state={{other}}");
    let page = format!("https://intranet/{PLAIN}");
    assert_eq!(after(&code("intranet"), &page), HANDED);
    assert_eq!(after(&code("extranet"), &page), OPEN);
}

#[test]
fn a_request_target_without_a_host_is_of_the_site_that_its_answer_goes_to() {
    let line = format!(
        "```log\n12:00:04 GET /callback?code={{code}}&state={{other}} 302 -> {APP}/{PLAIN}\n```"
    );
    assert_eq!(flow_of(&line), HANDED);
}

#[test]
fn a_rented_service_at_the_hop_before_is_certain() {
    let service = "https://ref.supabase.co/auth/v1/callback?code={code}&state={other}";
    assert_eq!(after(service, &format!("{APP}/{PLAIN}")), HANDED);
}

#[test]
fn a_missing_token_type_tells_a_hand_off() {
    assert_eq!(
        landing(&format!("{APP}/#access_token={{token}}&expires_in=3600")),
        HANDED
    );
}

#[test]
fn a_state_that_did_not_come_back_tells_a_hand_off() {
    let page = format!("{APP}/cb#access_token={{token}}&token_type=Bearer");
    let with = request("idp.example.net", "&state={asked}");
    assert_eq!(after(&with, &page), HANDED);
    let without = request("idp.example.net", "");
    assert_eq!(after(&without, &page), OPEN);
}

#[test]
fn names_of_no_specification_tell_a_hand_off() {
    for more in [
        "&expires_at=1795417200",
        "&expiresAt=1795417200",
        "&user_id=7",
        "&userId=7",
        "&type=recovery",
    ] {
        assert_eq!(landing(&format!("{APP}/{PLAIN}{more}")), HANDED, "{more}");
    }
    assert_eq!(
        landing(&format!(
            "{APP}/#accessToken={{token}}&token_type=Bearer&state={{state}}"
        )),
        HANDED
    );
}

#[test]
fn a_route_in_the_fragment_tells_a_hand_off() {
    let page = format!("{APP}/#/done?access_token={{token}}&token_type=Bearer&state={{state}}");
    assert_eq!(landing(&page), HANDED);
}

#[test]
fn a_token_by_the_pages_own_site_tells_a_hand_off() {
    let jwt = |issuer: &str| {
        format!(
            "```values\njwt = jwt {{\"iss\":\"{issuer}\",\"exp\":\"@13:00:00\",\"scope\":\"read\",\"client_id\":\"app\"}}\n```\n"
        )
    };
    let page = format!("{APP}/#access_token={{jwt}}&token_type=Bearer&state={{state}}");
    let by = |issuer: &str| flow_of(&(jwt(issuer) + &history(&[&page])));
    assert_eq!(by(APP), HANDED);
    assert_eq!(by("https://example.com"), HANDED);
    assert_eq!(by("https://login.example.com"), OPEN);
    // The user was at another server: the page's site only repeats its name.
    let page = page.replace("/#", "/cb#");
    let asked = request("idp.example.net", "&state={state}");
    let elsewhere = flow_of(&(jwt(APP) + &history(&[&asked, &page])));
    assert_eq!(elsewhere, OPEN);
}

#[test]
fn a_login_by_code_on_the_same_site_within_ten_minutes_tells_a_hand_off() {
    let before = |at: &str, to: &str, more: &str| {
        flow_of(&format!(
            "```history\n{at} https://idp.example.net/authorize?client_id=app&redirect_uri=https%3A%2F%2F{to}%2Fcb&state={{asked}}{more}\n12:20:00 {APP}/{PLAIN}\n```"
        ))
    };
    let code = "&response_type=code";
    assert_eq!(before("12:10:00", "api.example.com", code), HANDED);
    assert_eq!(before("12:09:59", "api.example.com", code), OPEN);
    assert_eq!(before("12:10:00", "other.example.org", code), OPEN);
    assert_eq!(
        before("12:10:00", "api.example.com", "&response_type=token"),
        OPEN
    );
}

#[test]
fn a_whole_response_with_the_requests_state_tells_the_server() {
    let asked = request("idp.example.net", "&state={state}");
    let page = format!("{APP}/cb{PLAIN}");
    assert_eq!(after(&asked, &page), OPEN);
    assert_eq!(after(&asked, &format!("{page}&scope=read")), Flow::Implicit);
    // Its place alone ties the request to it, and any page could bring a `state` that nobody sent.
    let without = request("idp.example.net", "");
    assert_eq!(after(&without, &format!("{page}&scope=read")), OPEN);
}

#[test]
fn a_login_for_a_token_beside_one_by_code_leaves_it_open() {
    let asked = |second: u8, kind: &str| {
        format!(
            "12:10:0{second} https://idp.example.net/authorize?client_id=app&redirect_uri=https%3A%2F%2Fapi.example.com%2Fcb&state={{asked-{second}}}&response_type={kind}\n"
        )
    };
    let both = |kind| {
        let page = format!("12:11:00 {APP}/{PLAIN}\n```");
        flow_of(&format!(
            "```history\n{}{}{page}",
            asked(1, "code"),
            asked(2, kind)
        ))
    };
    assert_eq!(both("code"), HANDED);
    assert_eq!(both("token"), OPEN);
    assert_eq!(both("id_token"), OPEN);
}

#[test]
fn an_id_token_by_its_own_name_tells_the_server_if_it_answers_a_request() {
    // OpenID Connect Core §3.2.2.5; whose access token it hashes is no matter of three points, but of four.
    let landing = |claims: &str, more: &str| {
        let id_token = format!(
            "```values\nid = jwt {{\"iss\":\"https://idp.example.net\",\"aud\":\"app\",\"exp\":\"@13:00:00\",\"nonce\":\"{{nonce}}\"{claims}}}\n```\n"
        );
        let tokens = "access_token={token}&token_type=Bearer&id_token={id}&state={state}";
        flow_of(&(id_token + &history(&[&format!("{APP}/#{tokens}{more}")])))
    };
    assert_eq!(landing("", ""), Flow::ImplicitOidcBoth);
    let of_another = ",\"at_hash\":\"{hash:another}\"";
    assert_eq!(landing(of_another, "&expires_at=1795417200"), OPEN);
}

#[test]
fn an_id_token_that_fits_the_access_token_tells_the_server_if_it_answers_a_request() {
    // OpenID Connect Core §3.2.2.9; but §3.1.3.6 gives the ID token a back end gets for a code an `at_hash`, too.
    let tokens = "access_token={token}&token_type=Bearer&id_token={id}";
    let landing = |more: &str| {
        let id_token = "```values\nid = jwt {\"iss\":\"https://idp.example.net\",\"aud\":\"app\",\"exp\":\"@13:00:00\",\"nonce\":\"{nonce}\",\"at_hash\":\"{hash:token}\"}\n```\n";
        flow_of(&(id_token.to_owned() + &history(&[&format!("{APP}/#{tokens}{more}")])))
    };
    assert_eq!(landing("&expires_in=3600"), OPEN);
    assert_eq!(landing("&expires_at=1795417200"), HANDED);
    // Three points for the name of no specification against four for the hash, and three for the ID token.
    assert_eq!(
        landing("&expires_at=1795417200&state={state}"),
        Flow::ImplicitOidcBoth
    );
}

#[test]
fn a_provider_that_never_answers_so_tells_a_hand_off() {
    let page = format!("{APP}/cb#access_token={{token}}&token_type=Bearer&state={{state}}");
    let at = |endpoint: &str| {
        after(
            &format!(
                "https://{endpoint}?client_id=app&redirect_uri=https%3A%2F%2Fapp.example.com%2Fcb&state={{state}}"
            ),
            &page,
        )
    };
    assert_eq!(at("github.com/login/oauth/authorize"), HANDED);
    assert_eq!(at("idp.example.net/authorize"), OPEN);
}

/// A request that does not say what it asks for.
fn request(host: &str, more: &str) -> String {
    format!(
        "https://{host}/authorize?client_id=app&redirect_uri=https%3A%2F%2Fapp.example.com%2Fcb{more}"
    )
}

/// The flow of the access token of a page that nothing leads to.
fn landing(page: &str) -> Flow {
    flow_of(&history(&[page]))
}

/// The flow of the access token of a page, one redirect behind another.
fn after(before: &str, page: &str) -> Flow {
    flow_of(&history(&[before, page]))
}

/// A chain of redirects.
fn history(urls: &[&str]) -> String {
    let mut lines = String::new();
    for (number, url) in urls.iter().enumerate() {
        let from = if number == 0 {
            String::new()
        } else {
            format!("<{number} redirect ")
        };
        lines += &format!("12:00:0{number} {from}{url}\n");
    }
    format!("```history\n{lines}```")
}

fn flow_of(text: &str) -> Flow {
    static RULES: OnceLock<Rules> = OnceLock::new();
    let rules = RULES.get_or_init(|| Rules::builtin().expect("the built-in rules"));
    let story = Story::parse(text);
    let found = find(&story.observations, story.as_of, rules).correlated;
    let mut tokens = found
        .exposures
        .iter()
        .filter(|it| matches!(it.kind, Kind::AccessToken | Kind::OpaqueToken));
    tokens
        .next()
        .unwrap_or_else(|| panic!("no token in {text}"))
        .flow
}
