//! Bars of parts, as SVG with classes and no style: a strict policy blocks style attributes. Knows numbers, nothing
//! of findings.

use std::fmt::Write;

/// One part of a bar: its class, and how much it is.
pub(super) type Part = (&'static str, u64);

/// Length of a whole bar, in units of its view box.
const LENGTH: u64 = 1_000;

/// A bar of parts beside each other, `of` being its full length. Decoration: the numbers stand beside it.
pub(super) fn bar(parts: &[Part], of: u64) -> String {
    let mut out = format!(
        "<svg class=\"bar\" viewBox=\"0 0 {LENGTH} 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\"><rect class=\"rail\" width=\"{LENGTH}\" height=\"10\"/>"
    );
    let mut at = 0;
    for (class, number) in parts.iter().filter(|(_, number)| *number > 0) {
        // A part that is there is seen.
        let length = (number.saturating_mul(LENGTH) / of.max(1)).clamp(6, LENGTH);
        let _infallible = write!(
            out,
            "<rect class=\"{class}\" x=\"{at}\" width=\"{length}\" height=\"10\"/>"
        );
        at += length;
    }
    out.push_str("</svg>");
    out
}
