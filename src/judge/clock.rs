//! When a credential stops being usable: the first clock that the evidence, a provider or a specification
//! supplies, in order of trust.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::Basis;
use super::facts::param;
use super::verdict::{Case, issued};
use crate::atoms::Kind;
use crate::detect::{Role, Sighting};

/// "A maximum authorization code lifetime of 10 minutes is RECOMMENDED" (RFC 6749 §4.1.2).
const CODE_LIFETIME: i64 = 600;

/// Clocks of issuer and verifier may differ: a JWT is taken as usable this many seconds after `exp`
/// (RFC 7519 §4.1.4 allows "some small leeway").
const JWT_LEEWAY: i64 = 60;

/// Apereo CAS keeps a service ticket this many seconds.
const SERVICE_TICKET: i64 = 10;

/// One-time links are taken as usable for a day.
const LINK_LIFETIME: i64 = 24 * 3600;

/// Seconds up to which a number is a lifetime, and above which it is a moment: as a lifetime it is 31 years, as a Unix
/// time the year 2001, when there was no `OAuth` and no signed URL.
const LONGEST_LIFETIME: i64 = 1_000_000_000;

/// Numbers above this are milliseconds: as seconds it would be the year 5138.
const MILLISECONDS: i64 = 100_000_000_000;

/// When a credential stops being usable.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Clock {
    /// `None`: no clock.
    pub(super) expires_at: Option<Timestamp>,
    /// How that is known.
    pub(super) basis: Basis,
    /// What says so, for the sentence.
    pub(super) says: String,
    /// Seconds after `expires_at` during which a verifier may still take it.
    leeway: i64,
    /// Its kind has no expiry at all.
    pub(super) unlimited: bool,
}

/// Where a moment lies against a clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Age {
    /// Before its expiry.
    Fresh,
    /// After it.
    Past,
    /// Its kind does not expire by itself.
    Unlimited,
    /// The evidence has no time, or nothing supplies a clock.
    Untold,
}

impl Default for Clock {
    fn default() -> Self {
        Self::none(false)
    }
}

impl Clock {
    fn at(expires_at: Timestamp, basis: Basis, says: impl Into<String>) -> Self {
        Self {
            expires_at: Some(expires_at),
            basis,
            says: says.into(),
            leeway: 0,
            unlimited: false,
        }
    }

    fn none(unlimited: bool) -> Self {
        Self {
            expires_at: None,
            basis: Basis::Assumed,
            says: String::new(),
            leeway: 0,
            unlimited,
        }
    }

    /// Age at `at`; `None` is some moment up to `as_of` that the evidence does not tell.
    pub(super) fn age(&self, at: Option<Timestamp>, as_of: Timestamp) -> Age {
        let Some(expires_at) = self.expires_at else {
            return if self.unlimited {
                Age::Unlimited
            } else {
                Age::Untold
            };
        };
        let limit = expires_at
            .checked_add(SignedDuration::from_secs(self.leeway))
            .unwrap_or(expires_at);
        match at {
            Some(at) if limit <= at => Age::Past,
            Some(_) => Age::Fresh,
            None if limit > as_of => Age::Fresh,
            None => Age::Untold,
        }
    }
}

/// The clock of a credential.
pub(super) fn clock(case: &Case<'_>) -> Clock {
    claimed(case)
        .or_else(|| signed_url(case))
        .or_else(|| stated(case))
        .or_else(|| relative(case))
        .or_else(|| by_lifetime(case))
        .unwrap_or_else(|| Clock::none(has_no_expiry(case.kind)))
}

fn claimed(case: &Case<'_>) -> Option<Clock> {
    // No issuer lived then: Keycloak writes 0 into an offline token, which does not expire.
    let exp = case.claims.as_ref()?.exp.filter(|exp| *exp > 0)?;
    let at = Timestamp::from_second(exp).ok()?;
    let (says, leeway) = match case.kind {
        Kind::SamlMessage | Kind::WsfedToken => ("its NotOnOrAfter condition", 0),
        _ => ("its exp claim", JWT_LEEWAY),
    };
    Some(Clock {
        leeway,
        ..Clock::at(at, Basis::Proven, says)
    })
}

fn signed_url(case: &Case<'_>) -> Option<Clock> {
    if case.kind != Kind::SignedUrl {
        return None;
    }
    case.sightings()
        .filter_map(|(_, sighting)| signed_until(sighting))
        .min()
        .map(|(at, is_session)| {
            if is_session {
                Clock::at(
                    at,
                    Basis::Documented,
                    "the longest session of AWS, with which the URL was signed and ends,",
                )
            } else {
                Clock::at(at, Basis::Proven, "the expiry in the signed URL")
            }
        })
}

/// Seconds of the longest session of AWS (`DurationSeconds` of `GetSessionToken`, AWS STS API reference). What was signed
/// with its credentials ends with it, whatever it states, and it began before.
const LONGEST_SESSION: i64 = 36 * 3600;

/// Expiry of an Azure, AWS, Google Cloud or CloudFront URL, and whether that is the end of the session behind it.
fn signed_until(sighting: &Sighting) -> Option<(Timestamp, bool)> {
    let stated = stated_until(sighting)?;
    let mut params = sighting.params.iter();
    let has_session = params.any(|param| &*param.name == "X-Amz-Security-Token");
    let signed = param(sighting, "X-Amz-Date").filter(|_| has_session);
    let session = signed.and_then(|date| later(basic(date)?, LONGEST_SESSION));
    match session.filter(|session| *session < stated) {
        Some(session) => Some((session, true)),
        None => Some((stated, false)),
    }
}

fn stated_until(sighting: &Sighting) -> Option<Timestamp> {
    if let Some(expiry) = param(sighting, "se") {
        return moment(expiry);
    }
    for (date, lifetime) in [
        ("X-Amz-Date", "X-Amz-Expires"),
        ("X-Goog-Date", "X-Goog-Expires"),
    ] {
        if let (Some(date), Some(lifetime)) = (param(sighting, date), param(sighting, lifetime)) {
            return later(basic(date)?, lifetime_of(lifetime)?);
        }
    }
    moment(param(sighting, "Expires")?)
}

/// The moment that stands beside a token. An `expires_in` that is one is a server's mistake, and no proof.
fn stated(case: &Case<'_>) -> Option<Clock> {
    const NAMES: [(&str, Basis, &str); 3] = [
        ("expires_at", Basis::Proven, "the expires_at beside it"),
        ("expires", Basis::Proven, "the expires beside it"),
        (
            "expires_in",
            Basis::Assumed,
            "the expires_in beside it, which is a moment and no lifetime,",
        ),
    ];
    if !matches!(case.kind, Kind::AccessToken | Kind::OpaqueToken) {
        return None;
    }
    let told = issued::with_own_lifetime(case).filter_map(|(_, sighting)| {
        NAMES
            .iter()
            .find_map(|&(name, basis, says)| Some((moment(only(sighting, name)?)?, basis, says)))
    });
    told.min()
        .map(|(at, basis, says)| Clock::at(at, basis, says))
}

/// `expires_in` counts from the response (RFC 6749 §5.1); a token seen again later repeats it, so the
/// earliest counts.
fn relative(case: &Case<'_>) -> Option<Clock> {
    let names: &[&str] = match case.kind {
        Kind::AccessToken | Kind::OpaqueToken => &["expires_in", "expires"],
        Kind::DeviceCode | Kind::UserCode => &["expires_in"],
        Kind::RefreshToken => &["refresh_expires_in", "refresh_token_expires_in"],
        _ => return None,
    };
    let responses = issued::with_own_lifetime(case).filter(|(_, sighting)| {
        sighting.role.is_response() || sighting.role == Role::TokenResponse
    });
    responses
        .filter_map(|(index, sighting)| {
            let mut told = names.iter().filter_map(|name| only(sighting, name));
            let seconds = told.find_map(lifetime_of)?;
            let at = later(case.facts.time(index)?, seconds)?;
            Some((at, is_bound(sighting)))
        })
        .min()
        .map(|(at, bound)| {
            let (basis, says) = if bound {
                (
                    Basis::Assumed,
                    "expires_in, counted from when its page was last seen,",
                )
            } else {
                (Basis::Proven, "expires_in, counted from the response,")
            };
            Clock::at(at, basis, says)
        })
}

/// Whether the evidence tells only when it was seen last: a URL whose visits are gone, a tab of a session. It came
/// earlier, so that what is counted from then ends too late.
fn is_bound(sighting: &Sighting) -> bool {
    sighting
        .at
        .is_some_and(|at| at.basis == crate::atoms::Basis::LastVisit)
}

fn by_lifetime(case: &Case<'_>) -> Option<Clock> {
    let provider = case.provider;
    let (seconds, basis, says) = match case.kind {
        Kind::AuthorizationCode => match provider.and_then(|it| Some((it, it.code_lifetime()?))) {
            Some((it, seconds)) => documented(&it.name, "codes", seconds.into()),
            None => assumed_code(case),
        },
        Kind::AccessToken => {
            let it = provider?;
            documented(&it.name, "access tokens", it.access_lifetime()?.into())
        }
        Kind::CasTicket if is_service_ticket(case) => {
            documented("Apereo CAS", "service tickets", SERVICE_TICKET)
        }
        Kind::OneTimeLink => (
            LINK_LIFETIME,
            Basis::Assumed,
            "an assumed lifetime of one day for such links".to_owned(),
        ),
        _ => return None,
    };
    let issued = case.claims.as_ref().and_then(|claims| claims.iat);
    let issued = issued.and_then(|iat| Timestamp::from_second(iat).ok());
    let from = issued.or_else(|| case.first_seen())?;
    let first = case
        .sightings()
        .filter_map(|(index, sighting)| Some((case.facts.time(index)?, is_bound(sighting))))
        .min();
    let basis = match first {
        Some((_, true)) if issued.is_none() => Basis::Assumed,
        _ => basis,
    };
    Some(Clock::at(later(from, seconds)?, basis, says))
}

fn documented(name: &str, what: &str, seconds: i64) -> (i64, Basis, String) {
    let says = format!("the lifetime of {seconds} s that {name} documents for {what}");
    (seconds, Basis::Documented, says)
}

fn assumed_code(case: &Case<'_>) -> (i64, Basis, String) {
    match case.facts.judging.code_lifetime {
        Some(given) => {
            let seconds = given.as_secs().max(0);
            let says = format!("the code lifetime of {seconds} s that was given");
            (seconds, Basis::Assumed, says)
        }
        None => (
            CODE_LIFETIME,
            Basis::Assumed,
            format!("the lifetime of {CODE_LIFETIME} s that RFC 6749 recommends at most"),
        ),
    }
}

/// Tickets that a service redeems; the ticket-granting ones last as long as the session.
fn is_service_ticket(case: &Case<'_>) -> bool {
    case.credentials()
        .any(|(_, _, credential)| credential.name.eq_ignore_ascii_case("ticket"))
}

fn has_no_expiry(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::RefreshToken
            | Kind::ClientSecret
            | Kind::Password
            | Kind::ApiKey
            | Kind::PrivateKey
            | Kind::SessionId
            | Kind::WebhookUrl
            | Kind::BasicCredentials
            | Kind::Oauth1Token
    )
}

pub(super) fn later(from: Timestamp, seconds: i64) -> Option<Timestamp> {
    from.checked_add(SignedDuration::from_secs(seconds)).ok()
}

/// The one value that a message has for a parameter: of several nothing tells which is the token's.
fn only<'s>(sighting: &'s Sighting, name: &str) -> Option<&'s str> {
    let named = sighting.params.iter().filter(|it| *it.name == *name);
    let mut all = named.filter_map(|it| it.value.as_deref());
    let first = all.next()?;
    all.all(|other| other == first).then_some(first)
}

/// A number of seconds that may be a lifetime. Nothing is issued for none: a zero says that it does not end (offline
/// tokens of Keycloak), or nothing.
fn lifetime_of(text: &str) -> Option<i64> {
    let seconds = text.parse().ok()?;
    (1..=LONGEST_LIFETIME).contains(&seconds).then_some(seconds)
}

/// A moment as epoch seconds, epoch milliseconds, or ISO 8601 with or without a time of day.
fn moment(text: &str) -> Option<Timestamp> {
    if let Ok(number) = text.parse::<i64>() {
        return if number <= LONGEST_LIFETIME {
            None
        } else if number > MILLISECONDS {
            Timestamp::from_millisecond(number).ok()
        } else {
            Timestamp::from_second(number).ok()
        };
    }
    if let Ok(at) = text.parse() {
        return Some(at);
    }
    let civil = text.trim_end_matches('Z');
    let local = civil
        .parse::<DateTime>()
        .or_else(|_| civil.parse::<Date>().map(DateTime::from));
    Some(local.ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

/// A moment in the basic format of ISO 8601: `20261123T061500Z`.
fn basic(text: &str) -> Option<Timestamp> {
    let parsed = DateTime::strptime("%Y%m%dT%H%M%SZ", text).ok()?;
    Some(parsed.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::atoms::Slot;
    use crate::detect::sample;

    #[test]
    fn moments_are_read_in_every_form_that_providers_write() {
        let wanted: Timestamp = "2026-11-23T06:15:00Z".parse().unwrap();
        for text in [
            "1795414500",
            "1795414500000",
            "2026-11-23T06:15:00Z",
            "2026-11-23T06:15Z",
        ] {
            assert_eq!(moment(text), Some(wanted), "{text}");
        }
        assert_eq!(basic("20261123T061500Z"), Some(wanted));
        assert_eq!(moment("2026-11-23"), "2026-11-23T00:00:00Z".parse().ok());
        // The first number that is milliseconds is one more.
        let year_5138 = Timestamp::from_second(MILLISECONDS).unwrap();
        assert_eq!(moment("100000000000"), Some(year_5138));
        assert_eq!(
            moment("100000000001"),
            Timestamp::from_millisecond(MILLISECONDS + 1).ok()
        );
        assert_eq!(moment("soon"), None);
        assert_eq!(moment("9223372036854775807"), None);
    }

    #[test]
    fn no_moment_is_before_the_expiry_of_what_has_no_clock() {
        let at = Timestamp::UNIX_EPOCH;
        assert_eq!(Clock::none(true).age(Some(at), at), Age::Unlimited);
        assert_eq!(Clock::none(false).age(Some(at), at), Age::Untold);
        let clock = Clock::at(at, Basis::Proven, "x");
        assert_eq!(clock.age(Some(at), at), Age::Past);
        assert_eq!(clock.age(None, at), Age::Untold);
    }

    #[test]
    fn a_url_that_was_signed_for_the_longest_session_ends_by_itself() {
        let signed_for = |seconds: &str| {
            let mut sighting = sample::bare(0, 0, Role::None);
            let params = [
                ("X-Amz-Date", "20261123T000000Z"),
                ("X-Amz-Expires", seconds),
                ("X-Amz-Security-Token", "x"),
            ];
            sighting.params = params
                .map(|(name, value)| sample::param(name, Some(value), Slot::Query))
                .into();
            let (until, is_session) = signed_until(&sighting).unwrap();
            (until.to_string(), is_session)
        };
        let end = "2026-11-24T12:00:00Z".to_owned();
        assert_eq!(signed_for("129600"), (end.clone(), false));
        assert_eq!(signed_for("129601"), (end, true));
    }
}
