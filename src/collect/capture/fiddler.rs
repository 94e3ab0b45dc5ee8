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

/// Digits of the number of a session. A capture of years has eight.
const MAX_DIGITS: usize = 12;

/// Whether an archive is one of sessions: packed by the Open Packaging Conventions, with a part of a session in `raw`.
pub(in crate::collect) fn is_session_archive(archive: &Archive) -> bool {
    archive.kind() == Kind::Zip
        && archive.named("[Content_Types].xml").is_some()
        && archive.members().iter().any(|it| part(&it.name).is_some())
}

/// The number of a session as it is written, and which of its members this is.
fn part(name: &str) -> Option<(&str, &str)> {
    let (number, side) = name.strip_prefix("raw/")?.split_once('_')?;
    let is_number = (1..=MAX_DIGITS).contains(&number.len())
        && number.bytes().all(|byte| byte.is_ascii_digit());
    (is_number && matches!(side, "c.txt" | "s.txt" | "m.xml" | "w.txt")).then_some((number, side))
}

/// Whether a member that is no part of a session says nothing that a session does not: the types of the members, the
/// list of the sessions for people.
fn is_known(name: &str) -> bool {
    matches!(name, "[Content_Types].xml" | "_index.htm")
}

/// The members of a session, by their place in the archive.
#[derive(Clone, Copy)]
struct Session {
    request: Option<usize>,
    response: Option<usize>,
    times: Option<usize>,
}

/// The members of the sessions of one number. An archive may have several of one name, which are not the same.
#[derive(Default)]
struct Numbered {
    requests: Vec<usize>,
    responses: Vec<usize>,
    times: Vec<usize>,
}

impl Numbered {
    /// The first of each kind are one session, the second of each kind another.
    fn sessions(&self) -> impl Iterator<Item = Session> {
        let lists = [&self.requests, &self.responses, &self.times];
        let most = lists
            .iter()
            .map(|list| list.len())
            .max()
            .unwrap_or_default();
        (0..most).map(move |nth| {
            let [request, response, times] = lists.map(|list| list.get(nth).copied());
            Session {
                request,
                response,
                times,
            }
        })
    }
}

/// The sessions of an archive, and what else it holds.
#[derive(Default)]
struct Contents<'a> {
    /// By number and by how it is written: `01` is another session than `1`.
    sessions: BTreeMap<(u64, &'a str), Numbered>,
    /// WebSocket conversations.
    conversations: u64,
    others: u64,
}

impl<'a> Contents<'a> {
    fn of(archive: &'a Archive) -> Self {
        let mut all = Self::default();
        for (index, member) in archive.members().iter().enumerate() {
            let known = part(&member.name)
                .and_then(|(number, side)| Some(((number.parse().ok()?, number), side)));
            let Some((number, side)) = known else {
                let other = u64::from(!is_known(&member.name));
                all.others = all.others.saturating_add(other);
                continue;
            };
            let session = all.sessions.entry(number).or_default();
            match side {
                "c.txt" => session.requests.push(index),
                "s.txt" => session.responses.push(index),
                "m.xml" => session.times.push(index),
                _ => all.conversations = all.conversations.saturating_add(1),
            }
        }
        all
    }
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
    let contents = Contents::of(archive);
    let mut last = (0, 0);
    for ((number, _), session) in &contents.sessions {
        for session in session.sessions() {
            let twin = if last.0 == *number { last.1 } else { 0 };
            self::session(archive, (*number, twin), session, &mut reading);
            last = (*number, twin.saturating_add(1));
        }
    }
    let (conversations, others) = (contents.conversations, contents.others);
    if conversations > 0 {
        let why = format!(
            "{conversations} WebSocket conversations were not read; export a HAR from the sessions"
        );
        reading.problem(ReadError::Unsupported(why.into()));
    }
    if others > 0 {
        let why = format!(
            "{others} of its files are no part of a session and were not read; unpack it, and scan the folder"
        );
        reading.problem(ReadError::Unsupported(why.into()));
    }
    reading.report();
    Ok(())
}

/// The content of a member, as far as it can be read.
fn bytes(archive: &Archive, member: Option<usize>, reading: &mut Reading<'_, '_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let member = member.and_then(|index| archive.member(index));
    let end = match member.map(|member| archive.content(member)) {
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

/// Reads a session. `number` is its own, and how many of the same number came before.
fn session(archive: &Archive, number: (u64, u64), session: Session, reading: &mut Reading<'_, '_>) {
    let members = [session.request, session.response, session.times];
    let [sent, received, times] = members.map(|member| bytes(archive, member, reading));
    let (line, mut request) = http::message(&sent);
    let (status, mut response) = http::message(&received);
    let (method, url_at, target) = http::target(line);
    request.at = time(&times, b"ClientBeginRequest=\"");
    response.at = time(&times, b"ServerDoneResponse=\"").or(request.at);
    let exchanged = Exchanged {
        method,
        status: http::status(status),
        url: http::url(target, &request),
        url_at,
        target: None,
        request,
        response,
    };
    let mut places = [&sent, &received].map(|bytes| Places::new(bytes, Position::START));
    let [in_sent, in_received] = &mut places;
    let name = |member: Option<usize>| member.map(|index| archive.told(index)).unwrap_or_default();
    let (sent_name, received_name) = (name(session.request), name(session.response));
    reading.exchange(number, &exchanged, &mut |found| {
        // The pointer leads to the member, and line and column into it.
        let (member, places, rest) = if let Some(rest) = found.pointer.strip_prefix("/request") {
            (&sent_name, &mut *in_sent, rest)
        } else {
            let rest = found.pointer.trim_start_matches("/response");
            (&received_name, &mut *in_received, rest)
        };
        found.pointer = format!("/{member}{rest}");
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
