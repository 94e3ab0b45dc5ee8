//! No output shows a part of what is planted in caches, sessions and lists: not in values, and not in the names of
//! headers, cookies, storage, forms, members, and hosts, which a hostile site chooses.

use std::fs;
use std::process::Command;

use super::write::List::{Array, Dict, Text};
use super::write::{
    Blocks, firefox, metadata, mozlz4, pickle, simple, webkit_record, webkit_strings,
};
use super::{NOW, token};

/// Of a credential, so many characters in a row are too many.
const PART: usize = 12;

/// Names that a rule looks at, with the credential in them.
fn files(secret: &dyn Fn() -> String) -> Vec<(&'static str, Vec<u8>)> {
    let (a, b, c) = (secret(), secret(), secret());
    let url = format!(
        "https://{a}.example/{b}?access_token={c}#id_token={}",
        secret()
    );
    let headers = format!(
        "HTTP/1.1 302 Found\nLocation: /{}?code={}\nX-{}-Token: {}\nSet-Cookie: {}_session={}\nRefresh: 0; url=/?token={}",
        secret(),
        secret(),
        secret(),
        secret(),
        secret(),
        secret(),
        secret()
    );
    let key = format!("1/0/_dk_https://{} https://a.example {url}", secret());
    let body = format!(
        "{{\"{}_token\":\"{}\",\"access_token\":\"{}\"}}",
        secret(),
        secret(),
        secret()
    );
    let name = format!("x-{}-authorization", secret());
    let value = format!("Bearer {}", secret());
    let stream = metadata("GET", &[(&name, &value)], 200, &[("x", &secret())], NOW);
    let mut blocks = Blocks::default();
    blocks.entry(&key, &pickle(&headers, NOW), body.as_bytes(), NOW, true);
    let head = headers.replace('\n', "\r\n");
    let entry = format!("O^partitionKey={},:{url}", secret());
    let json = format!(
        r#"{{"windows":[{{"tabs":[{{"entries":[{{"url":"{url}","title":"{} token={}"}}],"{}":{{"{}_token":"{}"}},"storage":{{"https://{}.example":{{"{}_token":"{}"}}}},"formdata":{{"url":"{url}","id":{{"{}_password":"{}"}}}}}}]}}],"cookies":[{{"host":"{}","name":"{}_session","value":"{}"}}]}}"#,
        secret(),
        secret(),
        secret(),
        secret(),
        secret(),
        secret(),
        secret(),
        secret(),
        secret(),
        secret(),
        secret(),
        secret(),
        secret(),
    );
    let list = |key: &'static str| {
        Dict(vec![
            ("TabURL", Text(url.clone())),
            (
                key,
                Array(vec![Text(format!("{} token={}", secret(), secret()))]),
            ),
        ])
    };
    let mut files = vec![
        ("a_0", simple(&key, &pickle(&headers, NOW), body.as_bytes())),
        ("b_0", simple(&url, &stream, body.as_bytes())),
        (
            "cache2/entries/0123456789ABCDEF0123456789ABCDEF01234567",
            firefox(
                &entry,
                &[("response-head", &head)],
                body.as_bytes(),
                NOW as u32,
            ),
        ),
        (
            "c",
            webkit_record(
                &url,
                &webkit_strings(&[&format!("token={}", secret())]),
                body.as_bytes(),
                1.0,
            ),
        ),
        ("recovery.jsonlz4", mozlz4(json.as_bytes())),
        ("a.plist", list(PLANTED).binary()),
        ("b.plist", list(PLANTED).xml()),
    ];
    files.extend(
        blocks
            .files()
            .into_iter()
            .filter(|(name, _)| name != "data_0")
            .map(|(name, file)| {
                let name: &str = ["data_1", "data_2", "data_3"]
                    .into_iter()
                    .find(|known| *known == name)
                    .unwrap();
                (name, file)
            }),
    );
    files
}

/// A member of a list: its names are fixed in the tests' writer.
const PLANTED: &str = "qZ9999x8Rv2LmT0bWc7Kp4HsYd9Ng3Jf6_token";

#[test]
fn no_output_shows_a_part_of_what_is_planted() {
    let count = std::cell::Cell::new(100);
    let secret = || {
        count.set(count.get() + 1);
        token(count.get())
    };
    let dir = tempfile::tempdir().unwrap();
    for (name, content) in files(&secret) {
        let path = dir.path().join("firefox/x.default").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    for options in [
        &["-f", "table"][..],
        &["-f", "json"],
        &["-f", "ndjson"],
        &["-f", "json", "--reveal", "identities"],
        &["--sightings"],
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_tokentrail"))
            .args(["scan", "--source-root"])
            .arg(dir.path())
            .args(options)
            .arg(dir.path())
            .output()
            .unwrap();
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(
            text.contains("access_token"),
            "{options:?} found nothing: {text}"
        );
        let lower = text.to_ascii_lowercase();
        for number in (101..=count.get()).chain([9_999]) {
            let planted = token(number).to_ascii_lowercase();
            for part in planted.as_bytes().windows(PART) {
                // All of them end alike: the number makes the difference.
                let part = std::str::from_utf8(part).unwrap();
                assert!(
                    !lower.contains(part),
                    "{options:?} shows {part} of {planted}"
                );
            }
        }
    }
}
