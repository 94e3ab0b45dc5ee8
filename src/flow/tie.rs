//! Reasons to take a response for the answer to a request, and how strong each is.

use crate::atoms::JoinKey;

/// Strength from which a request and a response are taken for one run.
pub(super) const ACCEPT: u8 = 5;

/// One reason to take a response for the answer to a request.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Tie {
    pub(super) link: Link,
    pub(super) request: usize,
    pub(super) response: usize,
    pub(super) key: Option<JoinKey>,
}

/// Kinds of reasons.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Link {
    /// The browser's own redirect chain, so many hops long.
    Chain(u8),
    /// The response is the answer in the request's exchange.
    Exchange,
    /// The same `state`.
    State,
    /// The same `state`, which other requests have too.
    ReusedState,
    /// The same `nonce`.
    Nonce,
    /// `s_hash` of the ID token fits the request's `state`.
    StateHash,
    /// The verifier opens the challenge.
    Challenge,
    /// The verifier opens the challenge, which other requests have too.
    ReusedChallenge,
    /// The response is at the request's `redirect_uri`.
    RedirectUri,
    /// The response is for the request's client.
    ClientId,
    /// The response is by the request's server.
    Issuer,
    /// The response follows within the time of a login.
    Time,
}

impl Link {
    /// How much the tie weighs.
    pub(super) fn strength(self) -> u8 {
        match self {
            Self::Chain(_)
            | Self::Exchange
            | Self::State
            | Self::Nonce
            | Self::StateHash
            | Self::Challenge => 5,
            Self::RedirectUri | Self::ClientId | Self::Issuer => 3,
            Self::ReusedState | Self::ReusedChallenge => 2,
            Self::Time => 1,
        }
    }

    /// Two ties of one rank count once.
    pub(super) fn rank(self) -> u8 {
        match self {
            Self::Chain(_) => 0,
            Self::Exchange => 1,
            Self::State | Self::ReusedState => 2,
            Self::Nonce => 3,
            Self::StateHash => 4,
            Self::Challenge | Self::ReusedChallenge => 5,
            Self::RedirectUri => 6,
            Self::ClientId => 7,
            Self::Issuer => 8,
            Self::Time => 9,
        }
    }

    /// Whether only the answer to a request has what the tie is made of, whatever a verifier says. A `state` may be
    /// constant, and a chain leads through every login on its way.
    pub(super) fn is_proof(self) -> bool {
        matches!(self, Self::Exchange | Self::Nonce | Self::StateHash)
    }

    /// Whether the tie needs no second one.
    pub(super) fn is_certain(self) -> bool {
        self.strength() >= ACCEPT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_one_answer_has_is_a_proof() {
        for link in [Link::Exchange, Link::Nonce, Link::StateHash] {
            assert!(link.is_proof(), "{link:?}");
        }
        for link in [Link::Chain(1), Link::State, Link::Challenge, Link::Issuer] {
            assert!(!link.is_proof(), "{link:?}");
        }
    }
}
