//! An explanation as text for people. Renders what the rules say, and adds nothing.

use std::io;

use super::terminal::wrap;
use crate::atoms::rules::Explanation;

/// Narrowest text column; below it words stand on lines of their own.
const MIN_WIDTH: usize = 20;

/// Width of the labels before each paragraph.
const LABEL: usize = 12;

/// Writes an explanation, wrapped at `width` columns.
pub fn render(entry: &Explanation, width: u16, out: &mut dyn io::Write) -> io::Result<()> {
    writeln!(out, "{}:{}", entry.topic.as_str(), entry.id)?;
    writeln!(out, "{}", entry.title)?;
    let paragraphs = [
        ("means", Some(&entry.means)),
        ("why bad", Some(&entry.bad)),
        ("code flow", entry.code_flow.as_ref()),
        ("measured", entry.measured.as_ref()),
        ("fix", Some(&entry.fix)),
    ];
    for (label, text) in paragraphs {
        if let Some(text) = text {
            paragraph(label, text, width, out)?;
        }
    }
    paragraph("see", &entry.references.join(", "), width, out)
}

fn paragraph(label: &str, text: &str, width: u16, out: &mut dyn io::Write) -> io::Result<()> {
    let width = usize::from(width).saturating_sub(LABEL).max(MIN_WIDTH);
    writeln!(out)?;
    for (index, line) in wrap(text, width).iter().enumerate() {
        let label = if index == 0 { label } else { "" };
        writeln!(out, "{label:LABEL$}{line}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::atoms::rules::Explanations;

    #[test]
    fn every_explanation_fits_its_width_and_loses_no_word() {
        let texts = Explanations::builtin().unwrap();
        for entry in texts.entries() {
            let mut out = Vec::new();
            render(entry, 72, &mut out).unwrap();
            let out = String::from_utf8(out).unwrap();
            let words = |text: &str| {
                text.split_whitespace()
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            };
            let written = words(&out).join(" ");
            for text in [&entry.title, &entry.means, &entry.bad, &entry.fix] {
                let text = words(text).join(" ");
                assert!(written.contains(&text), "{}: {text}", entry.id);
            }
            // A title is one line, whatever its length.
            for line in out.lines().skip(2) {
                assert!(line.chars().count() <= 72, "{line}");
            }
        }
    }
}
