//! Running text: URLs, `name=value`, `"name": "value"`, `Authorization: Bearer x`, and values that tell
//! themselves. Reads words in order; knows no log format.

use super::jwt::Jwt;
use super::message::{Field, Form, MAX_FIELDS, MAX_MESSAGES, Message, of_url, pair_field};
use super::url::{self, Url};
use super::words::{Word, words};
use super::{command, cookies, header, pem};
use crate::atoms::Slot;
use crate::atoms::rules::{Name, Needles, Rules};

/// Appends what a text holds: its URLs as messages, its pairs as one.
pub(super) fn messages(text: &str, rules: &Rules, out: &mut Vec<Message>) {
    // A single line is asked below.
    if text.contains('\n') && !rules.needles.hit(text.as_bytes()) {
        return;
    }
    let mut pairs = Message {
        form: Form::Text,
        ..Message::default()
    };
    let text = pem::cut(text, |name, key, line| {
        if pairs.fields.len() < MAX_FIELDS {
            push(&mut pairs, name, &key, line);
        }
    });
    for (group, line) in (1_u32..).zip(text.lines()) {
        if pairs.fields.len() >= MAX_FIELDS || out.len() >= MAX_MESSAGES {
            break;
        }
        if rules.needles.hit(line.as_bytes()) {
            read_line(line, group, rules, &mut pairs, out);
        }
    }
    if !pairs.fields.is_empty() {
        out.push(pairs);
    }
}

fn read_line(line: &str, group: u32, rules: &Rules, pairs: &mut Message, out: &mut Vec<Message>) {
    let mut pending: Option<String> = None;
    let (mut before, mut previous) = ("", "");
    let (from, mut command) = (pairs.fields.len(), command::Command::default());
    let is_parameter = |name: &str| rules.catalogue.spelling(&Name::new(name)).is_some();
    let mut left = line.len();
    for whole in words(line) {
        // What was read with an earlier word.
        if whole.text.len() + whole.after.len() > left {
            continue;
        }
        command.read(whole);
        if let Some(list) =
            cookies::behind(line, whole, bare(whole), previous, &command, &rules.needles)
        {
            left = list.left;
            list.put(rules, out);
            (pending, previous) = (None, "");
            continue;
        }
        // `MultiDict([('code', 'x')])`, as Python writes a list of pairs.
        if whole.text == "," && before.ends_with('(') && is_parameter(previous) {
            pending = Some(previous.to_owned());
            continue;
        }
        let word = bare(whole);
        // `config["client_secret"] = "x"`: the name is before the bracket.
        let closes_name = word == "]" && pending.is_none();
        if word.is_empty() || closes_name || command::is_argument(word) {
            continue;
        }
        if pairs.fields.len() >= MAX_FIELDS || out.len() >= MAX_MESSAGES {
            break;
        }
        let joint = word.trim_start_matches(']');
        if matches!(joint, ":" | "=" | "=>" | ":=") {
            // No further from its name than needles look, or it would be found beside another needle alone.
            let name = previous.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
            let mut between = previous
                .strip_prefix(name)
                .into_iter()
                .chain([whole.before]);
            pending = between
                .all(Needles::may_separate)
                .then(|| previous.to_owned());
            continue;
        }
        // `"expires_in":3600`: a number has no quotes.
        if let Some(value) = joint.strip_prefix([':', '=']).filter(|_| pending.is_none())
            && is_parameter(previous)
        {
            push(pairs, previous, trim_value(value), group);
            previous = "";
            continue;
        }
        let option = command.option(word, rules);
        if let Some(name) = pending.take() {
            if opens_value(word, whole) {
                pending = Some(name);
                continue;
            }
            if opened(word).is_empty() {
                continue;
            }
            if let Some(next) = after_name(&name, word) {
                pending = Some(next);
                continue;
            }
            let is_other = option.is_some()
                || command::is_no_value(&name, trim_value(word), rules)
                || is_pair(word, &name, rules);
            if !word.contains("://") && !is_other {
                push(pairs, &name, trim_value(word), group);
                previous = word;
                continue;
            }
        }
        pending = match option {
            Some(name) => Some(name.to_owned()),
            None => read_word(word, group, rules, pairs, out),
        };
        (before, previous) = (previous, word);
    }
    header::split_client_of_text(&mut pairs.fields, from);
}

/// Reads one word; gives the name whose value the next word is.
fn read_word(
    word: &str,
    group: u32,
    rules: &Rules,
    pairs: &mut Message,
    out: &mut Vec<Message>,
) -> Option<String> {
    if word.eq_ignore_ascii_case("bearer") {
        return Some("authorization_bearer".to_owned());
    }
    if let Some(url) = url_in(word) {
        // `redirect_uri=https://…` beside `code=x`: it is a parameter of theirs, too.
        let named = opened(word)
            .split_once('=')
            .filter(|(name, _)| rules.catalogue.spelling(&Name::new(name)).is_some());
        if let Some((name, value)) = named {
            push(pairs, name, trim_end(value), group);
        }
        if rules.needles.hit(url.as_bytes()) {
            out.push(of_url(Url::new(url), rules));
        }
        return None;
    }
    let word = opened(word);
    if let Some((name, "")) = memchr::memchr2(b':', b'=', word.as_bytes()).and_then(split(word)) {
        return Some(name.trim_start_matches([',', '?', '&']).to_owned());
    }
    // `{type: "a",response:{access_token:`: the members of a script's object before this one hold no value.
    if let Some((_, name)) = word
        .strip_suffix(':')
        .and_then(|it| it.rsplit_once(['{', ',']))
    {
        return Some(name.to_owned());
    }
    // `Authorization=Bearer x`, and as Java and Go write a header map: `Authorization=[Basic x]`,
    // `map[authorization:[Bearer x]`.
    let scheme_named = memchr::memrchr2(b'=', b':', word.as_bytes())
        .and_then(split(word))
        .filter(|(name, _)| is_authorization(name))
        .and_then(|(name, value)| after_name(name, value.trim_start_matches(['[', '(', '{'])));
    if scheme_named.is_some() {
        return scheme_named;
    }
    let inner = word.trim_matches(['{', '}', '[', ']', '(', ')', ',', ';']);
    // `a=1&code=` before a quote; not `code=Zm9vYg==`, whose value is padded.
    let unfinished = inner
        .strip_suffix('=')
        .map(|it| it.rsplit_once(['&', '?', ';', ',']).unwrap_or(("", it)))
        .filter(|(_, name)| !name.contains('='));
    if let Some((before, name)) = unfinished {
        push_pairs(pairs, before, group);
        return Some(name.to_owned());
    }
    if inner.contains('=') {
        push_pairs(pairs, inner, group);
    } else if let Some((name, value)) = inner.split_once(':')
        && !name.starts_with('$')
        && rules.catalogue.knows(&Name::new(name))
    {
        push(pairs, name, value.trim_start_matches(['[', '{']), group);
    } else if rules.shapes.alone(inner).is_some() || Jwt::decode(inner).is_some() {
        push(pairs, "", inner, group);
    }
    None
}

/// A word before and behind the one byte of ASCII at a place. Found as bytes: a word may be megabytes long.
fn split<'w>(word: &'w str) -> impl Fn(usize) -> Option<(&'w str, &'w str)> {
    move |at| Some((word.get(..at)?, word.get(at.saturating_add(1)..)?))
}

/// A word behind what opens a list or an object: `{a=1`, `&{A:1`, `map[a:1`.
fn opened(word: &str) -> &str {
    let word = word.strip_prefix('&').unwrap_or(word);
    let word = word
        .strip_prefix("map")
        .filter(|it| it.starts_with('['))
        .unwrap_or(word);
    word.trim_start_matches(['{', '[', '('])
}

/// Whether a word that stands where a value would only opens a list or a call that holds it, as Python, Rust and PHP
/// write: `['x']`, `b'x'`, `Some("x")`, `string(1) "x"`.
fn opens_value(word: &str, whole: Word<'_>) -> bool {
    let letters = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphabetic());
    match word.split_once('(') {
        Some((call, "")) => letters(call),
        Some((call, len)) => call == "string" && len.ends_with(')'),
        None => {
            let quotes = ['\'', '"'];
            let is_prefix = !whole.before.ends_with(quotes) && whole.after.starts_with(quotes);
            word == "[" || is_prefix && matches!(word, "b" | "[b")
        }
    }
}

/// A name without what stands before it in its word, where a program writes what it has: `Params(code`,
/// `&main.Params{Code`, `[code]`, `:code`, `--code`. Brackets of its own stay: `user[password]`.
fn own_name(name: &str) -> &str {
    let name = name.rsplit(['(', '{', ',']).next().unwrap_or(name);
    let opened = name.rsplit_once('[');
    let opened = opened.filter(|(before, inside)| before.is_empty() || !inside.contains(']'));
    let name = opened.map_or(name, |(_, inside)| inside.trim_end_matches(']'));
    name.trim_start_matches([':', '-'])
}

/// Whether a word that stands where the value of `name` would is a pair of its own: `metadata: map[token:x`,
/// `exchanging tokens: code=x`, and the next field of a Go struct, `RefreshToken: Expiry:2026`.
fn is_pair(word: &str, name: &str, rules: &Rules) -> bool {
    let Some((inner, value)) = opened(word).split_once(['=', ':']) else {
        return false;
    };
    if inner.starts_with('$') {
        return false;
    }
    // No token has a colon (RFC 6750 §2.1).
    if name == "authorization_bearer" && word.ends_with(':') {
        return true;
    }
    let is_field = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_uppercase())
            && text.bytes().all(|byte| byte.is_ascii_alphabetic())
    };
    !value.is_empty()
        && (is_authorization(inner)
            || is_known(inner, rules)
            || inner.len() > 3 && is_field(inner) && is_field(name))
}

fn is_known(name: &str, rules: &Rules) -> bool {
    let name = Name::new(name);
    rules.catalogue.rules_for(&name).next().is_some()
}

/// `Authorization:` is followed by a scheme, and only then by the value.
fn after_name(name: &str, word: &str) -> Option<String> {
    let lower = word.to_ascii_lowercase();
    let is_scheme = matches!(
        lower.as_str(),
        "bearer" | "basic" | "token" | "dpop" | "apikey"
    );
    // `token_type: Bearer` is followed by no token.
    let is_type = || Name::new(name).key.ends_with("tokentype");
    (is_scheme && (is_authorization(name) || lower == "bearer") && !is_type())
        .then(|| format!("authorization_{lower}"))
}

fn is_authorization(name: &str) -> bool {
    name.to_ascii_lowercase().ends_with("authorization")
}

fn push(pairs: &mut Message, name: &str, value: &str, group: u32) {
    let name = own_name(name);
    let mut field = if name == "authorization_basic" {
        let decoded = super::encoding::base64(value).unwrap_or_default();
        let decoded = super::encoding::text(&decoded).into_owned();
        Field::new(name, decoded, Slot::Text)
    } else {
        Field::new(name, value.to_owned(), Slot::Text)
    };
    field.group = group;
    pairs.fields.push(field);
}

fn push_pairs(pairs: &mut Message, text: &str, group: u32) {
    let text = text.rsplit_once('?').map_or(
        text,
        |(before, after)| {
            if before.contains('=') { text } else { after }
        },
    );
    let found = url::pairs(text)
        .filter(|pair| !pair.name.is_empty())
        .map(unwrapped)
        .map(|pair| pair_field(pair, Slot::Text, group));
    pairs.fields.extend(found.take(MAX_FIELDS));
}

/// A pair by its own name, whose value is a list of one, as Spring logs a form: `code=[x]`, or `code=[x` once its word
/// was cut; or behind two `=`, as `HTTPie` takes a parameter and a program compares.
fn unwrapped(pair: url::Pair<'_>) -> url::Pair<'_> {
    let value = pair.value.strip_prefix('=').unwrap_or(pair.value);
    let inner = value.strip_prefix('[').unwrap_or(value);
    let value = if inner.contains(['[', ',']) {
        value
    } else {
        inner.strip_suffix(']').unwrap_or(inner)
    };
    let name = own_name(pair.name);
    url::Pair { name, value }
}

/// A value without what closes a list or an object around it; brackets of its own stay.
fn trim_value(word: &str) -> &str {
    let mut value = word.trim_end_matches([',', ';']);
    // As Rust writes a number that may be missing.
    value = value.strip_prefix("Some(").unwrap_or(value);
    for (open, close) in [('{', '}'), ('[', ']'), ('(', ')')] {
        if !value.contains(open) {
            value = value.trim_end_matches([close, ',', ';']);
        }
    }
    value
}

/// A word without the backslashes of escaped quotes, and without the end of a line of HTTP, as programs write it.
fn bare(word: Word<'_>) -> &str {
    let written = ["[\\r][\\n]", "\\r\\n"];
    let text = written
        .into_iter()
        .find_map(|end| word.text.strip_suffix(end));
    // What is left of the first where its escapes were undone.
    let is_end = word.after.starts_with('\r');
    let text = text.or_else(|| word.text.strip_suffix('[').filter(|_| is_end));
    text.unwrap_or(word.text)
        .trim_matches('\\')
        .trim_start_matches(',')
}

/// The URL in a word: from its scheme, or a path with a query or a fragment, to the word's end.
fn url_in(word: &str) -> Option<&str> {
    if let Some(at) = word.find("://") {
        let head = word.get(..at)?;
        let start = head
            .rfind(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.')))
            .map_or(0, |last| last.saturating_add(1));
        let start = start.saturating_add(glued(head.get(start..)?));
        // A URL as a value of another URL: the outer one is the message.
        let outer = word.starts_with('/') || head.contains('?');
        let start = if outer { 0 } else { start };
        return Some(trim_end(word.get(start..)?));
    }
    let encoded = word.contains("%3D") || word.contains("%3d");
    let relative = word.starts_with('/') && (word.contains(['?', '#', ';']) || encoded)
        || word.starts_with("#/")
        || word.starts_with('?') && word.contains('=');
    relative.then(|| trim_end(word))
}

/// How much of a scheme is text that stands directly before one of the web's: columns of a database without a
/// separator, a word without a blank. `git+https` is a scheme.
fn glued(scheme: &str) -> usize {
    let tail = |len: usize| scheme.len().saturating_sub(len);
    let web = ["https", "http"].into_iter().find(|web| {
        let end = scheme.get(tail(web.len())..);
        end.is_some_and(|end| end.eq_ignore_ascii_case(web))
    });
    let start = web.map_or(0, |web| tail(web.len()));
    let before = scheme.get(..start).unwrap_or_default();
    if before.ends_with(|it: char| it.is_ascii_alphanumeric()) {
        start
    } else {
        0
    }
}

fn trim_end(url: &str) -> &str {
    url.trim_end_matches([',', ';', ')', ']', '}', '.', '\\'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_in_a_text_are_those_of_its_headers() {
        let rules = Rules::builtin().unwrap();
        let session = ("connectsid", "s9Xkv2QmLp7Rt4Zw");
        let token = ("accesstoken", "2YotnFZFEjr1");
        for (text, expected) in [
            (
                "DEBUG >> Cookie: theme=dark; connect.sid=s9Xkv2QmLp7Rt4Zw; access_token=2YotnFZFEjr1",
                &[session, token][..],
            ),
            ("cookie: connect.sid=s9Xkv2QmLp7Rt4Zw[\\r][\\n]", &[session]),
            (
                "INFO Set-Cookie: connect.sid=s9Xkv2QmLp7Rt4Zw; Path=/; HttpOnly",
                &[session],
            ),
            (
                "{'Cookie': 'a=b; connect.sid=s9Xkv2QmLp7Rt4Zw', 'Host': 'x'}",
                &[session],
            ),
            (
                "{\"Cookie\" => \"a=b; connect.sid=s9Xkv2QmLp7Rt4Zw\"}",
                &[session],
            ),
            (
                "{\\\"Cookie\\\":\\\"connect.sid=s9Xkv2QmLp7Rt4Zw\\\"}",
                &[session],
            ),
            (
                "map[Cookie:[a=b; connect.sid=s9Xkv2QmLp7Rt4Zw] Host:[x]]",
                &[session],
            ),
            (
                "curl -H 'Cookie: connect.sid=s9Xkv2QmLp7Rt4Zw' https://app.example/",
                &[session],
            ),
            (
                "curl -sb 'a=b' -b \"a=b; connect.sid=s9Xkv2QmLp7Rt4Zw\" x",
                &[session],
            ),
            ("curl --cookie connect.sid=s9Xkv2QmLp7Rt4Zw x", &[session]),
            // What is quoted ends no command.
            (
                "curl -A 'Mozilla/5.0 (X11; Linux x86_64)' -b 'connect.sid=s9Xkv2QmLp7Rt4Zw' x",
                &[session],
            ),
            (
                "curl x -H \"a: it's (b; c)\" -b \"a=b; connect.sid=s9Xkv2QmLp7Rt4Zw\"",
                &[session],
            ),
            (
                "curl x -b ^\"a=b; connect.sid=s9Xkv2QmLp7Rt4Zw^\" ^",
                &[session],
            ),
            (
                "curl x -b $'a=d\\u0021k; connect.sid=s9Xkv2QmLp7Rt4Zw' \\",
                &[session],
            ),
            ("curl -bconnect.sid=s9Xkv2QmLp7Rt4Zw x", &[session]),
            ("curl --cookie=connect.sid=s9Xkv2QmLp7Rt4Zw x", &[session]),
            ("curl -sb connect.sid=s9Xkv2QmLp7Rt4Zw x", &[session]),
            ("curl -Lb 'connect.sid=s9Xkv2QmLp7Rt4Zw' x", &[session]),
            // What is no cookie hides none behind it.
            ("Cookie: flag; connect.sid=s9Xkv2QmLp7Rt4Zw", &[session]),
            ("Cookie: a(b)=1; connect.sid=s9Xkv2QmLp7Rt4Zw", &[session]),
            ("Cookie: a=it's; connect.sid=s9Xkv2QmLp7Rt4Zw", &[session]),
            ("Cookie: tz=a b; ; connect.sid=s9Xkv2QmLp7Rt4Zw", &[session]),
            (
                "Cookie: prefs={\"a\":1,\"b\":\"x\"}; connect.sid=s9Xkv2QmLp7Rt4Zw",
                &[session],
            ),
            (
                "curl -b 'tz=New York; flag; connect.sid=s9Xkv2QmLp7Rt4Zw' x",
                &[session],
            ),
            (
                "wget --header=\"Cookie: connect.sid=s9Xkv2QmLp7Rt4Zw\" x",
                &[session],
            ),
        ] {
            let told = fields(text, &rules);
            let cookies = told.iter().filter(|it| it.slot == Slot::Cookie);
            let told: Vec<_> = cookies.map(|it| (&*it.key.key, &*it.value)).collect();
            assert_eq!(told, expected, "{text}");
        }
        for text in [
            "Cookie: none, connect.sid=s9Xkv2QmLp7Rt4Zw",
            "cookies: connect.sid=s9Xkv2QmLp7Rt4Zw",
            "sort -b connect.sid=s9Xkv2QmLp7Rt4Zw",
            "curl x -A 'b; c'; sort -b connect.sid=s9Xkv2QmLp7Rt4Zw",
            "bash -c \"curl x; sort -b connect.sid=s9Xkv2QmLp7Rt4Zw\"",
            "curl x -A 'b|c' | sort -b connect.sid=s9Xkv2QmLp7Rt4Zw",
            "curl --cookie-jar connect.sid=s9Xkv2QmLp7Rt4Zw",
            "curl -b jar.txt -d connect.sid=s9Xkv2QmLp7Rt4Zw x",
            "curl -b jar.txt x; connect.sid=s9Xkv2QmLp7Rt4Zw",
            "'Cookie: flag'; connect.sid=s9Xkv2QmLp7Rt4Zw",
            "Cookie: flag client_secret=s9Xkv2QmLp7Rt4Zw; connect.sid=s9Xkv2QmLp7Rt4Zw",
        ] {
            let told = fields(text, &rules);
            assert!(told.iter().all(|it| it.slot != Slot::Cookie), "{text}");
        }
    }

    #[test]
    fn a_text_full_of_beginnings_is_read_once() {
        let rules = Rules::builtin().unwrap();
        for beginning in [
            "Cookie: ",
            "Cookie:[ ",
            "Cookie:&",
            "Cookie: a;",
            "Cookie:[;",
            "Cookie: a b;",
            "PRIVATE KEY----- ",
            "-----BEGIN PRIVATE KEY----- ",
        ] {
            let told = fields(&beginning.repeat(50_000), &rules);
            assert!(told.iter().all(|it| it.slot != Slot::Cookie), "{beginning}");
        }
    }

    /// Everything that a text holds.
    fn fields(text: &str, rules: &Rules) -> Vec<Field> {
        let mut out = Vec::new();
        messages(text, rules, &mut out);
        out.into_iter().flat_map(|it| it.fields).collect()
    }

    /// Compares the names and values of a text.
    fn check(text: &str, rules: &Rules, expected: &[(&str, &str)]) {
        let fields = fields(text, rules);
        let told: Vec<_> = fields.iter().map(|it| (&*it.key.key, &*it.value)).collect();
        assert_eq!(told, expected, "{text}");
    }

    #[test]
    fn a_padded_value_is_no_name() {
        let rules = Rules::builtin().unwrap();
        for (text, value) in [
            (
                "INFO client_secret=cGFzc3dvcmQx4f1c9a7d2a== done",
                "cGFzc3dvcmQx4f1c9a7d2a==",
            ),
            ("client_secret=4f1c9a7d2b9d3=, code= 9d3e", "4f1c9a7d2b9d3="),
            ("client_secret= 4f1c9a7d2b", "4f1c9a7d2b"),
        ] {
            let told = fields(text, &rules);
            let secret = told.iter().find(|it| &*it.key.key == "clientsecret");
            assert_eq!(&*secret.unwrap().value, value, "{text}");
        }
    }

    /// What logs pass over for want of a needle must hold nothing.
    #[test]
    fn a_name_and_its_separator_are_as_far_apart_as_needles_look() {
        let rules = Rules::builtin().unwrap();
        for (gap, is_name) in [
            (" \t ", true),
            ("\u{c}\u{b} ", true),
            ("\"] ", true),
            (") ", false),
            (" > ", false),
            ("\u{a0}", false),
        ] {
            let text = format!("client_secret{gap}= 4f1c9a7d2b");
            assert_eq!(rules.needles.hit(text.as_bytes()), is_name, "{text}");
            let mut expected = vec![("accesstoken", "9d3e7b1f5a")];
            expected.extend(is_name.then_some(("clientsecret", "4f1c9a7d2b")));
            check(
                &format!("access_token=9d3e7b1f5a {text}"),
                &rules,
                &expected,
            );
        }
    }

    #[test]
    fn what_programs_write_of_an_object_has_its_names_and_values() {
        let rules = Rules::builtin().unwrap();
        for text in [
            "{ code: '4f1c9a7d2b', state: '9d3e' }",
            "{:code=>\"4f1c9a7d2b\", :state=>\"9d3e\"}",
            "{\"code\" => \"4f1c9a7d2b\", \"state\" => \"9d3e\"}",
            r#"{\"code\": [\"4f1c9a7d2b\"], \"state\": [\"9d3e\"]}"#,
            "{b'code': b'4f1c9a7d2b', b'state': b'9d3e'}",
            "{b'code': [b'4f1c9a7d2b'], b'state': [b'9d3e']}",
            ">> code=4f1c9a7d2b[\\r][\\n] >> state=9d3e[\\r][\\n]",
            ">> code=4f1c9a7d2b[\r][\n] >> state=9d3e[\r][\n]",
            "\"code: 4f1c9a7d2b\\r\\n\" \"state: 9d3e\\r\\n\"",
            "<QueryDict: {'code': ['4f1c9a7d2b'], 'state': ['9d3e']}>",
            "ImmutableMultiDict([('code', '4f1c9a7d2b'), ('state', '9d3e')])",
            "map[code:[4f1c9a7d2b] state:[9d3e]]",
            "Params { code: Some(\"4f1c9a7d2b\"), state: Some(\"9d3e\") }",
            "Params { code: AuthorizationCode(\"4f1c9a7d2b\"), state: CsrfToken(\"9d3e\") }",
            "{Code:4f1c9a7d2b State:9d3e}",
            "&main.Params{Code:\"4f1c9a7d2b\", State:\"9d3e\"}",
            "Params(code=4f1c9a7d2b, state=9d3e)",
            "Params(code='4f1c9a7d2b', state='9d3e')",
            "Params{code=4f1c9a7d2b, state=9d3e}",
            "array(2) { [\"code\"]=> string(22) \"4f1c9a7d2b\" [\"state\"]=> string(1) \"9d3e\" }",
            "Array ( [code] => 4f1c9a7d2b [state] => 9d3e )",
            "%{code: \"4f1c9a7d2b\", state: \"9d3e\"}",
            "#{code => <<\"4f1c9a7d2b\">>, state => <<\"9d3e\">>}",
        ] {
            check(text, &rules, &[("code", "4f1c9a7d2b"), ("state", "9d3e")]);
        }
    }

    #[test]
    fn what_programs_write_of_a_token_has_its_type_and_lifetime() {
        let rules = Rules::builtin().unwrap();
        for text in [
            "{ access_token: '2YotnFZFEjr1', token_type: 'Bearer', expires_in: 3600 }",
            "{\"access_token\":\"2YotnFZFEjr1\",\"token_type\":\"Bearer\",\"expires_in\":3600}",
            "{'access_token': '2YotnFZFEjr1', 'token_type': 'Bearer', 'expires_in': 3600}",
            "Token(access_token='2YotnFZFEjr1', token_type='Bearer', expires_in=3600)",
            "Token(accessToken=2YotnFZFEjr1, tokenType=Bearer, expiresIn=3600)",
            "Token { access_token: Some(\"2YotnFZFEjr1\"), token_type: Bearer, expires_in: Some(3600) }",
            "Token { AccessToken = 2YotnFZFEjr1, TokenType = Bearer, ExpiresIn = 3600 }",
        ] {
            let expected = [
                ("accesstoken", "2YotnFZFEjr1"),
                ("tokentype", "Bearer"),
                ("expiresin", "3600"),
            ];
            check(text, &rules, &expected);
        }
    }

    #[test]
    fn a_letter_is_a_value_where_no_quotation_mark_follows() {
        let rules = Rules::builtin().unwrap();
        check(
            "client_id=\"b\" client_secret=\"s9Xkv2QmLp7Rt4Zw\"",
            &rules,
            &[("clientid", "b"), ("clientsecret", "s9Xkv2QmLp7Rt4Zw")],
        );
    }

    #[test]
    fn options_are_followed_by_their_values() {
        let rules = Rules::builtin().unwrap();
        let secret = ("clientsecret", "s9Xkv2QmLp7Rt4Zw");
        for text in [
            "tool --client-secret s9Xkv2QmLp7Rt4Zw run",
            "tool --client_secret 's9Xkv2QmLp7Rt4Zw' run",
            "tool --client-secret=\"s9Xkv2QmLp7Rt4Zw\" run",
            "Get-Thing -ClientSecret s9Xkv2QmLp7Rt4Zw",
            "tool \"--client-secret\" \"s9Xkv2QmLp7Rt4Zw\"",
            "a1=\"--client-secret\" a2=\"s9Xkv2QmLp7Rt4Zw\"",
        ] {
            check(text, &rules, &[secret]);
        }
        check(
            "tool --client-id shop --client-secret s9Xkv2QmLp7Rt4Zw --verbose",
            &rules,
            &[("clientid", "shop"), secret],
        );
        for text in [
            "tool --client-secret --verbose",
            "Get-Thing -ClientSecret -Verbose",
            "tool --client-secret /run/secrets/client",
            "tool --client-secret @secret.txt",
            "tool --client-secret \"${CLIENT_SECRET:-none}\"",
        ] {
            check(text, &rules, &[]);
        }
        check(
            "add_argument(\"--client-secret\", required=True)",
            &rules,
            &[("required", "True")],
        );
        check(
            "run: \"--client-secret s9Xkv2QmLp7Rt4Zw\"",
            &rules,
            &[secret],
        );
        check(
            "curl --oauth2-bearer s9Xkv2QmLp7Rt4Zw https://api.example/",
            &rules,
            &[("authorizationbearer", "s9Xkv2QmLp7Rt4Zw")],
        );
    }

    #[test]
    fn a_user_of_curl_has_a_name_and_a_password() {
        let rules = Rules::builtin().unwrap();
        let user = ("curluser", "shop:s9Xkv2QmLp7Rt4Zw");
        for text in [
            "curl -s -u shop:s9Xkv2QmLp7Rt4Zw x",
            "/usr/bin/curl --user 'shop:s9Xkv2QmLp7Rt4Zw'",
            "curl.exe -u \"shop:s9Xkv2QmLp7Rt4Zw\" x",
            "curl -A 'Mozilla/5.0 (X11; Linux x86_64)' -u shop:s9Xkv2QmLp7Rt4Zw x",
            "$(curl -u shop:s9Xkv2QmLp7Rt4Zw)",
            "a0=\"curl\" a1=\"-s\" a2=\"-u\" a3=\"shop:s9Xkv2QmLp7Rt4Zw\"",
        ] {
            check(text, &rules, &[user]);
        }
        check(
            "curl -u shop:s9Xkv2QmLp7Rt4Zw -d grant_type=client_credentials",
            &rules,
            &[
                ("clientid", "shop"),
                ("authorizationbasicclient", "s9Xkv2QmLp7Rt4Zw"),
                ("granttype", "client_credentials"),
            ],
        );
        check("curl x | sort -u shop:s9Xkv2QmLp7Rt4Zw", &rules, &[]);
        check("curl x; sort -u shop:s9Xkv2QmLp7Rt4Zw", &rules, &[]);
        check("curl -u \"$NAME:$SECRET\" x", &rules, &[]);
        check("curly -u shop:s9Xkv2QmLp7Rt4Zw", &rules, &[]);
        check("sort -u shop:s9Xkv2QmLp7Rt4Zw", &rules, &[]);
    }
}
