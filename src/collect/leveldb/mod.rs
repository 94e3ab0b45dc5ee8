//! LevelDB, in which Chromium and what is built on it keep web storage, IndexedDB and the state of
//! extensions: every version of every key that the files still hold, deleted and overwritten ones too. One
//! file is one source. Knows how the stores name their keys, and nothing of what the values are for.

mod crc;
mod held;
mod log;
mod meaning;
mod newest;
mod protobuf;
mod table;

use std::sync::Arc;

use super::{Context, Evidence, ReadError, Reader, Sink};
use crate::atoms::Source;
use held::Held;
use meaning::Store;
use table::Table;

/// Reads a `.log` or `.ldb` file of LevelDB.
pub static READER: Reader = Reader {
    name: "leveldb",
    claims: |evidence, _| form(evidence).is_some(),
    read,
};

/// One version of a key: its value, or that it was deleted.
#[derive(Clone, Copy)]
struct Entry<'a> {
    /// Of two versions the later one has the higher number, across the files of a store.
    sequence: u64,
    key: &'a [u8],
    value: Option<&'a [u8]>,
}

/// What could not be read.
#[derive(Default)]
struct Damage {
    /// Records, batches or blocks that were passed over.
    pieces: u64,
    /// Batches or blocks beyond a bound.
    too_long: u64,
    /// Whether the file ends in the middle of a record.
    cut: bool,
}

/// The two forms of file that hold entries.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Log,
    Table,
}

fn read(
    evidence: &Evidence,
    source: &Arc<Source>,
    context: &Context<'_>,
    sink: &mut Sink<'_>,
) -> Result<(), ReadError> {
    let form = form(evidence).or(by_ending(evidence.file_name()));
    let form = form.unwrap_or(Form::Log);
    let store = Store::of(evidence.shown());
    let mut damage = Damage::default();
    let mut held = Held::new(evidence, form, source, sink);
    let mut take = |entry: Entry<'_>| {
        if let Some(value) = entry.value {
            let needles = &context.rules.needles;
            let mut key = None;
            store.meanings(entry.key, value, needles, &mut |meaning| {
                held.add(entry, &mut key, meaning);
            });
        }
    };
    let mut room = table::MAX_UNPACKED;
    let end = entries(
        evidence,
        form,
        &|_, _| true,
        &mut room,
        &mut damage,
        &mut take,
    );
    held.flow();
    damage.tell(sink);
    end
}

/// Hands on the entries of a file; of a table only those in blocks that are wanted, by the keys around them, as far
/// as there is room for what they unpack to.
fn entries(
    evidence: &Evidence,
    form: Form,
    wanted: &dyn Fn(&[u8], &[u8]) -> bool,
    room: &mut usize,
    damage: &mut Damage,
    each: &mut dyn FnMut(Entry<'_>),
) -> Result<(), ReadError> {
    match form {
        Form::Log => log::entries(evidence, damage, each),
        Form::Table => {
            Table::open(evidence)?.entries(wanted, room, damage, each);
            Ok(())
        }
    }
}

/// What the evidence is: by its content; where its beginning or its end is damaged, by its name, and by the
/// file that every store has. Nothing else is called `.ldb`.
fn form(evidence: &Evidence) -> Option<Form> {
    let head = evidence.head();
    if log::begins(head) {
        return Some(Form::Log);
    }
    let tail = evidence.tail(table::FOOTER);
    if tail.is_some_and(|tail| table::ends(&tail)) {
        return Some(Form::Table);
    }
    let name = evidence.file_name();
    let named = by_ending(name)?;
    let is_sure = || name.contains(".ldb") || evidence.beside("CURRENT").is_some();
    (!head.is_empty() && is_sure()).then_some(named)
}

/// `000003.log`, `000005.ldb`, `000005.sst` (`db/filename.cc`).
fn by_ending(name: &str) -> Option<Form> {
    let (number, ending) = name.split_once('.')?;
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    match ending {
        "log" if is_number => Some(Form::Log),
        "ldb" | "sst" if is_number => Some(Form::Table),
        _ => None,
    }
}

impl Damage {
    fn tell(&self, sink: &mut Sink<'_>) {
        let mut tell = |error| (sink.problem)(error);
        if self.pieces > 0 {
            tell(ReadError::Malformed(
                format!(
                    "{} of its records or blocks are damaged; copy it again, the others were read",
                    self.pieces
                )
                .into(),
            ));
        }
        if self.cut {
            tell(ReadError::Malformed(
                "ends in the middle of a record, as a copy does that is made while it is written; copy it again, what came before was read".into(),
            ));
        }
        if self.too_long > 0 {
            tell(ReadError::Limit(
                format!(
                    "{} of its records or blocks are larger than is read; export the store with its browser to see them",
                    self.too_long
                )
                .into(),
            ));
        }
    }
}
