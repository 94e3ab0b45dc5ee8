//! Parses, calls, writes, returns the exit code. The one place that reads the clock.

use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{CommandFactory, Parser};
use indicatif::{HumanBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::Timestamp;
use tokentrail::cli::{Baseline, BaselineFiles, Cli, Command, Correlate, Output, Rules, Scan};
use tokentrail::collect::find::{Found, Inputs};
use tokentrail::detect;
use tokentrail::gather;
use tokentrail::judge::baseline::Baseline as Accepted;
use tokentrail::output::{self, OutputError};
use tokentrail::process;
use tokentrail::reduce::{self, Verdict};
use tokentrail::report::{self, Report, baseline, catalogue, explain, json, terminal};
use tokentrail::scan::{self, Mapping, Progress};
use tokentrail::settings::{self, SetupError};
use tokentrail::shards::{self, ShardError};
use tokentrail::stats::{self, Stats, StatsError};

/// What ended the program early. The message names the file and what to do.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Setup(#[from] SetupError),
    #[error(transparent)]
    Shards(#[from] ShardError),
    #[error(transparent)]
    Stats(#[from] StatsError),
    #[error("{0}")]
    Kept(io::Error),
    #[error("{0}: {1}")]
    File(String, String),
    #[error(transparent)]
    Output(#[from] OutputError),
    #[error("cannot start threads: {0}; try --threads 1")]
    Threads(#[from] rayon::ThreadPoolBuildError),
}

fn main() -> ExitCode {
    process::seal();
    let done = match Cli::parse().command {
        Command::Scan(options) if options.sightings => run_sightings(&options),
        Command::Scan(options) => run_scan(&options),
        Command::Correlate(options) => run_correlate(&options),
        Command::Report(options) => run_report(&options.result, &options.output),
        Command::Explain { id } => run_explain(&id),
        Command::Baseline(options) => run_baseline(&options),
        Command::Rules(rules) => run_rules(&rules),
        Command::Completions { shell } => stdout(|out| {
            clap_complete::generate(shell, &mut Cli::command(), "tokentrail", &mut { out });
            Ok(())
        }),
        Command::Man { command } => run_man(command.as_deref()),
        Command::Schema { sightings: false } => stdout(|out| json::pretty(&report::schema(), out)),
        Command::Schema { sightings: true } => {
            stdout(|out| json::pretty(&report::shard_schema(), out))
        }
    };
    match done {
        Ok(code) => code,
        // Whoever reads the output has seen enough.
        Err(Failure::Output(OutputError::Stdout(error)))
            if error.kind() == io::ErrorKind::BrokenPipe =>
        {
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
    let reducing = settings::reducing(judging, gate, &options.shown.reveal, rules, now())?;
    output::check(&options.output)?;
    let found = found(&inputs, &mapping)?;
    let bar = Bar(progress_bar(&options.output));
    let pool = pool(options.input.threads)?;
    let (told, verdict) = pool
        .install(|| scan::scan(&found, &mapping, &reducing, &bar))
        .map_err(Failure::Kept)?;
    bar.finish();
    pool.install(move || output::write(&told, &options.output))?;
    Ok(exit_code(verdict))
}

fn run_sightings(options: &Scan) -> Result<ExitCode, Failure> {
    let inputs = settings::inputs(options)?;
    let rules = Arc::new(settings::rules(&options.judging.rules)?);
    let mapping = settings::mapping(options, rules)?;
    output::check(&options.output)?;
    let found = found(&inputs, &mapping)?;
    let bar = Bar(progress_bar(&options.output));
    let pool = pool(options.input.threads)?;
    let write = |out: &mut (dyn Write + Send)| {
        pool.install(|| scan::sightings(&found, &mapping, out, &bar))
    };
    if let Some(path) = &options.output.output {
        output::lines(path, write)?;
    } else {
        // The lock of standard output cannot be shared with the threads.
        let mut out = io::BufWriter::new(io::stdout());
        write(&mut out)
            .and_then(|()| out.flush())
            .map_err(OutputError::Stdout)?;
    }
    bar.finish();
    Ok(ExitCode::SUCCESS)
}

fn run_correlate(options: &Correlate) -> Result<ExitCode, Failure> {
    if options.sharing.write_key_stats {
        return run_stats(options);
    }
    let rules = Arc::new(settings::rules(&options.judging.rules)?);
    let reducing = settings::reducing(&options.judging, &options.gate, &[], rules.clone(), now())?;
    output::check(&options.output)?;
    let pool = pool(options.sharing.threads)?;
    let mut merged = pool.install(|| shards::read(&options.files, gather::ROOM, &rules))?;
    if let Some(path) = &options.sharing.key_stats {
        stats::read(path, &mut |fact| merged.gathered.note(fact))?;
    }
    if options.sharing.part {
        return pool.install(move || {
            stdout(|out| {
                let mut out = io::BufWriter::new(out);
                reduce::part(merged, &reducing, &mut |line| json::line(line, &mut out))?;
                out.flush()
            })
        });
    }
    let reduced = pool.install(move || reduce::reduce(merged, &reducing));
    let (told, verdict) = reduced.map_err(Failure::Kept)?;
    pool.install(move || output::write(&told, &options.output))?;
    Ok(exit_code(verdict))
}

fn run_stats(options: &Correlate) -> Result<ExitCode, Failure> {
    let rules = settings::rules(&options.judging.rules)?;
    let mut out = io::BufWriter::new(io::stdout().lock());
    let mut stats = Stats::new(&mut out);
    let mut tell = |sighting: &_, source| stats.add(sighting, source);
    shards::each(&options.files, &rules, &mut tell).map_err(|error| match error {
        ShardError::Told(error) => OutputError::Stdout(error).into(),
        error => Failure::Shards(error),
    })?;
    out.flush().map_err(OutputError::Stdout)?;
    Ok(ExitCode::SUCCESS)
}

fn pool(threads: Option<u16>) -> Result<rayon::ThreadPool, Failure> {
    let threads = usize::from(threads.unwrap_or_default());
    let builder = rayon::ThreadPoolBuilder::new().num_threads(threads);
    Ok(builder.build()?)
}

fn found(inputs: &Inputs, mapping: &Mapping) -> Result<Found, SetupError> {
    let found = scan::evidence(inputs, &mapping.rules);
    if found.matched {
        return Ok(found);
    }
    let mut paths = inputs.paths.iter().chain(&inputs.listed).peekable();
    if paths.peek().is_none() {
        return Err(SetupError::NothingNamed);
    }
    let paths = paths.map(|path| detect::path::displayed(path, &mapping.rules));
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
    output::check(output)?;
    output::write(&saved(result)?.into(), output)?;
    Ok(ExitCode::SUCCESS)
}

/// A saved result.
fn saved(result: &Path) -> Result<Report, Failure> {
    let fail = |message: String| Failure::File(result.display().to_string(), message);
    let mut text = Vec::new();
    let read = if result == Path::new("-") {
        io::stdin().read_to_end(&mut text)
    } else {
        File::open(result).and_then(|mut file| file.read_to_end(&mut text))
    };
    read.map_err(|error| fail(error.to_string()))?;
    json::parse(&text).map_err(|error| fail(error.to_string()))
}

fn run_baseline(options: &Baseline) -> Result<ExitCode, Failure> {
    let (Baseline::Write { files, .. } | Baseline::Prune { files }) = options;
    let BaselineFiles { result, baseline } = files;
    let mut accepted = match options {
        // The first one starts from nothing.
        Baseline::Write { .. } if !baseline.exists() => Accepted::default(),
        _ => settings::baseline(baseline)?,
    };
    let report = saved(result)?;
    let said = match options {
        Baseline::Write { reason, until, .. } => {
            let new = baseline::accept(&mut accepted, &report, reason.as_deref(), *until);
            format!("{new} more leaks accepted")
        }
        Baseline::Prune { .. } => {
            let gone = baseline::prune(&mut accepted, &report)
                .map_err(|error| Failure::File(result.display().to_string(), error.to_string()))?;
            format!("{gone} leaks forgotten")
        }
    };
    output::file(baseline, |out| baseline::render(&accepted, out))?;
    stdout(|out| writeln!(out, "{said}"))
}

/// The page of a command, or the one that names them all.
fn run_man(name: Option<&str>) -> Result<ExitCode, Failure> {
    let mut all = Cli::command();
    // A command's own page has its whole name.
    all.build();
    let command = match name {
        None => Some(&all),
        Some(name) => all.find_subcommand(name),
    };
    let command = command.ok_or_else(|| {
        let names = all.get_subcommands().map(clap::Command::get_name);
        let names = names.collect::<Vec<_>>().join(", ");
        Failure::File(
            name.unwrap_or_default().into(),
            format!("is none of {names}"),
        )
    })?;
    let page = clap_mangen::Man::new(command.clone());
    stdout(|mut out| page.render(&mut out))
}

fn stdout(render: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<ExitCode, Failure> {
    output::stdout(render)?;
    Ok(ExitCode::SUCCESS)
}

fn run_explain(id: &str) -> Result<ExitCode, Failure> {
    let rules = settings::rules(&[])?;
    let entry = rules.explain(id).ok_or_else(|| {
        let meant = rules.meant(id);
        let message = if meant.is_empty() {
            "nothing has this name; reports and `tokentrail rules list` show names".into()
        } else {
            format!("nothing has this name; near it: {}", meant.join(", "))
        };
        Failure::File(id.into(), message)
    })?;
    stdout(|out| explain::render(&entry, output::look(true).width, out))
}

fn run_rules(rules: &Rules) -> Result<ExitCode, Failure> {
    match rules {
        Rules::List => {
            let rules = settings::rules(&[])?;
            stdout(|out| catalogue::render(&rules, output::look(true), out))
        }
        Rules::Check { files } => {
            let rules = settings::rules(files)?;
            stdout(|out| writeln!(out, "{}: no fault found", catalogue::count(&rules)))
        }
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
