//! What can be typed. The doc comments are the help texts.

mod network;
mod node;
mod schedule;
mod settings;
mod task;
mod value;
mod wallet;

use std::path::PathBuf;

use clap::{Args, CommandFactory, Parser, Subcommand};

pub(crate) use network::{CreateArgs, NetworkCommand, PeerCommand};
pub(crate) use node::{InitArgs, LogsArgs, PauseArgs, StatusArgs, UpArgs};
pub(crate) use schedule::ScheduleCommand;
pub(crate) use settings::{CompletionArgs, ConfigCommand, IdentityCommand, PrivacyCommand};
pub(crate) use task::{DemoArgs, SubmitArgs, TaskCommand};
pub(crate) use wallet::{ExportArgs, ExportFormat, WalletCommand};

/// Share idle computers: run small AI tasks here, on your other computers, or for other people
#[derive(Debug, Parser)]
#[command(
    name = "p2p-agent",
    version,
    arg_required_else_help = true,
    after_help = "Examples:\n  p2p-agent init                 set up this computer\n  p2p-agent up                   start the node\n  p2p-agent demo \"What a day!\"    see it work\n\nEvery command has its own help: `p2p-agent task submit --help`.\nExit status: 0 fine, 1 you can mend it, 2 our fault, 3 no daemon is running."
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options that every command takes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Everywhere")]
pub(crate) struct Global {
    /// Keep everything of this node in DIR (or set P2P_AGENT_HOME)
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) home: Option<PathBuf>,
    /// Read the settings from FILE
    #[arg(short, long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Print JSON, for programs
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Print results and errors only
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Print whole ids and more detail
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,
    /// Print without colours (or set NO_COLOR)
    #[arg(long, global = true)]
    pub(crate) no_color: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Init(InitArgs),
    Up(UpArgs),
    /// Stop the node: it finishes or hands back what it computes
    #[command(after_help = "Examples:\n  p2p-agent down\n\nSee also: p2p-agent up, p2p-agent pause")]
    Down,
    /// Stop the node, then start it again
    #[command(
        after_help = "Examples:\n  p2p-agent restart\n\nSettings count from the next start on. A file that the node was started with (--config) stays the one that is\nread; `down` and `up` go back to the node's own."
    )]
    Restart,
    Pause(PauseArgs),
    /// Take tasks of other people again
    #[command(after_help = "Examples:\n  p2p-agent resume\n\nSee also: p2p-agent pause")]
    Resume,
    Status(StatusArgs),
    Logs(LogsArgs),
    /// Print the address that opens the dashboard in a browser on this computer
    #[command(
        after_help = "Examples:\n  p2p-agent config set dashboard.enabled true\n  p2p-agent restart\n  p2p-agent dashboard\n  p2p-agent dashboard --json\n\nThe address holds a token: whoever has it can use the node."
    )]
    Dashboard,
    Demo(DemoArgs),
    /// Submit, list, watch and cancel tasks
    #[command(
        subcommand,
        after_help = "Examples:\n  p2p-agent task submit sentiment --text \"I like it\" --wait\n  p2p-agent task list\n  p2p-agent task watch 3f9a"
    )]
    Task(TaskCommand),
    /// Show your credits: the balance, the history, what each day brought
    #[command(
        subcommand,
        after_help = "Examples:\n  p2p-agent wallet balance\n  p2p-agent wallet history\n  p2p-agent wallet export --out credits.csv\n\nWork for others earns credits; work by others costs them. What runs on this computer is free."
    )]
    Wallet(WalletCommand),
    /// Show and change when this computer works for others
    #[command(
        subcommand,
        after_help = "Examples:\n  p2p-agent schedule show\n  p2p-agent schedule why\n  p2p-agent schedule set balanced\n  p2p-agent schedule timeline"
    )]
    Schedule(ScheduleCommand),
    /// Say what works on this computer, what does not, and what to do about it
    #[command(
        after_help = "Examples:\n  p2p-agent doctor\n  p2p-agent doctor --json\n\nExit status: 0 where nothing is wrong, 1 where something is."
    )]
    Doctor,
    /// Tell the node what this desktop session shows; `up` starts it, and it ends with the node
    #[command(hide = true, after_help = "Examples:\n  p2p-agent session")]
    Session,
    /// Start, join, show and leave a network
    #[command(
        subcommand,
        after_help = "Examples:\n  p2p-agent network create office\n  p2p-agent network invite\n  p2p-agent network join office.p2pnet"
    )]
    Network(NetworkCommand),
    /// List the other computers, and say which of them you trust
    #[command(
        subcommand,
        after_help = "Examples:\n  p2p-agent peer list\n  p2p-agent peer show Kq8xWm3T\n  p2p-agent peer trust Kq8xWm3T"
    )]
    Peer(PeerCommand),
    /// Show who this computer is to others, and take its owner to another one
    #[command(
        subcommand,
        after_help = "Examples:\n  p2p-agent identity show\n  p2p-agent identity export owner.p2pid\n  p2p-agent identity import owner.p2pid"
    )]
    Identity(IdentityCommand),
    /// Show what left this computer
    #[command(subcommand, after_help = "Examples:\n  p2p-agent privacy log\n  p2p-agent privacy log --json")]
    Privacy(PrivacyCommand),
    /// Read, change and check the settings
    #[command(
        subcommand,
        after_help = "Examples:\n  p2p-agent config list\n  p2p-agent config set network.listen_port 9100\n  p2p-agent config validate"
    )]
    Config(ConfigCommand),
    /// Print the node's measurements in Prometheus' text format
    #[command(after_help = "Examples:\n  p2p-agent metrics | grep peers")]
    Metrics,
    Completion(CompletionArgs),
    /// Print the version of this command, and of the daemon where one runs
    #[command(after_help = "Examples:\n  p2p-agent version\n  p2p-agent version --json")]
    Version,
}

/// What `p2p-daemon` takes.
#[derive(Debug, Parser)]
#[command(
    name = "p2p-daemon",
    version,
    about = "Run a P2P Agent node in this process until it is told to stop",
    after_help = "Examples:\n  p2p-daemon\n  p2p-daemon --home /srv/p2p-agent\n\nSIGTERM, Ctrl-C and `p2p-agent down` stop it. Usually `p2p-agent up` starts it."
)]
pub(crate) struct DaemonArgs {
    /// Keep everything of this node in DIR (or set P2P_AGENT_HOME)
    #[arg(long, value_name = "DIR")]
    pub(crate) home: Option<PathBuf>,
    /// Read the settings from FILE
    #[arg(short, long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Started by `p2p-agent up`: log to files only, and say on stdout, as JSON, why a start failed
    #[arg(long, hide = true)]
    pub(crate) report: bool,
}

/// The commands in the order of the overview.
const GROUPS: &[(&str, &[&str])] = &[
    ("This node", &["init", "up", "down", "restart", "pause", "resume", "status", "logs", "dashboard"]),
    ("Work", &["demo", "task", "wallet", "schedule"]),
    ("Others", &["network", "peer", "identity", "privacy"]),
    ("More", &["doctor", "config", "metrics", "completion", "version", "help"]),
];

/// The whole command tree, with an overview that groups the commands.
pub(crate) fn command() -> clap::Command {
    let mut command = Cli::command();
    command.build();
    let mut overview = String::new();
    for (title, names) in GROUPS {
        overview.push_str(&format!("{title}:\n"));
        for name in *names {
            let about = command.find_subcommand(name).and_then(clap::Command::get_about);
            let about = about.map(ToString::to_string).unwrap_or_default();
            overview.push_str(&format!("  {name:<12}{about}\n"));
        }
        overview.push('\n');
    }
    Cli::command().help_template(format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{overview}Options:\n{{options}}{{after-help}}"
    ))
}

#[cfg(test)]
mod tests;
