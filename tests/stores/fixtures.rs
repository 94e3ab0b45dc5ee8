//! The stores of the demo under `fixtures/laptop`, written by the writers beside this file:
//! `cargo test --test stores write_the_fixtures -- --ignored` writes them anew after a change.

use std::path::{Path, PathBuf};

use super::leveldb::{Row, delete, local, local_key, log, namespace, session, table};
use super::scan;
use super::snss::{Frame, Navigation, UPDATE_IN_SESSION, file, mojo_state, navigation};

const PROFILE: &str = "home/alice/.config/google-chrome/Default";
const SPA: &str = "https://spa.example";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures/laptop")
        .join(PROFILE)
}

fn user(access: &str, refresh: &str) -> String {
    format!(
        "{{\"access_token\":\"{access}\",\"refresh_token\":\"{refresh}\",\"token_type\":\"Bearer\",\"scope\":\"orders.read offline_access\",\"expires_at\":1795168992}}"
    )
}

/// Microseconds since 1601 at so many seconds after 2026-11-20T09:00:00Z.
fn at(seconds: i64) -> i64 {
    (1_795_165_200 + seconds + 11_644_473_600) * 1_000_000
}

/// An older user in a table, the present one in the write-ahead file, and a theme.
fn local_storage() -> Vec<(&'static str, Vec<u8>)> {
    let key = "oidc.user:https://login.idp.example:spa-orders";
    let old = user(
        "u8Qz1nVb5Kx0mRt7Yc3Lp9Ws2Df6Gh4J",
        "r1Nb6Vc8Xz2Lk4Jh0Gf7Ds5Aq9Wp3Ey",
    );
    let new = user(
        "k4Tm9Bv2Xc7Zn1Lq5Wr8Yp0Sd3Fg6Hj",
        "r7Hg5Fd3Sa1Po9Iu7Yt5Re3Wq1Lk8Mn",
    );
    let rows: Vec<Row> = vec![
        (
            local_key(SPA, key).into_bytes(),
            4,
            Some(format!("\u{1}{old}").into_bytes()),
        ),
        (
            local_key(SPA, "theme").into_bytes(),
            5,
            Some(b"\x01dark".to_vec()),
        ),
    ];
    vec![
        ("Local Storage/leveldb/000005.ldb", table(&rows, 2, false)),
        (
            "Local Storage/leveldb/000006.log",
            log(6, &[vec![local(SPA, key, &new)]]),
        ),
        (
            "Local Storage/leveldb/CURRENT",
            b"MANIFEST-000004\n".to_vec(),
        ),
    ]
}

/// A verifier that the application removed after its callback.
fn session_storage() -> Vec<(&'static str, Vec<u8>)> {
    let key = "oidc.9c1e7b3d4c58a2e6";
    let run = "{\"id\":\"9c1e7b3d4c58a2e6\",\"code_verifier\":\"Gk7vQ2xT9mB4nR1wY6cD3fH8jL5pS0aUeIoXyVtEzKq\",\"client_id\":\"spa-orders\",\"authority\":\"https://login.idp.example\",\"redirect_uri\":\"https://spa.example/callback\"}";
    let batches = [
        vec![namespace(0, SPA), session(0, key, run)],
        vec![delete(format!("map-0-{key}"))],
    ];
    vec![
        ("Session Storage/000003.log", log(1, &batches)),
        ("Session Storage/CURRENT", b"MANIFEST-000001\n".to_vec()),
    ]
}

/// A tab whose page renewed its token in a frame that no history has.
fn sessions() -> Vec<(&'static str, Vec<u8>)> {
    let page = "https://spa.example/orders/1190";
    let frame = "https://spa.example/silent#access_token=Zp5Xc8Vb1Nm4Qw7Er0Ty3Ui6Op9As2Df&token_type=Bearer&expires_in=3600&state=h2Gf5Ds8Aq1We4Rt7Yu0";
    let visit = Navigation {
        url: page.into(),
        title: "Order 1190".into(),
        state: mojo_state(&Frame {
            url: page.into(),
            children: vec![Frame {
                url: frame.into(),
                referrer: page.into(),
                ..Frame::default()
            }],
            ..Frame::default()
        }),
        at: at(220),
        ..Navigation::default()
    };
    let commands = [(UPDATE_IN_SESSION, navigation(&visit))];
    vec![("Sessions/Session_13440138820000000", file(3, &commands))]
}

fn files() -> Vec<(&'static str, Vec<u8>)> {
    [local_storage(), session_storage(), sessions()].concat()
}

#[test]
fn the_fixtures_are_what_the_writers_make() {
    for (name, bytes) in files() {
        let there = std::fs::read(folder().join(name)).unwrap_or_default();
        assert!(
            there == bytes,
            "{name} differs; write_the_fixtures writes it anew"
        );
    }
}

#[test]
#[ignore = "writes fixtures/"]
fn write_the_fixtures() {
    for (name, bytes) in files() {
        let path = folder().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
}

#[test]
fn each_fixture_goes_to_its_reader_without_a_problem() {
    for (name, _) in files() {
        let seen = scan(&folder().join(name));
        let reader = match name {
            name if name.ends_with("CURRENT") => None,
            name if name.starts_with("Sessions") => Some("chromium-session"),
            _ => Some("leveldb"),
        };
        assert_eq!(seen.reader, reader, "{name}");
        assert_eq!(seen.problems, [] as [&str; 0], "{name}");
    }
}
