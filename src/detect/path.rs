//! The name of a file without the credentials in it: a page saved under its URL, a dump named after its key.
//! Told by the value alone; a name without a known shape is a name.

use std::path::Path;

use super::known::Known;
use super::mask;
use super::url::Url;
use crate::atoms::Digest;
use crate::atoms::rules::Rules;

/// A path that someone named, as a report or an error may show it.
pub fn displayed(path: &Path, rules: &Rules) -> String {
    let path = path.display().to_string();
    shown(&path, rules).unwrap_or(path)
}

/// A path as a report may show it. Two files whose names differ in the credential alone stay two.
pub fn shown(path: &str, rules: &Rules) -> Option<String> {
    let masked: Vec<String> = path
        .split('/')
        .map(|segment| mask_segment(segment, rules))
        .collect();
    let masked = masked.join("/");
    (masked != path).then_some(masked)
}

fn mask_segment(segment: &str, rules: &Rules) -> String {
    let is_query = segment.contains(['?', '#', '&']) && segment.contains('=');
    if is_query {
        let digest = Digest::of([b"file".as_slice(), segment.as_bytes()]).to_string();
        let digest = digest.get(..8).unwrap_or_default();
        let url = mask::url(&Url::new(segment), &Known::default(), rules);
        return format!("{}‹{digest}›", url.as_str().replace('/', "|"));
    }
    let is_part = |c: char| c.is_ascii_alphanumeric() || "._-~+=".contains(c);
    let mut out = String::new();
    let mut rest = segment;
    while let Some(start) = rest.find(is_part) {
        let (before, word) = rest.split_at_checked(start).unwrap_or((rest, ""));
        let end = word.find(|c| !is_part(c)).unwrap_or(word.len());
        let (word, after) = word.split_at_checked(end).unwrap_or((word, ""));
        out.push_str(before);
        out.push_str(&mask_word(word, rules));
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Masks the longest beginning, up to a dot, that is a credential by its shape.
fn mask_word(word: &str, rules: &Rules) -> String {
    /// Characters of a JWT's header at least: `{"alg":"none"}` has 19.
    const HEADER: usize = 19;
    let ends = word.match_indices('.').map(|(at, _)| at);
    let ends: Vec<usize> = ends.chain([word.len()]).collect();
    let starts = word
        .match_indices(['=', '_', '-', '.'])
        .map(|(at, _)| at + 1);
    for start in [0].into_iter().chain(starts) {
        for end in ends.iter().rev() {
            let Some(value) = word.get(start..*end) else {
                continue;
            };
            let is_json = value.starts_with("eyJ") && value.len() >= HEADER;
            if is_json || rules.shapes.alone(value).is_some() {
                let digest = Digest::of([b"file".as_slice(), value.as_bytes()]).to_string();
                let (before, after) = (word.get(..start), word.get(*end..));
                return format!(
                    "{}‹{} {}›{}",
                    before.unwrap_or_default(),
                    value.len(),
                    digest.get(..8).unwrap_or_default(),
                    after.unwrap_or_default(),
                );
            }
        }
    }
    word.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_in_names_of_files_are_masked() {
        let rules = Rules::builtin().unwrap();
        let token = format!("ghp_{}", "aB3dE6gH9j".repeat(4).get(..36).unwrap());
        let jwt = format!("eyJhbGciOiJub25lIn0.eyJzdWIiOiJib2IifQ.{}", "x".repeat(20));
        for (path, secret) in [
            (format!("dumps/{token}.log"), token.as_str()),
            (format!("dumps/key-{token}.txt.gz"), &token),
            (format!("a/{jwt}.txt"), &jwt),
            (
                "a/cb?code=SplxlOBeZQQYbYS6WxSb&state=xyz.html".to_owned(),
                "SplxlOBe",
            ),
        ] {
            let shown = shown(&path, &rules).unwrap();
            assert!(!shown.contains(secret), "{shown}");
            assert_eq!(shown.matches('/').count(), 1, "{shown}");
        }
    }

    #[test]
    fn other_names_stay() {
        let rules = Rules::builtin().unwrap();
        for path in [
            "/home/alice/.mozilla/firefox/k3x8q1vw.default-release/places.sqlite",
            "logs/access.log-20240101.gz",
            "C=DE/a b=c/\u{202e}x",
            "58bef93f-a762-48aa-93d8-c0de7bafcc91.log",
            "-",
            "/",
            "",
        ] {
            assert_eq!(shown(path, &rules), None, "{path}");
        }
    }
}
