//! Which messages of a run end up in which file, and what that file's holder therefore has.

use std::collections::{BTreeMap, BTreeSet};

use crate::encode::pct;
use crate::prng::Rng;
use crate::truth::{Challenge, Evidence, Message, Name, Part, Power, Run, Tie, What};

pub const PROFILES: usize = 200;
pub const CAPTURES: usize = 60;
pub const PROXIES: usize = 6;

/// A file of the world.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum File {
    Profile(usize),
    Capture(usize),
    /// A proxy that logs whole URLs.
    Proxy(usize),
    /// The access log of one site, by the number that its host has in the world.
    Site(usize),
}

/// What is in evidence of one run.
#[derive(Default, Debug)]
pub struct Placed {
    /// File and message, in the order of the messages.
    pub at: Vec<(File, usize)>,
}

/// The world: runs, where they lie, who has what.
#[derive(Default)]
pub struct World {
    pub runs: Vec<Run>,
    pub placed: Vec<Placed>,
    /// Hosts with an access log.
    pub hosts: Vec<String>,
    pub files: Vec<File>,
    pub evidence: Evidence,
    /// Per profile, how many visits carry a token that tells when it was issued.
    pub tokens: BTreeMap<usize, usize>,
}

/// How a run is recorded.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scene {
    History,
    HistoryAndCapturedToken,
    Capture,
    Sites,
    Proxy,
    HistoryAndSites,
    /// The request was lost from history, but the authorization server has logged it.
    Split,
}

impl Placed {
    pub fn shows(&self, message: usize) -> bool {
        self.at.iter().any(|&(_, index)| index == message)
    }

    fn files(&self, run: &Run, part: Part) -> BTreeSet<File> {
        self.at
            .iter()
            .filter(|&&(file, index)| {
                run.messages[index].part == part && readable(&run.messages[index], file)
            })
            .map(|&(file, _)| file)
            .collect()
    }

    pub fn has(&self, run: &Run, part: Part) -> bool {
        !self.files(run, part).is_empty()
    }

    /// Whether request and response are both in evidence and something ties them. Where a clock is wrong by an
    /// error that nothing tells, order in time is no help between files (`clock` in milliseconds).
    pub fn whole(&self, run: &Run, clock: i64) -> bool {
        let requests = self.files(run, Part::Request);
        if run.single
            || !run
                .messages
                .iter()
                .any(|message| message.part == Part::Response)
        {
            // Every message of such a run says alone what it is.
            return requests.len() + self.files(run, Part::Response).len() > 0;
        }
        let responses = self.files(run, Part::Response);
        let tied = |request: &File, response: &File| match (run.tie, request == response) {
            (Tie::Key, true) => true,
            (Tie::Key, false) => clock == 0,
            // A log has no chain of visits.
            (Tie::ChainOnly, true) => match request {
                File::Profile(_) => true,
                File::Capture(_) => self.redirected(run),
                File::Proxy(_) | File::Site(_) => false,
            },
            (Tie::ChainOnly, false) => false,
        };
        requests
            .iter()
            .any(|request| responses.iter().any(|response| tied(request, response)))
    }

    /// Whether the request's own answer was the response.
    fn redirected(&self, run: &Run) -> bool {
        run.messages.iter().any(|message| {
            matches!(&message.what, What::Visit { from: Some(from), redirect: true, .. }
                if message.part == Part::Response && run.messages[*from].part == Part::Request)
        })
    }

    /// The names that the specification allows for what is in evidence, the best first.
    pub fn names(&self, run: &Run) -> Vec<&'static str> {
        match &run.name {
            Name::Fixed(names) => names.to_vec(),
            Name::Code {
                challenge,
                confidential,
                pushed,
            } => {
                let token = self.has(run, Part::Token);
                if *pushed && !self.has(run, Part::Push) {
                    // PKCE is not observed; with a verifier in the token request its method is open.
                    let mut open = vec!["code"];
                    if token {
                        open.extend(["code-pkce-s256", "code-pkce-plain"]);
                    }
                    return open;
                }
                match (challenge, token, confidential) {
                    (Challenge::S256, _, _) => vec!["code-pkce-s256"],
                    (Challenge::Plain | Challenge::Unnamed, _, _) => vec!["code-pkce-plain"],
                    (Challenge::None, true, true) => vec!["code-secret"],
                    // A capture without any cookie may be one from which credentials were left out.
                    (Challenge::None, true, false) => vec!["code-nopkce-public", "code-nopkce"],
                    (Challenge::None, false, _) => vec!["code-nopkce"],
                }
            }
        }
    }
}

/// Whether a file of this kind keeps what makes the message what it is.
fn readable(message: &Message, file: File) -> bool {
    match (&message.what, file) {
        (What::Visit { url, .. }, File::Proxy(_) | File::Site(_)) => !url.contains('#'),
        (What::Post { .. }, file) => matches!(file, File::Capture(_)),
        _ => true,
    }
}

/// The texts that `file` keeps of a message.
pub fn kept(message: &Message, file: File) -> Vec<String> {
    let cut = |url: &str| url.split('#').next().unwrap_or(url).to_owned();
    let log = matches!(file, File::Proxy(_) | File::Site(_));
    let mut texts = match &message.what {
        What::Visit { url, .. } if log => vec![cut(url)],
        What::Visit { url, .. } => vec![url.clone()],
        What::Post { url, form, .. } if matches!(file, File::Capture(_)) => {
            vec![url.clone(), form.clone()]
        }
        What::Post { url, .. } | What::Call { url, .. } if log => vec![url.clone()],
        What::Post { url, .. } => vec![url.clone()],
        What::Call {
            url,
            headers,
            form,
            answer,
            ..
        } => {
            let mut texts = vec![url.clone(), form.clone(), answer.to_string()];
            texts.extend(headers.iter().map(|(_, value)| value.clone()));
            texts
        }
        // Squid's own format has no referer.
        What::Fetch { url, .. } if matches!(file, File::Proxy(_)) => vec![url.clone()],
        What::Fetch { url, referer } => vec![url.clone(), referer.clone()],
    };
    if matches!(file, File::Capture(_)) {
        texts.extend(message.cookie.clone());
    }
    if readable(message, file) && !(log && matches!(message.what, What::Call { .. })) {
        texts.extend(message.inside.iter().cloned());
    }
    texts
}

impl World {
    /// Records a run; `profile` is its user's.
    pub fn add(&mut self, rng: &mut Rng, run: Run, profile: usize) {
        let scene = scene(rng, &run);
        let prune = match rng.below(100) {
            0..8 => Some(Part::Request),
            8..14 => Some(Part::Response),
            _ => None,
        };
        let (capture, proxy) = (rng.below(CAPTURES), rng.below(PROXIES));
        let mut placed = Placed::default();
        for (index, message) in run.messages.iter().enumerate() {
            if prune == Some(message.part) && !run.single && !run.capture_only {
                continue;
            }
            for file in self.files(scene, message, (profile, capture, proxy)) {
                placed.at.push((file, index));
            }
        }
        self.note(&run, &placed);
        self.runs.push(run);
        self.placed.push(placed);
    }

    fn files(
        &mut self,
        scene: Scene,
        message: &Message,
        (profile, capture, proxy): (usize, usize, usize),
    ) -> Vec<File> {
        let (profile, capture, proxy) = (
            File::Profile(profile),
            File::Capture(capture),
            File::Proxy(proxy),
        );
        match (&message.what, scene) {
            (What::Visit { url, .. }, Scene::Split) if message.part == Part::Request => {
                vec![self.site(url)]
            }
            (What::Visit { .. } | What::Post { .. }, Scene::Split) => vec![profile],
            (_, Scene::Split) => Vec::new(),
            (What::Visit { .. }, Scene::History | Scene::HistoryAndCapturedToken) => vec![profile],
            (What::Visit { url, .. }, Scene::HistoryAndSites) => vec![profile, self.site(url)],
            (What::Visit { url, .. }, Scene::Sites) => vec![self.site(url)],
            (What::Fetch { url, .. }, Scene::Sites | Scene::HistoryAndSites) => {
                vec![self.site(url)]
            }
            (What::Fetch { .. }, Scene::History | Scene::HistoryAndCapturedToken) => Vec::new(),
            (
                What::Post { .. },
                Scene::History | Scene::HistoryAndCapturedToken | Scene::HistoryAndSites,
            ) => vec![profile],
            (What::Call { .. }, Scene::HistoryAndCapturedToken) | (_, Scene::Capture) => {
                vec![capture]
            }
            (What::Visit { .. } | What::Fetch { .. } | What::Post { .. }, Scene::Proxy) => {
                vec![proxy]
            }
            (What::Call { .. } | What::Post { .. }, _) => Vec::new(),
        }
    }

    /// Whether nothing but logs holds the value.
    pub fn only_logged(&self, value: &str) -> bool {
        let seen = self.evidence.seen.get(value).into_iter().flatten();
        seen.clone().count() > 0
            && seen
                .clone()
                .all(|&(holder, _)| matches!(self.files[holder], File::Proxy(_) | File::Site(_)))
    }

    /// The error (milliseconds) of a clock in the run's evidence that fewer than three fresh tokens tell.
    pub fn unknown_clock(&self, placed: &Placed) -> i64 {
        let errors = placed.at.iter().map(|&(file, _)| match file {
            File::Profile(profile) if self.tokens.get(&profile).copied().unwrap_or(0) < 3 => {
                crate::history::clock_error(profile).abs()
            }
            _ => 0,
        });
        errors.max().unwrap_or(0)
    }

    fn site(&mut self, url: &str) -> File {
        let host = url.split('/').nth(2).expect("a URL with a host").to_owned();
        if let Some(index) = self.hosts.iter().position(|known| *known == host) {
            return File::Site(index);
        }
        self.hosts.push(host);
        File::Site(self.hosts.len() - 1)
    }

    fn holder(&mut self, file: File) -> usize {
        if let Some(index) = self.files.iter().position(|known| *known == file) {
            return index;
        }
        self.files.push(file);
        self.files.len() - 1
    }

    /// Writes down who has which value since when.
    fn note(&mut self, run: &Run, placed: &Placed) {
        let mut wanted: BTreeSet<String> = run
            .credentials
            .iter()
            .map(|credential| credential.value.clone())
            .collect();
        for credential in &run.credentials {
            if let Power::With { needs, secret, .. } = &credential.power {
                wanted.extend(needs.iter().chain(secret).cloned());
            }
        }
        for &(file, index) in &placed.at {
            let holder = self.holder(file);
            let message = &run.messages[index];
            let texts = kept(message, file);
            if let (File::Profile(profile), Part::Response) = (file, message.part) {
                let dated = texts.iter().any(|text| text.contains("_token=eyJ"));
                *self.tokens.entry(profile).or_default() += usize::from(dated);
            }
            for value in &wanted {
                let encoded = pct(value);
                if texts
                    .iter()
                    .any(|text| text.contains(value.as_str()) || text.contains(&encoded))
                {
                    self.evidence.holds.insert((holder, value.clone()));
                    self.evidence
                        .seen
                        .entry(value.clone())
                        .or_default()
                        .push((holder, message.at));
                }
            }
        }
    }
}

fn scene(rng: &mut Rng, run: &Run) -> Scene {
    if run.capture_only {
        return Scene::Capture;
    }
    match rng.below(if run.native { 82 } else { 100 }) {
        0..50 => Scene::History,
        50..65 => Scene::HistoryAndCapturedToken,
        65..82 => Scene::Capture,
        82..88 => Scene::Sites,
        88..93 => Scene::Proxy,
        93..96 => Scene::Split,
        _ => Scene::HistoryAndSites,
    }
}
