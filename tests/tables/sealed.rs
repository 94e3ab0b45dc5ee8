//! What Chromium encrypts: opened where the key is the same everywhere, told where it is elsewhere.

use std::fmt::Write as _;

use super::made::{blob, bound, foreign, snappy, v10};
use super::{Seen, database, scan};

const COOKIES: &str = "CREATE TABLE cookies(creation_utc INTEGER NOT NULL,host_key TEXT NOT NULL,name TEXT NOT NULL,value TEXT NOT NULL,encrypted_value BLOB NOT NULL);";

fn cookies(values: &[Vec<u8>]) -> Seen {
    let folder = tempfile::tempdir().unwrap();
    let mut sql = COOKIES.to_owned();
    for value in values {
        let value = blob(value);
        writeln!(
            sql,
            "INSERT INTO cookies VALUES(13439639539500000,'app.example','access_token','',{value});"
        )
        .unwrap();
    }
    scan(&database(folder.path(), "Cookies", &sql))
}

#[test]
fn cookies_under_the_fixed_key_are_read() {
    let seen = cookies(&[
        v10(&bound("app.example", "made-up with its host")),
        v10(b"made-up and of an older version"),
    ]);
    assert_eq!(seen.problems, [""; 0]);
    let line = |value: &str| {
        format!(
            "cookies.encrypted_value | cookie app.example access_token = {value} | 2026-11-20T09:12:19.5Z"
        )
    };
    let lines = ["made-up and of an older version", "made-up with its host"].map(line);
    assert_eq!(seen.lines, lines);
}

#[test]
fn cookies_under_other_keys_are_counted_and_told() {
    let seen = cookies(&[
        foreign("v11", &bound("app.example", "of a keyring")),
        foreign("v10", &bound("app.example", "of a keychain")),
        b"v10\x01\x02 of Windows, AES-GCM".to_vec(),
        b"\x01\0\0\0\xd0\x8c\x9d\xdf of old Windows, DPAPI".to_vec(),
        v10(b"made-up and readable"),
    ]);
    assert_eq!(seen.lines.len(), 1, "{:?}", seen.lines);
    assert_eq!(seen.problems.len(), 1, "{:?}", seen.problems);
    assert!(seen.problems[0].starts_with("its cookies (4) are encrypted"));
}

/// One value in 256 under another key has a padding that fits: what comes out is no text, and is no finding.
#[test]
fn a_padding_that_fits_by_accident_is_not_enough() {
    let values: Vec<Vec<u8>> = (0..2_000_u32)
        .map(|number| foreign("v10", format!("access_token {number:016}").as_bytes()))
        .collect();
    let seen = cookies(&values);
    assert_eq!(seen.lines, [""; 0]);
    assert!(seen.problems[0].starts_with("its cookies (2000) are encrypted"));
}

#[test]
fn passwords_are_never_decrypted() {
    let folder = tempfile::tempdir().unwrap();
    let logins = |name: &str, value: &[u8]| {
        let value = blob(value);
        let sql = format!(
            "CREATE TABLE logins(origin_url VARCHAR NOT NULL, password_value BLOB, signon_realm VARCHAR NOT NULL);
             INSERT INTO logins VALUES('https://app.example/',{value},'https://app.example/');"
        );
        scan(&database(folder.path(), name, &sql))
    };
    let seen = logins("a", &v10(b"access_token=made-up"));
    assert_eq!((seen.lines.len(), seen.problems.len()), (0, 0));
    let seen = logins("b", &foreign("v11", b"access_token=made-up"));
    assert_eq!(seen.lines, [""; 0]);
    assert!(seen.problems[0].starts_with("its passwords (1) are encrypted"));
}

#[test]
fn the_browsers_own_tokens_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let token = blob(&v10(b"access_token=made-up"));
    let other = blob(&foreign("v11", b"access_token=made-up"));
    let sql = format!(
        "CREATE TABLE autofill(name VARCHAR, value VARCHAR, value_lower VARCHAR);
         CREATE TABLE token_service(service VARCHAR PRIMARY KEY NOT NULL,encrypted_token BLOB);
         INSERT INTO token_service VALUES('AccountId-1',{token}),('AccountId-2',{other});"
    );
    let seen = scan(&database(folder.path(), "Web Data", &sql));
    let line = "token_service.encrypted_token | text access_token=made-up | never";
    assert_eq!(seen.lines, [line]);
    assert!(seen.problems[0].starts_with("its account tokens (1) are encrypted"));
}

#[test]
fn web_storage_that_cannot_be_unpacked_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let long = "access_token=made-up ".repeat(1_000);
    let good = blob(&snappy(long.as_bytes()));
    let sql = format!(
        "CREATE TABLE database(origin TEXT NOT NULL);
         CREATE TABLE data(key TEXT PRIMARY KEY, conversion_type INTEGER NOT NULL, compression_type INTEGER NOT NULL, value BLOB NOT NULL);
         INSERT INTO database VALUES('https://app.example');
         INSERT INTO data VALUES('a',1,1,{good}),('b',1,1,x'ffffff7f00'),('access_token',1,1,x'05');"
    );
    let seen = scan(&database(folder.path(), "data.sqlite", &sql));
    assert_eq!(seen.lines.len(), 1);
    assert!(seen.lines[0].contains(&long));
    assert_eq!(seen.problems.len(), 1, "{:?}", seen.problems);
    assert!(seen.problems[0].contains("cannot be unpacked"));
}
