//! A whole profile: what one file cannot tell, and another beside it does.

use std::path::Path;
use std::process::Command;

use rusqlite::Connection;
use serde_json::Value;

use super::leveldb::{Change, local, log, namespace, session};
use super::snss::{Frame, Navigation, UPDATE_IN_SESSION, file, mojo_state, navigation};

const PROFILE: &str = "home/alice/.config/google-chrome/Default";
const VERIFIER: &str = "Zk3vQ9xT1mB7nR5wY2cD8fG4hJ6kL0pS-aUeIoXyVtE";
const CODE: &str = "kf93mQpZ7vX1tB5nR8wY2cD4";

/// SHA-256 of the verifier, base64url (RFC 7636 §4.2).
fn challenge() -> String {
    use sha2::{Digest, Sha256};
    data_encoding::BASE64URL_NOPAD.encode(&Sha256::digest(VERIFIER))
}

fn history(folder: &Path) {
    let connection = Connection::open(folder.join("History")).unwrap();
    let at = (1_795_410_000_i64 + 11_644_473_600) * 1_000_000;
    let request = format!(
        "https://idp.example/authorize?response_type=code&client_id=spa&redirect_uri=https%3A%2F%2Fapp.example%2Fcb&state=b1d2f3a4c5e6b7d8a9&code_challenge={}&code_challenge_method=S256",
        challenge()
    );
    let callback = format!("https://app.example/cb?code={CODE}&state=b1d2f3a4c5e6b7d8a9");
    connection
        .execute_batch(&format!(
            "CREATE TABLE urls(id INTEGER PRIMARY KEY, url, title, last_visit_time, hidden);
             CREATE TABLE visits(id INTEGER PRIMARY KEY, url, visit_time, from_visit, transition);
             INSERT INTO urls VALUES(1,'{request}','',{at},0),(2,'{callback}','',{at}+900000,0);
             INSERT INTO visits VALUES(1,1,{at},0,268435456),(2,2,{at}+900000,1,2684354560);"
        ))
        .unwrap();
}

fn store(folder: &Path, name: &str, batches: &[Vec<Change>]) {
    let folder = folder.join(name);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("CURRENT"), "MANIFEST-000001\n").unwrap();
    std::fs::write(folder.join("000003.log"), log(1, batches)).unwrap();
}

fn report(root: &Path) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_tokentrail"))
        .args(["scan", ".", "--as-of", "2026-11-23T05:00:20Z", "-f", "json"])
        .args(["--fail-on", "never"])
        .current_dir(root)
        .env_clear()
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    for secret in [VERIFIER, CODE] {
        assert!(!text.contains(secret), "the report holds {secret}");
    }
    serde_json::from_slice(&output.stdout).unwrap()
}

fn finding<'r>(report: &'r Value, kind: &str) -> &'r Value {
    let findings = report["findings"].as_array().unwrap();
    let mut of_kind = findings.iter().filter(|finding| finding["kind"] == kind);
    of_kind.next().unwrap_or_else(|| panic!("no {kind}"))
}

#[test]
fn a_verifier_in_session_storage_opens_the_code_in_the_history() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join(PROFILE);
    std::fs::create_dir_all(&folder).unwrap();
    history(&folder);
    let alone = report(root.path());
    assert_eq!(
        finding(&alone, "authorization_code")["now"]["state"],
        "guarded"
    );

    let run = format!(
        "{{\"id\":\"b1d2f3a4c5e6b7d8a9\",\"code_verifier\":\"{VERIFIER}\",\"authority\":\"https://idp.example\",\"client_id\":\"spa\",\"redirect_uri\":\"https://app.example/cb\"}}"
    );
    let written = vec![
        namespace(3, "https://app.example"),
        session(3, "oidc.b1d2f3a4c5e6b7d8a9", &run),
    ];
    // The application removed it after the callback; the file keeps it.
    let removed = vec![super::leveldb::delete("map-3-oidc.b1d2f3a4c5e6b7d8a9")];
    store(&folder, "Session Storage", &[written, removed]);
    let report = report(root.path());
    let code = finding(&report, "authorization_code");
    assert_eq!(code["now"]["state"], "replayable", "{}", code["now"]);
    assert!(
        code["now"]["holder"]
            .as_str()
            .unwrap()
            .contains("alice/Chrome/Default")
    );
    let verifier = finding(&report, "code_verifier");
    let sighting = &verifier["sightings"][0];
    assert_eq!(sighting["view"], "recovered");
    assert_eq!(sighting["channel"], "storage");
    assert_eq!(sighting["locator"]["type"], "record");
}

#[test]
fn one_token_in_three_files_is_one_finding() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join(PROFILE);
    let token = "mF0pQ2rS4tU6vW8xY0zA1bC3dE5fG7hJ";
    let url =
        format!("https://app.example/cb#access_token={token}&token_type=bearer&state=b1d2f3a4");
    store(
        &folder,
        "Local Storage/leveldb",
        &[vec![local("https://app.example", "access_token", token)]],
    );
    let object = [
        b"\x02\xff\x0fo\"\x0caccess_token\"\x20",
        token.as_bytes(),
        b"{\x01",
    ]
    .concat();
    let name = "IndexedDB/https_app.example_0.indexeddb.leveldb";
    store(
        &folder,
        name,
        &[vec![(b"\0\x01\x01\x01\x01\x01\0k".to_vec(), Some(object))]],
    );
    std::fs::create_dir_all(folder.join("Sessions")).unwrap();
    let visit = Navigation {
        url: "https://app.example/".into(),
        state: mojo_state(&Frame {
            url: "https://app.example/".into(),
            children: vec![Frame {
                url,
                ..Frame::default()
            }],
            ..Frame::default()
        }),
        ..Navigation::default()
    };
    let session = file(3, &[(UPDATE_IN_SESSION, navigation(&visit))]);
    std::fs::write(folder.join("Sessions/Session_13"), session).unwrap();
    let report = report(root.path());
    let tokens: Vec<&Value> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["kind"] == "access_token")
        .collect();
    assert_eq!(tokens.len(), 1);
    assert_eq!(tokens[0]["sightings_total"], 3);
}
