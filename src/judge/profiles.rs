//! What a thief of one browser profile can do, taken together: by issuer and application.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::holder::{Hands, Holder, Holders, is_named};
use super::{Finding, State};
use crate::atoms::rules::Stores;
use crate::atoms::{Digest, Kind, Source};
use crate::flow::Correlated;

/// One browser profile, and what whoever copies it now can do.
#[derive(Clone, PartialEq, Debug)]
pub struct Profile {
    /// Machine.
    pub host: Option<Box<str>>,
    /// Account.
    pub user: Option<Box<str>>,
    /// Browser.
    pub browser: Option<Box<str>>,
    /// Profile.
    pub profile: Option<Box<str>>,
    /// The one file that is the profile, where no name tells it from others.
    pub nameless: Option<Arc<Source>>,
    /// What its thief can do, worst first. Empty when nothing of what was asked for is usable.
    pub thief_can: Vec<Grip>,
}

/// One thing that the thief can do at one application.
#[derive(Clone, PartialEq, Debug)]
pub struct Grip {
    /// What.
    pub act: Act,
    /// Issuer of what is used for it, where known.
    pub issuer: Option<Box<str>>,
    /// Client, where known.
    pub application: Option<Box<str>>,
    /// The worst state among the findings.
    pub state: State,
    /// When the last of them stops being usable, where each has an expiry.
    pub until: Option<Timestamp>,
    /// Ids of the findings, sorted.
    pub findings: Vec<Digest>,
    /// The stores of the profile that hold them, sorted by name.
    pub held_in: Vec<Held>,
}

/// A store of a profile, and how its owner clears it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Held {
    /// What people call it; the reader's name where the table of stores has none.
    pub store: Box<str>,
    /// The box of the browser's dialog that clears it, where one does.
    pub cleared_by: Option<Box<str>>,
    /// What stays all the same.
    pub leaves: Option<Box<str>>,
    /// Whether that was measured on a real profile.
    pub measured: bool,
}

/// What a thief does with a credential.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Act {
    /// Get new access tokens for as long as the grant lasts.
    RefreshTokens,
    /// Act as the client, or log in with a password.
    LogIn,
    /// Redeem a code.
    RedeemCode,
    /// Call an API.
    CallApi,
    /// Take over a session.
    TakeOverSession,
    /// Present an identity.
    Impersonate,
    /// Open a link or an object.
    OpenLink,
}

impl Act {
    /// Every act, worst first.
    pub const ALL: [Self; 7] = [
        Self::RefreshTokens,
        Self::LogIn,
        Self::RedeemCode,
        Self::CallApi,
        Self::TakeOverSession,
        Self::Impersonate,
        Self::OpenLink,
    ];

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RefreshTokens => "refresh_tokens",
            Self::LogIn => "log_in",
            Self::RedeemCode => "redeem_code",
            Self::CallApi => "call_api",
            Self::TakeOverSession => "take_over_session",
            Self::Impersonate => "impersonate",
            Self::OpenLink => "open_link",
        }
    }
}

type Place<'a> = (Act, Option<&'a str>, Option<&'a str>);

/// [`Held`], in its order, and nothing of it copied.
type HeldIn<'a> = (&'a str, Option<&'a str>, Option<&'a str>, bool);

/// A [`Grip`] that grows.
struct Grasp<'a> {
    state: State,
    until: Option<Timestamp>,
    findings: Vec<Digest>,
    held_in: BTreeSet<HeldIn<'a>>,
}

/// What a thief of each profile can do now. Every profile in the evidence is there: that nothing is usable
/// is an answer too.
pub(super) fn profiles(
    correlated: &Correlated,
    findings: &[Finding],
    stores: &Stores,
) -> Vec<Profile> {
    let holders = Holders::of(&correlated.sightings);
    let mut grips: BTreeMap<usize, BTreeMap<Place<'_>, Grasp<'_>>> = BTreeMap::new();
    for finding in findings.iter().filter(|it| usable(it.now.state)) {
        let Some(act) = act(finding.kind) else {
            continue;
        };
        let trails = finding
            .trails
            .iter()
            .filter_map(|at| correlated.trails.get(*at));
        let issuer = trails.clone().find_map(|trail| trail.issuer.as_deref());
        let application = trails.clone().find_map(|trail| trail.client_id.as_deref());
        let mut holding: BTreeMap<usize, BTreeSet<HeldIn<'_>>> = BTreeMap::new();
        for (at, _) in &finding.seen {
            let holder = holders.holder(*at);
            let is_profile = |it: &Holder| it.hands == Hands::Profile;
            if holders.get(holder).is_some_and(is_profile) {
                let place = correlated.sightings.get(*at).map(|it| &it.place);
                let held = holding.entry(holder).or_default();
                held.extend(place.map(|place| held_in(place, stores)));
            }
        }
        for (holder, held) in holding {
            let label = holders.get(holder).map(|it| &it.label);
            // What only another holder can do is not this thief's.
            let own = label == Some(&finding.now.holder) || finding.now.state != State::Replayable;
            if own {
                let places = grips.entry(holder).or_default();
                add(places, (act, issuer, application), finding, held);
            }
        }
    }
    let list = holders.list.iter().enumerate();
    let mut profiles: Vec<Profile> = list
        .filter(|(_, holder)| holder.hands == Hands::Profile)
        .map(|(index, holder)| Profile {
            host: holder.source.host.clone(),
            user: holder.source.user.clone(),
            browser: holder.source.browser.clone(),
            profile: holder.source.profile.clone(),
            nameless: (!is_named(&holder.source)).then(|| holder.source.clone()),
            thief_can: grips
                .remove(&index)
                .unwrap_or_default()
                .into_iter()
                .map(|(place, grasp)| grip(place, grasp))
                .collect(),
        })
        .collect();
    for profile in &mut profiles {
        profile.thief_can.sort_by(|a, b| {
            (a.state.rank(), a.act, &a.issuer, &a.application).cmp(&(
                b.state.rank(),
                b.act,
                &b.issuer,
                &b.application,
            ))
        });
    }
    profiles.sort_by(|a, b| name(a).cmp(&name(b)));
    profiles
}

fn held_in<'a>(place: &'a crate::atoms::Place, stores: &'a Stores) -> HeldIn<'a> {
    match stores.of(place) {
        Some(known) => (
            &*known.title,
            known.cleared_by.as_deref(),
            known.leaves.as_deref(),
            known.measured,
        ),
        None => (&*place.source.reader, None, None, false),
    }
}

fn add<'a>(
    places: &mut BTreeMap<Place<'a>, Grasp<'a>>,
    place: Place<'a>,
    finding: &Finding,
    held: BTreeSet<HeldIn<'a>>,
) {
    let until = finding.now.expires_at;
    let grasp = places.entry(place).or_insert_with(|| Grasp {
        state: finding.now.state,
        until,
        findings: Vec::new(),
        held_in: BTreeSet::new(),
    });
    if finding.now.state.rank() < grasp.state.rank() {
        grasp.state = finding.now.state;
    }
    grasp.until = grasp.until.zip(until).map(|(a, b)| a.max(b));
    grasp.findings.push(finding.id);
    grasp.held_in.extend(held);
}

/// Sorted once all findings are there: a profile may have one for each of thousands of logins.
fn grip((act, issuer, application): Place<'_>, mut grasp: Grasp<'_>) -> Grip {
    grasp.findings.sort_unstable();
    let held = grasp.held_in.into_iter();
    let held = held.map(|(store, cleared_by, leaves, measured)| Held {
        store: store.into(),
        cleared_by: cleared_by.map(Box::from),
        leaves: leaves.map(Box::from),
        measured,
    });
    Grip {
        act,
        issuer: issuer.map(Box::from),
        application: application.map(Box::from),
        state: grasp.state,
        until: grasp.until,
        findings: grasp.findings,
        held_in: held.collect(),
    }
}

fn name(profile: &Profile) -> [&Option<Box<str>>; 4] {
    [
        &profile.host,
        &profile.user,
        &profile.browser,
        &profile.profile,
    ]
}

fn usable(state: State) -> bool {
    matches!(state, State::Live | State::Replayable | State::Unknown)
}

fn act(kind: Kind) -> Option<Act> {
    match kind {
        Kind::RefreshToken => Some(Act::RefreshTokens),
        Kind::ClientSecret
        | Kind::ClientAssertion
        | Kind::Password
        | Kind::BasicCredentials
        | Kind::PrivateKey => Some(Act::LogIn),
        Kind::AuthorizationCode | Kind::DeviceCode => Some(Act::RedeemCode),
        Kind::AccessToken | Kind::OpaqueToken | Kind::ApiKey | Kind::Oauth1Token => {
            Some(Act::CallApi)
        }
        Kind::SessionId => Some(Act::TakeOverSession),
        Kind::IdToken
        | Kind::Assertion
        | Kind::SamlMessage
        | Kind::WsfedToken
        | Kind::CasTicket => Some(Act::Impersonate),
        Kind::OneTimeLink | Kind::SignedUrl | Kind::WebhookUrl => Some(Act::OpenLink),
        Kind::CodeVerifier
        | Kind::CodeChallenge
        | Kind::RequestObject
        | Kind::JarmResponse
        | Kind::LogoutToken
        | Kind::UserCode
        | Kind::SamlArtifact
        | Kind::Oauth1Verifier
        | Kind::FlowWeakness => None,
    }
}
