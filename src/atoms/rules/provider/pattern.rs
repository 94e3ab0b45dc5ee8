//! Patterns of endpoints: a host and a path, with stars. Knows nothing of providers.

use serde::Deserialize;

/// A host and a path. `*` as a whole host is any host; a leading `*.` is one or more labels; a `*` inside
/// a host label is any text. In the path `*` is one segment, `**`, at most once, any number of them.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(from = "String")]
pub struct Pattern {
    host: Host,
    segments: Vec<Box<str>>,
}

/// What a host is compared with.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Host {
    Any,
    Exact(Box<str>),
    /// What stands before the star, and after it.
    Around(Box<str>, Box<str>),
}

impl From<String> for Pattern {
    fn from(text: String) -> Self {
        let (host, path) = text.split_once('/').unwrap_or((&text, ""));
        Self {
            host: Host::from(host),
            segments: segments(path).into_iter().map(Box::from).collect(),
        }
    }
}

impl From<&str> for Host {
    fn from(text: &str) -> Self {
        match text.split_once('*') {
            Some(("", "")) => Self::Any,
            Some((before, after)) => Self::Around(before.into(), after.into()),
            None => Self::Exact(text.into()),
        }
    }
}

impl Pattern {
    /// Whether a lower-case host and the segments of a path match. A trailing slash makes no difference.
    pub fn matches(&self, host: &str, path: &[&str]) -> bool {
        self.host.matches(host) && path_matches(&self.segments, path)
    }
}

impl Host {
    fn matches(&self, host: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Exact(wanted) => **wanted == *host,
            Self::Around(before, after) => host
                .strip_prefix(&**before)
                .and_then(|rest| rest.strip_suffix(&**after))
                .is_some_and(|middle| !middle.is_empty()),
        }
    }
}

fn path_matches(pattern: &[Box<str>], path: &[&str]) -> bool {
    let fits = |wanted: &str, found: &str| wanted == "*" || wanted == found;
    // Most differ in their last segment already, which no gap stands before.
    let last = pattern.last().filter(|last| ***last != *"**");
    if let Some(last) = last
        && !path.last().is_some_and(|found| fits(last, found))
    {
        return false;
    }
    let same = |pattern: &[Box<str>], path: &[&str]| {
        let mut pairs = pattern.iter().zip(path);
        pattern.len() == path.len() && pairs.all(|(wanted, found)| fits(wanted, found))
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

/// The segments of a path: taken apart once for all patterns that it is compared with.
pub(super) fn segments(path: &str) -> Vec<&str> {
    let segments = path.split('/');
    segments.filter(|segment| !segment.is_empty()).collect()
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
        let matches = |pattern: &str, host: &str, path: &str| {
            Pattern::from(pattern.to_owned()).matches(host, &segments(path))
        };
        let okta = "*.okta.com/oauth2/*/v1/token";
        assert!(matches(okta, "a.okta.com", "/oauth2/{}/v1/token"));
        assert!(!matches(okta, "okta.com", "/oauth2/{}/v1/token"));
        assert!(!matches("*.okta.com/x", "a.okta.com.evil.test", "/x"));
        assert!(matches("login-*.test/x", "login-a.test", "/x/"));
        assert!(!matches("login-*.test/x", "login-.test", "/x"));
        let keycloak = "*/**/realms/*/auth";
        assert!(matches(keycloak, "h", "/auth/realms/r/auth"));
        assert!(matches(keycloak, "h", "/realms/r/auth/"));
        assert!(!matches(keycloak, "h", "/realms/r/s/auth"));
    }
}
