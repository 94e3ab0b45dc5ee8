//! How a message travelled: through the browser, beside it, or not at all.

use super::Role;
use super::message::{Form, Message};
use crate::collect::{Observation, Payload, Store, Via};

/// How a message travelled.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Channel {
    /// Through the address bar: URL, fragment, `Location`, `Referer`, `form_post`.
    Front,
    /// Token endpoint, `Authorization` header, API body: seen because the capture or log recorded the wire.
    Direct,
    /// It lies in a store.
    Storage,
}

impl Channel {
    /// Every channel.
    pub const ALL: [Self; 3] = [Self::Front, Self::Direct, Self::Storage];

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Front => "front",
            Self::Direct => "direct",
            Self::Storage => "storage",
        }
    }
}

/// How the message travelled.
pub(super) fn of(observation: &Observation, message: &Message, role: Role) -> Channel {
    match (&observation.payload, message.form, role) {
        (
            Payload::Pair {
                store: Store::LogField,
                ..
            },
            ..,
        ) => Channel::Direct,
        // A cookie that a capture saw on the wire lies in no store.
        (Payload::Pair { .. }, ..) if matches!(observation.via, Via::Request | Via::Response) => {
            Channel::Direct
        }
        (Payload::Pair { .. }, ..) => Channel::Storage,
        (Payload::Url(_), ..)
        | (Payload::Body { .. }, _, Role::ResponseInBody)
        // A page that sends the browser on by script or meta refresh: captures cut the fragment from what it asks
        // for next.
        | (Payload::Body { .. }, Form::Url, Role::ResponseInFragment)
        | (Payload::Text(_), Form::Url, _) => Channel::Front,
        _ => Channel::Direct,
    }
}
