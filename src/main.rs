//! Parses, calls, writes, returns the exit code. The one place that reads the clock.

use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use indicatif::{HumanBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::Timestamp;
use tokentrail::cli::{self, Cli, Command, Correlate, Output, Rules, Scan};
use tokentrail::collect::find::{Found, Inputs};
use tokentrail::report::table::Look;
use tokentrail::report::{self, Format, Report, catalogue, explain, json, terminal};
use tokentrail::scan::{self, Mapping, Progress, Verdict};
use tokentrail::settings::{self, SetupError};
use tokentrail::shards::{self, ShardError};

/// What ended the program early. The message names the file and what to do.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Setup(#[from] SetupError),
    #[error(transparent)]
    Shards(#[from] ShardError),
    #[error("{0}: {1}")]
    File(String, String),
    #[error("cannot write the result: {0}")]
    Write(#[from] io::Error),
    #[error("cannot start threads: {0}; try --threads 1")]
    Threads(#[from] rayon::ThreadPoolBuildError),
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Scan(options) if options.sightings => run_sightings(&options),
        Command::Scan(options) => run_scan(&options),
        Command::Correlate(options) => run_correlate(&options),
        Command::Report(options) => run_report(&options.result, &options.output),
        Command::Explain { id } => run_explain(&id),
        Command::Rules(rules) => run_rules(&rules),
        Command::Schema { sightings: false } => {
            write_stdout(|out| json::pretty(&report::schema(), out))
        }
        Command::Schema { sightings: true } => {
            write_stdout(|out| json::pretty(&report::shard_schema(), out))
        }
    };
    match done {
        Ok(code) => code,
        // Whoever reads the output has seen enough.
        Err(Failure::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(failure) => {
            let message = failure.to_string();
            let lines: Vec<_> = message.lines().map(terminal::escape).collect();
            let _nowhere_left_to_say_so =
                writeln!(io::stderr(), "tokentrail: {}", lines.join("\n"));
            ExitCode::from(2)
        }
    }
}

fn run_scan(options: &Scan) -> Result<ExitCode, Failure> {
    let inputs = settings::inputs(options)?;
    let rules = Arc::new(settings::rules(&options.judging.rules)?);
    let mapping = settings::mapping(options, rules.clone())?;
    let (judging, gate) = (&options.judging, &options.gate);
    let reducing = settings::reducing(judging, gate, &options.shown.reveal, rules, now());
    let found = found(&inputs, &mapping)?;
    let bar = Bar(progress_bar(&options.output));
    let (report, verdict) =
        pool(options)?.install(|| scan::scan(&found, &mapping, &reducing, &bar));
    bar.finish();
    write(&report, &options.output)?;
    Ok(exit_code(verdict))
}

fn run_sightings(options: &Scan) -> Result<ExitCode, Failure> {
    let inputs = settings::inputs(options)?;
    let rules = Arc::new(settings::rules(&options.judging.rules)?);
    let mapping = settings::mapping(options, rules)?;
    let found = found(&inputs, &mapping)?;
    let bar = Bar(progress_bar(&options.output));
    let pool = pool(options)?;
    let write = |out: &mut (dyn Write + Send)| {
        pool.install(|| scan::sightings(&found, &mapping, out, &bar))
    };
    if let Some(path) = &options.output.output {
        write_file(path, write)?;
    } else {
        // The lock of standard output cannot be shared with the threads.
        let mut out = io::BufWriter::new(io::stdout());
        write(&mut out)?;
        out.flush()?;
    }
    bar.finish();
    Ok(ExitCode::SUCCESS)
}

fn run_correlate(options: &Correlate) -> Result<ExitCode, Failure> {
    let rules = Arc::new(settings::rules(&options.judging.rules)?);
    let reducing = settings::reducing(&options.judging, &options.gate, &[], rules, now());
    let merged = shards::read(&options.files)?;
    let (report, verdict) = scan::reduce(merged, &reducing);
    write(&report, &options.output)?;
    Ok(exit_code(verdict))
}

fn pool(options: &Scan) -> Result<rayon::ThreadPool, Failure> {
    let threads = usize::from(options.input.threads.unwrap_or_default());
    let builder = rayon::ThreadPoolBuilder::new().num_threads(threads);
    Ok(builder.build()?)
}

fn found(inputs: &Inputs, mapping: &Mapping) -> Result<Found, SetupError> {
    let found = scan::evidence(inputs, &mapping.rules);
    if found.matched {
        return Ok(found);
    }
    let paths = inputs.paths.iter().map(|path| path.display().to_string());
    Err(SetupError::NothingFound(
        paths.collect::<Vec<_>>().join(", "),
    ))
}

fn exit_code(verdict: Verdict) -> ExitCode {
    match verdict {
        Verdict::Clean => ExitCode::SUCCESS,
        Verdict::Gated => ExitCode::from(1),
        Verdict::Unread => ExitCode::from(3),
    }
}

fn run_report(result: &Path, output: &Output) -> Result<ExitCode, Failure> {
    let fail = |message: String| Failure::File(result.display().to_string(), message);
    let mut text = Vec::new();
    let read = if result == Path::new("-") {
        io::stdin().read_to_end(&mut text)
    } else {
        File::open(result).and_then(|mut file| file.read_to_end(&mut text))
    };
    read.map_err(|error| fail(error.to_string()))?;
    let report = json::parse(&text).map_err(|error| fail(error.to_string()))?;
    write(&report, output)?;
    Ok(ExitCode::SUCCESS)
}

fn run_explain(id: &str) -> Result<ExitCode, Failure> {
    let rules = settings::rules(&[])?;
    let entry = rules.explanations.get(id).ok_or_else(|| {
        let message = "nothing has this name; reports and `tokentrail rules list` show names";
        Failure::File(id.into(), message.into())
    })?;
    write_stdout(|out| explain::render(entry, look(true).width, out))
}

fn run_rules(rules: &Rules) -> Result<ExitCode, Failure> {
    match rules {
        Rules::List => {
            let rules = settings::rules(&[])?;
            write_stdout(|out| catalogue::render(&rules, look(true), out))
        }
        Rules::Check { files } => {
            let rules = settings::rules(files)?;
            write_stdout(|out| writeln!(out, "{}: no fault found", catalogue::count(&rules)))
        }
    }
}

/// Writes the result where it was asked for.
fn write(report: &Report, output: &Output) -> Result<(), Failure> {
    let format = format(output);
    match &output.output {
        Some(path) => write_file(path, |out| report::render(report, format, out)),
        None => write_stdout(|out| report::render(report, format, out)).map(|_| ()),
    }
}

/// Writes a file of mode 0600 that appears whole. What is no file (`/dev/null`, a pipe) is written into: put
/// in its place, a file would take the device away from everyone.
fn write_file(
    path: &Path,
    render: impl FnOnce(&mut (dyn Write + Send)) -> io::Result<()>,
) -> Result<(), Failure> {
    let fail = |error: io::Error| Failure::File(path.display().to_string(), error.to_string());
    let buffered = |file: &mut (dyn Write + Send)| -> io::Result<()> {
        let mut buffered = io::BufWriter::new(file);
        render(&mut buffered)?;
        buffered.flush()
    };
    if path.metadata().is_ok_and(|there| !there.is_file()) {
        let mut file = File::options().write(true).open(path).map_err(fail)?;
        return buffered(&mut file).map_err(fail);
    }
    // A link stays one.
    let target = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let folder = match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(fail)?;
    buffered(&mut file).map_err(fail)?;
    file.persist(&target).map_err(|error| fail(error.error))?;
    Ok(())
}

fn write_stdout(
    render: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<ExitCode, Failure> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    render(&mut out)?;
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn format(output: &Output) -> Format {
    match output.format {
        cli::Format::Table => Format::Table(look(output.output.is_none())),
        cli::Format::Json => Format::Json,
        cli::Format::Ndjson => Format::Ndjson,
    }
}

/// How a table looks on standard output, or elsewhere.
fn look(on_stdout: bool) -> Look {
    /// Width of a table that is not on a terminal: what fits a mail and a ticket.
    const PIPED: u16 = 100;
    let on_terminal = on_stdout && io::stdout().is_terminal();
    let width = terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| width.0);
    Look {
        width: width.filter(|_| on_terminal).unwrap_or(PIPED),
        // no-color.org: set and not empty.
        color: on_terminal && std::env::var_os("NO_COLOR").is_none_or(|set| set.is_empty()),
    }
}

struct Bar(ProgressBar);

impl Bar {
    /// Takes the bar away, and says how fast it went: on a terminal only, since no two runs are alike.
    fn finish(&self) {
        let (bytes, took) = (self.0.position(), self.0.elapsed());
        self.0.finish_and_clear();
        let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX).max(1);
        let rate = bytes.saturating_mul(1000).checked_div(millis);
        let (bytes, rate) = (HumanBytes(bytes), HumanBytes(rate.unwrap_or_default()));
        if !self.0.is_hidden() {
            let seconds = took.as_secs_f32();
            let _nobody_needs_it =
                writeln!(io::stderr(), "read {bytes} in {seconds:.1} s ({rate}/s)");
        }
    }
}

impl Progress for Bar {
    fn start(&self, bytes: u64) {
        self.0.set_length(bytes);
    }

    fn advance(&self, bytes: u64) {
        self.0.inc(bytes);
    }
}

fn progress_bar(output: &Output) -> ProgressBar {
    if output.quiet || output.no_progress || !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    let style =
        ProgressStyle::with_template("{bar:30} {bytes}/{total_bytes} {bytes_per_sec}, {eta} left");
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

#[expect(
    clippy::disallowed_methods,
    reason = "the default of --as-of: the one place that reads the clock"
)]
fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}
