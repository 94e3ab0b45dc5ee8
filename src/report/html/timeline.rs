//! The timeline: when what was exposed, what it is worth now, and until when. One row a kind; marks that would lie
//! on each other are one, with their number.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::super::telling::{plural, words};
use super::super::wire::{Finding, Report};
use super::text::{escaped, moment};

/// Width of the drawing, of its labels, and height of a row.
const WIDTH: i64 = 1_160;
const LABELS: i64 = 168;
const ROW: i64 = 30;

/// Height of the axis below the rows.
const AXIS: i64 = 34;

/// Marks nearer than this are one.
const CELL: i64 = 14;

/// The span when everything happened at once, in seconds.
const LEAST: i64 = 3_600;

/// A moment in seconds.
type Second = i64;

/// Whether any finding has a time.
pub(super) fn has_any(report: &Report) -> bool {
    report
        .findings
        .iter()
        .any(|it| second(it.first_seen_at.as_deref()).is_some())
}

/// Writes the timeline.
pub(super) fn render(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    let Some(scale) = Scale::of(report) else {
        return Ok(());
    };
    let rows = rows(report, &scale);
    let timeless = report
        .findings
        .iter()
        .filter(|it| it.first_seen_at.is_none());
    let timeless = timeless.count();
    write!(
        out,
        "<section id=\"timeline\" aria-labelledby=\"timeline-title\"><h2 id=\"timeline-title\">Timeline of exposures</h2>{}<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Timeline\">",
        legend()
    )?;
    drawing(&rows, &scale, out)?;
    write!(out, "</div>")?;
    if timeless > 0 {
        write!(
            out,
            "<p class=\"faint\">{} without a time in the evidence {} not drawn.</p>",
            plural(timeless as u64, "finding"),
            if timeless == 1 { "is" } else { "are" }
        )?;
    }
    write!(out, "</section>")
}

/// Where seconds lie.
struct Scale {
    from: Second,
    to: Second,
    as_of: Second,
}

impl Scale {
    fn of(report: &Report) -> Option<Self> {
        let findings = || report.findings.iter();
        let first = findings()
            .filter_map(|it| second(it.first_seen_at.as_deref()))
            .min()?;
        let last = findings()
            .filter_map(|it| second(it.last_seen_at.as_deref().or(it.first_seen_at.as_deref())))
            .max()?
            // A saved result may say that something was last seen before it was first seen.
            .max(first);
        let as_of = second(Some(&report.run.as_of)).unwrap_or(last);
        let span = last.saturating_sub(first).max(LEAST);
        // The moment of the verdicts is shown where that does not press the evidence together.
        let end = if as_of.saturating_sub(last) <= span.saturating_mul(2) {
            last.max(as_of)
        } else {
            last.saturating_add(span / 4)
        };
        let margin = end.saturating_sub(first).max(LEAST) / 30;
        Some(Self {
            from: first.saturating_sub(margin),
            to: end.saturating_add(margin),
            as_of,
        })
    }

    fn x(&self, at: Second) -> i64 {
        let span = i128::from(self.to.saturating_sub(self.from).max(1));
        let at = i128::from(at.clamp(self.from, self.to).saturating_sub(self.from));
        let x = at * i128::from(WIDTH - LABELS - 16) / span;
        LABELS.saturating_add(i64::try_from(x).unwrap_or_default())
    }

    /// Ticks at whole units of time, eight at most.
    fn ticks(&self) -> Vec<(Second, String)> {
        const STEPS: [i64; 16] = [
            60, 300, 900, 1_800, 3_600, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800,
            1_209_600, 2_592_000, 7_776_000, 15_552_000, 31_536_000,
        ];
        let span = self.to.saturating_sub(self.from);
        let step = STEPS.into_iter().find(|step| span / step <= 8);
        let step = step.unwrap_or(span / 8).max(1);
        let first = self
            .from
            .div_euclid(step)
            .saturating_add(1)
            .saturating_mul(step);
        let form = if step < 86_400 {
            "%b %-d %H:%M"
        } else {
            "%Y-%m-%d"
        };
        (0..9)
            .map(|number| first.saturating_add(step.saturating_mul(number)))
            .take_while(|at| *at < self.to)
            .filter_map(|at| {
                let time = Timestamp::from_second(at).ok()?.to_zoned(TimeZone::UTC);
                Some((at, time.strftime(form).to_string()))
            })
            .collect()
    }
}

fn second(at: Option<&str>) -> Option<Second> {
    let at: Timestamp = at?.parse().ok()?;
    Some(at.as_second())
}

/// Marks of one kind, by their cell and what they are worth.
type Marks<'a> = BTreeMap<(i64, usize), Vec<&'a Finding>>;

fn rows<'a>(report: &'a Report, scale: &Scale) -> Vec<(&'a str, Marks<'a>)> {
    let mut rows: BTreeMap<&str, Marks<'_>> = BTreeMap::new();
    for finding in &report.findings {
        if let Some(at) = second(finding.first_seen_at.as_deref()) {
            let cell = (scale.x(at) / CELL, shape(finding));
            let marks = rows.entry(&finding.kind).or_default();
            marks.entry(cell).or_default().push(finding);
        }
    }
    let mut rows: Vec<_> = rows.into_iter().collect();
    let worst = |marks: &Marks<'_>| marks.keys().map(|(_, shape)| *shape).min();
    rows.sort_by_key(|(_, marks)| worst(marks));
    rows
}

/// Shapes, worst first: class, path around the origin, and what they stand for.
const SHAPES: [(&str, &str, &str); 5] = [
    (
        "m-live",
        "M-5.5 0a5.5 5.5 0 1 0 11 0a5.5 5.5 0 1 0-11 0z",
        "live",
    ),
    ("m-replayable", "M0-6.5L6.5 5.5H-6.5z", "replayable"),
    ("m-unknown", "M0-6.5L6.5 0L0 6.5L-6.5 0z", "unknown"),
    ("m-guarded", "M-5-5H5V5H-5z", "guarded or bound"),
    (
        "m-over",
        "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0z",
        "spent, revoked, expired, inert",
    ),
];

fn shape(finding: &Finding) -> usize {
    match &*finding.now.state {
        "live" => 0,
        "replayable" => 1,
        "unknown" => 2,
        "guarded" | "bound" => 3,
        _ => 4,
    }
}

fn legend() -> String {
    let mut out = String::from("<ul class=\"legend\">");
    for (class, path, name) in SHAPES {
        let _infallible = write!(
            out,
            "<li><svg viewBox=\"-7 -7 14 14\" width=\"14\" height=\"14\" aria-hidden=\"true\"><path class=\"{class}\" d=\"{path}\"/></svg> {name}</li>"
        );
    }
    out.push_str("<li><svg viewBox=\"0 0 24 14\" width=\"24\" height=\"14\" aria-hidden=\"true\"><path class=\"life\" d=\"M2 7H22\"/></svg> until it expires</li></ul>");
    out
}

fn drawing(rows: &[(&str, Marks<'_>)], scale: &Scale, out: &mut dyn io::Write) -> io::Result<()> {
    let bottom = ROW * i64::try_from(rows.len()).unwrap_or_default() + 8;
    let height = bottom + AXIS;
    write!(
        out,
        "<svg class=\"timeline\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" role=\"img\" aria-label=\"{}\">",
        escaped(&said(rows, scale))
    )?;
    for (at, label) in scale.ticks() {
        let x = scale.x(at);
        write!(
            out,
            "<path class=\"tick\" d=\"M{x} 4V{bottom}\"/><text class=\"axis\" x=\"{x}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
            bottom + 20,
            escaped(&label)
        )?;
    }
    if scale.as_of <= scale.to {
        let x = scale.x(scale.as_of);
        write!(
            out,
            "<path class=\"asof\" d=\"M{x} 0V{bottom}\"/><text class=\"axis now\" x=\"{x}\" y=\"{}\" text-anchor=\"end\">as of</text>",
            bottom + 32
        )?;
    }
    for (number, (kind, marks)) in rows.iter().enumerate() {
        let y = ROW * i64::try_from(number).unwrap_or_default() + ROW / 2 + 4;
        write!(
            out,
            "<path class=\"row\" d=\"M{LABELS} {y}H{WIDTH}\"/><text class=\"kind\" x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>",
            LABELS - 14,
            y + 4,
            escaped(&words(kind))
        )?;
        // What is worse is drawn later, above.
        for ((_, shape), findings) in marks.iter().rev() {
            mark(findings, *shape, y, scale, out)?;
        }
    }
    write!(out, "</svg>")
}

/// One mark: the worst finding of its cell, the span until the last of them expires, and their number.
fn mark(
    findings: &[&Finding],
    shape: usize,
    y: i64,
    scale: &Scale,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let (Some(finding), Some((class, path, _))) = (findings.first(), SHAPES.get(shape)) else {
        return Ok(());
    };
    let at = second(finding.first_seen_at.as_deref()).unwrap_or(scale.from);
    let x = scale.x(at);
    let until = findings
        .iter()
        .filter_map(|it| {
            it.now
                .expires_at
                .as_ref()
                .or(it.at_exposure.expires_at.as_ref())
        })
        .filter_map(|until| second(Some(until)))
        .max();
    if let Some(end) = until.map(|until| scale.x(until)).filter(|end| *end > x) {
        write!(out, "<path class=\"life {class}\" d=\"M{x} {y}H{end}\"/>")?;
    }
    let title = match findings.len() {
        1 => format!(
            "{} in flow {}, {}: {} when exposed, {} now",
            finding.kind,
            finding.flow,
            moment(finding.first_seen_at.as_deref().unwrap_or_default()),
            finding.at_exposure.state,
            finding.now.state
        ),
        many => format!(
            "{many} findings of {}, {} now",
            finding.kind, finding.now.state
        ),
    };
    write!(
        out,
        "<g class=\"mark\" data-f=\"{}\" transform=\"translate({x} {y})\"><title>{}</title><path class=\"{class}\" d=\"{path}\"/>",
        escaped(&finding.id),
        escaped(&title)
    )?;
    if findings.len() > 1 {
        write!(
            out,
            "<text class=\"many\" x=\"8\" y=\"-5\">{}</text>",
            findings.len()
        )?;
    }
    write!(out, "</g>")
}

/// The drawing in words.
fn said(rows: &[(&str, Marks<'_>)], scale: &Scale) -> String {
    let time =
        |at: Second| Timestamp::from_second(at).map_or_else(|_| String::new(), |at| at.to_string());
    let mut out = format!("Exposures from {} to {}.", time(scale.from), time(scale.to));
    for (kind, marks) in rows {
        let count: usize = marks.values().map(Vec::len).sum();
        let _infallible = write!(
            out,
            " {}: {}.",
            words(kind),
            plural(count as u64, "finding")
        );
    }
    out.push_str(" The list below has the details.");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_last_seen_before_it_was_first_seen_has_a_place() {
        let saved = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/snapshots/har.json");
        let mut report = crate::report::json::parse(&std::fs::read(saved).unwrap()).unwrap();
        for finding in &mut report.findings {
            finding.last_seen_at = Some("2001-01-01T00:00:00Z".into());
        }
        let scale = Scale::of(&report).unwrap();
        assert!(scale.from < scale.to);
        let marks = rows(&report, &scale);
        assert!(!marks.is_empty());
    }

    #[test]
    fn ticks_are_few_whole_and_inside() {
        for span in [
            1,
            3_600,
            86_400,
            40 * 86_400,
            4_000 * 86_400,
            i64::from(u32::MAX),
        ] {
            let scale = Scale {
                from: 1_700_000_123,
                to: 1_700_000_123 + span,
                as_of: 0,
            };
            let ticks = scale.ticks();
            assert!(ticks.len() <= 9, "{span}: {ticks:?}");
            assert!(
                ticks
                    .iter()
                    .all(|(at, _)| (scale.from..scale.to).contains(at))
            );
        }
    }

    #[test]
    fn every_moment_has_a_place() {
        let scale = Scale {
            from: i64::MIN,
            to: i64::MAX,
            as_of: 0,
        };
        for at in [i64::MIN, 0, i64::MAX] {
            assert!((LABELS..=WIDTH).contains(&scale.x(at)));
        }
    }
}
