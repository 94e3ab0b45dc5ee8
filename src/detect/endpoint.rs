//! Words in the paths of endpoints whose names the specifications leave open.

/// What the path of a revocation endpoint has (RFC 7009 §2).
pub const REVOCATION: [&str; 3] = ["/revoke", "/revocation", ".revoke"];

/// What the path of an endpoint for pushed authorization requests has (RFC 9126 §5).
pub const PUSHED: [&str; 1] = ["/par"];

/// What the path of an introspection endpoint has (RFC 7662 §2). Of a token that is not active it tells nothing else.
pub const INTROSPECTION: [&str; 2] = ["/introspect", "/check_token"];

/// What the path of an endpoint has at which one device asks for what the user allows on another (RFC 8628 §3.1; CIBA
/// §7.1).
pub(super) const DECOUPLED: [&str; 4] = [
    "device_authorization",
    "devicecode",
    "/device/code",
    "bc-authorize",
];
