//! What stands in `fixtures/archives`: a collection and a capture, as their tools lay them out.
//!
//! `cargo test --test archives write_the_fixtures -- --ignored` writes them again.

use serde_json::{Value, json};

use crate::pack::{deflated, gzip, tarred, zip};

const COLLECTION: &str = "uac-web-01-linux-20261123060000.tar.gz";
const CAPTURE: &str = "spa-login.har.zip";

/// A history of Chromium with one code flow under S256.
fn history() -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("History");
    let connection = rusqlite::Connection::open(&path).unwrap();
    let challenge = "k2oYXKqiZrucvpgengXLeM1zKwsygOuURBK7b4-PB68";
    let request = format!(
        "https://idp.example/authorize?response_type=code&client_id=wiki&redirect_uri=https%3A%2F%2Fwiki.example%2Fcb&scope=openid&state=hV2nq8RkTz0wLx5c&code_challenge={challenge}&code_challenge_method=S256"
    );
    let answer = "https://wiki.example/cb?code=7Yk2mQx9LrV4tBn8Zc1WfHs6&state=hV2nq8RkTz0wLx5c";
    // Microseconds since 1601, for 2026-11-23T05:40:00Z and the moments after it.
    let at = 13_439_886_000_000_000_i64;
    connection
        .execute_batch(
            "PRAGMA page_size=1024;
             CREATE TABLE urls(id INTEGER PRIMARY KEY, url LONGVARCHAR, last_visit_time INTEGER);
             CREATE TABLE visits(id INTEGER PRIMARY KEY, url INTEGER, visit_time INTEGER, from_visit INTEGER, transition INTEGER);",
        )
        .unwrap();
    for (id, url) in [(1, request.as_str()), (2, answer)] {
        let at = at + i64::from(id) * 2_000_000;
        connection
            .execute("INSERT INTO urls VALUES(?1, ?2, ?3)", (id, url, at))
            .unwrap();
        let transition = if id == 1 {
            0x1000_0000
        } else {
            0x8000_0000_u32
        };
        connection
            .execute(
                "INSERT INTO visits VALUES(?1, ?1, ?2, ?3, ?4)",
                (id, at, id - 1, transition),
            )
            .unwrap();
    }
    drop(connection);
    std::fs::read(path).unwrap()
}

fn collection() -> Vec<u8> {
    let log = "192.0.2.44 - - [23/Nov/2026:05:41:00 +0000] \"GET /api/pages?access_token=Vb6mZr3QxT9kLw2YhNc8Dp5s HTTP/1.1\" 200 512 \"https://wiki.example/\" \"Mozilla/5.0\"\n\
               192.0.2.44 - - [23/Nov/2026:05:41:02 +0000] \"GET /style.css?v=20261101 HTTP/1.1\" 200 90 \"https://wiki.example/\" \"Mozilla/5.0\"\n";
    let rotated = gzip(
        log.replace("05:41", "04:11")
            .replace("Vb6m", "Vb7n")
            .as_bytes(),
    );
    let mut bytes = Vec::new();
    for (name, kind, data) in [
        (
            "[root]/home/bob/.config/chromium/Default/",
            b'5',
            Vec::new(),
        ),
        (
            "[root]/home/bob/.config/chromium/Default/History",
            b'0',
            history(),
        ),
        (
            "[root]/home/bob/.config/chromium/Default/History-journal",
            b'0',
            Vec::new(),
        ),
        ("[root]/var/log/nginx/access.log", b'0', log.into()),
        ("[root]/var/log/nginx/access.log.1.gz", b'0', rotated),
        ("[root]/etc/mtab", b'2', Vec::new()),
        (
            "bodyfile/bodyfile.txt",
            b'0',
            b"0|/etc/passwd|131|-rw-r--r--|0|0|1811|1795410000|1795410000|1795410000|0\n".to_vec(),
        ),
        (
            "live_response/system/uname.txt",
            b'0',
            b"Linux web-01 6.1.0\n".to_vec(),
        ),
    ] {
        bytes.extend(tarred(name, kind, &data));
    }
    bytes.resize(bytes.len() + 1024, 0);
    gzip(&bytes)
}

fn entry(url: &str, post: &Value, headers: &Value, content: &Value) -> Value {
    let method = if post.is_null() { "GET" } else { "POST" };
    let mut request = json!({"method": method, "url": url, "httpVersion": "HTTP/2.0", "headers": [], "cookies": [], "queryString": []});
    if !post.is_null() {
        request["postData"] = post.clone();
    }
    json!({
        "startedDateTime": "2026-11-23T05:50:00.000Z", "time": 20,
        "request": request,
        "response": {"status": 200, "headers": headers, "cookies": [], "content": content, "redirectURL": ""},
    })
}

/// Playwright's `attach` mode: what was posted and what came back lie in members of their own (`harTracer.ts`).
fn capture() -> Vec<u8> {
    let post = "grant_type=authorization_code&client_id=spa-notes&redirect_uri=https%3A%2F%2Fnotes.example%2Fcb&code=Zt5vK8wQm2XrLc7HyBn4Jd9f&code_verifier=pR7tX2mKq9Wv4Lz8Yc1Nb6Hd3Fs5Gj0TaUeIoPwQxZk";
    let tokens = "{\"access_token\":\"Mx4Kc9Tz2Rw7Yb5Lq8Vn3Hd6\",\"token_type\":\"Bearer\",\"expires_in\":300,\"refresh_token\":\"Gf8Jp3Wk6Zs1Xt9Bm4Qv7Lc2\"}";
    let (posted, answered) = ("5f0c3a.dat", "81b2d4.json");
    let har = json!({"log": {
        "version": "1.2",
        "creator": {"name": "Playwright", "version": "1.65.0"},
        "pages": [],
        "entries": [
            entry(
                "https://notes.example/cb?code=Zt5vK8wQm2XrLc7HyBn4Jd9f&state=Qm3Xv8Kt5Zw2Lr7c",
                &Value::Null, &json!([{"name": "content-type", "value": "text/html"}]),
                &json!({"mimeType": "text/html", "size": 0}),
            ),
            entry(
                "https://idp.example/token",
                &json!({"mimeType": "application/x-www-form-urlencoded", "text": "", "params": [], "_file": posted}),
                &json!([{"name": "content-type", "value": "application/json"}]),
                &json!({"mimeType": "application/json", "size": tokens.len(), "_file": answered}),
            ),
        ],
    }});
    zip(&[
        deflated(posted, post),
        deflated(answered, tokens),
        deflated("har.har", serde_json::to_vec(&har).unwrap()),
    ])
}

#[test]
#[ignore = "writes into the repository"]
fn write_the_fixtures() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/archives");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(COLLECTION), collection()).unwrap();
    std::fs::write(folder.join(CAPTURE), capture()).unwrap();
}
