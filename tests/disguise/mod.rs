//! The ways in which a value may stand in a text without being recognised at first sight.

use std::collections::BTreeSet;

use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL_NOPAD, HEXLOWER};

/// Values shorter than this stand in a report by accident.
pub(crate) const ACCIDENT: usize = 6;

/// The ways in which a value may stand in a text without being recognised at first sight.
pub(crate) fn disguises(value: &str) -> BTreeSet<String> {
    let percent = |upper: bool| -> String {
        let escape = |byte: u8| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            _ if upper => format!("%{byte:02X}"),
            _ => format!("%{byte:02x}"),
        };
        value.bytes().map(escape).collect()
    };
    let json = serde_json::to_string(value).unwrap();
    let html = value
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    let html_all = html.replace('"', "&quot;").replace('\'', "&#39;");
    let mut all = BTreeSet::from([
        value.to_owned(),
        value.to_lowercase(),
        json.trim_matches('"').replace('/', "\\/"),
        json.trim_matches('"').to_owned(),
        percent(true),
        percent(false),
        html,
        html_all,
        HEXLOWER.encode(value.as_bytes()),
        BASE64.encode(value.as_bytes()),
    ]);
    // In the middle of other base64, at each of the three alignments; the edges mix with their neighbours.
    for shift in 0..3 {
        let shifted: Vec<u8> = std::iter::repeat_n(b' ', shift)
            .chain(value.bytes())
            .collect();
        for encoded in [
            BASE64_NOPAD.encode(&shifted),
            BASE64URL_NOPAD.encode(&shifted),
        ] {
            let inner = encoded
                .get(4..encoded.len().saturating_sub(4))
                .unwrap_or("");
            if inner.len() >= 2 * ACCIDENT {
                all.insert(inner.to_owned());
            }
        }
    }
    all
}

#[test]
fn the_leak_test_can_fail() {
    let disguises = disguises("a+b/c\"secret-value-of-some-length");
    let report = format!(
        "url: {}",
        BASE64URL_NOPAD.encode(b"x=1&t=a+b/c\"secret-value-of-some-length&y=2")
    );
    assert!(disguises.iter().any(|disguise| report.contains(disguise)));
    assert!(disguises.contains("a%2Bb%2Fc%22secret-value-of-some-length"));
    assert!(disguises.contains("a+b\\/c\\\"secret-value-of-some-length"));
}
