//! What to write, and what to show: the options that every command that reports has. Clap definitions and nothing else.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::values;

/// What to write, and where.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct Output {
    /// Form of the result
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
    /// Write to FILE (mode 0600), not to standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Write this report too, in the same run (repeatable)
    #[arg(long, value_name = "FORMAT=FILE", value_parser = values::target)]
    pub report: Vec<(Format, PathBuf)>,
    /// Order of the table
    #[arg(long, value_enum, default_value_t = Sort::Severity)]
    pub sort: Sort,
    /// Groups of the table
    #[arg(long, value_enum)]
    pub group_by: Option<GroupBy>,
    /// No progress bar
    #[arg(long)]
    pub no_progress: bool,
    /// Nothing on standard error but errors
    #[arg(short, long)]
    pub quiet: bool,
}

/// Forms of the result.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Format {
    /// For people.
    Table,
    /// One document, `tokentrail/1`.
    Json,
    /// One object a line.
    Ndjson,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// One page that opens offline.
    Html,
    /// OCSF Detection Findings, one a line.
    Ocsf,
    /// Elastic Common Schema, one document a line.
    Ecs,
}

/// Orders of the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Sort {
    /// Worst first.
    Severity,
    /// Usable first.
    Verdict,
    /// Newest first.
    Newest,
    /// Oldest first.
    Oldest,
}

/// Groups of the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum GroupBy {
    /// By the client, or where nothing names it, the host.
    Application,
    /// By issuer.
    Issuer,
    /// By flow.
    Flow,
    /// By piece of evidence.
    Source,
}

/// What to show.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct Shown {
    /// Show what is masked: raw credentials, or personal claims (repeatable)
    #[arg(long, value_enum, value_name = "WHAT")]
    pub reveal: Vec<Reveal>,
}

/// What is masked unless asked for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, ValueEnum)]
pub enum Reveal {
    /// Personal claims of tokens.
    Identities,
    /// Raw credentials.
    Values,
}
