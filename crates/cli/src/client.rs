//! `p2p-agent`: from arguments to an exit status.

use std::ffi::OsString;
use std::io::IsTerminal;
use std::process::ExitCode;

use clap::FromArgMatches;
use clap::error::ErrorKind;
use p2p_control::api::{ErrorCode, Problem};
use p2p_platform::Home;

use crate::args::{Cli, Global};
use crate::context::Context;
use crate::output::{self, Output};
use crate::problem::{self, Exit};
use crate::{alias, args, commands, panic};

/// Runs the command that this process was called with.
pub fn main() -> ExitCode {
    let (arguments, canonical) = alias::canonical(std::env::args_os().collect());
    let cli = match parse(&arguments) {
        Ok(cli) => cli,
        Err(exit) => return exit.into(),
    };
    let out = Output::new(&cli.global);
    if let Some(canonical) = canonical {
        out.correction(&format!("This command is called `{canonical}`"));
    }

    let log_dir = Home::resolve(cli.global.home.clone()).ok().map(|home| home.log_dir());
    let context = Context::new(out.clone(), &cli.global);
    let outcome = panic::catch(log_dir, || run(&context, cli.command)).and_then(|outcome| outcome);
    let exit = outcome.unwrap_or_else(|problem| {
        out.problem(&problem);
        Exit::from(&problem)
    });
    exit.into()
}

fn run(context: &Context, command: args::Command) -> Result<Exit, Problem> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Problem::new(ErrorCode::Internal, format!("no event loop: {error}")))?;
    runtime.block_on(commands::run(context, command))
}

/// The command, or the status to exit with: 0 after help or the version, 1 after a mistake.
fn parse(arguments: &[OsString]) -> Result<Cli, Exit> {
    let global = typed(arguments);
    let colours = if global.no_color { clap::ColorChoice::Never } else { clap::ColorChoice::Auto };
    let matches = args::command().color(colours).try_get_matches_from(arguments);
    matches.and_then(|matches| Cli::from_arg_matches(&matches)).map_err(|error| {
        if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
            show(&error, &global);
            return Exit::Fine;
        }
        let out = Output::new(&global);
        let (problem, beside) = problem::usage(&error, &alias::named(arguments));
        out.problem(&problem);
        out.beside_problem(&beside);
        Exit::from(&problem)
    })
}

fn show(error: &clap::Error, global: &Global) {
    let text = error.render();
    let coloured = std::io::stdout().is_terminal() && Output::new(global).colours();
    output::plain(&if coloured { text.ansi().to_string() } else { text.to_string() });
}

/// What can be told of the global options before the arguments are known to be sound.
fn typed(arguments: &[OsString]) -> Global {
    let before_dashes = || arguments.iter().take_while(|argument| *argument != "--");
    let has = |flag: &str| before_dashes().any(|argument| argument == flag);
    Global { home: None, config: None, json: has("--json"), quiet: false, verbose: false, no_color: has("--no-color") }
}
