use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum, ValueHint, value_parser};
use p2p_control::api::{WalletPage, WalletStats};

#[derive(Debug, Subcommand)]
pub(crate) enum WalletCommand {
    /// Show how many credits this computer has, and what is on the way
    #[command(after_help = "Examples:\n  p2p-agent wallet balance\n  p2p-agent wallet balance --json")]
    Balance,
    /// List what came in and what went out, the newest first
    #[command(
        after_help = "Examples:\n  p2p-agent wallet history\n  p2p-agent wallet history --limit 100\n  p2p-agent wallet history --before 1200 --verbose\n\nSee also: p2p-agent wallet export"
    )]
    History {
        /// Show so many, 500 at most
        #[arg(short = 'n', long, value_name = "COUNT", default_value_t = WalletPage::USUAL, value_parser = value_parser!(u32).range(1..=i64::from(WalletPage::MOST)))]
        limit: u32,
        /// Show older ones: those before the row of this number
        #[arg(long, value_name = "NUMBER")]
        before: Option<u64>,
    },
    /// Show what was earned and spent, day by day
    #[command(
        after_help = "Examples:\n  p2p-agent wallet stats\n  p2p-agent wallet stats --days 7\n\nDays begin and end at midnight UTC."
    )]
    Stats {
        /// Show so many days, 366 at most; the last is today
        #[arg(long, value_name = "COUNT", default_value_t = WalletStats::USUAL_DAYS, value_parser = value_parser!(u32).range(1..=i64::from(WalletStats::MOST_DAYS)))]
        days: u32,
    },
    Export(ExportArgs),
    /// Check that the balance is what the log and the notary's certificates say
    #[command(
        after_help = "Examples:\n  p2p-agent wallet verify\n  p2p-agent wallet verify --json\n\nThe node may be off. Exit status: 0 where all agrees, 1 where it does not."
    )]
    Verify,
}

/// Write the whole history, the oldest first, as a table or as JSON
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  p2p-agent wallet export --out credits.csv\n  p2p-agent wallet export --out credits.json\n  p2p-agent wallet export --format json | less\n\nNo file is replaced."
)]
pub(crate) struct ExportArgs {
    /// csv (a table, for spreadsheets) or json; csv, unless FILE ends with .json
    #[arg(short, long, value_enum, hide_possible_values = true)]
    pub(crate) format: Option<ExportFormat>,
    /// Write to FILE instead of standard output
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    Csv,
    Json,
}

impl ExportFormat {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
        }
    }
}
