//! What session files hold: every place of a URL, sent forms, frames, by every version.

use jiff::Timestamp;
use tokentrail::collect::Via;

use super::snss::{
    FIXED_KEY, Frame, Navigation, UPDATE_IN_SESSION, UPDATE_IN_TABS, crowded_state, file,
    legacy_state, mojo_state, navigation, sealed,
};
use super::{Seen, scan_as};

const CALLBACK: &str = "https://app.example/cb?code=0a1b2c3d4e5f6a7b8c9d&state=b1d2f3a4c5e6b7d8";

/// 2026-11-23T05:00:00Z in microseconds since 1601.
const AT: i64 = (1_795_410_000 + 11_644_473_600) * 1_000_000;

fn page() -> Frame {
    Frame {
        url: CALLBACK.into(),
        referrer: "https://idp.example/authorize?response_type=code&client_id=app&state=b1d2f3a4c5e6b7d8".into(),
        mime: "application/x-www-form-urlencoded".into(),
        body: "code=ffeeddccbbaa99887766&state=b1d2f3a4c5e6b7d8".into(),
        state: b"\xff\x15\xff\x10o\"\x0caccess_token\"\x15a-token-in-the-states{\x01".to_vec(),
        fields: vec![("user_code".into(), "WDJB-MJHT-KLMN".into())],
        children: vec![Frame {
            url: "https://app.example/silent#access_token=a-token-of-a-frame&token_type=bearer&state=q".into(),
            ..Frame::default()
        }],
    }
}

fn visit(state: Vec<u8>) -> Navigation {
    Navigation {
        url: CALLBACK.into(),
        title: "Signing in".into(),
        state,
        transition: 0xa000_0000_u32.cast_signed(),
        referrer: page().referrer,
        original: "https://app.example/start?login_hint=a&access_token=a-token-at-first".into(),
        at: AT,
    }
}

/// Everything that the navigation holds, whatever the version of its page state.
fn check(seen: &Seen) {
    assert_eq!(seen.reader, Some("chromium-session"));
    assert_eq!(seen.problems, [] as [&str; 0]);
    let mut told = seen.told();
    told.sort();
    let page = page();
    let mut expected = [
        format!("url {CALLBACK}"),
        format!("url {}", page.referrer),
        format!("url {}", page.children[0].url),
        "url https://app.example/start?login_hint=a&access_token=a-token-at-first".into(),
        format!("body {} {}", page.mime, page.body),
        "pair user_code = WDJB-MJHT-KLMN".into(),
        r#"text {"access_token":"a-token-in-the-states"}"#.into(),
    ];
    expected.sort();
    assert_eq!(told, expected);
    let at = Timestamp::from_second(1_795_410_000).unwrap();
    for observation in &seen.observations {
        assert_eq!(observation.at.unwrap().instant, at);
    }
    let via = |part: &str| {
        let index = seen.told().iter().position(|told| told.contains(part));
        &seen.observations[index.unwrap()].via
    };
    assert_eq!(*via("0a1b2c3d4e5f"), Via::ServerRedirect);
    assert_eq!(*via("a-token-of-a-frame"), Via::Subframe);
    assert_eq!(
        *via("idp.example/authorize"),
        Via::Referer {
            sent_to: Some("app.example".into())
        }
    );
}

#[test]
fn a_navigation_is_told_with_all_that_its_page_was() {
    // A name of odd length would leave the state of V8 with half a character.
    assert_eq!(page().state.len() % 2, 0);
    let commands = |state| {
        vec![
            (0, vec![0; 8]),
            (UPDATE_IN_SESSION, navigation(&visit(state))),
            (255, Vec::new()),
        ]
    };
    let modern = commands(mojo_state(&page()));
    for version in [1, 3] {
        check(&scan_as("Session_13", &file(version, &modern)));
    }
    check(&scan_as("Session_13", &sealed(&modern, FIXED_KEY)));
    for version in 11..=25 {
        check(&scan_as(
            "Current Session",
            &file(1, &commands(legacy_state(version, &page()))),
        ));
    }
}

#[test]
fn closed_tabs_have_another_command() {
    let commands = [(UPDATE_IN_TABS, navigation(&visit(mojo_state(&page()))))];
    check(&scan_as("Tabs_13", &file(3, &commands)));
}

#[test]
fn a_state_that_is_only_a_url() {
    let mut state = (-1_i32).to_le_bytes().to_vec();
    let url = b"https://app.example/#access_token=a-token-in-a-url-state";
    state.extend((url.len() as u32).to_le_bytes());
    state.extend(url);
    let state = [&(state.len() as u32).to_le_bytes()[..], &state].concat();
    let seen = scan_as(
        "Session_1",
        &file(3, &[(UPDATE_IN_SESSION, navigation(&visit(state)))]),
    );
    assert!(
        seen.told()
            .contains(&"url https://app.example/#access_token=a-token-in-a-url-state".into())
    );
}

#[test]
fn what_is_encrypted_is_told() {
    let commands = [(UPDATE_IN_SESSION, navigation(&visit(mojo_state(&page()))))];
    let seen = scan_as("Session_1", &sealed(&commands, [7; 16]));
    assert_eq!(seen.told(), [] as [&str; 0]);
    assert!(
        seen.problems[0].contains("encrypted under a key of the account"),
        "{:?}",
        seen.problems
    );
    for version in [2, 4] {
        let seen = scan_as("Session_1", &file(version, &commands));
        assert_eq!(seen.told(), [] as [&str; 0]);
        assert!(
            seen.problems[0].contains("encrypted"),
            "{:?}",
            seen.problems
        );
    }
    let seen = scan_as("Session_1", &file(6, &commands));
    assert!(
        seen.problems[0].contains("version 6"),
        "{:?}",
        seen.problems
    );
}

#[test]
fn a_state_of_an_unknown_version_costs_itself() {
    let mut state = mojo_state(&page());
    state[4] = 9;
    let seen = scan_as(
        "Session_1",
        &file(3, &[(UPDATE_IN_SESSION, navigation(&visit(state)))]),
    );
    assert!(seen.told().contains(&format!("url {CALLBACK}")));
    assert!(
        seen.problems[0].contains("state of some pages"),
        "{:?}",
        seen.problems
    );
}

#[test]
fn a_part_of_a_state_that_is_not_where_it_should_be_is_told() {
    let whole = mojo_state(&page());
    let of = |part: &[u8]| {
        let mut places = whole.windows(part.len());
        places.position(|there| there == part).unwrap()
    };
    let wide: Vec<u8> = "WDJB-MJHT-KLMN"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    // The number of the items of an array, and its length.
    let body = page().body.into_bytes();
    for (part, before) in [(&body, 4), (&wide, 4), (&wide, 8)] {
        let mut state = whole.clone();
        state[of(part) - before + 1] = 0x7f;
        let seen = scan_as(
            "Session_1",
            &file(3, &[(UPDATE_IN_SESSION, navigation(&visit(state)))]),
        );
        assert!(seen.told().contains(&format!("url {CALLBACK}")));
        assert_eq!(seen.problems.len(), 1, "{before} before {part:?}");
        assert!(
            seen.problems[0].contains("state of some pages"),
            "{:?}",
            seen.problems
        );
    }
}

#[test]
fn forms_of_more_strings_than_are_read_are_told() {
    let field = ("user_code".to_owned(), "WDJB-MJHT-KLMN".to_owned());
    let page = Frame {
        fields: vec![field; 2_500],
        ..page()
    };
    for state in [legacy_state(25, &page), mojo_state(&page)] {
        let commands = [(UPDATE_IN_SESSION, navigation(&visit(state)))];
        let seen = scan_as("Session_1", &sealed(&commands, FIXED_KEY));
        assert_eq!(seen.pairs().len(), 2_499);
        assert_eq!(seen.problems.len(), 1);
        assert!(
            seen.problems[0].contains("more than 10000 strings"),
            "{:?}",
            seen.problems
        );
    }
}

#[test]
fn frames_that_point_at_one_frame_from_everywhere_are_bounded() {
    let state = crowded_state(6);
    assert!(state.len() < 60_000);
    let seen = scan_as(
        "Session_1",
        &file(3, &[(UPDATE_IN_SESSION, navigation(&visit(state)))]),
    );
    assert!((2..3000).contains(&seen.observations.len()));
    assert!(
        seen.problems[0].contains("state of some pages"),
        "{:?}",
        seen.problems
    );
}
