//! The rules as a list for people: `tokentrail rules list`. Shows what the rule files say, decides nothing.

use std::io;

use comfy_table::{ContentArrangement, Table, presets};

use super::table::Look;
use super::terminal::escape;
use crate::atoms::rules::Rules;

/// Writes id, kind and title of every rule and every value shape, and how many log formats there are.
pub fn render(rules: &Rules, look: Look, out: &mut dyn io::Write) -> io::Result<()> {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(look.width)
        .set_header(["rule", "kind", "what"]);
    for rule in rules.catalogue.rules() {
        table.add_row([&rule.id, rule.kind.as_str(), &rule.title].map(escape));
    }
    for shape in rules.shapes.iter() {
        table.add_row([&shape.id, shape.kind.as_str(), &shape.title].map(escape));
    }
    for line in table.lines() {
        writeln!(out, "{}", line.trim_end())?;
    }
    writeln!(out, "\n{}", count(rules))
}

/// How much there is of everything, in one line.
pub fn count(rules: &Rules) -> String {
    format!(
        "{} rules, {} value shapes, {} log formats, {} providers",
        rules.catalogue.rules().len(),
        rules.shapes.iter().count(),
        rules.formats.formats.len(),
        rules.providers.rows().len(),
    )
}
