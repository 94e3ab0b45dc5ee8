//! Protocol runs made by hand: sightings, a trail over them, and the exposures in them.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use tokentrail::atoms::rules::Rules;
use tokentrail::atoms::when::{Basis, Zone};
use tokentrail::atoms::{
    self, Digest, JoinKey, KeyKind, Kind, Locator, Masked, Method, Slot, Source, View, When, Within,
};
use tokentrail::collect::{Store, Via};
use tokentrail::detect::{
    Address, Channel, Claims, Credential, Param, REPORT, Role, Sighting, Signature, VisitKeys,
};
use tokentrail::flow::census::{Census, Fact};
use tokentrail::flow::{
    Correlated, Exposure, Flow, Modifier, Pkce, Step, Trail, Weakness, WeaknessKind,
};
use tokentrail::judge::gate::Gate;
use tokentrail::judge::{self, Finding, Judging, Profile, State};

/// 2026-11-23T06:00:00Z.
pub(crate) const T0: i64 = 1_795_413_600;
pub(crate) const EARLY: i64 = T0 + 30;
pub(crate) const NOW: i64 = T0 + 30;
pub(crate) const LATE: i64 = T0 + 100_000;
pub(crate) const CHALLENGE: u64 = 77;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    History,
    Storage,
    Log,
    Har,
}

/// A sighting in the making.
#[derive(Clone, Debug)]
pub(crate) struct Seen(Sighting);

pub(crate) fn seen(place: Place, at: impl Into<Option<i64>>, role: Role) -> Seen {
    let browser = matches!(place, Place::History | Place::Storage);
    let (path, locator) = match place {
        Place::History => (
            "Default/History",
            Locator::Row {
                table: "urls".into(),
                rowid: 1,
                column: "url".into(),
            },
        ),
        Place::Storage => (
            "Default/Session Storage",
            Locator::Record {
                file: "000003.log".into(),
                key: "k".into(),
                sequence: 1,
            },
        ),
        Place::Log => ("access.log", Locator::Line { number: 1, byte: 0 }),
        Place::Har => (
            "capture.har",
            Locator::Entry {
                index: 0,
                pointer: "/log".into(),
                line: 1,
                column: 1,
            },
        ),
    };
    let source = Source {
        path: path.into(),
        reader: "test".into(),
        browser: browser.then(|| "chrome".into()),
        profile: browser.then(|| "Default".into()),
        ..Source::default()
    };
    let direct = matches!(role, Role::TokenRequest | Role::TokenResponse);
    Seen(Sighting {
        id: Digest::of([path.as_bytes()]),
        place: atoms::Place {
            source: Arc::new(source),
            locator,
            view: View::Live,
        },
        at: at.into().map(|at| When {
            instant: Timestamp::from_second(at).unwrap(),
            basis: Basis::Visit,
            zone: Zone::Stated,
        }),
        via: Via::Unknown,
        visit: None,
        exchange: None,
        role,
        method: None,
        status: None,
        channel: match (role, direct) {
            (Role::Stored, _) => Channel::Storage,
            (_, true) => Channel::Direct,
            _ => Channel::Front,
        },
        store: (role == Role::Stored && place == Place::Storage).then_some(Store::SessionStorage),
        url: None,
        address: Some(Address {
            scheme: "https".into(),
            host: "www.app.test".into(),
            port: None,
            path: "/cb".into(),
        }),
        landing: None,
        redirect: None,
        params: Vec::new(),
        credentials: Vec::new(),
        keys: Vec::new(),
        near: Vec::new(),
    })
}

pub(crate) fn name(id: u64) -> Digest {
    Digest::of([b"value".as_slice(), &id.to_le_bytes()])
}

fn join(kind: KeyKind, id: u64) -> JoinKey {
    JoinKey {
        kind,
        digest: name(id),
    }
}

impl Seen {
    pub(crate) fn with(mut self, kind: Kind, named: &str, id: u64) -> Self {
        self.0.credentials.push(Credential {
            id: name(id),
            kind,
            rule: named.into(),
            slot: match self.0.role {
                Role::ResponseInFragment => Slot::Fragment,
                Role::Stored => Slot::Storage,
                Role::TokenRequest => Slot::Form,
                Role::TokenResponse => Slot::Json,
                _ => Slot::Query,
            },
            name: named.into(),
            nesting: Vec::new(),
            shown: Masked::vouch("40 characters"),
            fingerprint: Some(name(id)),
            keys: Vec::new(),
            claims: None,
            signature: Signature::None,
            score: REPORT,
        });
        self
    }

    pub(crate) fn claims(mut self, claims: Claims, signature: Signature) -> Self {
        let credential = self.0.credentials.last_mut().unwrap();
        credential.claims = Some(Box::new(claims));
        credential.signature = signature;
        self
    }

    pub(crate) fn key(mut self, kind: KeyKind, id: u64) -> Self {
        self.0.keys.push(join(kind, id));
        for credential in &mut self.0.credentials {
            credential.keys.push(join(kind, id));
        }
        self
    }

    pub(crate) fn param(mut self, named: &str, value: &str) -> Self {
        self.0.params.push(Param {
            name: named.into(),
            value: Some(value.into()),
            slot: Slot::Query,
        });
        self
    }

    pub(crate) fn exchange(mut self, id: u64) -> Self {
        self.0.exchange = Some(join(KeyKind::Exchange, id));
        self
    }

    pub(crate) fn status(mut self, status: u16) -> Self {
        self.0.status = Some(status);
        self
    }

    pub(crate) fn method(mut self, method: &str) -> Self {
        self.0.method = Method::of(method.as_bytes());
        self
    }

    /// It is where the answer sends the browser.
    pub(crate) fn location(self) -> Self {
        self.via(Via::Location)
    }

    pub(crate) fn path(mut self, path: &str) -> Self {
        self.0.address.as_mut().unwrap().path = path.into();
        self
    }

    pub(crate) fn address(mut self, scheme: &str, host: &str) -> Self {
        let address = self.0.address.as_mut().unwrap();
        (address.scheme, address.host) = (scheme.into(), host.into());
        self
    }

    /// Where it landed, by number.
    pub(crate) fn lands(mut self, place: u64) -> Self {
        self.0.landing = Some(name(place));
        self
    }

    /// Where its answer is to land, by number.
    pub(crate) fn redirects(mut self, place: u64) -> Self {
        self.0.redirect = Some(name(place));
        self
    }

    /// Where in its message the last credential stands.
    pub(crate) fn slot(mut self, slot: Slot) -> Self {
        self.0.credentials.last_mut().unwrap().slot = slot;
        self
    }

    /// Its time is when it was seen last.
    pub(crate) fn last_visit(mut self) -> Self {
        self.0.at.as_mut().unwrap().basis = Basis::LastVisit;
        self
    }

    /// It lies in the browser profile of this name, in a file of its own.
    pub(crate) fn profile(mut self, path: &str, name: &str) -> Self {
        self.0.place.source = Arc::new(Source {
            path: path.into(),
            reader: "test".into(),
            browser: Some("chrome".into()),
            profile: Some(name.into()),
            ..Source::default()
        });
        self
    }

    /// It lies in a file that neither path nor content name a profile for.
    pub(crate) fn nameless(mut self, path: &str) -> Self {
        self.0.place.source = Arc::new(Source {
            path: path.into(),
            reader: "chromium-history".into(),
            ..Source::default()
        });
        self
    }

    /// It lies in the residue of a database, and may have lost its end.
    pub(crate) fn remains(mut self) -> Self {
        self.0.place.locator = Locator::Residue {
            beside: None,
            offset: 4096,
            within: Within::FreePage,
            uncertain: true,
        };
        self
    }

    /// A reader that knows captures made it.
    pub(crate) fn captured(mut self) -> Self {
        self.0.place.source = Arc::new(Source {
            path: "capture.har".into(),
            reader: "har".into(),
            ..Source::default()
        });
        self
    }

    pub(crate) fn response(self) -> Self {
        self.via(Via::Response)
    }

    /// How the browser came there.
    pub(crate) fn via(mut self, via: Via) -> Self {
        self.0.via = via;
        self
    }

    pub(crate) fn referer(mut self, host: &str) -> Self {
        self.0.via = Via::Referer {
            sent_to: Some(host.into()),
        };
        self
    }

    pub(crate) fn visit(mut self, id: u64, before: Option<u64>) -> Self {
        self.0.visit = Some(Box::new(VisitKeys {
            own: join(KeyKind::Visit, id),
            ancestors: before
                .map(|id| (1, join(KeyKind::Visit, id)))
                .into_iter()
                .collect(),
        }));
        self
    }
}

/// One protocol run, and what the judge is told beside it.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    correlated: Correlated,
    pub(crate) code_lifetime: Option<i64>,
    pub(crate) clock_error: Option<f64>,
}

impl Run {
    pub(crate) fn new(grant: Flow, pkce: Pkce, seen: Vec<Seen>) -> Self {
        let trail = Trail {
            id: Digest::of([b"trail".as_slice()]),
            grant,
            modifiers: Vec::new(),
            client_id: Some("app".into()),
            issuer: None,
            redirect_uri: None,
            pkce,
            steps: Vec::new(),
            clues: Vec::new(),
            weaknesses: Vec::new(),
        };
        let mut run = Self {
            correlated: Correlated {
                trails: vec![trail],
                ..Correlated::default()
            },
            code_lifetime: None,
            clock_error: None,
        };
        for seen in seen {
            run = run.with(seen);
        }
        run
    }

    /// Adds a sighting of the run.
    pub(crate) fn with(mut self, seen: Seen) -> Self {
        self = self.beside(seen);
        let last = self.correlated.sightings.last().unwrap();
        let step = Step {
            sighting: Some(last.id),
            role: last.role,
            at: last.at,
        };
        self.correlated.trails[0].steps.push(step);
        for exposure in &mut self.correlated.exposures {
            let index = self.correlated.sightings.len() - 1;
            if exposure.seen.iter().any(|(at, _)| *at == index) && exposure.trails.is_empty() {
                exposure.trails.push(0);
            }
        }
        self
    }

    /// Adds a sighting that has nothing to do with the run.
    pub(crate) fn beside(mut self, Seen(mut sighting): Seen) -> Self {
        let index = self.correlated.sightings.len();
        sighting.id = Digest::of([b"sighting".as_slice(), &index.to_le_bytes()]);
        let flow = self.correlated.trails[0].grant;
        for (at, credential) in sighting.credentials.iter().enumerate() {
            let exposures = &mut self.correlated.exposures;
            match exposures
                .iter_mut()
                .find(|it| it.credential == credential.id)
            {
                Some(known) => known.seen.push((index, at)),
                None => exposures.push(Exposure {
                    credential: credential.id,
                    kind: credential.kind,
                    flow,
                    seen: vec![(index, at)],
                    trails: Vec::new(),
                }),
            }
        }
        self.correlated.sightings.push(sighting);
        self
    }

    /// How one value got there, where that is not the grant of its run.
    pub(crate) fn flow_of(mut self, id: u64, flow: Flow) -> Self {
        let mut exposures = self.correlated.exposures.iter_mut();
        let exposure = exposures.find(|it| it.credential == name(id)).unwrap();
        exposure.flow = flow;
        self
    }

    pub(crate) fn modifier(mut self, modifier: Modifier) -> Self {
        self.correlated.trails[0].modifiers.push(modifier);
        self
    }

    pub(crate) fn issuer(mut self, issuer: &str) -> Self {
        self.correlated.trails[0].issuer = Some(issuer.into());
        self
    }

    pub(crate) fn weakness(mut self, kind: WeaknessKind) -> Self {
        let sightings = vec![self.correlated.sightings[0].id];
        self.correlated.trails[0]
            .weaknesses
            .push(Weakness { kind, sightings });
        self
    }

    /// Renames every sighting and value, as a new recording would.
    pub(crate) fn offset(&mut self, by: u64) {
        let renamed = |id: &Digest| Digest::of([id.as_bytes().as_slice(), &by.to_le_bytes()]);
        for sighting in &mut self.correlated.sightings {
            sighting.id = renamed(&sighting.id);
            for credential in &mut sighting.credentials {
                credential.id = renamed(&credential.id);
            }
        }
        for exposure in &mut self.correlated.exposures {
            exposure.credential = renamed(&exposure.credential);
        }
        for trail in &mut self.correlated.trails {
            trail.id = renamed(&trail.id);
            for step in &mut trail.steps {
                step.sighting = step.sighting.as_ref().map(renamed);
            }
        }
    }

    pub(crate) fn findings(&self, as_of: i64) -> Vec<Finding> {
        let rules = rules();
        let errors: BTreeMap<Digest, f64> = self
            .clock_error
            .iter()
            .flat_map(|error| {
                let sources = self.correlated.sightings.iter();
                sources.map(|it| (it.place.source.digest(), *error))
            })
            .collect();
        let judging = Judging {
            as_of: Timestamp::from_second(as_of).unwrap(),
            code_lifetime: self.code_lifetime.map(SignedDuration::from_secs),
            rules,
            clock_errors: &errors,
        };
        let mut census = Census::default();
        for sighting in &self.correlated.sightings {
            census.add(sighting);
            // Captures that leave headers out are a matter of the stories of flows.
            if matches!(sighting.place.locator, Locator::Entry { .. }) {
                census.note(Fact::Headers(sighting.place.source.digest()));
            }
        }
        let correlated = Correlated {
            clients: census.common().clients,
            ..self.correlated.clone()
        };
        judge::findings(&correlated, &judging)
    }

    /// Whether the finding of this kind meets a gate.
    pub(crate) fn meets(&self, kind: Kind, gate: &Gate) -> bool {
        gate.meets(&self.find(kind, LATE), &self.correlated)
    }

    pub(crate) fn find(&self, kind: Kind, as_of: i64) -> Finding {
        let mut found = self.findings(as_of).into_iter();
        found
            .find(|it| it.kind == kind)
            .expect("a finding of this kind")
    }

    pub(crate) fn verdict_of(&self, id: u64, as_of: i64) -> Finding {
        let mut found = self.findings(as_of).into_iter();
        found
            .find(|it| it.credential == Some(name(id)))
            .expect("a finding of this value")
    }
}

pub(crate) fn rules() -> &'static Rules {
    static RULES: std::sync::OnceLock<Rules> = std::sync::OnceLock::new();
    RULES.get_or_init(|| Rules::builtin().unwrap())
}

/// Several runs in one evidence.
pub(crate) fn together(runs: Vec<Run>) -> Run {
    let mut all = Run {
        correlated: Correlated::default(),
        code_lifetime: None,
        clock_error: None,
    };
    for run in runs {
        let (sightings, trails) = (all.correlated.sightings.len(), all.correlated.trails.len());
        all.correlated.sightings.extend(run.correlated.sightings);
        all.correlated.trails.extend(run.correlated.trails);
        for mut exposure in run.correlated.exposures {
            exposure
                .seen
                .iter_mut()
                .for_each(|(at, _)| *at += sightings);
            exposure.trails.iter_mut().for_each(|at| *at += trails);
            all.correlated.exposures.push(exposure);
        }
    }
    all
}

/// What the thieves of all profiles can do, in the order in which they are told.
pub(crate) fn profiles(run: &Run, as_of: i64) -> Vec<Profile> {
    judge::profiles(&run.correlated, &run.findings(as_of), &rules().stores)
}

/// What the thief of one profile can do.
pub(crate) fn grips(profile: &Profile) -> Vec<(&'static str, State)> {
    let grips = profile.thief_can.iter();
    grips.map(|grip| (grip.act.as_str(), grip.state)).collect()
}

/// What the thief of the one profile can do.
pub(crate) fn profile_state(run: &Run, as_of: i64) -> Vec<(&'static str, State)> {
    let profiles = profiles(run, as_of);
    assert_eq!(profiles.len(), 1);
    grips(&profiles[0])
}

/// Any small run: some sightings of any kind in any place at any time.
pub(crate) fn any_run() -> impl Strategy<Value = Run> {
    let places = prop::sample::select(vec![Place::History, Place::Storage, Place::Log, Place::Har]);
    let roles = prop::sample::select(vec![
        Role::AuthorizationRequest,
        Role::ResponseInQuery,
        Role::ResponseInFragment,
        Role::TokenRequest,
        Role::TokenResponse,
        Role::Stored,
        Role::None,
    ]);
    let kinds = prop::sample::select(Kind::ALL[..28].to_vec());
    let status = prop::option::of(prop::sample::select(vec![200u16, 302, 400]));
    let at = prop::option::weighted(0.8, T0 - 50..T0 + 2000);
    let one = (
        places,
        roles,
        at,
        status,
        prop::collection::vec((kinds, 1u64..5), 0..3),
        0u64..3,
        any_param(),
    );
    let pkce = prop::sample::select(vec![
        Pkce::NotObserved,
        Pkce::None,
        Pkce::Plain,
        Pkce::S256,
        Pkce::VerifierOnly,
    ]);
    let grant = prop::sample::select(Flow::ALL.to_vec());
    (grant, pkce, prop::collection::vec(one, 1..7)).prop_map(|(grant, pkce, parts)| {
        let mut run = Run::new(grant, pkce, Vec::new());
        for (place, role, at, status, values, group, param) in parts {
            let mut one = seen(place, at, role).exchange(group);
            one.0.status = status;
            for (kind, id) in values {
                // One value has one kind.
                one = one.with(kind, kind.as_str(), id * 100 + kind as u64);
            }
            if let Some((named, value)) = param {
                one = one.param(named, value);
            }
            run = run.with(one.key(KeyKind::ChallengeS256, CHALLENGE));
        }
        run
    })
}

fn any_param() -> impl Strategy<Value = Option<(&'static str, &'static str)>> {
    prop::option::of(prop::sample::select(vec![
        ("expires_in", "300"),
        ("expires_in", "-9223372036854775808"),
        ("expires_at", "99999999999999999"),
        ("error", "invalid_grant"),
        ("client_id", "app"),
        ("se", "2026-11-23"),
    ]))
}

/// What is true of one code run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Truth {
    pkce: Pkce,
    /// Whether the client authenticates.
    confidential: bool,
    /// Whether anything shows which client it is: a token request of a public one, an assertion of another.
    client_seen: bool,
    verifier: Option<Place>,
    secret: Option<Place>,
    redeemed_after: Option<i64>,
    lifetime: i64,
}

pub(crate) fn truth() -> impl Strategy<Value = Truth> {
    let place = || prop::option::of(prop::sample::select(vec![Place::Storage, Place::Log]));
    let pkce = prop::sample::select(vec![Pkce::None, Pkce::Plain, Pkce::S256]);
    (
        pkce,
        any::<bool>(),
        any::<bool>(),
        place(),
        place(),
        prop::option::of(0i64..1000),
        1i64..1200,
    )
        .prop_map(
            |(pkce, confidential, client_seen, verifier, secret, redeemed_after, lifetime)| Truth {
                pkce,
                confidential,
                client_seen,
                // A client that authenticates keeps its verifier on its server; where that is not known, a
                // verifier in the browser's storage would say that the client runs there.
                verifier: verifier
                    .filter(|place| *place == Place::Log || !confidential || client_seen),
                secret: secret.filter(|_| confidential),
                redeemed_after: redeemed_after.filter(|_| client_seen),
                lifetime,
            },
        )
}

impl Truth {
    pub(crate) fn run(&self) -> Run {
        let grant = match (self.pkce, self.confidential) {
            (Pkce::Plain, _) => Flow::CodePkcePlain,
            (Pkce::None, _) if !self.client_seen => Flow::CodeNopkce,
            (Pkce::None, true) => Flow::CodeSecret,
            (Pkce::None, false) => Flow::CodeNopkcePublic,
            _ => Flow::CodePkceS256,
        };
        let kind = match self.pkce {
            Pkce::Plain => KeyKind::ChallengePlain,
            _ => KeyKind::ChallengeS256,
        };
        let mut asked = seen(Place::History, T0 - 10, Role::AuthorizationRequest);
        if self.pkce != Pkce::None {
            asked = asked.key(kind, CHALLENGE);
        }
        let callback = seen(Place::History, T0, Role::ResponseInQuery).with(
            Kind::AuthorizationCode,
            "code",
            1,
        );
        let mut run = Run::new(grant, self.pkce, vec![asked, callback]);
        run.code_lifetime = Some(self.lifetime);
        if let (Some(place), true) = (self.verifier, self.pkce != Pkce::None) {
            let stored = seen(place, T0, Role::Stored).with(Kind::CodeVerifier, "code_verifier", 7);
            run = run.with(stored.key(kind, CHALLENGE));
        }
        if self.confidential && self.client_seen {
            // Somewhere else the client was seen to authenticate.
            let shown = seen(Place::Har, T0, Role::TokenRequest).with(
                Kind::ClientAssertion,
                "client_assertion",
                8,
            );
            run = run.with(shown);
        }
        if let Some(place) = self.secret {
            run = run.with(seen(place, T0, Role::Stored).with(
                Kind::ClientSecret,
                "client_secret",
                9,
            ));
        }
        if let Some(after) = self.redeemed_after {
            let request = seen(Place::Har, T0 + after, Role::TokenRequest)
                .status(200)
                .with(Kind::AuthorizationCode, "code", 1);
            run = run.with(request);
        }
        run
    }

    /// What whoever has the browser profile can do with the code.
    pub(crate) fn state(&self, after: i64) -> State {
        if after >= self.lifetime {
            return State::Expired;
        }
        if self.redeemed_after.is_some_and(|at| at <= after) {
            return State::Spent;
        }
        let verifier = match self.pkce {
            Pkce::None | Pkce::Plain => true,
            _ => self.verifier == Some(Place::Storage),
        };
        let secret = !self.confidential || self.secret == Some(Place::Storage);
        if verifier && secret {
            State::Replayable
        } else {
            State::Guarded
        }
    }
}
