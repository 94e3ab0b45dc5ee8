//! Writes what the map half of a run found, one object a line, as `tokentrail-sightings/1`. A source's line
//! stands before its sightings, so that a shard that is cut off loses no more than what is missing.

use std::io;

use super::assemble::shard as assemble;
use super::compact;
use super::wire::Counts;
use super::wire::shard::{Line, NotClaimed, Run, Totals, Trailer};
use crate::collect::read::Row;
use crate::detect::Sighting;

/// A shard that is being written.
pub struct Shard<'a> {
    out: &'a mut (dyn io::Write + Send),
    /// The line that is written, which is put together in memory: it has hundreds of small parts.
    line: Vec<u8>,
    run: String,
    totals: Totals,
}

impl<'a> Shard<'a> {
    /// Writes the first line.
    pub fn begin(run: Run, out: &'a mut (dyn io::Write + Send)) -> io::Result<Self> {
        let mut shard = Self {
            out,
            line: Vec::new(),
            run: run.run.clone(),
            totals: Totals::default(),
        };
        shard.write(&Line::Run(run))?;
        // A run that is ended within its first source is known by this line.
        shard.out.flush()?;
        Ok(shard)
    }

    /// Writes a source with its problems and sightings.
    pub fn source(
        &mut self,
        row: &Row,
        clock_error: Option<f64>,
        sightings: &[Sighting],
    ) -> io::Result<()> {
        let run = self.run.clone();
        self.totals.sources += 1;
        self.write(&Line::Source(assemble::source(&run, row, clock_error)))?;
        for problem in assemble::problems(&run, row) {
            self.totals.problems += 1;
            self.write(&Line::Problem(problem))?;
        }
        let source = row.source.digest();
        for sighting in sightings {
            self.totals.sightings += 1;
            let sighting = assemble::sighting(&run, source, sighting);
            self.write(&Line::Sighting(Box::new(sighting)))?;
        }
        // A run that is ended has written what was done.
        self.out.flush()
    }

    /// Writes the last lines.
    pub fn end(mut self, not_claimed: Counts) -> io::Result<()> {
        self.totals.not_claimed = not_claimed.values().sum();
        if !not_claimed.is_empty() {
            let run = self.run.clone();
            self.write(&Line::NotClaimed(NotClaimed {
                run,
                files: not_claimed,
            }))?;
        }
        let trailer = Trailer {
            run: self.run.clone(),
            totals: self.totals,
        };
        self.write(&Line::Trailer(trailer))
    }

    fn write(&mut self, line: &Line<'_>) -> io::Result<()> {
        self.line.clear();
        compact::line(line, &mut self.line)?;
        self.out.write_all(&self.line)
    }
}
