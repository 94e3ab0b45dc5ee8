//! A field of a record that another format holds: read as a line of a log, or as a column. Knows nothing of what holds it.

use std::borrow::Cow;
use std::cell::Cell;

use super::json;
use super::observe::{self, Spot};
use super::record::{Grammar, Part, Record, better};
use crate::atoms::When;
use crate::collect::{Context, Observation};

/// A field, and when its record was written.
pub(in crate::collect) struct Field<'a> {
    pub(in crate::collect) name: &'a [u8],
    pub(in crate::collect) value: &'a [u8],
    pub(in crate::collect) at: Option<When>,
}

impl Field<'_> {
    /// Hands on everything in it that is worth a look.
    pub(in crate::collect) fn observe(
        &self,
        spot: Spot<'_>,
        ctx: &Context<'_>,
        sink: &mut dyn FnMut(Observation),
    ) {
        let members = Cell::new(json::MAX_MEMBERS);
        let grammar = Grammar {
            formats: &ctx.rules.formats,
            section: None,
            tz: ctx.log_timezone,
            members: &members,
        };
        let value = self.value.trim_ascii();
        // What has blanks in it is a line, a command or a list, whatever its name.
        let record = if self.name == b"MESSAGE" || value.iter().any(u8::is_ascii_whitespace) {
            let record = grammar.read(value);
            let own = record.at.filter(|_| record.format.is_some());
            Record {
                at: better(own, self.at),
                ..record
            }
        } else {
            Record {
                format: None,
                at: self.at,
                parts: vec![Part {
                    name: Cow::Borrowed(self.name),
                    ..Part::text(Cow::Borrowed(value))
                }],
            }
        };
        observe::observe(&record, spot, &ctx.rules.needles, sink);
    }
}
