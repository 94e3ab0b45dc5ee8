//! Captures of traffic that are no HAR files, and HAR files whose bodies lie beside them.

use serde_json::{Value, json};

use crate::pack::{deflated, zip, zipped};
use crate::run::{Report, scan_bytes, scan_with};

const TOKEN: &str = "qZ0001x8Rv2LmT0bWc7Kp4HsYd9Ng3Jf6";
const CODE: &str = "SplxlOBeZQQYbYS6WxSbIAkQm";
const VERIFIER: &str = "dBjftJeZ4CVPmB92K27uhbUJU1p1rAwW1gFWFOEjXk8";

/// Another token of the same shape.
fn token(number: u8) -> String {
    TOKEN.replacen("x8", &format!("y{number}"), 1)
}

/// What was found, as `kind slot pointer`.
fn found(report: &Report) -> Vec<String> {
    let mut all = Vec::new();
    for finding in report.list("findings") {
        for sighting in finding["sightings"].as_array().unwrap() {
            let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
            let pointer = text(&sighting["locator"]["pointer"]);
            all.push(format!(
                "{} {} {pointer}",
                text(&finding["kind"]),
                text(&sighting["slot"])
            ));
        }
    }
    all.sort();
    all
}

fn has(report: &Report, lines: &[&str]) {
    let found = found(report);
    for line in lines {
        assert!(
            found.iter().any(|it| it == line),
            "{line} is not among {found:#?}; {:?}",
            report.problems()
        );
    }
}

/// A tagged netstring.
fn put(content: &str, kind: char) -> String {
    format!("{}:{content}{kind}", content.len())
}

fn dict(members: &[(&str, String)]) -> String {
    let text: String = members
        .iter()
        .map(|(name, value)| put(name, ';') + value)
        .collect();
    put(&text, '}')
}

fn headers(list: &[(&str, &str)]) -> String {
    let pairs = list
        .iter()
        .map(|(name, value)| put(&(put(name, ',') + &put(value, ',')), ']'));
    put(&pairs.collect::<String>(), ']')
}

fn flow(path: &str, request: (&[(&str, &str)], &str), response: (&[(&str, &str)], &str)) -> String {
    let message = |(list, body): (&[(&str, &str)], &str), start: &str| {
        vec![
            ("headers", headers(list)),
            ("content", put(body, ',')),
            ("timestamp_start", put(start, '^')),
        ]
    };
    let mut sent = vec![
        ("path", put(path, ',')),
        ("authority", put("", ',')),
        ("scheme", put("https", ',')),
        (
            "method",
            put(if request.1.is_empty() { "GET" } else { "POST" }, ','),
        ),
        ("port", put("443", '#')),
        ("host", put("192.0.2.7", ';')),
    ];
    sent.extend(message(request, "1795410000.25"));
    let mut received = vec![("reason", put("", ',')), ("status_code", put("302", '#'))];
    received.extend(message(response, "1795410001.5"));
    dict(&[
        ("websocket", put("", '~')),
        ("response", dict(&received)),
        ("request", dict(&sent)),
        ("version", put("21", '#')),
        ("type", put("http", ';')),
    ])
}

/// A flow with further members.
fn with(flow: &str, more: &[(&str, String)]) -> String {
    let members = flow.split_once(':').unwrap().1.strip_suffix('}').unwrap();
    let more = more
        .iter()
        .map(|(name, value)| put(name, ';') + value)
        .collect::<String>();
    put(&(members.to_owned() + &more), '}')
}

#[test]
fn what_a_flow_was_before_it_was_edited_and_all_else_in_it_is_read() {
    let plain = flow("/cb?access_token=x", (&[], ""), (&[], ""));
    let edited = format!("/cb?access_token={TOKEN}&token_type=Bearer");
    let url = |token: &str| format!("https://app.example/#access_token={token}&token_type=Bearer");
    let trailers = headers(&[("Authorization", &format!("Bearer {}", token(1)))]);
    let flow = with(
        &plain,
        &[
            ("backup", flow(&edited, (&[], ""), (&[], ""))),
            ("comment", put(&url(&token(2)), ';')),
            ("metadata", dict(&[("note", put(&url(&token(3)), ';'))])),
            ("trailers", trailers),
        ],
    );
    let report = scan_bytes("x.mitm", flow.as_bytes());
    has(
        &report,
        &[
            "access_token query /backup/request/url",
            "access_token text /trailers",
            "access_token fragment /comment",
            "access_token fragment /metadata",
        ],
    );
}

/// How often anything was found.
fn times(report: &Report) -> usize {
    found(report).len()
}

/// The body of an answer with a token.
fn answer(number: u8) -> String {
    json!({"access_token": token(number), "token_type": "Bearer"}).to_string()
}

/// A flow with a token in the URL of its request and another one in the body of its response.
fn two_tokens() -> String {
    let path = format!("/cb?access_token={TOKEN}&token_type=Bearer");
    let kind = [("Content-Type", "application/json")];
    flow(&path, (&[], ""), (&kind, &answer(1)))
}

#[test]
fn damage_inside_a_flow_of_mitmproxy_is_told_and_what_it_cuts_off_is_searched() {
    let whole = two_tokens();
    let report = scan_bytes("x.mitm", whole.as_bytes());
    assert_eq!((times(&report), report.count()), (2, 2));
    assert!(report.problems().is_empty(), "{:?}", report.problems());
    let member = |name: &str| put(name, ';');
    let numbered = answer(1) + "#";
    // By the first name in it a file is known.
    let before = flow("/", (&[], ""), (&[], ""));
    for (from, to, is_kept) in [
        // A name in the response, the name of the response, and the first of all.
        (member("reason"), "6:reason?", true),
        (member("response"), "99999999:response;", false),
        (member("websocket"), "9:websocket?", false),
        // The kind of a body, and the length of a time.
        (answer(1) + ",", numbered.as_str(), true),
        (put("1795410001.5", '^'), "99:1795410001.5^", true),
    ] {
        let inner = whole.split_once(':').unwrap().1.strip_suffix('}').unwrap();
        assert_eq!(inner.matches(&from).count(), 1, "{from}");
        let damaged = put(&inner.replacen(&from, to, 1), '}');
        let report = scan_bytes("x.mitm", (before.clone() + &damaged).as_bytes());
        let found = found(&report);
        assert_eq!((found.len(), report.count()), (2, 2), "{from}: {found:#?}");
        let kept = found.contains(&"access_token query /request/url".to_owned());
        assert_eq!(kept, is_kept, "{from}: {found:#?}");
        let told = report.problems();
        assert_eq!(told.len(), 1, "{from}: {told:?}");
        assert!(told[0].contains("first is flow 1;"), "{told:?}");
        assert_eq!(report.code, 3);
    }
}

#[test]
fn one_bit_that_makes_a_list_of_a_response_hides_nothing() {
    let whole = two_tokens();
    let at = whole.find("}7:request;").unwrap();
    let mut flipped = whole.into_bytes();
    flipped[at] = b']';
    let report = scan_bytes("x.mitm", &flipped);
    has(
        &report,
        &[
            "access_token query /request/url",
            "access_token json /response/body",
        ],
    );
    assert_eq!(times(&report), 2);
}

#[test]
fn what_lies_too_deep_in_a_flow_is_told_and_searched() {
    let url = format!("https://app.example/#access_token={TOKEN}&token_type=Bearer");
    let plain = flow("/", (&[("Host", "app.example")], ""), (&[], ""));
    for (levels, is_deep) in [(15, false), (16, true), (40, true)] {
        let deep = (0..levels).fold(put(&url, ';'), |inner, _| put(&inner, ']'));
        let report = scan_bytes("x.mitm", with(&plain, &[("metadata", deep)]).as_bytes());
        assert_eq!(times(&report), 1, "{levels}");
        let told = report.problems();
        assert_eq!(told.len(), usize::from(is_deep), "{told:?}");
        assert!(!is_deep || told[0].contains("deeper than 16"), "{told:?}");
    }
}

#[test]
fn of_names_that_stand_twice_in_a_flow_the_last_counts_and_none_is_lost() {
    let second = dict(&[
        ("status_code", put("200", '#')),
        ("headers", headers(&[("Content-Type", "application/json")])),
        ("content", put(&answer(2), ',')),
    ]);
    let report = scan_bytes(
        "x.mitm",
        with(&two_tokens(), &[("response", second)]).as_bytes(),
    );
    has(
        &report,
        &[
            "access_token query /request/url",
            "access_token json /response/body",
        ],
    );
    assert_eq!((times(&report), report.count()), (3, 3));
    assert!(found(&report).iter().any(|it| it.ends_with(" /response")));
    assert!(report.problems().is_empty(), "{:?}", report.problems());
}

#[test]
fn flows_of_mitmproxy_are_read() {
    let location = format!("/done#access_token={TOKEN}&token_type=Bearer");
    let body =
        format!("grant_type=authorization_code&code={CODE}&code_verifier={VERIFIER}&client_id=spa");
    let form = [
        ("Host", "idp.example"),
        ("Content-Type", "application/x-www-form-urlencoded"),
    ];
    let flows = [
        flow(
            &format!("/cb?code={CODE}&state=Ab3dE6gH9jKl"),
            (&[("Host", "app.example")], ""),
            (&[("Location", &location)], ""),
        ),
        dict(&[("type", put("tcp", ';')), ("version", put("21", '#'))]),
        flow(
            "/token",
            (&form, &body),
            (
                &[("Content-Type", "application/json")],
                &format!("{{\"access_token\":\"{TOKEN}\"}}"),
            ),
        ),
    ]
    .concat();
    let report = scan_bytes("x.mitm", flows.as_bytes());
    has(
        &report,
        &[
            "authorization_code query /request/url",
            "access_token fragment /response/headers/0",
            "access_token json /response/body",
            "authorization_code form /request/body",
        ],
    );
    let sighting = report
        .list("findings")
        .iter()
        .flat_map(|it| it["sightings"].as_array().unwrap().clone());
    for sighting in sighting {
        let url = sighting["url"].as_str().unwrap();
        assert!(
            url.starts_with("https://app.example/") || url.starts_with("https://idp.example/"),
            "{url}"
        );
        assert!(
            ["2026-11-23T05:00:00.25Z", "2026-11-23T05:00:01.5Z"]
                .contains(&sighting["at"].as_str().unwrap()),
            "{sighting}"
        );
        assert_eq!(sighting["at_basis"], "capture");
        // The place leads to the byte.
        let column = usize::try_from(sighting["locator"]["column"].as_u64().unwrap()).unwrap();
        let rest = &flows[column - 1..];
        let begins = ["/cb?", "/done#", "{\"access", "grant_type"];
        assert!(
            begins.iter().any(|begin| rest.starts_with(begin)),
            "{}",
            &rest[..20]
        );
    }
    assert!(report.problems()[0].contains("1 of its flows are no HTTP"));
    // What only the wire shows does not gate, as in a HAR.
    let sources = report.list("sources");
    assert_eq!(sources[0]["reader"], "mitmproxy-flows");
    let cut = scan_bytes("x.mitm", &flows.as_bytes()[..flows.len() - 50]);
    has(&cut, &["access_token fragment /response/headers/0"]);
    assert_eq!(cut.code, 3);
}

#[test]
fn messages_of_web_sockets_are_read() {
    let message = |sent: &str, text: &str| {
        put(
            &[
                put("1", '#'),
                put(sent, '!'),
                put(text, ','),
                put("1795410002.0", '^'),
            ]
            .concat(),
            ']',
        )
    };
    let messages =
        message("true", &format!("{{\"access_token\":\"{TOKEN}\"}}")) + &message("false", "pong");
    let plain = flow("/socket", (&[("Host", "app.example")], ""), (&[], ""));
    let socket = dict(&[("messages", put(&messages, ']'))]);
    let inner = plain.split_once(':').unwrap().1.strip_suffix('}').unwrap();
    let inner = inner.replacen(&(put("websocket", ';') + &put("", '~')), "", 1);
    let whole = put(&(put("websocket", ';') + &socket + &inner), '}');
    has(
        &scan_bytes("x.mitm", whole.as_bytes()),
        &["access_token json /websocket/messages/0"],
    );
}

fn sent() -> String {
    format!(
        "GET /cb?code={CODE}&state=Ab3dE6gH9jKl HTTP/1.1\r\nHost: app.example\r\nReferer: https://idp.example/login\r\n\r\n"
    )
}

fn received() -> String {
    format!(
        "HTTP/1.1 302 Found\r\nLocation: /done#access_token={TOKEN}&token_type=Bearer\r\nContent-Length: 0\r\n\r\n"
    )
}

#[test]
fn folded_headers_and_comments_of_burp_are_read() {
    let token = token(4);
    let text = format!(
        "<items burpVersion=\"1\"><item><url>https://app.example/</url><request><![CDATA[GET / HTTP/1.1\r\nAuthorization: Bearer\r\n {TOKEN}\r\n\r\n]]></request><comment>https://app.example/#access_token={token}&amp;token_type=Bearer</comment></item></items>"
    );
    let report = scan_bytes("items.xml", text.as_bytes());
    has(
        &report,
        &[
            "access_token header /request/headers/0",
            "access_token fragment /comment",
        ],
    );
}

#[test]
fn items_of_burp_are_read() {
    let base64 = |text: &str| data_encoding::BASE64.encode(text.as_bytes());
    let item = |flag: &str, request: &str, response: &str| {
        format!(
            "  <item>\n    <time>Mon Nov 23 05:00:00 UTC 2026</time>\n    <url><![CDATA[https://app.example/cb?code={CODE}&state=Ab3dE6gH9jKl]]></url>\n    <request base64=\"{flag}\"><![CDATA[{request}]]></request>\n    <status>302</status>\n    <response base64=\"{flag}\"><![CDATA[{response}]]></response>\n  </item>\n"
        )
    };
    for (flag, request, response) in [
        ("true", base64(&sent()), base64(&received())),
        ("false", sent(), received()),
    ] {
        let text = format!(
            "<?xml version=\"1.0\"?>\n<!DOCTYPE items [\n<!ELEMENT items (item*)>\n]>\n<items burpVersion=\"2026.1\" exportTime=\"x\">\n{}</items>\n",
            item(flag, &request, &response)
        );
        let report = scan_bytes("items.xml", text.as_bytes());
        has(
            &report,
            &[
                "authorization_code query /request/url",
                "access_token fragment /response/headers/0",
            ],
        );
        let lines: Vec<&str> = text.split('\n').collect();
        for finding in report.list("findings") {
            let sighting = &finding["sightings"][0];
            assert_eq!(sighting["at"], "2026-11-23T05:00:00Z");
            let line = usize::try_from(sighting["locator"]["line"].as_u64().unwrap()).unwrap();
            let column = usize::try_from(sighting["locator"]["column"].as_u64().unwrap()).unwrap();
            let rest = &lines[line - 1][column - 1..];
            let begins = ["https://app.example/cb?", "/done#", &response[..20]];
            assert!(begins.iter().any(|begin| rest.starts_with(begin)), "{rest}");
        }
        let cut = scan_bytes("items.xml", &text.as_bytes()[..text.len() - 40]);
        has(&cut, &["authorization_code query /request/url"]);
        assert_eq!(cut.code, 3);
    }
}

#[test]
fn what_looks_like_a_tag_in_a_message_of_burp_ends_nothing() {
    let link = format!("https://app.example/cb#access_token={TOKEN}&token_type=Bearer");
    let feed = format!("<rss><item><title>x</title></item><item><link>{link}</link></item></rss>");
    let script = format!("<script>//<![CDATA[\na=1;//]]]]><![CDATA[>\nb=\"{link}\"</script>");
    let open = format!("<p>a]]>b</p><a href=\"{link}\">");
    let quiet = "GET / HTTP/1.1\r\nHost: app.example\r\n\r\n";
    let answer = |body: &str| format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n{body}");
    let item = |url: &str, request: &str, response: &str| {
        format!(
            "<item><url><![CDATA[{url}]]></url><request base64=\"false\"><![CDATA[{request}]]></request><response base64=\"false\"><![CDATA[{response}]]></response></item>\n"
        )
    };
    let query = "https://app.example/?q=</url><request>";
    // Two items that damage has made one.
    let merged = item(query, quiet, "x").replace("</item>\n", "")
        + item(query, &sent(), "").trim_start_matches("<item>");
    for (items, place) in [
        (
            item("https://app.example/", quiet, &answer(&feed)),
            "/response/body",
        ),
        (
            item("https://app.example/", quiet, &answer(&script)),
            "/response/body",
        ),
        (
            item("https://app.example/", quiet, &answer(&open)),
            "/response/body",
        ),
        (item(query, quiet, &received()), "/response/headers/0"),
        (item(query, &sent(), ""), "/request/target"),
        (merged, "/request/target"),
    ] {
        let text = format!("<?xml version=\"1.0\"?>\n<items burpVersion=\"1\">\n{items}</items>\n");
        let report = scan_bytes("items.xml", text.as_bytes());
        let found = found(&report);
        assert!(
            found.iter().any(|it| it.ends_with(place)),
            "{items}: {found:?}"
        );
        let lines: Vec<&str> = text.split('\n').collect();
        for finding in report.list("findings") {
            let locator = &finding["sightings"][0]["locator"];
            let number = |name: &str| usize::try_from(locator[name].as_u64().unwrap()).unwrap();
            let rest = &lines[number("line") - 1][number("column") - 1..];
            let begins = ["<rss>", "<script>", "<p>", "/done#", "/cb?"];
            assert!(begins.iter().any(|it| rest.starts_with(it)), "{rest}");
        }
    }
    let cut = scan_bytes("items.xml", b"<items burpVersion=\"1\"><!-- <item></item>");
    assert!(
        cut.problems()[0].contains("ends inside a CDATA section or a comment"),
        "{:?}",
        cut.problems()
    );
}

#[test]
fn sessions_of_fiddler_are_read() {
    let times = "<Session SID=\"7\"><SessionTimers ClientBeginRequest=\"2026-11-23T05:00:00.1234567+00:00\" ServerDoneResponse=\"0001-01-01T00:00:00\" /></Session>";
    let whole = sent().replacen("GET /cb", "GET https://app.example/cb", 1);
    let bytes = zip(&[
        zipped("[Content_Types].xml", "<Types/>"),
        zipped("_index.htm", "<html>"),
        deflated("raw/7_c.txt", whole.clone()),
        deflated("raw/7_s.txt", received()),
        deflated("raw/7_m.xml", times),
    ]);
    for report in [scan_bytes("x.saz", &bytes), scan_with(&["-"], Some(&bytes))] {
        has(
            &report,
            &[
                "authorization_code query /raw/7_c.txt/url",
                "access_token fragment /raw/7_s.txt/headers/0",
            ],
        );
        let sources = report.list("sources");
        assert_eq!(sources.len(), 1, "{sources:?}");
        assert_eq!(
            (&sources[0]["reader"], &sources[0]["status"]),
            (&json!("fiddler-sessions"), &json!("read"))
        );
        for finding in report.list("findings") {
            let sighting = &finding["sightings"][0];
            assert_eq!(sighting["at"], "2026-11-23T05:00:00.1234567Z");
            assert!(
                sighting["url"]
                    .as_str()
                    .unwrap()
                    .starts_with("https://app.example/")
            );
        }
    }
}

#[test]
fn every_member_of_an_archive_of_sessions_is_read_or_told() {
    let get = |number: u8| {
        let token = token(number);
        format!("GET https://app.example/cb?access_token={token} HTTP/1.1\r\n\r\n")
    };
    let answer = |number: u8| {
        let body = json!({"access_token": token(number), "token_type": "Bearer"});
        format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{body}")
    };
    let types = || zipped("[Content_Types].xml", "<Types/>");
    let bytes = zip(&[
        types(),
        deflated("raw/1_c.txt", get(1)),
        deflated("raw/1_s.txt", answer(2)),
        deflated("raw/1_c.txt", get(3)),
        deflated("raw/1_s.txt", answer(4)),
        deflated("raw/01_c.txt", get(5)),
        deflated("raw/2_s.txt", answer(6)),
        deflated("raw/3_c.txt", get(7).replacen("GET ", "G\0T ", 1)),
    ]);
    let report = scan_bytes("x.saz", &bytes);
    has(
        &report,
        &[
            "access_token query /raw/1_c.txt/url",
            "access_token json /raw/1_s.txt/body",
            "access_token query /raw/1_c.txt#2/url",
            "access_token json /raw/1_s.txt#2/body",
            "access_token query /raw/01_c.txt/url",
            "access_token json /raw/2_s.txt/body",
            "access_token query /raw/3_c.txt/url",
        ],
    );
    assert_eq!(report.count(), 7);
    assert!(report.problems().is_empty(), "{:?}", report.problems());
    for name in ["var/log/access.log", "raw/1_x.txt", "raw/+1_c.txt"] {
        let bytes = zip(&[
            types(),
            deflated("raw/1_c.txt", get(1)),
            deflated(name, get(2)),
        ]);
        let report = scan_bytes("x.saz", &bytes);
        has(&report, &["access_token query /raw/1_c.txt/url"]);
        let told = report.problems();
        assert!(
            told[0].contains("1 of its files are no part of a session"),
            "{told:?}"
        );
        assert_eq!(report.code, 3);
    }
}

#[test]
fn headers_without_end_are_left_at_a_bound_and_the_body_is_read() {
    let form = "grant_type=authorization_code";
    let body = format!("{form}&code={CODE}&code_verifier={VERIFIER}&client_id=spa");
    let mut list = vec![
        ("Host", "idp.example"),
        ("Content-Type", "application/x-www-form-urlencoded"),
    ];
    list.resize(5_000, ("a", "b"));
    let lines: Vec<String> = list
        .iter()
        .map(|(name, it)| format!("{name}: {it}\n"))
        .collect();
    let lines = lines.concat();
    let request = format!("POST /token HTTP/1.1\n{lines}\n{body}");
    let saz = zip(&[
        zipped("[Content_Types].xml", "<Types/>"),
        deflated("raw/1_c.txt", request.clone()),
    ]);
    let items = format!(
        "<items burpVersion=\"1\"><item><request><![CDATA[{request}]]></request></item></items>"
    );
    let flow = flow("/token", (&list, &body), (&[], ""));
    for (name, bytes) in [
        ("x.saz", saz),
        ("x.xml", items.into_bytes()),
        ("x.mitm", flow.into_bytes()),
    ] {
        let report = scan_bytes(name, &bytes);
        let told = report.problems();
        assert!(
            told.iter().any(|it| it.contains("more than 4096 headers")),
            "{name}: {told:?}"
        );
        assert_eq!(report.code, 3, "{name}");
        let found = found(&report);
        assert!(
            found
                .iter()
                .any(|it| it.contains("code form") && it.ends_with("body")),
            "{name}: {found:?}"
        );
    }
}

fn attached() -> (Vec<u8>, String, String) {
    let har = json!({"log": {"version": "1.2", "creator": {"name": "Playwright", "version": "1.65.0"}, "entries": [{
        "startedDateTime": "2026-11-23T05:00:00.000Z", "time": 5,
        "request": {"method": "POST", "url": "https://idp.example/token", "headers": [],
            "postData": {"mimeType": "application/x-www-form-urlencoded", "text": "", "params": [], "_file": "a1b2.dat"}},
        "response": {"status": 200, "headers": [], "content": {"mimeType": "application/json", "size": 9, "_file": "c3d4.json"}},
    }, {
        "startedDateTime": "2026-11-23T05:00:00.000Z", "time": 5,
        "request": {"method": "GET", "url": "https://app.example/x", "headers": []},
        "response": {"status": 200, "headers": [], "content": {"mimeType": "text/html", "_file": "../secret.html"}},
    }, {
        "startedDateTime": "2026-11-23T05:00:00.000Z", "time": 5,
        "request": {"method": "GET", "url": "wss://app.example/socket", "headers": []},
        "response": {"status": 101, "headers": [], "content": {"mimeType": "x-unknown", "_file": "e5f6.jsonl"}},
    }]}});
    let post = format!(
        "grant_type=authorization_code&code={CODE}&code_verifier={VERIFIER}&client_id=spa&redirect_uri=https%3A%2F%2Fapp.example%2Fcb"
    );
    (
        serde_json::to_vec(&har).unwrap(),
        post,
        format!("{{\"access_token\":\"{TOKEN}\",\"token_type\":\"Bearer\"}}"),
    )
}

#[test]
fn bodies_beside_a_har_are_read_and_nothing_else() {
    let (har, post, answer) = attached();
    let line = json!({"type": "send", "time": 1_795_410_000.5, "opcode": 1, "data": answer.replace("qZ0001", "qZ0002")}).to_string();
    let expected = [
        "authorization_code form /log/entries/0/request/postData/_file",
        "access_token json /log/entries/0/response/content/_file",
        "access_token json /log/entries/2/response/content/_file",
    ];
    let bytes = zip(&[
        deflated("run/har.har", har.clone()),
        deflated("run/a1b2.dat", post.clone()),
        deflated("run/c3d4.json", answer.clone()),
        deflated("run/e5f6.jsonl", line.clone()),
        deflated(
            "secret.html",
            format!("<a href='?access_token={TOKEN}'>").replace("qZ0001", "qZ0009"),
        ),
    ]);
    let report = scan_bytes("x.har.zip", &bytes);
    has(&report, &expected);
    assert!(
        report.problems()[0].contains("1 bodies lie in other files"),
        "{:?}",
        report.problems()
    );
    assert_eq!(report.json["not_claimed"]["read with its capture"], 1);
    assert!(!found(&report).iter().any(|it| it.contains("storage")));

    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
    write("x.har", &har);
    write("a1b2.dat", post.as_bytes());
    write("c3d4.json", answer.as_bytes());
    let path = folder.path().join("x.har");
    has(&scan_with(&[path.to_str().unwrap()], None), &expected[..2]);
    // A link leads out of the evidence.
    #[cfg(unix)]
    {
        std::fs::remove_file(folder.path().join("c3d4.json")).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", folder.path().join("c3d4.json")).unwrap();
        let report = scan_with(&[path.to_str().unwrap()], None);
        assert!(
            report.problems()[0].contains("3 bodies"),
            "{:?}",
            report.problems()
        );
    }
}

#[test]
fn a_body_that_every_entry_names_is_not_read_for_each() {
    let entry = |file: &str| {
        json!({"startedDateTime": "2026-11-23T05:00:00.000Z", "request": {"method": "POST", "url": "https://app.example/",
            "headers": [], "postData": {"mimeType": "text/plain", "_file": file}}})
    };
    // What a page that polls was answered, and a file that takes hours to be read for each.
    let answers = (0..30).map(|_| entry("answer.txt"));
    let entries: Vec<_> = answers
        .chain((0..20_000).map(|_| entry("long.txt")))
        .collect();
    let bytes = zip(&[
        deflated(
            "har.har",
            json!({"log": {"version": "1.2", "entries": entries}}).to_string(),
        ),
        deflated("answer.txt", format!("access_token={TOKEN}")),
        deflated("long.txt", "a".repeat(16 << 20)),
    ]);
    let report = scan_bytes("x.har.zip", &bytes);
    assert_eq!(report.problems(), [] as [String; 0]);
    assert_eq!(report.list("findings")[0]["sightings_total"], 30);
}

#[test]
fn captures_that_are_damaged_never_panic() {
    let flow = flow(
        &format!("/cb?code={CODE}"),
        (&[("Host", "a.example")], ""),
        (&[("Location", "/x#access_token=y")], "{}"),
    );
    let xml = format!(
        "<items burpVersion=\"1\"><item><request base64=\"false\"><![CDATA[{}]]></request><time>x</time></item></items>",
        sent()
    );
    let folder = tempfile::tempdir().unwrap();
    let mut seed = 7_u64;
    let mut next = move || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(seed >> 33).unwrap()
    };
    for number in 0..200 {
        let mut bytes = if number % 2 == 0 {
            flow.clone()
        } else {
            xml.clone()
        }
        .into_bytes();
        for _ in 0..=next() % 4 {
            let at = next() % bytes.len();
            bytes[at] = u8::try_from(next() % 256).unwrap();
        }
        bytes.truncate(bytes.len() - next() % 30);
        std::fs::write(folder.path().join(format!("{number}")), bytes).unwrap();
    }
    scan_with(&[folder.path().to_str().unwrap()], None);
}
