//! A database with a write-ahead log or a rollback journal beside it. The first byte says which, the next three
//! where the database ends. Where SQLite finds the database sound, ours are the rows that it sees.
#![no_main]

#[path = "../../tests/histories/rows.rs"]
mod rows;

use std::fs;

use tokentrail::collect::Evidence;
use tokentrail::collect::sqlite::Views;
use tokentrail_fuzz::{file, folder, scan, seal};

tokentrail_fuzz::target!(seal::sqlite, |data| {
    let Some((&[which, high, middle, low], bytes)) = data.split_first_chunk::<4>() else {
        return;
    };
    let cut = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
    let (main, beside) = bytes.split_at(cut.min(bytes.len()));
    let suffix = if which & 1 == 0 { "-wal" } else { "-journal" };
    let written = || {
        let folder = folder();
        let path = file(&folder, "History", main);
        file(&folder, &format!("History{suffix}"), beside);
        (folder, path)
    };
    let (_folder, path) = written();
    scan(&path, "History");
    let ours = rows::ours(&path);
    // A crafted size is told, and what a crafted tree has behind it is out of reach; so is an end before the last page,
    // which SQLite fills with zeros.
    let is_told = Evidence::file(&path, "History").and_then(|it| Views::open(&it));
    let is_told = is_told.is_ok_and(|views| views.problem.is_some() || views.cut_off);
    let after = fs::read(&path).expect("the file that was written");
    assert!(after == main, "the evidence was changed");
    let (_other, copy) = written();
    if let Some(theirs) = rows::theirs(&copy) {
        assert!(is_told || ours == Some(theirs), "SQLite sees other rows");
    }
});
