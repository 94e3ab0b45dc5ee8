//! The breakdown: whose findings they are, by which flows runs went, and what a thief of each profile can do.

use std::collections::BTreeMap;
use std::io;

use super::super::headline::most;
use super::super::table::SEVERITIES;
use super::super::telling::{self, plural, words};
use super::super::wire::{Finding, HeldIn, Profile, Report};
use super::svg::{Part, bar};
use super::text::{clipped, escaped, moment};

/// Bars of a chart.
const BARS: usize = 8;

/// Characters of a name beside a bar.
const NAME: usize = 48;

/// Profiles that are shown.
const PROFILES: usize = 60;

/// Acts of a profile that are shown.
const ACTS: usize = 8;

/// What a finding counts as in a bar, worst first, with what it is called.
const CLASSES: [(&str, &str); 5] = [
    ("b-usable", "usable now"),
    ("b-unknown", "may be usable"),
    ("b-guarded", "guarded or bound"),
    ("b-over", "over"),
    ("b-weak", "weakness of a flow"),
];

/// The class of a finding in a bar.
pub(super) fn class(finding: &Finding) -> &'static str {
    match &*finding.now.state {
        _ if finding.weakness.is_some() => "b-weak",
        "live" | "replayable" => "b-usable",
        "unknown" => "b-unknown",
        "guarded" | "bound" => "b-guarded",
        _ => "b-over",
    }
}

/// How a flow is drawn: what puts tokens into URLs, what protects its codes badly, what does it right, the rest.
pub(super) fn weight(flow: &str) -> &'static str {
    match flow {
        "code-pkce-s256" => "f-good",
        "code" | "code-secret" | "code-nopkce" | "code-nopkce-public" | "code-pkce-plain" => {
            "f-weak"
        }
        "implicit" | "ropc" | "bearer-in-query" | "fragment-token-unattributed" => "f-bad",
        flow if ["implicit-", "hybrid-", "handoff-"]
            .iter()
            .any(|it| flow.starts_with(it)) =>
        {
            "f-bad"
        }
        _ => "f-other",
    }
}

/// Writes the bars.
pub(super) fn render(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    if report.findings.is_empty() {
        return Ok(());
    }
    write!(
        out,
        "<section id=\"breakdown\" aria-labelledby=\"breakdown-title\"><h2 id=\"breakdown-title\">Breakdown</h2><ul class=\"legend\">"
    )?;
    for (class, name) in CLASSES {
        write!(
            out,
            "<li><svg viewBox=\"0 0 10 10\" width=\"10\" height=\"10\" aria-hidden=\"true\"><rect class=\"{class}\" width=\"10\" height=\"10\"/></svg> {name}</li>"
        )?;
    }
    write!(out, "</ul><div class=\"grid\">")?;
    let source = |it: &'_ Finding| it.sightings.first().map(|it| it.source.clone());
    chart("By issuer", "", report, |it| it.issuer.clone(), out)?;
    let application = |it: &Finding| telling::application(it).map(ToOwned::to_owned);
    chart("By application", "app", report, application, out)?;
    chart("By user", "", report, |it| source(it)?.user, out)?;
    chart("By machine", "", report, |it| source(it)?.host, out)?;
    chart("By kind", "kind", report, |it| Some(it.kind.clone()), out)?;
    chart(
        "By severity",
        "severity",
        report,
        |it| Some(it.severity.clone()),
        out,
    )?;
    flows(report, out)?;
    write!(out, "</div></section>")
}

/// One bar a name. A chart of nothing, or of one that says nothing, is not drawn.
fn chart(
    title: &str,
    filter: &str,
    report: &Report,
    name: impl Fn(&Finding) -> Option<String>,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let mut bars: BTreeMap<String, BTreeMap<&str, u64>> = BTreeMap::new();
    let mut unnamed = 0_u64;
    for finding in &report.findings {
        match name(finding) {
            Some(name) => {
                *bars
                    .entry(name)
                    .or_default()
                    .entry(class(finding))
                    .or_default() += 1;
            }
            None => unnamed += 1,
        }
    }
    if bars.is_empty() {
        return Ok(());
    }
    let total = |parts: &BTreeMap<&str, u64>| parts.values().sum::<u64>();
    let mut bars: Vec<_> = bars.into_iter().collect();
    let all = bars.iter().map(|(_, parts)| total(parts));
    let largest = all.max().unwrap_or(1);
    // Most first, but severities are read in their own order.
    let order = |name: &str| SEVERITIES.iter().position(|(it, _)| *it == name);
    match filter {
        "severity" => bars.sort_by_key(|(name, _)| order(name)),
        _ => bars.sort_by_key(|(_, parts)| std::cmp::Reverse(total(parts))),
    }
    write!(
        out,
        "<div class=\"chart\"><h3>{title}</h3><table class=\"bars\"><tbody>"
    )?;
    for (name, parts) in bars.iter().take(BARS) {
        let counts = |class: &str| parts.get(class).copied().unwrap_or_default();
        let shown: Vec<Part> = CLASSES.map(|(class, _)| (class, counts(class))).into();
        let said: Vec<String> = CLASSES
            .iter()
            .filter(|(class, _)| counts(class) > 0)
            .map(|(class, what)| format!("{} {what}", counts(class)))
            .collect();
        let short = name.strip_prefix("https://").unwrap_or(name);
        let label = escaped(&clipped(short, NAME));
        let label = match filter {
            "" => label,
            filter => format!(
                "<button type=\"button\" class=\"link\" data-set=\"{filter}\" data-to=\"{}\">{label}</button>",
                escaped(name)
            ),
        };
        write!(
            out,
            "<tr><th scope=\"row\">{label}</th><td title=\"{}\">{}</td><td class=\"num\">{}</td></tr>",
            said.join(", "),
            bar(&shown, largest),
            total(parts)
        )?;
    }
    write!(out, "</tbody></table>")?;
    let rest = bars.len().saturating_sub(BARS);
    match (rest, unnamed) {
        (0, 0) => {}
        (0, unnamed) => write!(out, "<p class=\"faint\">not known for {unnamed}</p>")?,
        (rest, 0) => write!(out, "<p class=\"faint\">and {rest} more</p>")?,
        (rest, unnamed) => write!(
            out,
            "<p class=\"faint\">and {rest} more; not known for {unnamed}</p>"
        )?,
    }
    write!(out, "</div>")
}

/// Protocol runs by what they were, clean ones too: that a flow leaks nothing is an answer.
fn flows(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    let flows = most(report.trails.iter().map(|trail| &*trail.grant));
    let Some((_, largest)) = flows.first() else {
        return Ok(());
    };
    write!(
        out,
        "<div class=\"chart\"><h3>Protocol runs by flow</h3><table class=\"bars\"><tbody>"
    )?;
    for (flow, count) in flows.iter().take(BARS) {
        write!(
            out,
            "<tr><th scope=\"row\"><span class=\"flow {}\">{}</span></th><td>{}</td><td class=\"num\">{count}</td></tr>",
            weight(flow),
            escaped(flow),
            bar(&[(weight(flow), *count as u64)], *largest as u64)
        )?;
    }
    write!(out, "</tbody></table>")?;
    match flows.len().saturating_sub(BARS) {
        0 => write!(out, "</div>"),
        more => write!(out, "<p class=\"faint\">and {more} more</p></div>"),
    }
}

/// What whoever copies each profile can do at `as_of`.
pub(super) fn thieves(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    if report.profiles.is_empty() {
        return Ok(());
    }
    write!(
        out,
        "<section id=\"thieves\" aria-labelledby=\"thieves-title\"><h2 id=\"thieves-title\">What a thief of each profile can do</h2><p class=\"lead\">Whoever copies the files of a browser profile, from a backup, a stolen disk or by malware, holds everything in it together.</p><div class=\"grid\">"
    )?;
    let mut shown: Vec<&Profile> = report.profiles.iter().collect();
    shown.sort_by_key(|it| it.thief_can.acts.is_empty());
    for it in shown.iter().take(PROFILES) {
        profile(it, report.summary.left_out > 0, out)?;
    }
    write!(out, "</div>")?;
    match report.profiles.len().saturating_sub(PROFILES) {
        0 => write!(out, "</section>"),
        more => write!(
            out,
            "<p class=\"faint\">and {}</p></section>",
            plural(more as u64, "more profile")
        ),
    }
}

fn profile(profile: &Profile, is_filtered: bool, out: &mut dyn io::Write) -> io::Result<()> {
    let names = [
        &profile.host,
        &profile.user,
        &profile.browser,
        &profile.profile,
    ];
    let names: Vec<String> = names.into_iter().flatten().map(|it| escaped(it)).collect();
    let name = if names.is_empty() {
        "A profile".into()
    } else {
        names.join(" <span class=\"faint\">/</span> ")
    };
    let acts = &profile.thief_can.acts;
    let class = if acts.is_empty() { "" } else { " alarm" };
    write!(
        out,
        "<div class=\"chart{class}\"><h3>{name}</h3><ul class=\"acts\">"
    )?;
    if acts.is_empty() {
        let what = if is_filtered {
            "Nothing that is shown of it"
        } else {
            "Nothing in it"
        };
        write!(out, "<li class=\"calm\">{what} is usable now.</li>")?;
    }
    for act in acts.iter().take(ACTS) {
        let state = escaped(&act.state);
        let place = act.application.as_ref().or(act.issuer.as_ref());
        let place = place.map_or(String::new(), |it| {
            format!(" at <b>{}</b>", escaped(&clipped(it, NAME)))
        });
        let until = act
            .until
            .as_ref()
            .map_or(String::new(), |it| format!(" until {}", moment(it)));
        write!(
            out,
            "<li><span class=\"state v-{state}\">{state}</span> {}{place}{until}, by {}{}</li>",
            escaped(&words(&act.act)),
            plural(act.findings.len() as u64, "finding"),
            held_in(&act.held_in)
        )?;
    }
    match acts.len().saturating_sub(ACTS) {
        0 => write!(out, "</ul></div>"),
        more => write!(out, "</ul><p class=\"faint\">and {more} more</p></div>"),
    }
}

/// The stores, and how each is cleared.
fn held_in(stores: &[HeldIn]) -> String {
    let each = stores.iter().map(|held| {
        let cleared = match &held.cleared_by {
            Some(cleared) => format!(", cleared by \u{201c}{}\u{201d}", escaped(cleared)),
            None if held.leaves.is_some() => ", which no box of the dialog clears".into(),
            None => String::new(),
        };
        let leaves = held.leaves.as_ref();
        let leaves = leaves.map_or(String::new(), |it| format!(" ({})", escaped(it)));
        let store = escaped(&held.store);
        format!("<li class=\"faint\">in {store}{cleared}{leaves}</li>")
    });
    let each: String = each.collect();
    if each.is_empty() {
        each
    } else {
        format!("<ul>{each}</ul>")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::Flow;

    #[test]
    fn every_flow_that_puts_tokens_into_urls_is_drawn_as_bad() {
        for flow in Flow::ALL.map(Flow::as_str) {
            let expect = match flow {
                "code-pkce-s256" => "f-good",
                flow if flow.starts_with("code") => "f-weak",
                "implicit" | "ropc" | "bearer-in-query" | "fragment-token-unattributed" => "f-bad",
                flow if flow.contains("implicit") || flow.contains("hybrid") => "f-bad",
                flow if flow.starts_with("handoff") => "f-bad",
                _ => "f-other",
            };
            assert_eq!(weight(flow), expect, "{flow}");
        }
    }
}
