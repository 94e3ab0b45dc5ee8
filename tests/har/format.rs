//! What the members of an entry mean.

use super::*;

#[test]
fn entries_without_their_parts_give_what_they_have() {
    let reading = read(&odd("missing-parts.har"));
    assert!(reading.problems.is_empty());
    assert_eq!(locations(&reading), [tokens([0]), tokens([2])].concat());
    assert_eq!(
        text_at(&reading, "/log/entries/1/request/url"),
        "https://app.example/1?code=made-up"
    );
    let late = at(&reading, "/log/entries/2/request/url");
    assert_eq!(late.at, None);
}

#[test]
fn times_are_those_of_the_entry() {
    let reading = read(&odd("zone-first.har"));
    let request = at(&reading, "/log/entries/0/request/url").at.unwrap();
    assert_eq!(request.instant.to_string(), "2021-11-23T14:34:45.082Z");
    assert_eq!(request.zone, Zone::Stated);
    let response = at(&reading, "/log/entries/0/response/headers/0/value")
        .at
        .unwrap();
    assert_eq!(response.instant.to_string(), "2021-11-23T14:34:45.092Z");
}

#[test]
fn odd_urls_are_kept_as_they_are() {
    let reading = read(&odd("odd-urls.har"));
    assert_eq!(
        text_at(&reading, "/log/entries/0/request/url"),
        "/relative?code=made-up"
    );
    let template = "${proto}://${host}/cb?code=made-up";
    assert_eq!(text_at(&reading, "/log/entries/2/request/url"), template);
    assert_eq!(locations(&reading), tokens(0..5));
    let data = at(&reading, "/log/entries/3/request/url");
    assert_eq!(kind_of(&data.payload), "body text/html");
    assert_eq!(
        bytes_of(&data.payload),
        b"<a href=\"#access_token=made-up\">"
    );
    let exchange = data.exchange.as_ref().unwrap();
    assert_eq!(exchange.url.as_bytes(), b"data:text/html;base64");
}

#[test]
fn bodies_in_other_files_are_told_once_and_never_opened() {
    let reading = read(&odd("attached-bodies.har"));
    assert_eq!(reading.problems.len(), 1);
    assert!(reading.problems[0].starts_with("2 bodies"));
    assert!(!reading.problems[0].contains("passwd"));
    let form = text_at(&reading, "/log/entries/0/request/postData/params");
    assert_eq!(form, "code=made%20up%26code&code_verifier=v%2Bv");
}

#[test]
fn null_is_nothing() {
    let reading = read(&odd("nulls.har"));
    assert_eq!(locations(&reading), tokens(0..2));
    assert!(reading.problems.is_empty());
}

#[test]
fn escapes_hide_nothing() {
    let reading = read(&odd("escaped.har"));
    let url = "https://app.example/cb?code=made-up&state=s";
    assert_eq!(text_at(&reading, "/log/entries/0/request/url"), url);
}

#[test]
fn nothing_is_found_twice_because_the_format_says_it_twice() {
    let file = capture(
        r#"{"startedDateTime":"2026-11-23T05:00:00Z","time":-1,
        "request":{"method":"POST","url":"https://app.example/cb?code=c#f","queryString":[{"name":"code","value":"c"}],
          "headers":[{"name":":path","value":"/cb?code=c"},{"name":"cookie","value":"sid=1"},{"name":"Cookie","value":"sid=1"}],
          "cookies":[{"name":"sid","value":"1"}],
          "postData":{"mimeType":"Application/X-Www-Form-Urlencoded","text":"code=b","params":[{"name":"code","value":"b"}]}},
        "response":{"status":302,"redirectURL":"https://app.example/next",
          "headers":[{"name":"location","value":"/next#t"},{"name":"set-cookie","value":"sid=2; Path=/\nb=3"}],
          "cookies":[{"name":"sid","value":"2"}],"content":{}}}"#,
    );
    let reading = read(&file);
    let told: Vec<String> = reading
        .observations
        .iter()
        .map(|observation| {
            let text = String::from_utf8_lossy(bytes_of(&observation.payload));
            format!("{} {text}", kind_of(&observation.payload))
        })
        .collect();
    assert_eq!(
        told,
        [
            "url https://app.example/cb?code=c#f",
            "pair sid 1",
            "body application/x-www-form-urlencoded code=b",
            "url https://app.example/next#t",
            "pair sid 2",
            "pair b 3",
        ]
    );
}

#[test]
fn what_only_the_second_telling_has_is_found_there() {
    let file = capture(
        r#"{"request":{"method":"GET","url":"https://app.example/cb#f","queryString":[{"name":"code","value":"c d"}],
          "headers":[],"cookies":[{"name":"sid","value":"1"}]},
        "response":{"redirectURL":"next#t","headers":[{"name":"Refresh","value":"0; url=/x"}],
          "cookies":[{"name":"sid","value":"2"}],"content":{}}}"#,
    );
    let reading = read(&file);
    follow(&file, &reading);
    let pointers: Vec<&str> = reading.observations.iter().map(|o| entry(o).1).collect();
    assert_eq!(
        pointers,
        [
            "/log/entries/0/request/queryString",
            "/log/entries/0/request/cookies/0/value",
            "/log/entries/0/response/redirectURL",
            "/log/entries/0/response/headers/0/value",
            "/log/entries/0/response/cookies/0/value",
        ]
    );
    let query = text_at(&reading, pointers[0]);
    assert_eq!(query, "https://app.example/cb?code=c%20d#f");
    assert_eq!(text_at(&reading, pointers[2]), "https://app.example/next#t");
}

#[test]
fn a_list_that_says_more_than_what_it_repeats_is_read() {
    let file = capture(
        r#"{"request":{"method":"GET","url":"https://app.example/cb?code=c%20d#f","headers":[{"name":"Cookie","value":"sid=1"}],
          "queryString":[{"name":"code","value":"c d"},{"name":"access_token","value":"t1"}],
          "cookies":[{"name":"sid","value":"1"},{"name":"other","value":"t2"}],
          "postData":{"mimeType":"","text":"code=e%2Bf","params":[{"name":"code","value":"e+f"},{"name":"access_token","value":"t3"}]}},
        "response":{"redirectURL":"/x#access_token=t4","headers":[{"name":"Location","value":"/x"}]}}"#,
    );
    let reading = read(&file);
    follow(&file, &reading);
    for (pointer, text) in [
        ("request/url", "https://app.example/cb?code=c%20d#f"),
        (
            "request/queryString",
            "https://app.example/cb?access_token=t1",
        ),
        ("request/cookies/1/value", "t2"),
        ("request/postData/text", "code=e%2Bf"),
        ("request/postData/params", "access_token=t3"),
        (
            "response/redirectURL",
            "https://app.example/x#access_token=t4",
        ),
    ] {
        let pointer = format!("/log/entries/0/{pointer}");
        assert_eq!(text_at(&reading, &pointer), text);
    }
    assert_eq!(reading.observations.len(), 8);
}

/// What is told of an entry with this request: as what, and the bytes.
fn told_of(request: &str) -> Vec<(String, String)> {
    let reading = read(&capture(&format!(
        r#"{{"request":{request},"response":{{}}}}"#
    )));
    assert_eq!(reading.problems, [] as [&str; 0]);
    let told = reading.observations.iter().map(|it| {
        let text = String::from_utf8_lossy(bytes_of(&it.payload));
        (kind_of(&it.payload), text.into_owned())
    });
    told.collect()
}

#[test]
fn of_a_name_that_stands_twice_the_last_counts_and_the_first_is_searched() {
    let url = "https://app.example/?access_token=";
    for (request, kind) in [
        (
            format!(r#"{{"url":"{url}first","url":"{url}last"}}"#),
            "url",
        ),
        (
            r#"{"headers":[{"name":"X-Token","value":"Bearer first","value":"Bearer last"}]}"#
                .to_owned(),
            "header X-Token",
        ),
        (
            r#"{"postData":{"text":"access_token=first","text":"access_token=last"}}"#.to_owned(),
            "body ",
        ),
        (
            format!(r#"{{"url":"{url}first"}},"request":{{"url":"{url}last"}}"#),
            "url",
        ),
    ] {
        let mut told = told_of(&request);
        told.sort_by_key(|(kind, _)| kind != "text");
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(
            told[0].0 == "text" && told[0].1.contains("first"),
            "{told:?}"
        );
        assert!(told[1].0 == kind && told[1].1.contains("last"), "{told:?}");
    }
}

#[test]
fn members_that_the_format_does_not_know_are_searched() {
    for member in [
        r#""headers":{"Authorization":"Bearer made-up-value"}"#,
        r#""headers":["access_token=made-up-value"]"#,
        r#""headers":[{"name":"x","value":{"access_token":"made-up-value"}}]"#,
        r#""headers":[{"name":"x","value":"y","comment":"access_token=made-up-value"}]"#,
        r#""postData":"access_token=made-up-value""#,
        r#""postData":{"text":{"access_token":"made-up-value"}}"#,
        r#""url":["https:\/\/app.example\/#access_token=made-up-value"]"#,
        r#""access_token":"made-up-value""#,
        r#""_initiator":{"url":"https://app.example/#access_token=made-up-value"}"#,
    ] {
        let told = told_of(&format!("{{{member}}}"));
        let mut texts = told.iter().filter(|(kind, _)| kind == "text");
        assert!(
            texts.next().unwrap().1.contains("made-up-value"),
            "{told:?}"
        );
        assert!(texts.next().is_none(), "{told:?}");
    }
    let file = capture(
        r#"{"request":{},"_initiator":{"url":"https://app.example/#access_token=x"},"a=b":"access_token=y"}"#,
    );
    let reading = read(&file);
    let initiator = text_at(&reading, "/log/entries/0/_initiator");
    assert!(initiator.contains("#access_token=x"));
    at(&reading, "/log/entries/0/*");
}

#[test]
fn an_endless_host_or_url_is_not_held_by_each_part_of_an_entry() {
    let host = "h".repeat(1 << 16);
    let list = |name: &str, value: &str| {
        let header = format!(r#"{{"name":"{name}","value":"{value}#"#);
        let headers = (0..1_000).map(|number| format!("{header}{number}\"}}"));
        headers.collect::<Vec<_>>().join(",")
    };
    let file = capture(&format!(
        r#"{{"request":{{"url":"https://{host}/?code=x","headers":[{},{}]}},"response":{{"headers":[{}]}}}}"#,
        list("Referer", "https://a.example/?code=x"),
        list("Cookie", "access_token=x"),
        list("Location", "?code=x"),
    ));
    let reading = read(&file);
    assert_eq!(reading.observations.len(), 3_001);
    let held = reading.observations.iter().map(|seen| {
        let origin = match (&seen.payload, &seen.via) {
            (Payload::Pair { origin, .. }, _) => origin.as_ref(),
            (_, Via::Referer { sent_to }) => sent_to.as_ref(),
            _ => None,
        };
        bytes_of(&seen.payload).len() + origin.map_or(0, |host| host.len())
    });
    assert!(held.sum::<usize>() < 20 * file.len());
}

#[test]
fn an_entry_of_countless_parts_is_searched_as_text_behind_the_first() {
    let cookies = "code=a; ".repeat(60_000);
    let file = capture(&format!(
        r#"{{"request":{{"headers":[{{"name":"Cookie","value":"{cookies}access_token=made-up"}}]}},"response":{{"headers":[]}}}}"#
    ));
    let reading = read(&file);
    assert_eq!(reading.problems.len(), 1, "{:?}", reading.problems);
    assert_eq!(reading.observations.len(), 50_001);
    let last = reading.observations.last().unwrap();
    assert_eq!(kind_of(&last.payload), "text");
    let text = bytes_of(&last.payload);
    assert!(memchr::memmem::find(text, b"access_token=made-up").is_some());
}

#[test]
fn what_stands_where_nobody_looks_for_it_is_found() {
    let entry = |members: &str| {
        format!(
            r#"{{"log":{{"pages":[{{"id":"p"}}],"entries":[{{"request":{{"headers":[]}},{members}}}]}}}}"#
        )
    };
    let log = |members: &str| {
        format!(r#"{{"log":{{"entries":[{{"request":{{"headers":[]}}}}],{members}}}}}"#)
    };
    let token = "access_token=made-up-value";
    for file in [
        entry(&format!(
            r#""response":{{"url":"https://a.example/#{token}"}}"#
        )),
        entry(r#""response":{"queryString":[{"name":"access_token","value":"made-up-value"}]}"#),
        log(&format!(
            r#""entries":[{{"request":{{"headers":[],"redirectURL":"https://a.example/#{token}"}}}}]"#
        )),
        entry(
            r#""response":{"content":{"params":[{"name":"access_token","value":"made-up-value"}]}}"#,
        ),
        entry(r#""_webSocketMessages":[{"type":"send","data":{"access_token":"made-up-value"}}]"#),
        entry(&format!(
            r#""_webSocketMessages":[{{"opcode":1,"payload":"{token}"}}]"#
        )),
        entry(&format!(r#""_webSocketMessages":["{token}"]"#)),
        entry(&format!(
            r#""_webSocketMessages":[{{"opcode":2,"data":"{token}"}}]"#
        )),
        log(&format!(
            r#""pages":[{{"_URL":"https://a.example/#{token}"}}]"#
        )),
        log(&format!(
            r#""pages":[{{"title":"Example https://a.example/#{token}"}}]"#
        )),
        log(&format!(r#""comment":"https://a.example/#{token}""#)),
        log(r#""other":{"access_token":"made-up-value"}"#),
        format!(r#"{{"log":{{"entries":[[{{"request":{{"url":"/#{token}","headers":[]}}}}]]}}}}"#),
        format!(r#"{{"log":{{"entries":[]}},"other":["{token}"]}}"#),
    ] {
        for size in [7, BUFFER] {
            let reading = read_sized(file.as_bytes(), size);
            assert_eq!(reading.problems, [] as [&str; 0], "{file}");
            assert_eq!(reading.observations.len(), 1, "{file}");
            let bytes = bytes_of(&reading.observations[0].payload);
            let has = |what: &[u8]| memchr::memmem::find(bytes, what).is_some();
            assert!(has(b"access_token") && has(b"made-up-value"), "{file}");
        }
    }
}

#[test]
fn a_name_that_may_be_a_token_stands_in_no_pointer() {
    let name = ["kX7qTz4V", "bN9mLp2W", "rYhJ6sDf"].concat();
    for file in [
        capture(&format!(
            r#"{{"request":{{}},"{name}":"access_token=made-up-value"}}"#
        )),
        format!(
            r#"{{"log":{{"{name}":{{"entries":[{{"request":{{"url":"/#access_token=made-up-value"}}}}]}}}}}}"#
        )
        .into_bytes(),
    ] {
        let reading = read(&file);
        assert_eq!(reading.observations.len(), 1);
        let (_, pointer, ..) = entry(&reading.observations[0]);
        assert!(pointer.contains("/*"), "{pointer}");
        assert!(!pointer.contains(&name), "{pointer}");
    }
}

#[test]
fn a_method_is_one_that_is_known_or_it_is_searched() {
    let method = |method: &str| {
        let file = capture(&format!(
            r#"{{"request":{{"method":"{method}","url":"https://app.example/#access_token=x","headers":[]}}}}"#
        ));
        let reading = read(&file);
        let exchange = reading.observations[0].exchange.clone().unwrap();
        (exchange.method, reading.observations.len())
    };
    assert_eq!(
        method("get").0.map(tokentrail::atoms::Method::as_str),
        Some("GET")
    );
    assert_eq!(method("kXqTzVbNmLpWrYhJ"), (None, 1));
    assert_eq!(method("access_token=made-up-value"), (None, 2));
    // A million headers are not told with a megabyte each.
    assert_eq!(method(&"M".repeat(1 << 20)), (None, 1));
}

#[test]
fn a_request_without_a_url_is_told_by_its_pseudo_headers() {
    let file = capture(
        r#"{"request":{"headers":[{"name":":authority","value":"App.example"},{"name":":path","value":"/cb?code=c"}]},"response":{}}"#,
    );
    let reading = read(&file);
    assert_eq!(
        text_at(&reading, "/log/entries/0/request/headers/1/value"),
        "/cb?code=c"
    );
    let exchange = reading.observations[0].exchange.as_ref().unwrap();
    assert_eq!(exchange.url.as_bytes(), b"/cb?code=c");
    assert_eq!(exchange.host.as_deref(), Some("App.example"));
}

#[test]
fn base64_bodies_are_opened_unless_they_are_pictures() {
    let body = |mime: &str, text: &str| {
        capture(&format!(
            r#"{{"request":{{"url":"https://app.example/","headers":[]}},"response":{{"headers":[],"content":{{"mimeType":"{mime}","encoding":"base64","text":"{text}"}}}}}}"#
        ))
    };
    let found = |file: &[u8]| {
        let reading = read(file);
        let mut bodies = reading
            .observations
            .iter()
            .filter(|observation| matches!(observation.payload, Payload::Body { .. }));
        bodies.next().map(|body| bytes_of(&body.payload).to_vec())
    };
    let json = "eyJhY2Nlc3NfdG9rZW4iOiJ4In0=";
    let opened = Some(br#"{"access_token":"x"}"#.to_vec());
    assert_eq!(found(&body("application/json", json)), opened);
    assert_eq!(found(&body("application/octet-stream", json)), opened);
    for mime in ["image/png", "font/woff2", "video/mp4", "application/wasm"] {
        assert_eq!(found(&body(mime, json)), None, "{mime}");
    }
    let png = "iVBORw0KGgoeyJhbGciOiJub25lIn0=";
    assert_eq!(found(&body("", png)), None);
}

#[test]
fn a_referer_names_the_host_that_was_told() {
    let (_, file) = fixtures()
        .into_iter()
        .find(|(path, _)| path.ends_with("token-in-query.chrome.har"))
        .unwrap();
    let reading = read(&file);
    let told_to: Vec<_> = reading
        .observations
        .iter()
        .filter_map(|observation| match &observation.via {
            Via::Referer { sent_to } => sent_to.as_deref(),
            _ => None,
        })
        .collect();
    assert_eq!(told_to, ["stats.tracker.example"]);
}

#[test]
fn names_that_only_a_list_holds_are_seen() {
    for list in [
        r#""postData":{"mimeType":"","params":[{"name":"access_token","value":"made-up-value"}]}"#,
        r#""headers":[{"value":"made-up-value","name" : "Access_Token"}]"#,
        r#""queryString":[{"name":"access_token","value":"made-up-value"}],"url":"https://app.example/""#,
    ] {
        let reading = read(&capture(&format!(r#"{{"request":{{{list}}}}}"#)));
        let found = reading.observations.iter().any(|observation| {
            String::from_utf8_lossy(bytes_of(&observation.payload)).contains("made-up-value")
        });
        assert!(found, "{list}");
    }
}
