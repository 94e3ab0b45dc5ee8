//! Methods of HTTP, of which only those that are known are told. Whatever else stands in the place of one may be
//! anything, a credential or a megabyte too.

/// A method that is registered or in wide use. It is copied into each sighting of an exchange, and costs nothing there.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Method(&'static str);

/// The registry of RFC 9110 §16.1 (iana.org/assignments/http-methods) without `*`, which is reserved and no method; then
/// those of caches, of devices that find each other, of Exchange and its remote calls, and of old servers.
const KNOWN: [&str; 57] = [
    "GET",
    "POST",
    "HEAD",
    "PUT",
    "DELETE",
    "CONNECT",
    "OPTIONS",
    "TRACE",
    "PATCH",
    "ACL",
    "BASELINE-CONTROL",
    "BIND",
    "CHECKIN",
    "CHECKOUT",
    "COPY",
    "LABEL",
    "LINK",
    "LOCK",
    "MERGE",
    "MKACTIVITY",
    "MKCALENDAR",
    "MKCOL",
    "MKREDIRECTREF",
    "MKWORKSPACE",
    "MOVE",
    "ORDERPATCH",
    "PRI",
    "PROPFIND",
    "PROPPATCH",
    "QUERY",
    "REBIND",
    "REPORT",
    "SEARCH",
    "UNBIND",
    "UNCHECKOUT",
    "UNLINK",
    "UNLOCK",
    "UPDATE",
    "UPDATEREDIRECTREF",
    "VERSION-CONTROL",
    "PURGE",
    "BAN",
    "REFRESH",
    "M-SEARCH",
    "NOTIFY",
    "SUBSCRIBE",
    "UNSUBSCRIBE",
    "BCOPY",
    "BDELETE",
    "BMOVE",
    "BPROPFIND",
    "BPROPPATCH",
    "POLL",
    "RPC_IN_DATA",
    "RPC_OUT_DATA",
    "DEBUG",
    "TRACK",
];

impl Method {
    /// The method of this name. Methods have upper case (RFC 9110 §9.1), and some that write them down have lower.
    pub fn of(name: &[u8]) -> Option<Self> {
        let known = KNOWN
            .iter()
            .find(|known| known.as_bytes().eq_ignore_ascii_case(name));
        known.copied().map(Self)
    }

    /// Its name, in upper case.
    pub fn as_str(self) -> &'static str {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_known_method_is_none() {
        for name in ["GET", "get", "Post", "VERSION-CONTROL", "RPC_IN_DATA"] {
            let method = Method::of(name.as_bytes()).unwrap();
            assert_eq!(method.as_str(), name.to_ascii_uppercase());
        }
        for name in ["", "*", "GETS", "kXqTzVbNmLpWrYhJ", " GET"] {
            assert_eq!(Method::of(name.as_bytes()), None, "{name}");
        }
    }
}
