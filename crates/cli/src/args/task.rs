use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgGroup, Args, Subcommand, ValueHint};
use p2p_types::{Placement, Priority, Privacy};

use super::value;

#[derive(Debug, Subcommand)]
pub(crate) enum TaskCommand {
    Submit(SubmitArgs),
    /// List your tasks, the newest first
    #[command(after_help = "Examples:\n  p2p-agent task list\n  p2p-agent task list --json")]
    List,
    /// Show a task: its steps, its results, who computed them
    #[command(after_help = "Examples:\n  p2p-agent task show 3f9a\n  p2p-agent task show 3f9a --json")]
    Show {
        /// The task's id, or how it starts
        id: String,
    },
    /// Follow a task until it is finished
    #[command(after_help = "Examples:\n  p2p-agent task watch 3f9a")]
    Watch {
        /// The task's id, or how it starts
        id: String,
    },
    /// Stop a task; what is computed already stays
    #[command(after_help = "Examples:\n  p2p-agent task cancel 3f9a")]
    Cancel {
        /// The task's id, or how it starts
        id: String,
    },
}

/// Have texts computed, here or on another computer
#[derive(Debug, Args)]
#[command(
    group(ArgGroup::new("texts").args(["text", "file"]).required(true).multiple(true)),
    after_help = "Examples:\n  p2p-agent task submit sentiment --text \"I like it\" --wait\n  p2p-agent task submit embed --file notes.txt --wait --json\n  p2p-agent task submit sentiment --file reviews.txt --privacy trusted --where network\n  p2p-agent task submit embed --file notes.txt --privacy public --quote\n\nA file has one text a line, blank lines are skipped, and - is standard input; for chunk the whole file is one text.\nSee also: p2p-agent task watch, p2p-agent privacy log"
)]
pub(crate) struct SubmitArgs {
    /// embed (a vector of meaning), chunk (split a long text) or sentiment
    #[arg(value_parser = value::Kinds, hide_possible_values = true)]
    pub(crate) kind: String,
    /// A text; may be given more than once
    #[arg(short, long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(crate) text: Vec<OsString>,
    /// A file of texts, one a line, without the blank ones; may be given more than once, and comes after --text
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) file: Vec<PathBuf>,
    /// How far the texts may travel: local (never leave this computer), trusted or public (anyone)
    #[arg(long, value_name = "CLASS", default_value = "local", hide_possible_values = true, value_parser = value::words(Privacy::ALL, Privacy::as_str))]
    pub(crate) privacy: Privacy,
    /// Where it is computed: auto, local (only here) or network (only elsewhere)
    #[arg(long = "where", value_name = "PLACE", default_value = "auto", hide_possible_values = true, value_parser = value::words(Placement::ALL, Placement::as_str))]
    pub(crate) placement: Placement,
    /// low, normal or high: which of your waiting tasks goes first
    #[arg(long, value_name = "LEVEL", default_value = "normal", hide_possible_values = true, value_parser = value::words(Priority::ALL, Priority::as_str))]
    pub(crate) priority: Priority,
    /// Give up after this long, such as 30s or 5m
    #[arg(long, value_name = "DURATION", value_parser = value::duration)]
    pub(crate) deadline: Option<Duration>,
    /// chunk only: most tokens in a chunk, 8 to 512
    #[arg(long, value_name = "COUNT")]
    pub(crate) chunk_tokens: Option<u32>,
    /// chunk only: tokens that a chunk shares with the one before it
    #[arg(long, value_name = "COUNT")]
    pub(crate) chunk_overlap: Option<u32>,
    /// Show the steps, wait for the end, and print the results
    #[arg(short, long)]
    pub(crate) wait: bool,
    /// Say what it would cost and how much would leave this computer, and run nothing
    #[arg(long, conflicts_with = "wait")]
    pub(crate) quote: bool,
}

/// Try it: is a sentence positive or negative?
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  p2p-agent demo\n  p2p-agent demo \"What a lovely day\"\n\nThe sentence goes at most to computers that you trust. See also: p2p-agent task submit"
)]
pub(crate) struct DemoArgs {
    /// A sentence in English
    pub(crate) text: Option<String>,
}
