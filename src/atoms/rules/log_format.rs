//! Log formats as data: how a record's fields are found, and what role each field plays. Knows the form
//! of `rules/logs.toml` and validates it; opens no log.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::log_form::{File, RawFormat, RawShape, RawWrapper, Separator};
pub use super::log_pattern::{Expression, Pattern};

/// The formats and wrappers that come with the program.
const BUILTIN: &str = include_str!("../../../rules/logs.toml");

/// Every known log format, in the order in which they are tried, and every known wrapper.
#[derive(Debug, Default)]
pub struct LogFormats {
    /// Formats; the first that fits a record reads it.
    pub formats: Vec<LogFormat>,
    /// What collectors write before a record.
    pub wrappers: Vec<Wrapper>,
}

impl LogFormats {
    /// The formats that come with the program. Its tests hold that this cannot fail, and that every pattern
    /// can be compiled.
    pub fn builtin() -> Result<Self, FormatError> {
        Self::parse(BUILTIN)
    }

    /// Reads and validates a file of the form of `rules/logs.toml`.
    pub fn read(text: &str) -> Result<Self, FormatError> {
        let formats = Self::parse(text)?;
        for format in &formats.formats {
            format.fault().map_or(Ok(()), Err)?;
        }
        for wrapper in &formats.wrappers {
            wrapper.fault().map_or(Ok(()), Err)?;
        }
        Ok(formats)
    }

    fn parse(text: &str) -> Result<Self, FormatError> {
        let file: File = toml::from_str(text)?;
        let formats: Vec<_> = file
            .format
            .into_iter()
            .map(LogFormat::compile)
            .collect::<Result<_, _>>()?;
        let wrappers: Vec<_> = file
            .wrapper
            .into_iter()
            .map(Wrapper::compile)
            .collect::<Result<_, _>>()?;
        let mut ids: Vec<_> = formats.iter().map(|format| &format.id).collect();
        ids.extend(wrappers.iter().map(|wrapper| &wrapper.id));
        ids.sort_unstable();
        if let Some([id, _]) = ids.array_windows().find(|[a, b]| a == b) {
            return Err(FormatError::new(id, "stands twice"));
        }
        Ok(Self { formats, wrappers })
    }
}

/// One log format.
#[derive(Debug)]
pub struct LogFormat {
    /// Name.
    pub id: Box<str>,
    /// What writes it.
    pub title: Box<str>,
    /// Where its maker documents it.
    pub source: Box<str>,
    /// How its fields are found.
    pub shape: Shape,
    /// What its writer does to special bytes.
    pub escape: Escape,
    /// Whether a time without a zone is UTC by the format's definition.
    pub utc: bool,
    /// Whether a date in digits with slashes begins with the month, by the format's definition.
    pub month_first: bool,
    /// The start of a record, where a writer may glue two records together on one line.
    pub restart: Option<Expression>,
    /// Records, and the roles that reading them must give.
    pub examples: Vec<Example>,
    /// Records of other formats.
    pub counterexamples: Vec<Box<str>>,
}

/// How the fields of a record are found.
#[derive(Debug)]
pub enum Shape {
    /// By the first pattern that fits from the record's first byte. What no group takes is text.
    Pattern(Vec<Pattern>),
    /// By a `#Fields:` or `#fields` line above the records.
    Columns {
        /// Columns that a header must name for this format.
        requires: Vec<Box<str>>,
        /// Column names, lower case, and their roles.
        roles: BTreeMap<Box<str>, Role>,
        /// Byte between two values; a Zeek log may say another in `#separator`.
        separator: u8,
    },
    /// By the keys of a JSON object.
    Json {
        /// Paths that an object must have for this format.
        requires: Vec<Box<str>>,
        /// Ends of dotted paths, lower case, and their roles, in order of preference.
        roles: Vec<(Box<str>, Role)>,
    },
}

/// What a writer does to bytes that would break its format.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Escape {
    /// Nothing.
    None,
    /// `\xHH`, `\"`, `\\`, `\t`, `\uXXXX`: nginx, Apache, lighttpd, Zeek, JSON.
    #[default]
    Backslash,
    /// `#HH`: HAProxy.
    Hash,
    /// `#ooo`, octal, of control characters alone: rsyslog and sysklogd, which so keep a message in one line.
    Control,
    /// `%HH`, above the URL's own: CloudFront.
    Percent,
    /// References to characters: XML.
    Xml,
}

/// What a field of a record is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Date, when the time stands in a field of its own.
    Date,
    /// Time, or date and time.
    Time,
    /// Who sent the request.
    Client,
    /// Who logged in.
    User,
    /// A password that the log recorded. Records that have such a column are read without a needle.
    Password,
    /// Host that the request was sent to.
    Host,
    /// Method.
    Method,
    /// Request target, or its path when the query stands in a field of its own.
    Target,
    /// Query of the request target.
    Query,
    /// Request line: method, target, version.
    Request,
    /// Absolute URL of the request.
    Url,
    /// Status of the response.
    Status,
    /// `Referer`.
    Referer,
    /// `Location`, or a redirect that the server says it sent.
    Location,
    /// Another URL, such as the upstream's.
    OtherUrl,
    /// `Authorization`.
    Authorization,
    /// `Cookie`.
    Cookie,
    /// `Set-Cookie`.
    SetCookie,
    /// An object of request headers.
    RequestHeaders,
    /// An object of response headers.
    ResponseHeaders,
    /// Captured header values between bars, of requests or responses.
    Captures,
    /// Captured values of request headers, between bars.
    RequestCaptures,
    /// Captured values of response headers, between bars.
    ResponseCaptures,
    /// Body of the request.
    RequestBody,
    /// Body of the response.
    ResponseBody,
    /// A whole record of another format.
    Line,
}

impl Role {
    /// The role that a group of a pattern names: `referer`, or `host_2` where a name is taken.
    pub(super) fn of_group(name: &str) -> Option<Self> {
        let name = name.trim_end_matches(|c: char| c.is_ascii_digit());
        let name = name.strip_suffix('_').unwrap_or(name);
        let name = serde::de::value::StrDeserializer::<serde::de::value::Error>::new(name);
        Self::deserialize(name).ok()
    }
}

/// What a collector writes before a record.
#[derive(Debug)]
pub struct Wrapper {
    /// Name.
    pub id: Box<str>,
    /// What writes it.
    pub title: Box<str>,
    /// Where its maker documents it.
    pub source: Box<str>,
    /// The pattern from the line's first byte; its group `inner` is the record, `time` the time of arrival.
    pub pattern: Expression,
    /// What is done to bytes that would break it.
    pub escape: Escape,
    /// Lines, their records, and their times.
    pub examples: Vec<WrapperExample>,
    /// Lines that have no such wrapper.
    pub counterexamples: Vec<Box<str>>,
}

/// A record, and the roles that reading it must give. Time is written as an instant of UTC.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// The record, and header lines above it.
    pub line: Box<str>,
    /// Values by role, escaping undone.
    pub roles: BTreeMap<Role, Box<str>>,
}

/// A wrapped line, and what is in it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrapperExample {
    /// The line.
    pub line: Box<str>,
    /// The record in it.
    pub inner: Box<str>,
    /// Its instant, where the wrapper states one.
    pub time: Option<Box<str>>,
}

/// Why a file of log formats was refused.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// No TOML, or not of this form.
    #[error("log formats: {0}")]
    Form(#[from] toml::de::Error),
    /// An entry makes no sense.
    #[error("log format {id}: {why}")]
    Entry {
        /// The entry.
        id: Box<str>,
        /// What is wrong.
        why: Box<str>,
    },
}

impl FormatError {
    pub(super) fn new(id: &str, why: impl Into<Box<str>>) -> Self {
        Self::Entry {
            id: id.into(),
            why: why.into(),
        }
    }
}

impl LogFormat {
    fn compile(raw: RawFormat) -> Result<Self, FormatError> {
        if raw.examples.is_empty() || raw.counterexamples.is_empty() {
            return Err(FormatError::new(
                &raw.id,
                "needs examples and counterexamples",
            ));
        }
        Ok(Self {
            restart: raw.restart.as_deref().map(Expression::new),
            shape: shape(&raw)?,
            id: raw.id,
            title: raw.title,
            source: raw.source,
            escape: raw.escape,
            utc: raw.utc,
            month_first: raw.month_first,
            examples: raw.examples,
            counterexamples: raw.counterexamples,
        })
    }

    /// Why a pattern of it can never match.
    fn fault(&self) -> Option<FormatError> {
        let restart = self.restart.as_ref();
        let restart = restart.and_then(|restart| restart.fault(&self.id));
        let Shape::Pattern(patterns) = &self.shape else {
            return restart;
        };
        let mut faults = patterns.iter().filter_map(|it| it.fault(&self.id));
        restart.or_else(|| faults.next())
    }
}

impl Wrapper {
    fn compile(raw: RawWrapper) -> Result<Self, FormatError> {
        if raw.examples.is_empty() || raw.counterexamples.is_empty() {
            return Err(FormatError::new(
                &raw.id,
                "needs examples and counterexamples",
            ));
        }
        Ok(Self {
            pattern: Expression::new(&raw.pattern),
            id: raw.id,
            title: raw.title,
            source: raw.source,
            escape: raw.escape.unwrap_or(Escape::None),
            examples: raw.examples,
            counterexamples: raw.counterexamples,
        })
    }

    /// Why its pattern can never match, or gives nothing.
    fn fault(&self) -> Option<FormatError> {
        self.pattern.fault(&self.id).or_else(|| {
            let has_inner = self.pattern.names().any(|name| name == "inner");
            (!has_inner).then(|| FormatError::new(&self.id, "has no group `inner`"))
        })
    }
}

fn shape(raw: &RawFormat) -> Result<Shape, FormatError> {
    let names = || {
        raw.roles
            .iter()
            .flat_map(|(role, names)| names.iter().map(|name| (name.to_lowercase().into(), *role)))
    };
    match (&raw.shape, raw.patterns.as_slice()) {
        (RawShape::Pattern, []) => Err(FormatError::new(&raw.id, "has no pattern")),
        (RawShape::Pattern, texts) => {
            let patterns = texts.iter().map(|text| Pattern::new(text));
            Ok(Shape::Pattern(patterns.collect()))
        }
        (_, [_, ..]) => Err(FormatError::new(&raw.id, "has a pattern that nothing uses")),
        _ if raw.roles.is_empty() => Err(FormatError::new(&raw.id, "has no roles")),
        (RawShape::Columns, []) => Ok(Shape::Columns {
            requires: raw.requires.clone(),
            roles: names().collect(),
            separator: match raw.separator {
                Some(Separator::Tab) => b'\t',
                Some(Separator::Space) | None => b' ',
            },
        }),
        (RawShape::Json, []) => Ok(Shape::Json {
            requires: raw.requires.clone(),
            roles: names().collect(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str, why: &str) {
        let error = LogFormats::read(text).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }

    #[test]
    fn builtin_formats_are_valid() {
        let formats = LogFormats::read(BUILTIN).unwrap();
        assert!(formats.formats.len() > 10);
        assert!(
            formats
                .formats
                .iter()
                .all(|format| format.source.starts_with("https://"))
        );
    }

    #[test]
    fn senseless_entries_are_refused() {
        let head = "[[format]]\nid='x'\ntitle=''\nsource=''\n";
        let tail = "examples=[{line='',roles={}}]\ncounterexamples=['']\n";
        refused("[[format]]\nid='x'", "missing field");
        refused(&format!("{head}shape='pattern'\n{tail}"), "no pattern");
        refused(
            &format!("{head}shape='pattern'\npatterns=['^(?<odd>.)']\n{tail}"),
            "called odd",
        );
        refused(
            &format!("{head}shape='pattern'\npatterns=['x']\n{tail}"),
            "must start",
        );
        refused(&format!("{head}shape='json'\n{tail}"), "no roles");
        let twice = format!("{head}shape='pattern'\npatterns=['^']\n{tail}").repeat(2);
        refused(&twice, "stands twice");
        refused(
            &format!("{head}shape='pattern'\npatterns=['^']\nexamples=[]\ncounterexamples=['']"),
            "needs",
        );
    }
}
