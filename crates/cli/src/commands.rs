//! One file a family of commands. Each asks the daemon, or reads the home while none runs, and
//! replies through [`Output`](crate::output::Output).

mod completion;
mod computer;
mod config;
mod dashboard;
mod demo;
mod doctor;
mod follow;
mod identity;
mod init;
mod lifecycle;
mod logs;
mod metrics;
mod names;
mod network;
mod peer;
mod privacy;
mod quote;
mod results;
mod schedule;
mod session;
mod start;
mod status;
mod submit;
mod task;
mod version;
mod wallet;

use p2p_control::api::Problem;

use crate::args::Command;
use crate::context::Context;
use crate::problem::Exit;

/// Runs one command.
pub(crate) async fn run(context: &Context, command: Command) -> Result<Exit, Problem> {
    match command {
        Command::Init(args) => init::run(context, args),
        Command::Up(args) => start::up(context, &args).await,
        Command::Down => lifecycle::down(context).await,
        Command::Restart => lifecycle::restart(context).await,
        Command::Pause(args) => lifecycle::pause(context, &args).await,
        Command::Resume => lifecycle::resume(context).await,
        Command::Status(args) => status::run(context, &args).await,
        Command::Logs(args) => logs::run(context, &args).await,
        Command::Dashboard => dashboard::run(context).await,
        Command::Demo(args) => demo::run(context, args).await,
        Command::Task(command) => task::run(context, command).await,
        Command::Wallet(command) => wallet::run(context, command).await,
        Command::Schedule(command) => schedule::run(context, command).await,
        Command::Doctor => doctor::run(context).await,
        Command::Session => session::run(context).await,
        Command::Network(command) => network::run(context, command).await,
        Command::Peer(command) => peer::run(context, command).await,
        Command::Identity(command) => identity::run(context, &command).await,
        Command::Privacy(command) => privacy::run(context, &command).await,
        Command::Config(command) => config::run(context, command).await,
        Command::Metrics => metrics::run(context).await,
        Command::Completion(args) => Ok(completion::run(context, &args)),
        Command::Version => version::run(context).await,
    }
}
