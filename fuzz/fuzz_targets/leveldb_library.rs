//! A store that another implementation of LevelDB writes: what it still has is live here, and nothing else is. The
//! input is what is written into it.
#![no_main]

use std::collections::BTreeMap;

use rusty_leveldb::{DB, Options};
use tokentrail::atoms::View;
use tokentrail::collect::{Evidence, Payload};
use tokentrail_fuzz::{folder, observe};

/// Changes that are made: the library takes a millisecond for ten.
const TURNS: usize = 500;

/// Letters of a value that are as one byte of the input says.
const LETTERS: usize = 8;

tokentrail_fuzz::target!(|data| {
    let Some((&how, turns)) = data.split_first() else {
        return;
    };
    let folder = folder();
    let options = Options {
        write_buffer_size: 512 << (how & 7),
        max_file_size: 2048 << (how >> 3 & 3),
        block_size: 256 << (how >> 5 & 3),
        compressor: how >> 7,
        reuse_logs: true,
        ..Options::default()
    };
    let now = write(folder.path(), options, turns);
    let mut live = BTreeMap::new();
    for file in folder.path().read_dir().expect("the folder") {
        let path = file.expect("a file of the store").path();
        let shown = path.to_string_lossy();
        let evidence = Evidence::file(&path, shown.as_ref()).expect("a file of the store");
        let ending = path.extension().unwrap_or_default();
        if ending != "ldb" && ending != "log" || evidence.is_empty() {
            continue;
        }
        let problems = observe("leveldb", &evidence, &mut |observation| {
            if let (View::Live, Payload::Pair { key, value, .. }) =
                (observation.place.view, &observation.payload)
            {
                live.insert(key.as_bytes().to_vec(), value.as_bytes().to_vec());
            }
        });
        assert_eq!(problems, 0, "a file of the library was not read whole");
    }
    let keys = live.keys().chain(now.keys());
    let other = keys.filter(|key| live.get(*key) != now.get(*key));
    let other: Vec<_> = other.map(|key| String::from_utf8_lossy(key)).collect();
    assert!(other.is_empty(), "the library has other values: {other:?}");
});

/// Writes and deletes, and returns what is left.
fn write(folder: &std::path::Path, options: Options, turns: &[u8]) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut store = DB::open(folder, options).expect("a new store");
    let mut now = BTreeMap::new();
    for (number, turn) in turns.chunks(3).take(TURNS).enumerate() {
        let &[what, len, letter] = turn else { break };
        let key = format!("k{:02}.access_token", what & 31);
        let stored = format!("_https://app.example\0\u{1}{key}");
        match what >> 5 {
            0 | 1 => {
                store.delete(stored.as_bytes()).expect("a deletion");
                now.remove(key.as_bytes());
            }
            2 => store.flush().expect("a flush"),
            _ => {
                let letters = (0..usize::from(len) * LETTERS)
                    .map(|at| char::from(b'a' + (letter.wrapping_mul((at / 7) as u8)) % 26));
                let value: String = format!("token-{number}-").chars().chain(letters).collect();
                let written = store.put(stored.as_bytes(), format!("\u{1}{value}").as_bytes());
                written.expect("a value");
                now.insert(key.into_bytes(), value.into_bytes());
            }
        }
    }
    store.close().expect("the store is closed");
    now
}
