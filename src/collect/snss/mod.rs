//! Session files of the Chromium family (`Session_*`, `Tabs_*`, `Apps_*`, `Current Session` and their like):
//! the tabs to be opened again, with what the history never had: frames, sent forms, pages that were not
//! reached. Knows the commands of the file (`components/sessions/core`), and nothing of what a URL means.

mod mojo;
mod navigation;
mod page_state;
mod pickle;

use std::io::{BufReader, Read};
use std::sync::Arc;

use super::browser::os_crypt;
use super::{Context, Evidence, ReadError, Reader, Sink};
use crate::atoms::Source;
use navigation::Out;

/// Reads a session file.
pub static READER: Reader = Reader {
    name: "chromium-session",
    claims: |evidence, _| evidence.head().starts_with(MAGIC),
    read,
};

/// `kFileSignature` of `command_storage_backend.cc`.
const MAGIC: &[u8] = b"SNSS";

/// Largest command. Those of plain files have at most 64 KiB; encrypted ones state their length in 32 bits.
const MAX_COMMAND: usize = 16 << 20;

/// `kCommandUpdateTabNavigation` of `tab_restore_service_impl.cc` and of `session_service_commands.cc`.
const UPDATE_TAB_NAVIGATION: [u8; 2] = [1, 6];

/// How the commands of a version are written.
#[derive(Clone, Copy)]
enum Form {
    /// Versions 1 and 3: two bytes of length, then the command.
    Plain,
    /// Version 5, since Chromium 156: four bytes of length, then the command under the key of `os_crypt`.
    Encrypted,
}

fn read(
    evidence: &Evidence,
    source: &Arc<Source>,
    context: &Context<'_>,
    sink: &mut Sink<'_>,
) -> Result<(), ReadError> {
    let form = form(evidence.head())?;
    let mut input = BufReader::new(evidence.open()?);
    let mut header = [0; 8];
    input
        .read_exact(&mut header)
        .map_err(|error| evidence.error(error))?;
    let mut sealed = 0_u64;
    let mut commands = 0_u64;
    loop {
        let command = match command(&mut input, form) {
            Ok(Some(command)) => command,
            Ok(None) => break,
            Err(Stop::Io(error)) => return Err(evidence.error(error)),
            Err(Stop::Because(error)) => {
                (sink.problem)(error);
                break;
            }
        };
        commands += 1;
        let opened = match form {
            Form::Plain => Some(command),
            Form::Encrypted => os_crypt::decrypt_v10(&command),
        };
        let Some(command) = opened else {
            sealed += 1;
            continue;
        };
        if let Some((id, payload)) = command.split_first()
            && UPDATE_TAB_NAVIGATION.contains(id)
        {
            let mut out = Out::new(source, evidence.file_name(), commands, context, sink);
            navigation::read(payload, &mut out);
        }
    }
    if sealed == 0 {
        return Ok(());
    }
    let error = ReadError::Unsupported(
        format!("{sealed} of its {commands} commands are encrypted under a key of the account; export the session with its browser, or read the folder Sessions beside it").into(),
    );
    if sealed == commands {
        return Err(error);
    }
    (sink.problem)(error);
    Ok(())
}

/// By the version, which may say that nothing can be read.
fn form(head: &[u8]) -> Result<Form, ReadError> {
    let version = head.get(4..8).and_then(|bytes| bytes.first_chunk());
    let Some(version) = version.copied().map(i32::from_le_bytes) else {
        return Err(ReadError::Malformed(
            "ends within its header; copy it again".into(),
        ));
    };
    match version {
        1 | 3 => Ok(Form::Plain),
        5 => Ok(Form::Encrypted),
        2 | 4 => Err(ReadError::Unsupported(
            "is encrypted with a key that only the running browser has; export the session with its browser".into(),
        )),
        _ => Err(ReadError::Unsupported(
            format!("is a session file of version {version}, which this version does not read")
                .into(),
        )),
    }
}

/// Why there is no further command.
enum Stop {
    Io(std::io::Error),
    Because(ReadError),
}

/// The next command, its id first; `None` at the end.
fn command(input: &mut impl Read, form: Form) -> Result<Option<Vec<u8>>, Stop> {
    let because = |reason: &str| Stop::Because(ReadError::Malformed(reason.into()));
    let cut = || {
        because(
            "ends in the middle of a command, as after a crash or in a copy made while it was written; what came before was read",
        )
    };
    let mut size = Vec::new();
    let wanted = match form {
        Form::Plain => 2,
        Form::Encrypted => 4,
    };
    input
        .take(wanted)
        .read_to_end(&mut size)
        .map_err(Stop::Io)?;
    if size.is_empty() {
        return Ok(None);
    }
    if (size.len() as u64) < wanted {
        return Err(cut());
    }
    let len = size
        .iter()
        .rev()
        .fold(0, |all, byte| all << 8 | u64::from(*byte));
    if len == 0 {
        return Err(because(
            "holds an empty command, as after a crash; what came before was read",
        ));
    }
    if len > MAX_COMMAND as u64 {
        return Err(because(
            "states a command that is longer than any; its end is damaged, what came before was read",
        ));
    }
    let mut command = Vec::new();
    let read = input.take(len).read_to_end(&mut command);
    read.map_err(Stop::Io)?;
    if (command.len() as u64) < len {
        return Err(cut());
    }
    Ok(Some(command))
}
