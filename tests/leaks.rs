//! No output holds a planted credential, wherever it was planted: in every part of a URL, in logs, captures and
//! histories, in names of parameters, headers, hosts and files, plain or encoded, in damaged evidence too.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::format_push_string,
    reason = "test"
)]

use std::fs;
use std::path::Path;
use std::process::Command;

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};

/// Of a credential, twice as many characters in a row are too many.
const PART: usize = 12;

/// Every form of the report.
const FORMATS: [&str; 7] = ["table", "json", "ndjson", "sarif", "html", "ocsf", "ecs"];

/// A credential of one of the forms in use, from 40 random bytes.
fn credential(form: usize, random: &[u8]) -> String {
    let text: String = random
        .iter()
        .map(|byte| {
            char::from(
                b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789"
                    [usize::from(*byte) % 57],
            )
        })
        .collect();
    let part = |from: usize, to: usize| text.get(from..to).unwrap();
    match form % 6 {
        0 => format!("9z{text}"),
        1 => format!("gh{}{}", "p_", part(0, 36)),
        2 => format!("ya{}a0{text}", "29."),
        3 => format!("{}+/{}==", part(0, 18), part(18, 38)),
        4 => format!("4/0A{text}"),
        _ => {
            let claims = format!(
                "{{\"iss\":\"https://idp.example\",\"sub\":\"u{}\"}}",
                text.len()
            );
            let head = BASE64URL_NOPAD.encode(br#"{"alg":"HS256","typ":"JWT"}"#);
            format!(
                "{head}.{}.{text}",
                BASE64URL_NOPAD.encode(claims.as_bytes())
            )
        }
    }
}

fn percent(value: &str) -> String {
    let escape = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    value.bytes().map(escape).collect()
}

fn encoded(way: usize, value: &str) -> String {
    match way % 5 {
        0 => percent(value),
        1 => percent(&percent(value)),
        2 => percent(&format!(
            "https://in.example/cb?access_token={}",
            percent(value)
        )),
        3 => BASE64URL_NOPAD.encode(format!("{{\"access_token\":\"{value}\"}}").as_bytes()),
        _ => percent(&format!("{{\"token\":\"{value}\"}}")),
    }
}

const NAMES: [&str; 26] = [
    "access_token",
    "code",
    "id_token",
    "refresh_token",
    "state",
    "client_id",
    "redirect_uri",
    "scope",
    "iss",
    "error",
    "error_description",
    "login_hint",
    "nonce",
    "token_type",
    "grant_type",
    "acr_values",
    "ui_locales",
    "resource",
    "audience",
    "RelayState",
    "password",
    "service",
    "request_uri",
    "post_logout_redirect_uri",
    "q",
    "unknown",
];

/// A URL with the value in one place, and another credential beside it, so that it is reported.
fn url(place: usize, way: usize, value: &str, beside: &str) -> String {
    let raw = percent(value);
    let number = place % (NAMES.len() + 9);
    if let Some(name) = NAMES.get(number) {
        let sign = if way.is_multiple_of(2) { '?' } else { '#' };
        return format!(
            "https://app.example/cb{sign}{name}={}&access_token={beside}",
            encoded(way, value)
        );
    }
    match number - NAMES.len() {
        0 => format!("https://app.example/a/{raw}/b?access_token={beside}"),
        1 => format!("https://app.example:{raw}/?access_token={beside}"),
        2 => format!("https://bob:{raw}@app.example/?access_token={beside}"),
        3 => format!("https://app.example/?{raw}=1&access_token={beside}"),
        4 => format!("https://app.example/a;jsessionid={raw}?access_token={beside}"),
        5 => format!("https://app.example/#/route/{raw}?access_token={beside}"),
        6 => format!("https://app.example/cb?{raw}&access_token={beside}"),
        7 => format!("https://app.example/x.{raw}.html?access_token={beside}"),
        _ => format!(
            "https://app.example/authorize?client_id=x&response_type=token&redirect_uri={}&access_token={beside}",
            percent(&format!("https://app.example:{raw}/"))
        ),
    }
}

fn evidence(dir: &Path, urls: &[String], keys: &[String]) {
    let mut log = String::new();
    let mut entries = Vec::new();
    for (url, key) in urls.iter().zip(keys) {
        let target = url
            .split_once(".example")
            .map_or("/", |(_, rest)| rest.trim_start_matches(':'));
        log += &format!(
            "192.0.2.1 - - [23/Nov/2026:01:28:04 +0000] \"GET {target} HTTP/1.1\" 200 5 \"{url}\" \"x\"\n"
        );
        log += &format!(
            "2026-11-23 01:28:04,100 ERROR [main] {url} failed, Authorization: Bearer {key}\n"
        );
        log += &serde_json::json!({"time": "2026-11-23T01:28:04Z", "url": url, key.as_str(): {"access_token": key}}).to_string();
        log.push('\n');
        entries.push(serde_json::json!({
            "startedDateTime": "2026-11-23T01:28:04Z",
            key.as_str(): {"access_token": key},
            "request": {"method": "GET", "url": url, "headers": [
                {"name": key, "value": "Bearer x"}, {"name": "Authorization", "value": format!("Bearer {key}")},
                {"name": "Cookie", "value": format!("sid={key}; {}=1", percent(key))}]},
            "response": {"status": 302, "headers": [{"name": "Location", "value": url}],
                "content": {"mimeType": "application/json", "text": serde_json::json!({key.as_str(): {"access_token": key}, "id": url}).to_string()}},
        }));
    }
    fs::write(dir.join("app.log"), &log).unwrap();
    let har = serde_json::json!({"log": {"version": "1.2", "entries": entries}}).to_string();
    fs::write(dir.join("x.har"), &har).unwrap();
    // Damage: the error must not quote what it met.
    fs::write(
        dir.join("cut.har"),
        har.get(..har.len() * 2 / 3).unwrap_or(&har),
    )
    .unwrap();
    let connection = rusqlite::Connection::open(dir.join("History")).unwrap();
    connection
        .execute_batch(
            "CREATE TABLE urls(id INTEGER PRIMARY KEY, url, title, last_visit_time INTEGER);
             CREATE TABLE visits(id INTEGER PRIMARY KEY, url INTEGER, visit_time INTEGER, transition INTEGER);",
        )
        .unwrap();
    for url in urls {
        let row = "INSERT INTO urls(url, title, last_visit_time) VALUES(?1, ?1, 13408000000000000)";
        connection.execute(row, [url]).unwrap();
    }
}

/// All that a run of the program writes, in lower case.
fn written(args: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_tokentrail"))
        .args(args)
        .env_clear()
        .output()
        .unwrap();
    let code = output.status.code().unwrap();
    assert!((0..=3).contains(&code), "{output:?}");
    let text = [output.stdout, output.stderr].concat();
    String::from_utf8(text).unwrap().to_ascii_lowercase()
}

/// A part of the value that stands in the text, as it is or encoded.
fn shown(text: &str, value: &str) -> Option<String> {
    let plain = value.to_ascii_lowercase();
    let hex = HEXLOWER.encode(value.as_bytes());
    // The header of a JWT is the same in all.
    let own = plain.rsplit('.').next().unwrap_or(&plain).to_owned();
    let base64 = (0..3).map(|shift| {
        let shifted = [&b"   "[..shift], value.as_bytes()].concat();
        let text = BASE64URL_NOPAD.encode(&shifted).to_ascii_lowercase();
        text.get(4..text.len() - 4).unwrap_or_default().to_owned()
    });
    let ways = [percent(&own).to_ascii_lowercase(), own, hex].into_iter();
    let ways: Vec<String> = ways.chain(base64).collect();
    // Pieces side by side: of any longer stretch that is shown, one is whole.
    ways.iter()
        .flat_map(|way| way.as_bytes().chunks_exact(PART))
        .filter_map(|part| std::str::from_utf8(part).ok())
        .find(|part| text.contains(part))
        .map(str::to_owned)
}

proptest! {
    #![proptest_config(Config { cases: 2, max_shrink_iters: 16, rng_seed: RngSeed::Fixed(20_261_123), failure_persistence: None, ..Config::default() })]

    #[test]
    fn no_output_shows_a_part_of_a_credential(
        planted in prop::collection::vec((0usize..100, 0usize..100, 0usize..100, prop::array::uniform32(any::<u8>()), prop::array::uniform8(any::<u8>())), 8..12),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let (mut urls, mut keys, mut values) = (Vec::new(), Vec::new(), Vec::new());
        for (form, place, way, random, more) in planted {
            let random = [random.as_slice(), &more].concat();
            let value = credential(form, &random);
            let beside: Vec<u8> = random.iter().map(|byte| byte.wrapping_mul(7).wrapping_add(3)).collect();
            let beside = credential(0, &beside);
            urls.push(url(place, way, &value, &beside));
            keys.push(beside.clone());
            values.extend([value, beside]);
        }
        evidence(dir.path(), &urls, &keys);
        let path = dir.path().to_str().unwrap();
        for options in FORMATS.map(|format| ["-f", format]).into_iter().chain([["--reveal", "identities"]]) {
            let text = written(&[&["scan", path, "--source-root", path], options.as_slice()].concat());
            prop_assert!(text.contains("access_token"), "nothing is found: {text}");
            for value in &values {
                prop_assert_eq!(shown(&text, value), None, "{} with {:?}", value, options);
            }
        }
    }
}

#[test]
fn a_file_named_after_a_token_is_reported_without_it() {
    let dir = tempfile::tempdir().unwrap();
    let value = credential(1, &[7; 40]).replace("hhhh", "h2Kd");
    let line = format!(
        "192.0.2.1 - - [23/Nov/2026:01:28:04 +0000] \"GET /?access_token={value} HTTP/1.1\" 200 5\n"
    );
    fs::write(dir.path().join(format!("{value}.log")), line).unwrap();
    fs::write(dir.path().join(format!("{value}.har")), "").unwrap();
    let path = dir.path().to_str().unwrap();
    for format in FORMATS {
        let text = written(&["scan", path, "-f", format]);
        assert!(text.contains(".log") && text.contains(".har"), "{text}");
        assert_eq!(shown(&text, &value), None, "{text}");
    }
}

#[test]
fn files_of_options_are_not_quoted() {
    let dir = tempfile::tempdir().unwrap();
    let value = credential(0, &[77, 12, 93, 4, 201, 55, 18, 240, 66, 31].repeat(4));
    let file = dir.path().join("broken");
    let evidence = dir.path().join("a.log");
    fs::write(
        &evidence,
        "192.0.2.1 - - [23/Nov/2026:01:28:04 +0000] \"GET / HTTP/1.1\" 200 5\n",
    )
    .unwrap();
    for content in [
        format!("{{\"keys\": [{{\"kty\": \"{value}\"}}]}}"),
        format!("{value} = \n{value}"),
        format!("[[parameter]]\nname = \"{value}\"\n"),
        format!("\u{0}{value}"),
    ] {
        fs::write(&file, content).unwrap();
        for option in ["--jwks", "--fingerprint-key"] {
            let args = [
                "scan",
                evidence.to_str().unwrap(),
                option,
                file.to_str().unwrap(),
            ];
            assert_eq!(shown(&written(&args), &value), None, "{option}");
        }
    }
}
