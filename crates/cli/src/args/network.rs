use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use super::value;

#[derive(Debug, Subcommand)]
pub(crate) enum NetworkCommand {
    Create(CreateArgs),
    /// Show the network this computer is in
    #[command(
        after_help = "Examples:\n  p2p-agent network show\n  p2p-agent network show --file office.p2pnet\n\nOther computers join with the saved file."
    )]
    Show {
        /// Save the network's file, for others to join with
        #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        file: Option<PathBuf>,
    },
    /// Make a link that lets one more owner join
    #[command(after_help = "Examples:\n  p2p-agent network invite\n\nSend the link only to people you mean to invite.")]
    Invite,
    /// Join a network by its invite link or its file
    #[command(
        after_help = "Examples:\n  p2p-agent network join office.p2pnet\n  p2p-agent network join p2p-agent://invite/...\n  p2p-agent network join - < link.txt\n\nOther users of this computer can see links in arguments; with - they come from standard input."
    )]
    Join {
        /// An invite link, or a network file; - for standard input
        #[arg(value_name = "LINK|FILE")]
        link: String,
    },
    /// Leave the network; your own tasks go on here
    #[command(after_help = "Examples:\n  p2p-agent network leave\n  p2p-agent network leave --yes")]
    Leave {
        /// Do not ask
        #[arg(short, long)]
        yes: bool,
    },
    /// List networks found on this local network
    #[command(after_help = "Examples:\n  p2p-agent network nearby")]
    Nearby,
}

/// Start a network with this computer as its founder
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  p2p-agent network create office\n  p2p-agent network create lab --kind local\n\nSee also: p2p-agent network invite"
)]
pub(crate) struct CreateArgs {
    /// What people will call it
    pub(crate) name: String,
    /// open (anyone), closed (invited members) or local (this computer and its local network)
    #[arg(long, default_value = "open", hide_possible_values = true, value_parser = value::network_kind())]
    pub(crate) kind: p2p_control::api::NetworkKind,
    /// Every member counts as trusted (always so in a local network)
    #[arg(long)]
    pub(crate) trust_members: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PeerCommand {
    /// List the other computers of the network
    #[command(after_help = "Examples:\n  p2p-agent peer list\n  p2p-agent peer list --verbose")]
    List,
    /// Show all that is known of one of them
    #[command(after_help = "Examples:\n  p2p-agent peer show Kq8xWm3T")]
    Show {
        /// Its id, or the last characters of it
        id: String,
    },
    /// Let tasks of the class `trusted` go to this computer
    #[command(after_help = "Examples:\n  p2p-agent peer trust Kq8xWm3T")]
    Trust {
        /// Its id, or the last characters of it
        id: String,
    },
    /// Take that back
    #[command(after_help = "Examples:\n  p2p-agent peer untrust Kq8xWm3T")]
    Untrust {
        /// Its id, or the last characters of it
        id: String,
    },
}
