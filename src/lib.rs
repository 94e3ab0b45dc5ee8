//! tokentrail follows the trail that credentials leave outside the place where they belong.
//!
//! The folder listing is the pipeline, and imports point left:
//! `atoms → collect → detect → flow → judge → report`.

pub mod atoms;
pub mod collect;
pub mod detect;
pub mod flow;
pub mod judge;
pub mod report;

pub mod cli;
pub mod gather;
pub mod ordered;
pub mod output;
pub mod parts;
pub mod pile;
pub mod process;
pub mod reduce;
pub mod scan;
pub mod settings;
pub mod shards;
pub mod stats;
pub mod told;
pub mod values;
