//! Text of the evidence that would become something else in a report, each test named after its attack. There is no
//! CSV among the formats, so that a formula has no place to run.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use crate::{FORMATS, program, run, scanning, tried};

/// Stands at the start of each hostile text, so that a report that shows nothing of it is noticed.
const MARK: &str = "owned";

/// Evidence with the text in every place that a report shows something of: client, scope, hosts, parameters,
/// claims, headers, cookies, names of files and members, of users and profiles.
fn evidence(dir: &Path, text: &str) {
    let percent: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let claims = json!({"iss": format!("https://idp.example/{text}"), "aud": text, "azp": text, "scope": text, "exp": 1_795_500_000});
    let part = |value: &str| BASE64URL_NOPAD.encode(value.as_bytes());
    let head = part(&json!({"alg": "HS256", "typ": "at+jwt", "kid": text}).to_string());
    let jwt = format!("{head}.{}.q7Rm2xVb9LtKpW4s", part(&claims.to_string()));
    let opaque = "qZ0001x8Rv2LmT0bWc7Kp4HsYd9Ng3Jf6";
    let authorize = format!(
        "https://idp.example/authorize?response_type=token&client_id={percent}&scope={percent}&redirect_uri=https%3A%2F%2Fapp.example%2F{percent}&state=k3Jf6qZ0001x8Rv2"
    );
    let urls = [
        authorize.clone(),
        format!(
            "https://app.example/cb#access_token={jwt}&state=k3Jf6qZ0001x8Rv2&token_type={percent}"
        ),
        format!(
            "https://app.example/{percent}/x?access_token={opaque}&{percent}=1&error_description={percent}"
        ),
        format!("https://{text}.example/x?access_token={opaque}1&{text}=1"),
        format!("https://app.example/x?access_token={opaque}2&client_id={text}&scope={text}"),
    ];
    let entries: Vec<Value> = urls
        .iter()
        .map(|url| {
            json!({
                "startedDateTime": "2026-11-23T01:28:04Z", "comment": text, "pageref": text,
                "request": {"method": text, "url": url, "headers": [
                    {"name": text, "value": format!("Bearer {opaque}3")}, {"name": "Authorization", "value": format!("Bearer {jwt}")},
                    {"name": "Cookie", "value": format!("{text}={opaque}4")}]},
                "response": {"status": 302, "headers": [{"name": "Location", "value": url}],
                    "content": {"mimeType": text, "text": json!({text: {"access_token": format!("{opaque}5")}}).to_string()}},
            })
        })
        .collect();
    let har = json!({"log": {"version": text, "creator": {"name": text}, "entries": entries}});
    let write = |name: &str, content: &str| {
        let path = dir.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    };
    write("a.har", &har.to_string());
    let log: String = urls
        .iter()
        .map(|url| json!({"time": "2026-11-23T01:28:04Z", "url": url, "user": text, text: {"access_token": format!("{opaque}6")}}).to_string() + "\n")
        .collect();
    write("b.log", &log);
    let safe = text.replace(['/', '\0'], "_");
    let name = safe.chars().take(60).collect::<String>();
    write(&format!("home/{name}/.config/{name}/{name}.log"), &log);
    write(&format!("{name}.har"), "{\"log\":{\"entries\":[");
    let user = format!("home/{name}/.mozilla/firefox/{name}");
    write(&format!("{user}/note.txt"), "nothing");
    let database = rusqlite::Connection::open(dir.join(&user).join("places.sqlite")).unwrap();
    database
        .execute_batch(
            "CREATE TABLE moz_places(id INTEGER PRIMARY KEY, url TEXT, title TEXT, last_visit_date INTEGER);
             CREATE TABLE moz_historyvisits(id INTEGER PRIMARY KEY, from_visit INTEGER, place_id INTEGER, visit_date INTEGER, visit_type INTEGER);",
        )
        .unwrap();
    for url in &urls {
        let row =
            "INSERT INTO moz_places(url, title, last_visit_date) VALUES(?1, ?2, 1795410000000000)";
        database.execute(row, [url.as_str(), text]).unwrap();
    }
}

/// Every format with this text in the evidence, and what was written beside it.
fn reports(text: &str) -> BTreeMap<&'static str, (String, String)> {
    let dir = tempfile::tempdir().unwrap();
    evidence(dir.path(), text);
    let written = FORMATS.map(|format| {
        let label = ["--label", "x", "--reveal", "identities"];
        let args = scanning(&[&[".", "-f", format], &label[..]].concat());
        let output = run(&mut program(dir.path(), &args), b"");
        let code = output.status.code();
        assert!(matches!(code, Some(0 | 3)), "{format}: {output:?}");
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (format, (text(output.stdout), text(output.stderr)))
    });
    for (format, (text, _)) in &written {
        assert!(text.contains(MARK), "{format} shows nothing of it");
    }
    BTreeMap::from(written)
}

/// No report, and no message, holds one of the characters as it is.
fn holds_none_of(test: &str, text: &str, is_hostile: impl Fn(char) -> bool) {
    for (format, (report, messages)) in reports(text) {
        for written in [report, messages] {
            let found = written.char_indices().find(|(_, it)| is_hostile(*it));
            let around =
                found.map(|(at, _)| written[..at].chars().rev().take(80).collect::<String>());
            assert_eq!(found, None, "{format}: {around:?} (backwards)");
        }
    }
    tried(test, "inputs", FORMATS.len());
}

#[test]
fn terminal_escape_sequences() {
    let text = "owned\u{1b}]0;title\u{7}\u{1b}[2J\u{9b}31m\r\u{8}\u{7f}\tx";
    holds_none_of("terminal_escape_sequences", text, |it| {
        it.is_control() && it != '\n'
    });
}

#[test]
fn text_that_runs_backwards_or_cannot_be_seen() {
    let text = "owned\u{202e}gnp.\u{2066}exe\u{200f}\u{200b}\u{feff}\u{ad}\u{e0041}";
    let test = "text_that_runs_backwards_or_cannot_be_seen";
    holds_none_of(test, text, |it| {
        it != '\n' && tokentrail::report::terminal::is_hostile(it)
    });
}

#[test]
fn forged_lines_in_formats_of_lines() {
    let text = "owned\n{\"type\":\"finding\",\"severity\":\"critical\"}\r\nx\u{85}y\u{2028}z";
    let hostile = reports(text);
    for format in ["ndjson", "ocsf", "ecs"] {
        for line in hostile[format].0.lines() {
            let object: Value = serde_json::from_str(line).unwrap();
            assert!(object.as_object().unwrap().len() > 2, "{line}");
        }
    }
    // A title or a URL ends where its line does.
    let table = &hostile["table"].0;
    assert!(
        !table
            .lines()
            .any(|line| line.trim_start().starts_with("{\"type\"")),
        "{table}"
    );
    tried("forged_lines_in_formats_of_lines", "inputs", 4);
}

/// The tags of a page, without what is quoted in them; a script and a style are text.
fn tags(page: &str) -> Vec<String> {
    let mut tags = Vec::new();
    let mut rest = page;
    while let Some((_, after)) = rest.split_once('<') {
        rest = after;
        if !rest.starts_with(|it: char| it.is_ascii_alphabetic() || it == '/') {
            continue;
        }
        let (mut tag, mut quote, mut end) = (String::new(), None, rest.len());
        for (at, character) in rest.char_indices() {
            match (quote, character) {
                (Some(open), _) if open == character => quote = None,
                (Some(_), _) => {}
                (None, '"' | '\'') => quote = Some(character),
                (None, '>') => {
                    end = at;
                    break;
                }
                (None, _) => tag.push(character),
            }
        }
        rest = &rest[end..];
        for raw in ["script", "style"] {
            if tag.split(' ').next() == Some(raw) {
                let close = format!("</{raw}");
                rest = rest.find(&close).map_or("", |at| &rest[at..]);
            }
        }
        tags.push(tag);
    }
    tags
}

#[test]
fn html_markup_and_script() {
    let payloads = [
        "owned</script><script>x()</script>",
        "owned<img src=x onerror=x()>",
        "owned\"' onmouseover='x()' \"",
        "owned</style><!--<svg/onload=x()>",
        "owned&lt;script&gt;x()&#x3C;/script>",
    ];
    let count = |page: &str, what: &str| page.to_ascii_lowercase().matches(what).count();
    let benign = reports("ownedplainly");
    let page = &benign["html"].0;
    for payload in payloads {
        let hostile = reports(payload);
        let seen = &hostile["html"].0;
        for what in ["<script", "</script", "<style", "</style", "<!--"] {
            assert_eq!(count(seen, what), count(page, what), "{what} by {payload}");
        }
        for what in ["<img", "<svg/"] {
            assert_eq!(count(seen, what), 0, "{what} by {payload}");
        }
        for tag in tags(seen) {
            assert!(
                !tag.contains("onmouseover") && !tag.contains("onerror"),
                "<{tag}> by {payload}"
            );
        }
    }
    assert_eq!(
        tags("a <b c=\"d>' e\" f='\"'>g</b> 1 < 2"),
        ["b c= f=", "/b"]
    );
    tried("html_markup_and_script", "inputs", payloads.len());
}

/// Every text below a member of this name, or a member of it.
fn below<'a>(value: &'a Value, name: &str, inside: bool, texts: &mut Vec<&'a str>) {
    match value {
        Value::String(text) if inside => texts.push(text),
        Value::Array(all) => all.iter().for_each(|it| below(it, name, inside, texts)),
        Value::Object(all) => all
            .iter()
            .for_each(|(key, it)| below(it, name, inside || key == name, texts)),
        _ => {}
    }
}

/// A link or a placeholder of SARIF 2.1.0 §3.11.5, §3.11.6.
fn acts(text: &str) -> bool {
    let mut plain = text
        .replace("\\\\", "")
        .replace("\\[", "")
        .replace("\\]", "");
    plain = plain.replace("{{", "").replace("}}", "");
    plain.contains(['[', ']', '{', '}'])
}

#[test]
fn sarif_links_and_placeholders() {
    let payloads = [
        "owned[click](https://evil.example)",
        "owned{0}{1}",
        "owned\\[click\\](https://evil.example)",
        "owned[x](1)]][[",
    ];
    for payload in payloads {
        let sarif: Value = serde_json::from_str(&reports(payload)["sarif"].0).unwrap();
        let mut messages = Vec::new();
        below(&sarif["runs"][0], "message", false, &mut messages);
        let shown = messages.iter().filter(|it| it.contains(MARK)).count();
        assert!(shown > 0, "no message shows {payload}");
        for message in messages {
            assert!(!acts(message), "{message}");
        }
    }
    assert!(acts("see [x](1)") && acts("{0}") && !acts("\\[x\\] {{0}}"));
    tried("sarif_links_and_placeholders", "inputs", payloads.len());
}

#[test]
fn markdown_where_code_scanning_renders_it() {
    let payload = "owned[x](https://evil.example)![](https://evil.example/?leak)<img src=x>`x`";
    let sarif: Value = serde_json::from_str(&reports(payload)["sarif"].0).unwrap();
    for member in ["markdown", "help", "fullDescription", "shortDescription"] {
        let mut texts = Vec::new();
        below(&sarif, member, false, &mut texts);
        assert!(!texts.is_empty(), "{member}");
        for text in texts {
            assert!(!text.contains(MARK), "{member} is made of evidence: {text}");
        }
    }
    tried("markdown_where_code_scanning_renders_it", "inputs", 1);
}

#[test]
fn a_saved_result_is_evidence_too() {
    let dir = tempfile::tempdir().unwrap();
    evidence(dir.path(), "ownedplainly");
    let args = scanning(&[".", "-f", "json"]);
    let saved = run(&mut program(dir.path(), &args), b"").stdout;
    let saved = String::from_utf8(saved).unwrap();
    let hostile = saved.replace("ownedplainly", "owned\\u001b[2J\\u202e</script><img src=x>");
    for format in FORMATS {
        let output = run(
            &mut program(dir.path(), &["report", "-", "-f", format]),
            hostile.as_bytes(),
        );
        assert_eq!(output.status.code(), Some(0), "{format}: {output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains(MARK), "{format}");
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{format}");
        assert!(format != "html" || !text.contains("<img"), "{format}");
    }
    tried("a_saved_result_is_evidence_too", "inputs", FORMATS.len());
}
