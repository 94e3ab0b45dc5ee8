//! The command line, and the README, run as they are written.
//!
//! `TRYCMD=overwrite cargo test --test cli` accepts what the program writes now.

#[test]
fn transcripts_are_true() {
    trycmd::TestCases::new()
        .env("NO_COLOR", "1")
        .case("tests/cli/*.trycmd")
        .case("README.md");
}
