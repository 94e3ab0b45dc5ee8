//! The telling bytes of literals: what a search looks for, so that few candidates are looked at closer,
//! and literals that share bytes are found by them together. Knows bytes only.

use std::collections::{BTreeMap, BTreeSet, HashSet};

/// Bytes by which a core is chosen and told. With three, every second word of ordinary text is looked at closer.
pub(super) const TELLING: usize = 4;

/// Percent-encoded bytes that may end a name: a separator, another `%` of one that is encoded more than once, or
/// the end of a URL's user information.
const ESCAPES: [&[u8]; 6] = [b"%25", b"%3A", b"%3D", b"%3a", b"%3d", b"%40"];

/// Bytes of [`COMMON`] that a core shall not share.
const TRIPLE: usize = 3;

/// What logs and pages are full of: a core from here would be met on every line.
pub(super) const COMMON: &[u8] = b"GET POST HTTP/1.1\" 200 304 \"https://www.example.com/api/index.html \
    http://login. .org/ .net/ /static/images/assets/ user users account search session service server \
    version value module config content data application/json text/html charset=utf-8 Mozilla/5.0 (X11; \
    Linux x86_64; Windows NT 10.0; Win64; x64) (Macintosh; Intel Mac OS X 10_15_7; rv:140.0) AppleWebKit/537.36 \
    (KHTML, like Gecko) Chrome/120.0.0.0 Mobile Safari/605.1.15 Version Edg Firefox Googlebot compatible \
    curl/8 python-requests level info debug error warning message request response status time timestamp \
    connection upstream client forwarded host path query method port accept report review detail return \
    Sun Mon Tue Wed Thu Fri Sat Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec function \
    192.0.2.107 - - [21/Nov/2026:23:44:04 +0000] 28639 0.137 ?id=446185&lang=en&q=a%20b%2Fc /wiki/%D0%B0%D0%B1\
    %D1%82%D1%80%D0%BA%D0%B6%D0%BF%D1%86%E4%B8%AD%E6%96%87%2C%20%D0%B9%D0%B4 {\"ts\":\"2026-11-21T10:00:00.123Z\",\"pid\":40372} \
    203.0.113.9 - alice [03/Jan/2026:07:15:38 +0100] \"GET /order/1?page=2&sort=asc&a1=3&b=27&c4=x HTTP/2.0\" 404 1 \
    \"https://app.example.net/list?utm_source=mail&size=10\" \"https://m.example.org/\" \"-\" 02:56 12:09:21 16:30 18:01 \
    {\"level\":\"info\",\"msg\":\"done\",\"path\":\"/a/b\",\"status\":200,\"ms\":17,\"host\":\"web-1\",\"agent\":\"curl/8.5.0\",\
    \"type\": \"x\", \"name\": \"y\"} web-1 nginx[914]: *7 sshd[1022]: node-2 kernel: level=info msg=\"ok\" dur=3ms size=14 \
    https://app.example.net https://cdn.example.com function(e){return a.b(c)} (t)=>{const n=r(e)[0];if(!o)u.x=null} (c)=>c+1,(n)=>n (X11; a[0]=1 \
    function t(e){} function(n) ?id=1 ?id=2 connection options [30/Nov/2026 [17/Nov/2027 (e)=1";

/// A literal up to its core, and from the core on.
type Halves = (Box<[u8]>, Box<[u8]>);

/// Bytes that one or more literals share, and these literals.
#[derive(Clone, Debug)]
pub(super) struct Core {
    /// What it is told by: [`TELLING`] bytes, or a literal that is shorter.
    pub(super) bytes: Box<[u8]>,
    /// Parts of the literals before the core, and from its first byte on.
    around: Vec<Halves>,
}

impl Core {
    fn new<'l>(bytes: &[u8], literals: impl Iterator<Item = &'l [u8]>) -> Self {
        Self {
            bytes: bytes.into(),
            around: literals.filter_map(|it| halves(it, bytes)).collect(),
        }
    }

    /// Whether it is a percent-encoded byte that may be a separator.
    pub(super) fn is_escape(&self) -> bool {
        ESCAPES.contains(&&*self.bytes)
    }

    /// Where the literal begins whose core stands at `at`.
    pub(super) fn literal_around(&self, bytes: &[u8], at: usize) -> Option<usize> {
        let (before, from) = bytes.split_at_checked(at)?;
        let fits = |(head, tail): &&Halves| before.ends_with(head) && from.starts_with(tail);
        let (head, _) = self.around.iter().find(fits)?;
        at.checked_sub(head.len())
    }
}

/// A literal cut at the first place where the core stands in it.
fn halves(literal: &[u8], core: &[u8]) -> Option<Halves> {
    let at = memchr::memmem::find(literal, core)?;
    let (before, from) = literal.split_at_checked(at)?;
    Some((before.into(), from.into()))
}

/// Few cores that stand for all the literals: again and again the one that most of the rest share. The escapes
/// are among them, and stand for the literals in which they are.
pub(super) fn cores(literals: &[&[u8]]) -> Vec<Core> {
    let mut left = literals.to_vec();
    let escapes = ESCAPES.map(|escape| {
        let with = left.extract_if(.., |it| memchr::memmem::find(it, escape).is_some());
        Core::new(escape, with)
    });
    escapes.into_iter().chain(shared(&left)).collect()
}

/// Cores of the literals that no escape stands for.
fn shared(literals: &[&[u8]]) -> Vec<Core> {
    let common: HashSet<&[u8]> = COMMON.windows(TRIPLE).collect();
    let mut sharing: BTreeMap<&[u8], BTreeSet<usize>> = BTreeMap::new();
    for (number, literal) in literals.iter().enumerate() {
        for part in literal.windows(TELLING.min(literal.len())) {
            sharing.entry(part).or_default().insert(number);
        }
    }
    let mut candidates: Vec<_> = sharing
        .into_iter()
        .map(|(part, literals)| (is_rare(part, &common), letters(part), part, literals))
        .collect();
    let mut cores = Vec::new();
    // Rare ones first, then those of many literals, then unlikely letters.
    while let Some((.., part, taken)) = candidates
        .iter()
        .max_by_key(|(rare, letters, _, literals)| (*rare, literals.len() * 10 + letters))
        .cloned()
    {
        let of_core = taken.iter().filter_map(|number| literals.get(*number));
        cores.push(Core::new(part, of_core.copied()));
        for (.., literals) in &mut candidates {
            literals.retain(|number| !taken.contains(number));
        }
        candidates.retain(|(.., literals)| !literals.is_empty());
    }
    cores
}

/// Whether a core is not what everything is full of.
fn is_rare(core: &[u8], common: &HashSet<&[u8]>) -> bool {
    !core.windows(TRIPLE).any(|part| common.contains(part))
}

/// How unlikely the bytes of a core are. Digits stand beside each other anywhere.
fn letters(core: &[u8]) -> usize {
    let of = |byte: &u8| match byte {
        b'A'..=b'Z' => 3,
        b'j' | b'k' | b'q' | b'v' | b'w' | b'x' | b'y' | b'z' => 2,
        b'a'..=b'z' => 1,
        _ => 0,
    };
    core.iter().map(of).sum()
}
