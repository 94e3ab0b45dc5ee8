//! Captures that are wrapped, odd, cut, damaged, too large, or none.

use super::*;

#[test]
fn a_capture_cut_anywhere_keeps_its_whole_entries() {
    let whole = read(&fixtures().swap_remove(0).1);
    let file = odd("truncated.har");
    let full: Vec<u8> = {
        let entries: Vec<String> = (0..3)
            .map(|n| {
                format!(
                    r#"{{"startedDateTime":"2026-11-23T05:00:00Z","request":{{"url":"https://app.example/{n}","headers":[{{"name":"Cookie","value":"a=\u003d{n}"}}]}},"response":{{"content":{{"mimeType":"text/html","text":"<i>access_token={n}"}}}}}}"#
                )
            })
            .collect();
        capture(&entries.join(", "))
    };
    assert!(!whole.observations.is_empty() && !read(&file).problems.is_empty());
    let text = std::str::from_utf8(&full).unwrap();
    let ends: Vec<usize> = text
        .match_indices("}}}")
        .map(|(at, _)| at + 3)
        .take(3)
        .collect();
    let expected: Vec<String> = read(&full).observations.iter().map(told).collect();
    assert_eq!(expected.len(), 9);
    for cut in 1..full.len() {
        let reading = read_sized(&full[..cut], 50);
        let found: Vec<String> = reading.observations.iter().map(told).collect();
        let entries = ends.iter().filter(|end| **end <= cut).count();
        assert_eq!(found[..entries * 3], expected[..entries * 3], "{cut}");
        assert!(!reading.problems.is_empty(), "{cut}");
    }
}

#[test]
fn wrappings_do_not_matter() {
    for name in [
        "bom.har",
        "jsonp.harp",
        "utf16be.har",
        "utf16-without-mark.har",
        "mitmproxy.zhar",
        "array-of-entries.json",
    ] {
        let file = odd(name);
        assert!(claims(&file, "evidence.bin"), "{name}");
        let reading = read(&file);
        assert_eq!(locations(&reading), tokens(0..2), "{name}");
        assert!(
            reading.problems.is_empty(),
            "{name}: {:?}",
            reading.problems
        );
    }
}

#[test]
fn a_single_entry_is_a_capture() {
    let file = odd("single-entry.json");
    assert!(claims(&file, "evidence.bin"));
    let reading = read(&file);
    assert_eq!(locations(&reading), tokens(0..1));
    at(&reading, "/response/headers/0/value");
}

#[test]
fn several_captures_under_any_names_are_read_and_an_odd_name_is_not_shown() {
    let file = odd("several.json");
    assert!(claims(&file, "evidence.bin"));
    let reading = read(&file);
    assert_eq!(locations(&reading), tokens(0..4));
    at(&reading, "/first run/log/entries/0/request/url");
    at(&reading, "/*/log/entries/1/request/url");
    let last = at(&reading, "/deeper/still/0/log/entries/0/request/url");
    assert_eq!(entry(last).0, 3);
    let mut keys: Vec<_> = reading
        .observations
        .iter()
        .filter_map(|observation| Some(observation.exchange.as_ref()?.key.digest))
        .collect();
    keys.dedup();
    assert_eq!(keys.len(), 4);
}

#[test]
fn entries_are_read_whatever_stands_beside_them() {
    let entry = r#"{"request":{"url":"https://app.example/#access_token=x","headers":[]}}"#;
    for (file, pointer) in [
        (
            format!(r#"{{"request":{{"headers":[]}},"log":{{"entries":[{entry}]}}}}"#),
            "/log/entries/0/request/url",
        ),
        (
            format!(r#"{{"response":{{"headers":[]}},"entries":[{entry}]}}"#),
            "/entries/0/request/url",
        ),
        (
            format!(r#"{{"log":{{"entries":[],"entr\u0069es":[{entry}]}}}}"#),
            "/log/entries/0/request/url",
        ),
    ] {
        assert!(claims(file.as_bytes(), "x.har"));
        let reading = read(file.as_bytes());
        assert_eq!(reading.problems, [] as [&str; 0]);
        at(&reading, pointer);
    }
}

#[test]
fn a_capture_without_entries_is_a_problem_and_one_with_none_is_not() {
    let file = odd("no-entries.har");
    assert!(claims(&file, "no-entries.har"));
    assert!(!claims(&file, "evidence.bin"));
    assert!(read(&file).problems[0].contains("without a list of entries"));
    let file = odd("empty-entries.har");
    assert!(claims(&file, "evidence.bin"));
    assert!(read(&file).problems.is_empty());
}

#[test]
fn what_is_no_capture_is_not_claimed() {
    assert!(!claims(&odd("not-json.har"), "not-json.har"));
    assert!(!claims(b"", "empty.har"));
    for other in [
        r#"{"request":{"url":"https://app.example/","headers":[["Host","app.example"]]}}"#,
        r#"{"name":"tokentrail","entries":[{"title":"x"}]}"#,
        r#"{"log":"GET /?entries HTTP/1.1","stream":"stdout","time":"2026-11-23T05:00:00Z"}"#,
        r#"{"level":"info","request":{"uri":"/cb?code=x","headers":{"Referer":["y"]}},"status":200}"#,
        r#"{"startedDateTime":"2026-11-23T05:00:00Z"}"#,
        r#"[{"request":"GET / HTTP/1.1"}]"#,
        r#"{"pages":[{"id":1,"title":"https://app.example/"}]}"#,
        "127.0.0.1 - - [23/Nov/2026:05:00:00 +0000] \"GET /?x={}",
    ] {
        assert!(!claims(other.as_bytes(), "other.json"), "{other}");
    }
}

#[test]
fn a_cut_capture_says_where_it_stopped() {
    let file = odd("truncated.har");
    assert!(claims(&file, "evidence.bin"));
    let reading = read(&file);
    assert_eq!(locations(&reading)[..2], tokens(0..2));
    let stopped = format!("at byte {}", file.len());
    assert!(
        reading.problems[0].contains(&stopped),
        "{:?}",
        reading.problems
    );
}

#[test]
fn what_follows_the_document_is_told() {
    let reading = read(&odd("trailing.har"));
    assert_eq!(locations(&reading), tokens(0..2));
    assert!(
        reading.problems[0].contains("not JSON"),
        "{:?}",
        reading.problems
    );
}

#[test]
fn damage_in_an_entry_costs_no_other_entry() {
    let reading = read(&odd("damaged-entry.har"));
    let found = locations(&reading);
    assert!(found.starts_with(&tokens(0..1)) && found.ends_with(&tokens(2..3)));
    assert_eq!(reading.problems.len(), 1);
    assert!(reading.problems[0].starts_with("entry 1 "));
    let rest = at(&reading, "/log/entries/1");
    let text = String::from_utf8_lossy(bytes_of(&rest.payload));
    assert!(text.contains("#access_token=made-up-token-0001"));
    assert!(!text.contains("#access_token=made-up-token-0002"));
    for name in ["surrogates.har", "invalid-utf8.har"] {
        assert_eq!(locations(&read(&odd(name))), tokens(0..1), "{name}");
    }
}

#[test]
fn nesting_of_any_depth_is_walked_over() {
    let reading = read(&odd("deep.har"));
    assert_eq!(locations(&reading), tokens(0..2));
    let brackets = format!("{{\"log\":{}", "[".repeat(3_000_000));
    assert_eq!(read(brackets.as_bytes()).observations.len(), 0);
}

#[test]
fn an_entry_beyond_all_bounds_is_searched_as_text() {
    let filler = "lorem \\u0022ipsum\\u0022 ".repeat(1_000_000);
    let entry = |n: u32, body: &str| {
        format!(
            r#"{{"request":{{"url":"https://app.example/{n}","headers":[]}},"response":{{"content":{{"mimeType":"text/html","text":"{body}"}}}}}}"#
        )
    };
    let large = entry(
        0,
        &format!("access_token=first {filler} \\u0022access_token\\u0022=last"),
    );
    let reading = read(&capture(&[large, entry(1, "access_token=x")].join(",")));
    assert_eq!(reading.problems.len(), 1, "{:?}", reading.problems);
    assert!(reading.problems[0].contains("larger than 16 MiB"));
    text_at(&reading, "/log/entries/0/request/url");
    text_at(&reading, "/log/entries/1/request/url");
    let body = text_at(&reading, "/log/entries/0/response/content/text");
    assert!(body.starts_with("access_token=first lorem \"ipsum\""));
    let ends: Vec<&Observation> = reading
        .observations
        .iter()
        .filter(|observation| {
            let text = String::from_utf8_lossy(bytes_of(&observation.payload));
            text.contains("\"access_token\"=last")
        })
        .collect();
    assert!(matches!(
        ends[..],
        [Observation {
            payload: Payload::Text(_),
            ..
        }]
    ));
}

#[test]
fn a_quote_too_few_hides_nothing() {
    let whole = String::from_utf8(odd("truncated.har")).unwrap();
    let file = whole.replacen("\"https://app.example/0\"", "\"https://app.example/0", 1);
    let reading = read(file.as_bytes());
    assert!(!reading.problems.is_empty());
    let found: Vec<_> = reading
        .observations
        .iter()
        .map(|observation| String::from_utf8_lossy(bytes_of(&observation.payload)))
        .collect();
    for token in tokens(0..2) {
        assert!(found.iter().any(|text| text.contains(&token)), "{token}");
    }
}

#[test]
fn entries_one_a_line_are_read() {
    let line = r#"{"startedDateTime":"2026-11-23T05:00:00Z","request":{"url":"https://app.example/#access_token=x"},"response":{}}"#;
    let file = format!("{line}\n{line}\n");
    assert!(claims(file.as_bytes(), "entries.jsonl"));
    let reading = read(file.as_bytes());
    let places: Vec<_> = reading.observations.iter().map(entry).collect();
    assert_eq!(
        places,
        [(0, "/request/url", 1, 60), (1, "/request/url", 2, 60)]
    );
    assert!(reading.problems.is_empty());
}

#[test]
fn a_damaged_compression_keeps_what_came_before() {
    let file = odd("mitmproxy.zhar");
    let reading = read(&file[..file.len() - 40]);
    assert_eq!(reading.problems.len(), 1, "{:?}", reading.problems);
    assert!(reading.problems[0].starts_with("compressed data is damaged"));
    assert_eq!(locations(&reading)[..1], tokens(0..1));
}

#[test]
fn no_damage_makes_the_reader_fail() {
    let mut state = 1_u64;
    let mut random = move |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(state >> 33).unwrap() % below
    };
    for (_, file) in fixtures() {
        for _ in 0..60 {
            let mut damaged = file.clone();
            for _ in 0..=random(4) {
                let at = random(damaged.len());
                damaged[at] = *b"\"\\{}[],:u\0\xff0".get(random(12)).unwrap();
            }
            let _ = claims(&damaged, "capture.har");
            let _ = read_sized(&damaged, 1 + random(5000));
        }
    }
}
