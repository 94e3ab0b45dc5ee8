//! Patterns of endpoints: a host and a path, with stars. Knows nothing of providers.

use serde::Deserialize;

/// A host and a path. `*` as a whole host is any host; a leading `*.` is one or more labels; a `*` inside
/// a host label is any text. In the path `*` is one segment, `**`, at most once, any number of them.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(from = "String")]
pub struct Pattern {
    host: Box<str>,
    segments: Vec<Box<str>>,
}

impl From<String> for Pattern {
    fn from(text: String) -> Self {
        let (host, path) = text.split_once('/').unwrap_or((&text, ""));
        Self {
            host: host.into(),
            segments: segments(path).map(Box::from).collect(),
        }
    }
}

impl Pattern {
    /// Whether a lower-case host and a path match. A trailing slash makes no difference.
    pub fn matches(&self, host: &str, path: &str) -> bool {
        let found: Vec<_> = segments(path).collect();
        host_matches(&self.host, host) && path_matches(&self.segments, &found)
    }
}

fn host_matches(pattern: &str, host: &str) -> bool {
    if pattern == "*" {
        return true;
    }
    match pattern.split_once('*') {
        None => pattern == host,
        Some((before, after)) => host
            .strip_prefix(before)
            .and_then(|rest| rest.strip_suffix(after))
            .is_some_and(|middle| !middle.is_empty()),
    }
}

fn path_matches(pattern: &[Box<str>], path: &[&str]) -> bool {
    let same = |pattern: &[Box<str>], path: &[&str]| {
        pattern.len() == path.len()
            && pattern
                .iter()
                .zip(path)
                .all(|(wanted, found)| **wanted == *"*" || **wanted == **found)
    };
    let Some(gap) = pattern.iter().position(|segment| **segment == *"**") else {
        return same(pattern, path);
    };
    let (before, after) = pattern.split_at(gap);
    let after = after.get(1..).unwrap_or_default();
    let Some(last) = path.len().checked_sub(after.len()) else {
        return false;
    };
    let (Some(head), Some(tail)) = (path.get(..gap), path.get(last..)) else {
        return false;
    };
    gap <= last && same(before, head) && same(after, tail)
}

fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|segment| !segment.is_empty())
}

/// Lower-case host without its port, and path without query and fragment.
pub(super) fn split(url: &str) -> (String, &str) {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = authority.split(':').next().unwrap_or_default();
    (host.to_ascii_lowercase(), path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_hosts_by_label_and_paths_by_segment() {
        let pattern = |text: &str| Pattern::from(text.to_owned());
        assert!(
            pattern("*.okta.com/oauth2/*/v1/token").matches("a.okta.com", "/oauth2/{}/v1/token")
        );
        assert!(!pattern("*.okta.com/oauth2/v1/token").matches("okta.com", "/oauth2/v1/token"));
        assert!(!pattern("*.okta.com/x").matches("a.okta.com.evil.test", "/x"));
        assert!(pattern("*/**/realms/*/auth").matches("h", "/auth/realms/r/auth"));
        assert!(pattern("*/**/realms/*/auth").matches("h", "/realms/r/auth/"));
        assert!(!pattern("*/**/realms/*/auth").matches("h", "/realms/r/s/auth"));
    }
}
