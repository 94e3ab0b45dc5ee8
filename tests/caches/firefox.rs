//! The cache and the session files of Firefox.

use std::io::Write as _;

use tokentrail::atoms::{Basis, View};

use super::write::{firefox, mozlz4};
use super::{NOW, scan_bytes, text, token};

const ENTRY: &str = "cache2/entries/0123456789ABCDEF0123456789ABCDEF01234567";
const KEY: &str = "O^partitionKey=%28https%2Capp.example%29,:https://idp.example/authorize?client_id=app&state=kE7tQ2vX9sLm4cR8";

fn head(number: u32) -> String {
    format!(
        "HTTP/1.1 302 Found\r\nLocation: /cb#access_token={}&expires_in=3600\r\n",
        token(number)
    )
}

#[test]
fn a_redirect_and_its_cookies_are_found_once() {
    let original = format!(
        "Location: /cb#access_token={}&expires_in=3600\r\nSet-Cookie: session_id={}; Path=/\r\n",
        token(30),
        token(31)
    );
    let file = firefox(
        KEY,
        &[
            ("request-method", "GET"),
            ("response-head", &head(30)),
            ("original-response-headers", &original),
        ],
        b"",
        NOW as u32,
    );
    let seen = scan_bytes(ENTRY, &file);
    assert_eq!(
        (seen.reader(), seen.told().as_str()),
        ("firefox-cache", "read: ")
    );
    assert_eq!(
        seen.lines(),
        [
            "key url  request https://idp.example/authorize?client_id=app&state=kE7tQ2vX9sLm4cR8 2026-11-23T05:00:00Z".to_owned(),
            format!("response location  location https://idp.example/cb#access_token={}&expires_in=3600 2026-11-23T05:00:00Z", token(30)),
            format!("response set-cookie  response cookie idp.example session_id={} 2026-11-23T05:00:00Z", token(31)),
        ]
    );
    let exchange = seen.observations[0].exchange.as_ref().unwrap();
    assert_eq!(
        (
            exchange.method.map(tokentrail::atoms::Method::as_str),
            exchange.status
        ),
        (Some("GET"), Some(302))
    );
    // Content tells it under any name; the folder tells what is about to be deleted.
    assert_eq!(scan_bytes("renamed.bin", &file).observations.len(), 3);
    let doomed = scan_bytes(
        "cache2/doomed/0123456789ABCDEF0123456789ABCDEF01234567",
        &file,
    );
    assert!(
        doomed
            .observations
            .iter()
            .all(|seen| seen.place.view == View::Recovered)
    );
}

#[test]
fn a_body_that_is_gzip_does_not_make_the_file_gzip() {
    let json = format!("{{\"access_token\":\"{}\"}}", token(32));
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(json.as_bytes()).unwrap();
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n";
    let body = gzip.finish().unwrap();
    let file = firefox(
        ":https://app.example/x",
        &[("response-head", head)],
        &body,
        NOW as u32,
    );
    let seen = scan_bytes(ENTRY, &file);
    assert_eq!(seen.told(), "read: ");
    assert_eq!(
        text(seen.with("access_token")),
        format!("[application/json] {json}")
    );
    // In a folder of another name too, as long as it has its own.
    let (_, name) = ENTRY.rsplit_once('/').unwrap();
    assert_eq!(scan_bytes(name, &file).reader(), "firefox-cache");
}

#[test]
fn compiled_code_behind_a_body_is_no_part_of_it() {
    let body = format!("var access_token='{}';\0code=behind", token(33));
    let script = body.find('\0').unwrap().to_string();
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/javascript\r\n";
    let elements = [
        ("response-head", head),
        ("alt-data", &format!("1;{script},javascript/moz-bytecode")),
    ];
    let file = firefox(
        ":https://app.example/x.js",
        &elements,
        body.as_bytes(),
        NOW as u32,
    );
    let seen = scan_bytes(ENTRY, &file);
    assert!(!text(seen.with("access_token")).contains("behind"));
}

#[test]
fn headers_of_a_request_that_the_response_varies_by_are_read() {
    let bearer = format!("Bearer {}", token(34));
    let elements = [
        ("response-head", "HTTP/1.1 200 OK\r\n"),
        ("request-Authorization", bearer.as_str()),
    ];
    let file = firefox("a,:https://api.example/me", &elements, b"", NOW as u32);
    let seen = scan_bytes(ENTRY, &file);
    assert!(seen.lines()[0].starts_with("request header  request Authorization: Bearer"));
}

#[test]
fn an_entry_without_its_end_is_told() {
    let file = firefox(KEY, &[("response-head", &head(35))], b"body", NOW as u32);
    let seen = scan_bytes(ENTRY, &file[..file.len() - 9]);
    assert!(
        seen.told().starts_with("failed: ends before its metadata"),
        "{}",
        seen.told()
    );
    assert_eq!(
        scan_bytes("elsewhere.bin", &file[..file.len() - 9]).reader(),
        "-"
    );
}

#[test]
fn several_heads_stand_in_their_order() {
    let file = firefox(
        KEY,
        &[("response-head", &head(36)), ("response-head", &head(37))],
        b"",
        NOW as u32,
    );
    let lines = scan_bytes(ENTRY, &file).lines();
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(lines[1].contains(&token(36)) && lines[2].contains(&token(37)));
}

#[test]
fn headers_beyond_the_bound_are_told_where_they_repeat_each_other() {
    let many = "A: b\r\n".repeat(5_000);
    let whole = format!("{}{many}", head(38));
    for elements in [
        [("response-head", whole.as_str()), ("request-method", "GET")],
        [
            ("response-head", "HTTP/1.1 200 OK\r\n"),
            ("original-response-headers", many.as_str()),
        ],
    ] {
        let seen = scan_bytes(ENTRY, &firefox(KEY, &elements, b"", NOW as u32));
        assert!(
            seen.told().contains("more than 4096 headers"),
            "{}",
            seen.told()
        );
    }
}

#[test]
fn encodings_that_firefox_has_put_into_one_line_are_undone_once() {
    let json = format!("{{\"access_token\":\"{}\"}}", token(39));
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(json.as_bytes()).unwrap();
    let body = zstd::encode_all(gzip.finish().unwrap().as_slice(), 1).unwrap();
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/json\r\nContent-Encoding: gzip, zstd\r\n";
    let sent = "Content-Type: text/json\r\nContent-Encoding: gzip\r\nContent-Encoding: zstd\r\n";
    let elements = [("response-head", head), ("original-response-headers", sent)];
    let file = firefox(":https://app.example/x", &elements, &body, NOW as u32);
    let seen = scan_bytes(ENTRY, &file);
    assert_eq!(seen.told(), "read: ");
    assert_eq!(
        text(seen.with("access_token")),
        format!("[text/json] {json}")
    );
}

#[test]
fn an_entry_whose_key_is_no_url_is_read() {
    let file = firefox("no-url:x", &[("response-head", &head(49))], b"", NOW as u32);
    let seen = scan_bytes(ENTRY, &file);
    assert_eq!(seen.told(), "read: ");
    assert!(text(seen.with("access_token")).contains(&token(49)));
}

fn session() -> String {
    let referrer = data_encoding::BASE64.encode(
        format!(
            "\0\0\x01Bhttps://app.example/start?access_token={}\0\0",
            token(45)
        )
        .as_bytes(),
    );
    let posted = data_encoding::BASE64.encode(
        format!("Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 9\r\n\r\ncode={}&state=kE7tQ2vX9sLm4cR8", token(46)).as_bytes(),
    );
    format!(
        r#"{{"version":["sessionrestore",1],"windows":[{{"tabs":[
{{"entries":[{{"url":"https://app.example/cb#access_token={t40}&expires_in=3600","title":"app","originalURI":"https://app.example/cb#access_token={t40}&expires_in=3600","referrerInfo":"{referrer}"}},
{{"url":"https://app.example/","children":[{{"url":"https://app.example/silent#id_token={t41}"}}],"postdata_b64":"{posted}"}}],
"lastAccessed":{open},"storage":{{"https://app.example^partitionKey=%28https%2Cb.example%29":{{"code_verifier":"{t42}","theme":"dark"}}}},
"formdata":{{"url":"https://app.example/","id":{{"otp_token":"{t43}","agree":true}},"xpath":{{"/xhtml:html/xhtml:body/xhtml:input[@name='access_token']":"{t47}"}}}}}}],
"_closedTabs":[{{"state":{{"entries":[{{"url":"https://old.example/cb?access_token={t44}\u0026x=1"}}]}},"closedAt":{closed}}}]}}],
"cookies":[{{"host":".app.example","value":"{t48}","path":"/","name":"session_id"}}]}}"#,
        t40 = token(40),
        t41 = token(41),
        t42 = token(42),
        t43 = token(43),
        t44 = token(44),
        t47 = token(47),
        t48 = token(48),
        open = NOW * 1000 + 250,
        closed = (NOW - 60) * 1000,
    )
}

#[test]
fn every_part_of_a_session_is_read() {
    let json = session();
    let seen = scan_bytes("recovery.jsonlz4", &mozlz4(json.as_bytes()));
    assert_eq!(
        (seen.reader(), seen.told().as_str()),
        ("firefox-session", "read: ")
    );
    let open = "2026-11-23T05:00:00.25Z";
    let tab = "json /windows/0/tabs/0";
    let t = token;
    assert_eq!(
        seen.lines(),
        [
            format!(
                "{tab}/entries/0/url  unknown https://app.example/cb#access_token={}&expires_in=3600 {open}",
                t(40)
            ),
            format!(
                "{tab}/entries/0/referrerInfo  unknown https://app.example/start?access_token={} {open}",
                t(45)
            ),
            format!(
                "{tab}/entries/1/children/0/url  unknown https://app.example/silent#id_token={} {open}",
                t(41)
            ),
            format!(
                "{tab}/entries/1/postdata_b64  request [application/x-www-form-urlencoded] code={}&state=kE7tQ2vX9sLm4cR8 {open}",
                t(46)
            ),
            format!(
                "{tab}/storage/0/0  stored session_storage https://app.example code_verifier={} {open}",
                t(42)
            ),
            format!(
                "{tab}/formdata/id/0  stored autofill https://app.example otp_token={} {open}",
                t(43)
            ),
            format!(
                "{tab}/formdata/xpath/0  stored autofill https://app.example access_token={} {open}",
                t(47)
            ),
            format!(
                "json /windows/0/_closedTabs/0/state/entries/0/url  unknown https://old.example/cb?access_token={}&x=1 2026-11-23T04:59:00Z",
                t(44)
            ),
            format!(
                "json /cookies/0/value  stored cookie app.example session_id={} -",
                t(48)
            ),
        ]
    );
    let basis = seen.observations[0].at.map(|at| at.basis);
    assert_eq!(basis, Some(Basis::LastVisit), "no more than a bound");
}

#[test]
fn an_old_session_file_is_plain_or_in_brackets() {
    let count = scan_bytes("sessionstore.js", session().as_bytes())
        .observations
        .len();
    assert_eq!(count, 9);
    let bracketed = format!("({})", session());
    assert_eq!(
        scan_bytes("sessionstore.bak", bracketed.as_bytes())
            .observations
            .len(),
        9
    );
}

#[test]
fn other_files_in_the_wrapping_are_searched_for_strings() {
    let json = format!(
        r#"{{"engines":[{{"_urls":["https://search.example/?q=x&api_key={}"]}}]}}"#,
        token(49)
    );
    let seen = scan_bytes("search.json.mozlz4", &mozlz4(json.as_bytes()));
    assert_eq!(
        seen.lines(),
        [format!(
            "json /0/0/0/0  unknown https://search.example/?q=x&api_key={} -",
            token(49)
        )]
    );
}

#[test]
fn a_session_file_without_its_end_keeps_what_came_before() {
    let whole = mozlz4(session().as_bytes());
    let seen = scan_bytes("recovery.jsonlz4", &whole[..whole.len() / 2]);
    assert!(seen.told().starts_with("partial: "), "{}", seen.told());
    assert!(!seen.observations.is_empty());
}
