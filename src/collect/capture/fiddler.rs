//! Session archives of Fiddler (`.saz`): a zip in which `raw/17_c.txt` is the request of session 17 as it was sent,
//! `raw/17_s.txt` the response, `raw/17_m.xml` its times (Fiddler's documentation, "SAZ Files").

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Arc;

use super::http::{self, Exchanged};
use super::{MAX_EXCHANGE, Places, Position, Reading, moment};
use crate::atoms::{Source, When};
use crate::collect::archive::{Archive, Kind};
use crate::collect::{Context, Evidence, ReadError, Reader, Sink};

/// Session archives, opened as one: what is in a session is no file of its own.
pub static FIDDLER: Reader = Reader {
    name: "fiddler-sessions",
    claims: |evidence, _| evidence.archive().is_some_and(|it| is_session_archive(it)),
    read,
};

/// Whether an archive is one of sessions: packed by the Open Packaging Conventions, with a request in `raw`.
pub(in crate::collect) fn is_session_archive(archive: &Archive) -> bool {
    archive.kind() == Kind::Zip
        && archive.named("[Content_Types].xml").is_some()
        && archive.members().iter().any(|it| part(&it.name).is_some())
}

/// Session and side of a member.
fn part(name: &str) -> Option<(u64, &str)> {
    let (number, side) = name.strip_prefix("raw/")?.split_once('_')?;
    matches!(side, "c.txt" | "s.txt" | "m.xml" | "w.txt")
        .then_some(())
        .and_then(|()| Some((number.parse().ok()?, side)))
}

/// The members of a session.
#[derive(Default)]
struct Session<'a> {
    request: Option<&'a str>,
    response: Option<&'a str>,
    times: Option<&'a str>,
}

fn read(
    evidence: &Evidence,
    source: &Arc<Source>,
    context: &Context<'_>,
    sink: &mut Sink<'_>,
) -> Result<(), ReadError> {
    let Some(archive) = evidence.archive() else {
        return Err(ReadError::Unsupported(
            "is no archive of Fiddler's sessions".into(),
        ));
    };
    let mut reading = Reading::new(source, context, sink);
    for problem in archive.problems() {
        reading.problem(ReadError::Malformed(problem.to_string().into()));
    }
    let mut sessions: BTreeMap<u64, Session<'_>> = BTreeMap::new();
    let mut conversations = 0_u64;
    for member in archive.members() {
        let Some((number, side)) = part(&member.name) else {
            continue;
        };
        let session = sessions.entry(number).or_default();
        let name = Some(&*member.name);
        match side {
            "c.txt" => session.request = name,
            "s.txt" => session.response = name,
            "m.xml" => session.times = name,
            _ => conversations = conversations.saturating_add(1),
        }
    }
    for (number, session) in sessions {
        let mut take =
            |name: Option<&str>| name.map_or(Vec::new(), |name| bytes(archive, name, &mut reading));
        let [sent, received, times] =
            [session.request, session.response, session.times].map(&mut take);
        self::session(number, &session, [&sent, &received, &times], &mut reading);
    }
    if conversations > 0 {
        let why = format!(
            "{conversations} WebSocket conversations were not read; export a HAR from the sessions"
        );
        reading.problem(ReadError::Unsupported(why.into()));
    }
    reading.report();
    Ok(())
}

/// The content of a member, as far as it can be read.
fn bytes(archive: &Archive, name: &str, reading: &mut Reading<'_, '_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let content = archive.named(name).map(|member| archive.content(member));
    let end = match content {
        Some(Ok(content)) => content.take(MAX_EXCHANGE).read_to_end(&mut bytes),
        Some(Err(error)) => {
            reading.problem(error);
            return bytes;
        }
        None => return bytes,
    };
    if let Err(error) = end {
        reading.problem(ReadError::Compression(error.to_string().into()));
    }
    if bytes.len() as u64 >= MAX_EXCHANGE {
        reading.large = reading.large.saturating_add(1);
    }
    bytes
}

fn session(
    number: u64,
    session: &Session<'_>,
    [sent, received, times]: [&[u8]; 3],
    reading: &mut Reading<'_, '_>,
) {
    let (line, mut request) = http::message(sent);
    let (status, mut response) = http::message(received);
    let Some((method, url_at, target)) = http::request_line(line) else {
        return;
    };
    request.at = time(times, b"ClientBeginRequest=\"");
    response.at = time(times, b"ServerDoneResponse=\"").or(request.at);
    let exchanged = Exchanged {
        method: Some(method),
        status: http::status(status),
        url: http::url(target, &request),
        url_at,
        target: None,
        request,
        response,
    };
    let mut places = [sent, received].map(|bytes| Places::new(bytes, Position::START));
    let [in_sent, in_received] = &mut places;
    reading.exchange(number, &exchanged, &mut |found| {
        // The pointer leads to the member, and line and column into it.
        let (member, places, rest) = match found.pointer.strip_prefix("/request") {
            Some(rest) => (session.request, &mut *in_sent, rest),
            None => {
                let rest = found.pointer.trim_start_matches("/response");
                (session.response, &mut *in_received, rest)
            }
        };
        found.pointer = format!("/{}{rest}", member.unwrap_or_default());
        places.at(found.offset)
    });
}

/// An attribute of the session's timers, which has a zone.
fn time(xml: &[u8], attribute: &[u8]) -> Option<When> {
    let at = memchr::memmem::find(xml, attribute)?.checked_add(attribute.len())?;
    let value = xml.get(at..)?.split(|byte| *byte == b'"').next()?;
    let text = std::str::from_utf8(value).ok()?;
    // A timer that did not run stands at the year 1.
    let instant: jiff::Timestamp = text.parse().ok()?;
    (instant.as_second() > 0).then(|| moment(instant))
}
