use clap::{Subcommand, value_parser};

#[derive(Debug, Subcommand)]
pub(crate) enum ScheduleCommand {
    /// Show whether this computer works for others now, and every rule
    #[command(after_help = "Examples:\n  p2p-agent schedule show\n  p2p-agent schedule show --json")]
    Show,
    /// Show why it does not work now, and which rules cannot be applied on this computer
    #[command(after_help = "Examples:\n  p2p-agent schedule why")]
    Why,
    /// Choose a preset, or change one rule
    #[command(
        after_help = "Examples:\n  p2p-agent schedule set quiet\n  p2p-agent schedule set when always\n  p2p-agent schedule set hours \"mon-fri 18:00-23:00, sat 00:00-24:00\"\n  p2p-agent schedule set cpu_percent 30\n  p2p-agent schedule set cpu_percent null     as the preset says\n\nPresets: quiet, balanced, full. `p2p-agent config list` has every rule."
    )]
    Set {
        /// quiet, balanced, full, or a rule such as cpu_percent
        #[arg(value_name = "PRESET|RULE")]
        rule: String,
        /// What it shall be; null for what the preset says
        #[arg(allow_hyphen_values = true, required_unless_present = "rule")]
        value: Option<String>,
    },
    /// Show when it worked for others, when it did not, and why
    #[command(after_help = "Examples:\n  p2p-agent schedule timeline\n  p2p-agent schedule timeline --hours 72")]
    Timeline {
        /// How far back, 720 at most
        #[arg(long, value_name = "HOURS", default_value_t = 24, value_parser = value_parser!(u32).range(1..=720))]
        hours: u32,
    },
}
