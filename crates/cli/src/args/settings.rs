use std::path::PathBuf;

use clap::{Args, Subcommand};
use clap_complete::Shell;

#[derive(Debug, Subcommand)]
pub(crate) enum IdentityCommand {
    /// Show this computer's id, its owner's id, and where the keys are
    #[command(after_help = "Examples:\n  p2p-agent identity show\n\nSecret keys are never printed.")]
    Show,
    /// Save the owner's key as FILE, closed with a passphrase, for another computer of yours
    #[command(
        after_help = "Examples:\n  p2p-agent identity export owner.p2pid\n\nThe passphrase is asked for twice and not shown; it has 12 characters or more. Where stdin is no terminal, it is the one line there. This computer's own key stays here: the other one has its own.\n\nSee also: p2p-agent identity import"
    )]
    Export {
        /// The file to make; one that is there is not replaced
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Make this computer one of the owner whose key is in FILE
    #[command(
        after_help = "Examples:\n  p2p-agent down\n  p2p-agent identity import owner.p2pid\n  p2p-agent up\n\nThe passphrase is asked for and not shown; where stdin is no terminal, it is the one line there. The key of the owner that this computer had is kept, and where is said. In a closed network the new owner needs a new invite.\n\nSee also: p2p-agent identity export"
    )]
    Import {
        /// The file that `identity export` made
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum PrivacyCommand {
    /// List what left this computer: when, to whom, for which task, how much
    #[command(
        after_help = "Examples:\n  p2p-agent privacy log\n  p2p-agent privacy log --json\n\nThe texts themselves are not kept."
    )]
    Log,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Print one setting, or all of them
    #[command(after_help = "Examples:\n  p2p-agent config get network.listen_port\n  p2p-agent config get")]
    Get {
        /// Such as network.listen_port
        key: Option<String>,
    },
    /// Change a setting
    #[command(
        after_help = "Examples:\n  p2p-agent config set network.listen_port 9100\n  p2p-agent config set network.bootstrap '[/ip4/127.0.0.1/tcp/9000]'"
    )]
    Set {
        /// Such as network.listen_port
        key: String,
        /// A number, true, false, a word, or a list in brackets: what stands in the file
        #[arg(allow_hyphen_values = true)]
        value: String,
    },
    /// Check the settings, and name the line that is wrong
    #[command(after_help = "Examples:\n  p2p-agent config validate\n  p2p-agent config validate --config new.yaml")]
    Validate,
    /// List every setting, what it is, and who said so
    #[command(after_help = "Examples:\n  p2p-agent config list\n  p2p-agent config list --verbose")]
    List,
    /// Print where the settings are read from
    #[command(after_help = "Examples:\n  p2p-agent config path")]
    Path,
}

/// Print what makes the tab key complete commands in your shell
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  bash:        p2p-agent completion bash > ~/.local/share/bash-completion/completions/p2p-agent\n  zsh:         p2p-agent completion zsh > \"${fpath[1]}/_p2p-agent\"\n  fish:        p2p-agent completion fish > ~/.config/fish/completions/p2p-agent.fish\n  powershell:  p2p-agent completion powershell >> $PROFILE"
)]
pub(crate) struct CompletionArgs {
    pub(crate) shell: Shell,
}
