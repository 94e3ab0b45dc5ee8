//! The command line: clap definitions and nothing else.

mod output;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use globset::Glob;
use jiff::Timestamp;

use crate::judge::gate::Selector;
use crate::judge::{Severity, State};
use crate::values;

pub use output::{Format, GroupBy, Output, Reveal, Shown, Sort};

/// Finds credentials that OAuth and its relatives left in browser histories, logs and HAR files, and says
/// which flow put them there and what they are worth.
///
/// Works locally: opens no network connection and never writes beside what it reads.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 100, disable_help_subcommand = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Read evidence and report what it exposes
    Scan(Box<Scan>),
    /// Put sightings together and report what they expose
    Correlate(Box<Correlate>),
    /// Render a saved JSON result again
    Report(Report),
    /// Say what a rule, flow, verdict, weakness or attack means, and what to do
    Explain {
        /// Its name in a report: `implicit`, `replayable`, or with its topic `flow:implicit`
        #[arg(value_name = "ID")]
        id: String,
    },
    /// Accept leaks that are known
    #[command(subcommand)]
    Baseline(Baseline),
    /// Show or check the rules
    #[command(subcommand)]
    Rules(Rules),
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page, or that of a command
    Man {
        /// The command
        command: Option<String>,
    },
    /// Print the JSON Schema of the result
    Schema {
        /// That of a line of `scan --sightings`
        #[arg(long)]
        sightings: bool,
    },
}

/// Options of `scan`.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct Scan {
    /// Files, folders or mounted images; `-` is standard input
    #[arg(value_name = "PATH", required_unless_present = "files_from")]
    pub paths: Vec<PathBuf>,
    /// What to read.
    #[command(flatten)]
    pub input: Input,
    /// How to judge.
    #[command(flatten)]
    pub judging: Judging,
    /// How to recognise.
    #[command(flatten)]
    pub detecting: Detecting,
    /// What makes the run fail.
    #[command(flatten)]
    pub gate: Gate,
    /// What to write.
    #[command(flatten)]
    pub output: Output,
    /// What to show.
    #[command(flatten)]
    pub shown: Shown,
    /// Write what was seen, one JSON object a line, for `tokentrail correlate` to judge; exit 0 once each
    /// source has its line
    #[arg(long, help_heading = "Output", conflicts_with_all = JUDGED)]
    pub sightings: bool,
}

/// Options that say nothing where nothing is judged.
const JUDGED: [&str; 16] = [
    "as_of",
    "min_severity",
    "verdict",
    "since",
    "until",
    "code_lifetime",
    "fail_on",
    "gate",
    "channel",
    "baseline",
    "strict",
    "format",
    "report",
    "sort",
    "group_by",
    "reveal",
];

/// Options of `correlate`.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct Correlate {
    /// Results of `scan --sightings`, in any order; `-` is standard input
    #[arg(value_name = "FILE", default_value = "-")]
    pub files: Vec<PathBuf>,
    /// How to share the work with other machines.
    #[command(flatten)]
    pub sharing: Sharing,
    /// How to judge.
    #[command(flatten)]
    pub judging: Judging,
    /// What makes the run fail.
    #[command(flatten)]
    pub gate: Gate,
    /// What to write.
    #[command(flatten)]
    pub output: Output,
}

/// How the reduce half is shared among machines.
#[derive(Debug, Args)]
#[command(next_help_heading = "Sharing with other machines")]
pub struct Sharing {
    /// Write what the sightings say of all others, for --key-stats, and judge nothing
    #[arg(long)]
    pub write_key_stats: bool,
    /// Believe FILE, the output of --write-key-stats for all sightings, about those that are not here
    #[arg(long, value_name = "FILE", conflicts_with = "write_key_stats")]
    pub key_stats: Option<PathBuf>,
    /// Write what these sightings come to, to be given to `correlate` with the other parts
    #[arg(long, requires = "key_stats")]
    pub part: bool,
    /// Read and judge on this many threads [default: one per core]
    #[arg(short = 'j', long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
}

/// Exit codes, below the help of `scan` and `correlate`.
const EXIT_CODES: &str = "\
Exit codes:
  0  everything that a reader claimed was read, and nothing meets --fail-on
  1  something does
  2  usage, configuration or rule error, or no path matched anything
  3  nothing meets it, but a source failed or was read in part";

/// What to read.
#[derive(Debug, Args)]
#[command(next_help_heading = "Input")]
pub struct Input {
    /// Read paths from FILE (`-`: standard input), separated by newlines or NULs
    #[arg(long, value_name = "FILE")]
    pub files_from: Option<PathBuf>,
    /// Only files that match; without `/` the pattern is for names (repeatable)
    #[arg(long, value_name = "PATTERN", value_parser = values::glob)]
    pub glob: Vec<Glob>,
    /// No files or folders that match (repeatable)
    #[arg(long, value_name = "PATTERN", value_parser = values::glob)]
    pub exclude: Vec<Glob>,
    /// Show paths relative to DIR
    #[arg(long, value_name = "DIR")]
    pub source_root: Option<PathBuf>,
    /// Show paths below a folder NAME, so that one path on two machines is two sources
    #[arg(long, value_name = "NAME")]
    pub source_prefix: Option<String>,
    /// Stay on the file system that a path lies on
    #[arg(long)]
    pub one_file_system: bool,
    /// Give everything to this reader, whatever it looks like
    #[arg(long = "type", value_name = "READER")]
    pub reader: Option<String>,
    /// Zone of logs that state none: `UTC`, `+02:00`, or a POSIX TZ string [default: UTC]
    #[arg(long, value_name = "ZONE", allow_hyphen_values = true, value_parser = values::zone)]
    pub log_timezone: Option<values::Zone>,
    /// Read text of any form, not only what looks like a log
    #[arg(long)]
    pub all_text: bool,
    /// Look for deleted rows also in the bytes of databases that no row uses any more
    #[arg(long)]
    pub residue: bool,
    /// Record SHA-256 of each source, archives and their members, but standard input (costs more than the scan)
    #[arg(long)]
    pub hash: bool,
    /// Read on this many threads [default: one per core]
    #[arg(short = 'j', long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
}

/// How to judge.
#[derive(Debug, Args)]
#[command(next_help_heading = "Judging")]
pub struct Judging {
    /// Judge as of this moment: date or RFC 3339 time [default: now]
    #[arg(long, value_name = "TIME", value_parser = values::time)]
    pub as_of: Option<Timestamp>,
    /// Report nothing less severe; what is not reported does not count for the exit code either
    #[arg(long, value_name = "SEVERITY", default_value = "info", value_parser = values::severity)]
    pub min_severity: Severity,
    /// Report only what is worth this at --as-of: live, replayable, expired… (repeatable)
    #[arg(long, value_name = "STATE", value_parser = values::state)]
    pub verdict: Vec<State>,
    /// Report nothing that was last seen before this moment
    #[arg(long, value_name = "TIME", value_parser = values::time)]
    pub since: Option<Timestamp>,
    /// Report nothing that was first seen at or after this moment
    #[arg(long, value_name = "TIME", value_parser = values::time)]
    pub until: Option<Timestamp>,
    /// Add the rules in FILE (repeatable)
    #[arg(long, value_name = "FILE")]
    pub rules: Vec<PathBuf>,
    /// Lifetime in seconds of authorization codes whose provider is unknown [default: 600]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(i64).range(1..=86_400))]
    pub code_lifetime: Option<i64>,
    /// Name of the run, for dashboards
    #[arg(long, value_name = "TEXT")]
    pub label: Option<String>,
}

/// How to recognise.
#[derive(Debug, Args)]
#[command(next_help_heading = "Judging")]
pub struct Detecting {
    /// Verify signatures with the keys of this JWK set
    #[arg(long, value_name = "FILE")]
    pub jwks: Option<PathBuf>,
    /// Key of fingerprints: same key, same fingerprints; short values have one only under a key
    #[arg(long, value_name = "FILE")]
    pub fingerprint_key: Option<PathBuf>,
}

/// What makes the run fail.
#[derive(Debug, Args)]
#[command(next_help_heading = "Exit code")]
pub struct Gate {
    /// A severity, `never`, or flow:…, kind:…, verdict:…, weakness:… of what is reported (repeatable)
    #[arg(long, value_name = "WHAT", default_value = "low")]
    pub fail_on: Vec<Selector>,
    /// Which verdict counts
    #[arg(long, value_enum, default_value_t = Moment::AtExposure)]
    pub gate: Moment,
    /// Whether what only the direct channel of a HAR shows counts too
    #[arg(long, value_enum, default_value_t = Channel::Front)]
    pub channel: Channel,
    /// Leaks that are accepted: they are told, and do not make the run fail
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// Count unsupported sources as unread
    #[arg(long)]
    pub strict: bool,
}

/// Which verdict counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Moment {
    /// When it was exposed.
    AtExposure,
    /// At `--as-of`.
    Now,
}

/// Which channels of a HAR count.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Channel {
    /// What went through the address bar.
    Front,
    /// Everything.
    All,
}

/// Options of `report`.
#[derive(Debug, Args)]
pub struct Report {
    /// Result of `scan --format json`; `-` is standard input
    #[arg(value_name = "RESULT.json")]
    pub result: PathBuf,
    /// What to write.
    #[command(flatten)]
    pub output: Output,
}

/// The commands of `baseline`.
#[derive(Debug, Subcommand)]
pub enum Baseline {
    /// Accept every leak of a result; what the baseline says already stays
    Write {
        /// The result, and the baseline.
        #[command(flatten)]
        files: BaselineFiles,
        /// Why they are accepted: known leaks become suppressed ones
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
        /// Until when
        #[arg(long, value_name = "TIME", value_parser = values::time)]
        until: Option<Timestamp>,
    },
    /// Forget what a result no longer has, and what was accepted until a moment that has passed
    Prune {
        /// The result, and the baseline.
        #[command(flatten)]
        files: BaselineFiles,
    },
}

/// What `baseline` reads and renews.
#[derive(Debug, Args)]
pub struct BaselineFiles {
    /// Result of `scan --format json`; `-` is standard input
    #[arg(value_name = "RESULT.json")]
    pub result: PathBuf,
    /// The baseline
    #[arg(long, value_name = "FILE")]
    pub baseline: PathBuf,
}

/// The commands of `rules`.
#[derive(Debug, Subcommand)]
pub enum Rules {
    /// List the rules
    List,
    /// Check the rules, and those in FILE
    Check {
        /// Rule files
        #[arg(value_name = "FILE")]
        files: Vec<PathBuf>,
    },
}
