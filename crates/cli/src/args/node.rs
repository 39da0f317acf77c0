use std::time::Duration;

use clap::Args;

use super::value;

/// Set up this computer: keys, settings and, if you like, a network
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  p2p-agent init\n  p2p-agent init --yes\n  p2p-agent init --network new --name office\n  p2p-agent init --network office.p2pnet\n\nSee also: p2p-agent up, p2p-agent network join"
)]
pub(crate) struct InitArgs {
    /// Ask nothing: take the defaults, and no network yet
    #[arg(short, long)]
    pub(crate) yes: bool,
    /// Start a network, or join one by its file or invite link
    #[arg(long, value_name = "new|FILE|INVITE")]
    pub(crate) network: Option<String>,
    /// Name of the new network
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
}

/// Start the node, and return when it is ready
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  p2p-agent up\n  p2p-agent up --foreground\n\nSee also: p2p-agent status, p2p-agent down, p2p-agent logs"
)]
pub(crate) struct UpArgs {
    /// Run in this terminal until Ctrl-C
    #[arg(short, long)]
    pub(crate) foreground: bool,
}

/// Take no tasks of other people for now
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  p2p-agent pause\n  p2p-agent pause --for 30m\n  p2p-agent pause --until-tomorrow\n\nYour own tasks still run. See also: p2p-agent resume"
)]
pub(crate) struct PauseArgs {
    /// Resume by itself after this long, such as 30m or 2h
    #[arg(long = "for", value_name = "DURATION", value_parser = value::duration)]
    pub(crate) duration: Option<Duration>,
    /// Resume by itself at six tomorrow morning
    #[arg(long, conflicts_with = "duration")]
    pub(crate) until_tomorrow: bool,
}

/// Say what the node does now, or why it does not
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  p2p-agent status\n  p2p-agent status --watch\n  p2p-agent status --json")]
pub(crate) struct StatusArgs {
    /// Print a line whenever something changes, until Ctrl-C
    #[arg(short, long)]
    pub(crate) watch: bool,
}

/// Show what the daemon wrote down
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  p2p-agent logs\n  p2p-agent logs -f\n  p2p-agent logs --lines 500\n\nWhile no daemon runs, the newest log file is shown."
)]
pub(crate) struct LogsArgs {
    /// Go on with new lines as they come, until Ctrl-C
    #[arg(short, long)]
    pub(crate) follow: bool,
    /// How many lines at most
    #[arg(short = 'n', long, value_name = "COUNT", default_value_t = 200)]
    pub(crate) lines: usize,
}
