//! JSON documents: how one is laid out changes nothing but where its records lie.

use serde_json::{Value, json};

use super::{Bounds, Cursor, Evidence, Locator, Observation, read_with, shown};

/// Logins as an identity provider exports them, each with what stands between them.
fn records() -> Vec<Value> {
    let record = |number: usize| match number % 4 {
        0 => json!({
            "published": format!("2026-11-24T10:{number:02}:02.000Z"),
            "client": {"ipAddress": "192.0.2.7", "agents": [{"name": "x"}]},
            "debugContext": {"debugData": {"url": format!("/cb?code=code-{number}-x&state=abc")}},
        }),
        1 => {
            json!({"published": format!("2026-11-24T10:{number:02}:02.000Z"), "text": "],[\"{},\\"})
        }
        2 => json!({
            "published": format!("2026-11-24T10:{number:02}:02.000Z"),
            "form": {"grant_type": "authorization_code", "code": format!("code-{number}-x"), "scope": ["a", "b"]},
            "steps": [{"time": "2026-11-24T09:00:00Z", "a": 1}, {"time": "2026-11-24T09:00:01Z"}],
        }),
        _ => json!({
            "published": format!("2026-11-24T10:{number:02}:02.000Z"),
            "response": {"access_token": format!("token-{number}-x"), "expires_in": 3600},
        }),
    };
    (0..23).map(record).collect()
}

fn lines(records: &[Value], one: fn(&Value) -> String) -> String {
    records.iter().map(|record| one(record) + "\n").collect()
}

/// What is told of these records as JSON lines.
fn as_lines(records: &[Value]) -> Vec<String> {
    let document = lines(records, Value::to_string);
    told(document.as_bytes(), Bounds::default())
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap()
}

/// What was seen and when, and what stands where it is said to lie.
fn told(document: &[u8], bounds: Bounds) -> Vec<String> {
    let evidence = Evidence::stream(Box::new(Cursor::new(document.to_vec())), "events.json");
    let reading = read_with(&evidence.unwrap(), bounds, None);
    assert_eq!(reading.problems, Vec::<String>::new());
    let told = |observation: &Observation| {
        let Locator::Line { number, byte } = observation.place.locator else {
            panic!("a log has lines");
        };
        let byte = usize::try_from(byte).unwrap();
        let before = &document[..byte];
        let line = before.split(|byte| *byte == b'\n').count();
        assert_eq!(number, line as u64, "{}", shown(observation));
        assert_eq!(document[byte], b'{', "{}", shown(observation));
        let at = observation
            .at
            .map_or("-".to_owned(), |at| at.instant.to_string());
        let shown = shown(observation);
        format!("{at} {}", shown.split_once(' ').unwrap().1)
    };
    reading.observations.iter().map(told).collect()
}

#[test]
fn how_a_document_is_laid_out_does_not_matter() {
    let records = records();
    let expected = as_lines(&records);
    assert!(expected.len() > 15, "{expected:?}");
    let array = Value::Array(records.clone());
    let around = json!({"Records": records});
    let deep = json!({"took": 3, "hits": {"total": 9, "hits": records}});
    let very_deep = json!({"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]});
    for value in [&array, &around, &deep, &very_deep] {
        for document in [value.to_string(), pretty(value)] {
            for window in [1, 7, 64, 1 << 18] {
                let bounds = Bounds {
                    window,
                    ..Bounds::default()
                };
                assert_eq!(told(document.as_bytes(), bounds), expected, "{document}");
                let dos = document.replace('\n', "\r\n");
                assert_eq!(told(dos.as_bytes(), bounds), expected, "{dos}");
            }
        }
    }
    let stream = lines(&records, pretty);
    assert_eq!(told(stream.as_bytes(), Bounds::default()), expected);
    let arrays = lines(&records, |record| format!("[{record}]"));
    assert_eq!(told(arrays.as_bytes(), Bounds::default()), expected);
    let glued: String = records.iter().map(Value::to_string).collect();
    assert_eq!(told(glued.as_bytes(), Bounds::default()), expected);
}

#[test]
fn a_document_of_any_length_is_read_record_by_record() {
    let records = records();
    let one = as_lines(&records);
    let array = Value::Array(records);
    let item = array.to_string();
    let item = item.trim_matches(['[', ']']);
    let document = format!("[{}]", vec![item; 40].join(","));
    let bounds = Bounds {
        window: 64,
        max_line: 1 << 10,
    };
    assert!(document.len() > 50 * bounds.max_line);
    assert_eq!(told(document.as_bytes(), bounds), vec![one; 40].concat());
}

#[test]
fn a_damaged_document_loses_no_more_than_the_damage_hit() {
    let document = pretty(&Value::Array(records()));
    let whole = told(document.as_bytes(), Bounds::default());
    for at in (0..document.len()).step_by(97) {
        let cut = told(&document.as_bytes()[..at], Bounds::default());
        let same = cut.iter().zip(&whole).filter(|(cut, whole)| cut == whole);
        // What the cut runs through is searched as text.
        assert!(same.count() + 3 >= cut.len(), "{at}: {cut:?}");
    }
}

#[test]
fn a_record_of_a_document_in_utf_16_lies_where_the_file_has_it() {
    let document = pretty(&Value::Array(records()));
    let units =
        |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
    let file = [b"\xff\xfe".as_slice(), &units(&document)].concat();
    let evidence = Evidence::stream(Box::new(Cursor::new(file.clone())), "events.json");
    let reading = read_with(&evidence.unwrap(), Bounds::default(), None);
    assert!(reading.observations.len() > 15);
    for observation in &reading.observations {
        let Locator::Line { byte, .. } = observation.place.locator else {
            panic!("a log has lines");
        };
        let from = usize::try_from(byte).unwrap();
        assert_eq!(file[from..from + 2], *b"{\0", "{}", shown(observation));
    }
}
