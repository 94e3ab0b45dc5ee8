//! Stage 5: findings become bytes. Renders from the wire types alone and decides nothing, so that a saved
//! result renders to the same bytes as the run that wrote it.

pub mod assemble;
pub mod baseline;
pub mod catalogue;
mod compact;
pub mod ecs;
pub mod explain;
mod headline;
pub mod html;
pub mod json;
pub mod merge;
pub mod ndjson;
pub mod ocsf;
pub mod restore;
pub mod sarif;
pub mod shard;
mod summary;
pub mod table;
mod telling;
pub mod terminal;
pub mod wire;

use std::io;

pub use wire::Report;

/// A form of the report.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// For people.
    Table(table::Look),
    /// `tokentrail/1`.
    Json,
    /// `tokentrail/1`, one object a line.
    Ndjson,
    /// SARIF 2.1.0.
    Sarif,
    /// One page for people.
    Html,
    /// OCSF Detection Findings, one a line.
    Ocsf,
    /// Elastic Common Schema, one document a line.
    Ecs,
}

/// Writes the report.
pub fn render(report: &Report, format: Format, out: &mut dyn io::Write) -> io::Result<()> {
    match format {
        Format::Table(look) => table::render(report, look, out),
        Format::Json => json::render(report, out),
        Format::Ndjson => ndjson::render(report, out),
        Format::Sarif => sarif::render(report, out),
        Format::Html => html::render(report, out),
        Format::Ocsf => ocsf::render(report, out),
        Format::Ecs => ecs::render(report, out),
    }
}

/// The JSON Schema of the wire format, as it is checked in.
pub fn schema() -> schemars::Schema {
    schemars::schema_for!(Report)
}

/// The JSON Schema of one line of `scan --sightings`, as it is checked in.
pub fn shard_schema() -> schemars::Schema {
    schemars::schema_for!(wire::shard::Line<'_>)
}
