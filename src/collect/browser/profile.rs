//! Whose profile a file is from, told by its path alone: host, account, browser, profile. Knows the folder
//! layouts of the products and opens nothing. What the path does not tell stays untold.

use std::borrow::Cow;

/// What a path tells.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Attribution {
    /// Machine: from the name that a collector gave the top folder or archive.
    pub host: Option<Box<str>>,
    /// Account.
    pub user: Option<Box<str>>,
    /// Browser, as its maker calls it.
    pub browser: Option<Box<str>>,
    /// Profile, as the browser's folder is called.
    pub profile: Option<Box<str>>,
}

/// Reads a path with `/` between its segments; members of archives may be appended to it. Works for mounted
/// images, copied trees and collections of any depth, since the layouts are looked for from the right.
pub fn attribution(path: &str) -> Attribution {
    let path = without_escapes(path);
    let segments: Vec<&str> = path
        .split('/')
        .filter(|segment| !segment.is_empty())
        .collect();
    let folders = segments
        .split_last()
        .map_or(&[][..], |(_, folders)| folders);
    let product = product(folders);
    let home = product.as_ref().map_or(folders, |found| found.above);
    Attribution {
        host: segments.iter().find_map(|segment| host(segment)),
        user: user(home),
        browser: product.as_ref().map(|found| found.browser.into()),
        profile: product.and_then(|found| profile(found.below)),
    }
}

/// Folders of a Velociraptor collection below `uploads`, one for each way of reading, whose names are escaped
/// (`accessors/` and `uploads/utils.go` there).
const ACCESSORS: [&str; 9] = [
    "auto",
    "file",
    "fat",
    "lazy_file",
    "lazy_ntfs",
    "ntfs",
    "ntfs_vss",
    "raw_file",
    "sparse",
];

/// The path with the percent-escapes undone that Velociraptor writes in place of `:`, `\`, `%` and the like.
fn without_escapes(path: &str) -> Cow<'_, str> {
    let mut tails = path
        .match_indices("uploads/")
        .map(|(at, found)| at.saturating_add(found.len()));
    let escaped = tails.find(|at| {
        let tail = path.get(*at..).and_then(|tail| tail.split_once('/'));
        tail.is_some_and(|(accessor, _)| ACCESSORS.contains(&accessor))
    });
    let Some((before, tail)) = escaped.and_then(|at| path.split_at_checked(at)) else {
        return path.into();
    };
    let mut decoded = before.as_bytes().to_vec();
    let mut rest = tail.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        let escape = match after {
            [high, low, ..] if *byte == b'%' => hex(*high).zip(hex(*low)),
            _ => None,
        };
        decoded.push(escape.map_or(*byte, |(high, low)| high << 4 | low));
        rest = after
            .get(if escape.is_some() { 2 } else { 0 }..)
            .unwrap_or_default();
    }
    String::from_utf8_lossy(&decoded).into_owned().into()
}

fn hex(digit: u8) -> Option<u8> {
    let value = char::from(digit).to_digit(16)?;
    u8::try_from(value).ok()
}

/// Browsers and the folders, one inside the other, below which their profiles lie. `User Data` and `Profiles`
/// may follow. Of two that fit at the same place the longer counts.
#[rustfmt::skip]
const PRODUCTS: &[(&str, &[&str])] = &[
    ("Chrome", &["Google", "Chrome"]),
    ("Chrome", &["google-chrome"]),
    ("Chrome", &["chrome-remote-desktop", "chrome-profile"]),
    ("Chrome", &["com.android.chrome", "app_chrome"]),
    ("Chrome Beta", &["Google", "Chrome Beta"]),
    ("Chrome Beta", &["google-chrome-beta"]),
    ("Chrome Beta", &["com.chrome.beta", "app_chrome"]),
    ("Chrome Dev", &["Google", "Chrome Dev"]),
    ("Chrome Dev", &["google-chrome-unstable"]),
    ("Chrome Dev", &["com.chrome.dev", "app_chrome"]),
    ("Chrome Canary", &["Google", "Chrome SxS"]),
    ("Chrome Canary", &["Google", "Chrome Canary"]),
    ("Chrome Canary", &["com.chrome.canary", "app_chrome"]),
    ("Chromium", &["Chromium"]),
    ("Edge", &["Microsoft", "Edge"]),
    ("Edge", &["Microsoft Edge"]),
    ("Edge", &["microsoft-edge"]),
    ("Edge", &["com.microsoft.emmx", "app_chrome"]),
    ("Edge Beta", &["Microsoft", "Edge Beta"]),
    ("Edge Beta", &["Microsoft Edge Beta"]),
    ("Edge Beta", &["microsoft-edge-beta"]),
    ("Edge Dev", &["Microsoft", "Edge Dev"]),
    ("Edge Dev", &["microsoft-edge-dev"]),
    ("Edge Canary", &["Microsoft", "Edge SxS"]),
    ("Edge WebView2", &["EBWebView"]),
    ("Brave", &["BraveSoftware", "Brave-Browser"]),
    ("Brave Beta", &["BraveSoftware", "Brave-Browser-Beta"]),
    ("Brave Nightly", &["BraveSoftware", "Brave-Browser-Nightly"]),
    ("Brave", &["com.brave.browser", "app_chrome"]),
    ("Opera", &["Opera Software", "Opera Stable"]),
    ("Opera", &["com.operasoftware.Opera"]),
    ("Opera", &[".config", "opera"]),
    ("Opera", &["com.opera.browser", "app_opera"]),
    ("Opera GX", &["Opera Software", "Opera GX Stable"]),
    ("Opera GX", &["com.operasoftware.OperaGX"]),
    ("Vivaldi", &["Vivaldi"]),
    ("Arc", &["Arc"]),
    ("Yandex", &["Yandex", "YandexBrowser"]),
    ("Yandex", &["yandex-browser"]),
    ("Yandex", &["yandex-browser-beta"]),
    ("Epic", &["Epic Privacy Browser"]),
    ("Epic", &["HiddenReflex", "Epic"]),
    ("Samsung Internet", &["com.sec.android.app.sbrowser", "app_sbrowser"]),
    ("Chrome", &["com.android.chrome", "cache"]),
    ("Firefox", &["firefox"]),
    ("Firefox", &["org.mozilla.firefox", "files"]),
    ("Firefox Focus", &["org.mozilla.focus", "files"]),
    ("Fenix", &["org.mozilla.fenix", "files"]),
    ("Firefox", &["Firefox", "profile.profile"]),
    ("Tor Browser", &["TorBrowser", "Data", "Browser"]),
    ("Tor Browser", &["TorBrowser-Data", "Browser"]),
    ("Tor Browser", &["org.torproject.torbrowser", "files"]),
    ("LibreWolf", &["librewolf"]),
    ("LibreWolf", &[".librewolf"]),
    ("Waterfox", &["Waterfox"]),
    ("Waterfox", &[".waterfox"]),
    ("Floorp", &["Floorp"]),
    ("Floorp", &[".floorp"]),
    ("Pale Moon", &["Moonchild Productions", "Pale Moon"]),
    ("Pale Moon", &[".moonchild productions", "pale moon"]),
    ("Vivaldi", &["com.vivaldi.browser", "app_chrome"]),
    ("Android WebView", &["app_webview"]),
    ("Safari", &["Library", "Safari"]),
    ("Safari", &["Library", "Caches", "com.apple.Safari"]),
    ("Safari", &["Library", "Caches", "com.apple.mobilesafari"]),
    ("Safari", &["Library", "Containers", "com.apple.Safari"]),
    ("Safari", &["Apple Computer", "Safari"]),
    ("GNOME Web", &[".local", "share", "epiphany"]),
    ("GNOME Web", &[".cache", "epiphany"]),
    ("GNOME Web", &["org.gnome.Epiphany", "data", "epiphany"]),
    ("GNOME Web", &["org.gnome.Epiphany", "cache", "epiphany"]),
    ("qutebrowser", &[".local", "share", "qutebrowser"]),
];

/// Folders between a product's root and its profiles; the last is that of Firefox for Android.
const BETWEEN: &[&str] = &["User Data", "Profiles", "mozilla"];

/// Folders that stand where profiles do, and are none: what all profiles share, and what is in a profile, where
/// the product's root is the profile.
#[rustfmt::skip]
const BESIDE: &[&str] = &[
    // Chromium
    "segmentation_platform", "Safe Browsing", "Network", "Local Storage", "Session Storage", "Sessions",
    "Sessions_Encrypted", "IndexedDB", "WebStorage", "databases", "Service Worker", "shared_proto_db", "Cache",
    "Code Cache", "Sync Data", "Extension State", "Local Extension Settings", "Sync Extension Settings", "Collections",
    // Firefox for Android, whose history is in no profile
    "storage", "cache2",
    // Safari and its container
    "Data", "TabSnapshots", "Favicon Cache", "LocalStorage",
    // GNOME Web
    "icondatabase", "thumbnails", "WebKitCache",
];

/// Folders that hold the homes of accounts.
const HOMES: &[&str] = &["Users", "home", "Documents and Settings"];

struct Found<'a, 'p> {
    browser: &'static str,
    above: &'p [&'a str],
    below: &'p [&'a str],
}

/// The rightmost product, the longest of those.
fn product<'a, 'p>(folders: &'p [&'a str]) -> Option<Found<'a, 'p>> {
    (0..folders.len()).rev().find_map(|start| {
        let (above, rest) = folders.split_at_checked(start)?;
        let fitting = PRODUCTS.iter().filter_map(|(browser, root)| {
            let (there, below) = rest.split_at_checked(root.len())?;
            let fits = there
                .iter()
                .zip(*root)
                .all(|(a, b)| a.eq_ignore_ascii_case(b));
            fits.then_some((
                root.len(),
                Found {
                    browser,
                    above,
                    below,
                },
            ))
        });
        fitting.max_by_key(|(len, _)| *len).map(|(_, found)| found)
    })
}

fn profile(below: &[&str]) -> Option<Box<str>> {
    let mut rest = below.iter().copied();
    let mut next = rest.next()?;
    while BETWEEN.iter().any(|name| next.eq_ignore_ascii_case(name)) {
        next = rest.next()?;
    }
    // Chromium copies profiles here before an update: `Snapshots/<version>/<profile>`.
    if next == "Snapshots" {
        next = rest.nth(1)?;
    }
    let is_beside = BESIDE.iter().any(|name| next.eq_ignore_ascii_case(name));
    (!is_beside).then(|| next.into())
}

fn user(folders: &[&str]) -> Option<Box<str>> {
    let pairs = folders.windows(2).rev();
    let mut named = pairs.filter_map(|pair| match pair {
        [homes, user] if HOMES.iter().any(|name| homes.eq_ignore_ascii_case(name)) => Some(*user),
        ["config", "systemprofile"] => Some("SYSTEM"),
        ["var", "mobile"] => Some("mobile"),
        // Android: `/data/user/10` is that of the account 10, `/data/data` that of the first one.
        ["user" | "user_de", user] if user.bytes().all(|byte| byte.is_ascii_digit()) => Some(*user),
        _ => None,
    });
    // `/root` is a home; a folder of that name elsewhere, such as the root of a mounted image, is not.
    let root = || {
        let mut behind = folders.iter().skip_while(|name| **name != "root").skip(1);
        let inside = behind
            .next()
            .is_none_or(|next| next.starts_with('.') || *next == "snap");
        (inside && folders.contains(&"root")).then_some("root")
    };
    named.next().or_else(root).map(Into::into)
}

/// `uac-<host>-<system>-<14 digits>` of UAC and `Collection-<host>-<date>T…` of Velociraptor, with the ending
/// of an archive or without.
fn host(segment: &str) -> Option<Box<str>> {
    if let Some(rest) = segment.strip_prefix("uac-") {
        let stem = rest.split('.').next()?;
        let (rest, stamp) = stem.rsplit_once('-')?;
        let (host, _system) = rest.rsplit_once('-')?;
        let stamped = stamp.len() == 14 && stamp.bytes().all(|byte| byte.is_ascii_digit());
        return (stamped && !host.is_empty()).then(|| host.into());
    }
    let rest = segment.strip_prefix("Collection-")?;
    let dated = |at: &usize| {
        let date = rest.get(at + 1..at + 12).unwrap_or_default();
        date.bytes().enumerate().all(|(index, byte)| match index {
            4 | 7 => byte == b'-',
            10 => byte == b'T',
            _ => byte.is_ascii_digit(),
        }) && date.len() == 11
    };
    let (at, _) = rest.match_indices('-').find(|(at, _)| dated(at))?;
    let host = rest.get(..at)?;
    (!host.is_empty()).then(|| host.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts_of_all_systems() {
        #[rustfmt::skip]
        let cases = [
            ("C/Users/ann/AppData/Local/Google/Chrome/User Data/Profile 3/History", "-", "ann", "Chrome", "Profile 3"),
            ("D:/img/C/Users/ann/AppData/Local/Microsoft/Edge/User Data/Snapshots/120.0.1/Default/History", "-", "ann", "Edge", "Default"),
            ("Documents and Settings/ann/Local Settings/Application Data/Google/Chrome/User Data/Default/History", "-", "ann", "Chrome", "Default"),
            ("C/Windows/System32/config/systemprofile/AppData/Local/Google/Chrome/User Data/Default/History", "-", "SYSTEM", "Chrome", "Default"),
            ("C/Users/ann/AppData/Roaming/Mozilla/Firefox/Profiles/a1.default-release/places.sqlite", "-", "ann", "Firefox", "a1.default-release"),
            ("C/Users/ann/AppData/Roaming/Opera Software/Opera Stable/History", "-", "ann", "Opera", "-"),
            ("C/Users/ann/AppData/Local/Microsoft/OneDrive/EBWebView/Default/History", "-", "ann", "Edge WebView2", "Default"),
            ("/home/analyst/cases/7/home/bob/.config/google-chrome/Default/History", "-", "bob", "Chrome", "Default"),
            ("home/bob/snap/chromium/common/chromium/Default/History", "-", "bob", "Chromium", "Default"),
            ("home/bob/snap/firefox/common/.mozilla/firefox/x.default/places.sqlite", "-", "bob", "Firefox", "x.default"),
            ("home/bob/.config/mozilla/firefox/x.default/places.sqlite", "-", "bob", "Firefox", "x.default"),
            ("home/bob/.var/app/com.brave.Browser/config/BraveSoftware/Brave-Browser/Default/History", "-", "bob", "Brave", "Default"),
            ("root/.config/chromium/Default/History", "-", "root", "Chromium", "Default"),
            ("home/carol/.local/share/epiphany/ephy-history.db", "-", "carol", "GNOME Web", "-"),
            ("Users/dan/Library/Safari/History.db", "-", "dan", "Safari", "-"),
            ("Users/dan/Library/Containers/com.apple.Safari/Data/Library/Safari/Profiles/6E-1/History.db", "-", "dan", "Safari", "6E-1"),
            ("Users/dan/Library/Application Support/Arc/User Data/Default/History", "-", "dan", "Arc", "Default"),
            ("Users/dan/Library/Application Support/Firefox/Profiles/q.default/places.sqlite", "-", "dan", "Firefox", "q.default"),
            ("data/data/com.android.chrome/app_chrome/Default/History", "-", "-", "Chrome", "Default"),
            ("data/data/org.mozilla.firefox/files/places.sqlite", "-", "-", "Firefox", "-"),
            ("private/var/mobile/Library/Safari/History.db", "-", "mobile", "Safari", "-"),
            ("uac-web-01-linux-20240102030405.tar.gz/[root]/home/bob/.config/vivaldi/Default/History", "web-01", "bob", "Vivaldi", "Default"),
            ("Collection-DESK-7-2024-01-15T10_20_30Z.zip/uploads/auto/C%3A/Users/ann/AppData/Local/Google/Chrome/User Data/Default/History", "DESK-7", "ann", "Chrome", "Default"),
            ("mnt/root/data/data/com.android.chrome/app_chrome/Default/History", "-", "-", "Chrome", "Default"),
            ("Collection-DESK-7-2024-01-15T10_20_30Z.zip/uploads/ntfs/%5C%5C.%5CC%3A/Users/ann%20b/AppData/Local/Google/Chrome/User Data/Profile 1/History", "DESK-7", "ann b", "Chrome", "Profile 1"),
            ("x.zip/data.zip/uploads/lazy_ntfs/%5C%5C.%5CHarddiskVolumeShadowCopy1/Users/ann/AppData/Roaming/Mozilla/Firefox/Profiles/q%2Ed/places.sqlite", "-", "ann", "Firefox", "q.d"),
            ("home/ann%20b/.config/google-chrome/Default/History", "-", "ann%20b", "Chrome", "Default"),
            ("kape.zip/C/Users/ann/AppData/Local/BraveSoftware/Brave-Browser/User Data/Default/History", "-", "ann", "Brave", "Default"),
            ("uac-web-01-linux-20240102030405.tar.gz/[root]/root/.mozilla/firefox/x.default/places.sqlite", "web-01", "root", "Firefox", "x.default"),
            ("ffs.zip//private/var/mobile/Containers/Data/Application/0A-1/Library/Application Support/Google/Chrome/Default/History", "-", "mobile", "Chrome", "Default"),
            ("EXTRACTION_FFS.zip/Dump/data/user/10/com.android.chrome/app_chrome/Default/History", "-", "10", "Chrome", "Default"),
            ("home/bob/.config/google-chrome/segmentation_platform/ukm_db", "-", "bob", "Chrome", "-"),
            ("home/bob/.config/google-chrome/Local State", "-", "bob", "Chrome", "-"),
            ("home/bob/.config/google-chrome/Snapshots/150.0.1/Profile 2/Favicons", "-", "bob", "Chrome", "Profile 2"),
            ("C/Users/ann/AppData/Local/Google/Chrome/User Data/Default/Network/Cookies", "-", "ann", "Chrome", "Default"),
            ("C/Users/ann/AppData/Roaming/Opera Software/Opera Stable/Network/Cookies", "-", "ann", "Opera", "-"),
            ("home/bob/.mozilla/firefox/x.default/storage/default/https+++app.example/ls/data.sqlite", "-", "bob", "Firefox", "x.default"),
            ("data/data/org.mozilla.firefox/files/mozilla/y.default/cookies.sqlite", "-", "-", "Firefox", "y.default"),
            ("data/data/com.bank.app/app_webview/Default/Cookies", "-", "-", "Android WebView", "Default"),
            ("data/data/com.bank.app/app_webview/Cookies", "-", "-", "Android WebView", "-"),
            ("Users/dan/Library/Containers/com.apple.Safari/Data/Library/Cookies/Cookies.binarycookies", "-", "dan", "Safari", "-"),
            ("Users/dan/Library/Caches/com.apple.Safari/TabSnapshots/Metadata.db", "-", "dan", "Safari", "-"),
            ("private/var/mobile/Library/Cookies/Cookies.binarycookies", "-", "mobile", "-", "-"),
            ("Users/dan/Library/Preferences/com.apple.LaunchServices.QuarantineEventsV2", "-", "dan", "-", "-"),
            ("home/carol/.cache/epiphany/icondatabase/WebpageIcons.db", "-", "carol", "GNOME Web", "-"),
            ("home/carol/.local/share/qutebrowser/webengine/Cookies", "-", "carol", "qutebrowser", "webengine"),
            ("home/bob/.cache/google-chrome/Profile 1/Cache/Cache_Data/0a_0", "-", "bob", "Chrome", "Profile 1"),
            ("home/bob/.cache/mozilla/firefox/x.default/cache2/entries/0A", "-", "bob", "Firefox", "x.default"),
            ("home/bob/.cache/epiphany/WebKitCache/Version 17/Records/0A/Resource/0B", "-", "bob", "GNOME Web", "-"),
            ("C/Users/ann/AppData/Local/Mozilla/Firefox/Profiles/x.default/cache2/entries/0A", "-", "ann", "Firefox", "x.default"),
            ("C/Users/ann/AppData/Local/Opera Software/Opera Stable/Cache/Cache_Data/data_1", "-", "ann", "Opera", "-"),
            ("Users/dan/Library/Caches/Google/Chrome/Default/Cache/Cache_Data/0a_0", "-", "dan", "Chrome", "Default"),
            ("Users/dan/Library/Caches/com.apple.Safari/WebKitCache/Version 17/Records/0A/Resource/0B", "-", "dan", "Safari", "-"),
            ("data/data/com.android.chrome/cache/Cache/0a_0", "-", "-", "Chrome", "-"),
            ("export/History", "-", "-", "-", "-"),
            ("History", "-", "-", "-", "-"),
            ("home/History", "-", "-", "-", "-"),
            ("uac-notes/History", "-", "-", "-", "-"),
        ];
        for (path, host, user, browser, profile) in cases {
            let told = attribution(path);
            let shown = [told.host, told.user, told.browser, told.profile]
                .map(|part| part.unwrap_or_else(|| "-".into()));
            let want: [Box<str>; 4] = [host, user, browser, profile].map(Into::into);
            assert_eq!(shown, want, "{path}");
        }
    }
}
