//! What is true of a run: its messages, its credentials and what each is worth to whom, and when.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// What a credential is worth, worst last. `Spent`, `Revoked` and `Expired` are one rank.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    Inert,
    Expired,
    Revoked,
    Spent,
    Bound,
    Guarded,
    Unknown,
    Replayable,
    Live,
}

impl State {
    /// As in a report.
    pub fn named(name: &str) -> Self {
        match name {
            "live" => Self::Live,
            "replayable" => Self::Replayable,
            "unknown" => Self::Unknown,
            "guarded" => Self::Guarded,
            "bound" => Self::Bound,
            "spent" => Self::Spent,
            "revoked" => Self::Revoked,
            "expired" => Self::Expired,
            "inert" => Self::Inert,
            other => panic!("a state that nobody defined: {other}"),
        }
    }

    /// live > replayable > unknown > guarded > bound > spent = revoked = expired > inert.
    pub fn rank(self) -> u8 {
        match self {
            Self::Inert => 0,
            Self::Expired | Self::Revoked | Self::Spent => 1,
            Self::Bound => 2,
            Self::Guarded => 3,
            Self::Unknown => 4,
            Self::Replayable => 5,
            Self::Live => 6,
        }
    }
}

/// What it takes to use a credential while it is good.
#[derive(Clone, Debug)]
pub enum Power {
    /// Nothing else.
    Alone,
    /// All of these values: `whole` with them, `without` them.
    With {
        needs: Vec<String>,
        /// The client's own, which only a confidential client needs.
        secret: Option<String>,
        whole: State,
        without: State,
    },
    /// A key that never leaves its device.
    Bound,
}

/// How a credential ended before its time.
#[derive(Clone, Debug)]
pub struct End {
    /// Milliseconds since 1970.
    pub at: i64,
    pub state: State,
    /// The message of the run that shows it; a use that no message of the run shows is hidden.
    pub shown_by: Option<usize>,
}

/// A credential of a run.
#[derive(Clone, Debug)]
pub struct Credential {
    pub value: String,
    pub kind: &'static str,
    /// Accepted names for how it got there, the best first; none where the run's grant is meant.
    pub flows: Vec<&'static str>,
    /// Milliseconds since 1970, as far as evidence or documentation tells; `None` lives until somebody ends it.
    pub expires: Option<i64>,
    /// Earlier, by a setting of the server that nothing shows.
    pub expires_unseen: Option<i64>,
    pub end: Option<End>,
    pub power: Power,
}

/// Which half of a run a message is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// Authorization request, or the only message that starts the run.
    Request,
    Response,
    /// Token request with its answer.
    Token,
    /// Pushed authorization request.
    Push,
    /// Pages between, and what comes after.
    Other,
}

/// How a message travelled.
#[derive(Clone, Debug)]
pub enum What {
    /// The address bar. `from` is the message that the visit came from.
    Visit {
        url: String,
        from: Option<usize>,
        redirect: bool,
    },
    /// A form that a page posts to another site.
    Post {
        url: String,
        form: String,
        from: Option<usize>,
    },
    /// A request that is no navigation.
    Call {
        url: String,
        headers: Vec<(String, String)>,
        form: String,
        status: u16,
        answer: Value,
    },
    /// A request of a page for something of a third party, which names the page.
    Fetch { url: String, referer: String },
}

/// One message of a run.
#[derive(Clone, Debug)]
pub struct Message {
    pub part: Part,
    /// True time, milliseconds since 1970.
    pub at: i64,
    pub what: What,
    /// Values that it holds in another encoding than percent or plain.
    pub inside: Vec<String>,
    /// Cookies that the answer sets.
    pub cookie: Option<String>,
}

/// How the run is called, by what the evidence shows of it.
#[derive(Clone, Debug)]
pub enum Name {
    /// Always so; further names where the specification leaves it open.
    Fixed(&'static [&'static str]),
    /// A code flow, whose name depends on the challenge and on the token request.
    Code {
        challenge: Challenge,
        confidential: bool,
        pushed: bool,
    },
}

/// PKCE (RFC 7636).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Challenge {
    S256,
    Plain,
    /// A challenge without a method, which means plain (RFC 7636 §4.3).
    Unnamed,
    None,
}

/// What ties the halves of a run that lie apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tie {
    /// A value of its own: `state` or `nonce`.
    Key,
    /// Nothing but the chain of visits or the exchange.
    ChainOnly,
}

/// One protocol run.
#[derive(Clone, Debug)]
pub struct Run {
    pub case: &'static str,
    pub name: Name,
    pub tie: Tie,
    pub client_id: String,
    pub messages: Vec<Message>,
    pub credentials: Vec<Credential>,
    /// Value that stands for the run: the response's.
    pub primary: Option<String>,
    /// It has no second half.
    pub single: bool,
    /// It can be seen in captures alone (bodies, hidden frames).
    pub capture_only: bool,
    /// Its client runs on the user's machine: no server of its own has a log.
    pub native: bool,
}

/// Where a value lies: who holds it and since when.
#[derive(Default, Debug)]
pub struct Evidence {
    /// Per value: holder and true time (milliseconds since 1970) of each sighting.
    pub seen: BTreeMap<String, Vec<(usize, i64)>>,
    /// What each holder has.
    pub holds: BTreeSet<(usize, String)>,
}

/// What a verdict may not know, because no evidence shows it.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Unseen {
    /// A use of the credential.
    pub end: bool,
    /// A lifetime that no documentation states.
    pub lifetime: bool,
    /// The error of a clock in milliseconds that fewer than three tokens tell.
    pub clock: i64,
}

/// The run's messages in evidence.
pub struct Shown<'a> {
    pub message: &'a dyn Fn(usize) -> bool,
}

/// Leeway of clocks (milliseconds): what ended less than this ago may pass for alive.
pub const LEEWAY: i64 = 61_000;

impl Credential {
    /// The true state at `at` for whoever has what `holder` has, but for what is `unseen`.
    fn state(
        &self,
        evidence: &Evidence,
        holder: usize,
        at: i64,
        shown: &Shown,
        unseen: Unseen,
    ) -> State {
        if let Some(end) = &self.end {
            let visible = end.shown_by.is_some_and(|message| (shown.message)(message));
            if (visible || !unseen.end) && end.at <= at {
                return end.state;
            }
        }
        let expires = match self.expires_unseen {
            Some(early) if !unseen.lifetime => Some(early),
            _ => self.expires,
        };
        if expires.is_some_and(|expires| expires <= at) {
            return State::Expired;
        }
        match &self.power {
            Power::Alone => State::Live,
            Power::Bound => State::Bound,
            Power::With {
                needs,
                secret,
                whole,
                without,
            } => {
                let all = needs
                    .iter()
                    .chain(secret.iter())
                    .all(|need| evidence.holds.contains(&(holder, need.clone())));
                if all { *whole } else { *without }
            }
        }
    }

    /// The worst that any single holder can do at `at`, or could until shortly before.
    pub fn worst(
        &self,
        evidence: &Evidence,
        at: Option<i64>,
        shown: &Shown,
        unseen: Unseen,
    ) -> Option<State> {
        let seen = evidence.seen.get(&self.value)?;
        seen.iter()
            .flat_map(|&(holder, time)| {
                let at = at.unwrap_or(time);
                [at, at - LEEWAY - unseen.clock]
                    .map(|at| self.state(evidence, holder, at, shown, unseen))
            })
            .max_by_key(|state| state.rank())
    }
}
