//! Stores that another implementation of LevelDB wrote, with compaction and Snappy: every value that it still
//! has is live here, and nothing else is.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rusty_leveldb::{DB, Options};
use tokentrail::atoms::View;

use super::leveldb::local_key;
use super::scan;

const APP: &str = "https://app.example";

/// Numbers without a pattern, the same in each run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self, below: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

/// Writes and deletes a thousand times; what is left, and every value that ever was.
fn write(folder: &Path, compressor: u8, seed: u64) -> (BTreeMap<String, String>, BTreeSet<String>) {
    let options = Options {
        write_buffer_size: 8 * 1024,
        max_file_size: 16 * 1024,
        block_size: 1024,
        compressor,
        reuse_logs: true,
        ..Options::default()
    };
    let mut db = DB::open(folder, options).unwrap();
    let mut numbers = Numbers(seed);
    let (mut now, mut ever) = (BTreeMap::new(), BTreeSet::new());
    for turn in 0..1_000 {
        let key = format!("k{:02}.access_token", numbers.next(60));
        let stored = local_key(APP, &key);
        if numbers.next(5) == 0 {
            db.delete(stored.as_bytes()).unwrap();
            now.remove(&key);
        } else {
            let value = format!(
                "token-{turn}-{}",
                "abcdefghij".repeat(numbers.next(20) as usize)
            );
            db.put(stored.as_bytes(), format!("\u{1}{value}").as_bytes())
                .unwrap();
            now.insert(key, value.clone());
            ever.insert(value);
        }
    }
    db.flush().unwrap();
    db.close().unwrap();
    (now, ever)
}

#[test]
fn what_the_store_still_has_is_live_and_nothing_else() {
    for (compressor, seed) in [(0, 1), (1, 2), (1, 3)] {
        let folder = tempfile::tempdir().unwrap();
        let (now, ever) = write(folder.path(), compressor, seed);
        let mut live = BTreeMap::new();
        let (mut tables, mut recovered) = (0, 0);
        for file in std::fs::read_dir(folder.path()).unwrap() {
            let path = file.unwrap().path();
            let seen = scan(&path);
            if seen.reader != Some("leveldb") {
                continue;
            }
            tables += usize::from(path.extension().is_some_and(|ending| ending == "ldb"));
            assert_eq!(seen.problems, [] as [&str; 0], "{}", path.display());
            for pair in seen.pairs() {
                assert!(ever.contains(&pair.value), "{}", pair.value);
                if pair.view == View::Live {
                    live.insert(pair.key, pair.value);
                } else {
                    assert_eq!(pair.view, View::Recovered);
                    recovered += 1;
                }
            }
        }
        assert_eq!(live, now, "compressor {compressor}");
        assert!(tables > 1, "{tables} tables");
        assert!(recovered > 10, "{recovered} values recovered");
    }
}
