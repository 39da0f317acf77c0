//! The daemon's log: every record is formatted once, by one layer, and goes to a file a day, to
//! the last lines that the control API shows, to whoever follows them, and to stderr where the
//! daemon runs in a terminal.
//!
//! Nothing of anybody's texts and no secret is written: fields with such names are left out here,
//! whoever logged them.

mod file;
mod line;

use std::io::Write;

use p2p_control::LogSource;
use p2p_control::api::{ErrorCode, Problem};
use p2p_platform::Home;
use tracing::level_filters::LevelFilter;
use tracing::{Event, Subscriber};
use tracing_appender::non_blocking::{NonBlocking, WorkerGuard};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

pub(crate) use file::newest;
pub(crate) use line::parse;

/// Keeps the log going; dropping it writes what is left.
#[derive(Debug)]
pub(crate) struct Logging {
    pub(crate) source: LogSource,
    _file: WorkerGuard,
}

/// Starts the log of this process.
///
/// # Errors
/// E1005 for a level that is none, E1008 when the log folder cannot be written.
pub(crate) fn start(home: &Home, level: &str, stderr: bool) -> Result<Logging, Problem> {
    let filter = filter(level)?;
    let (file, guard) = file::open(&home.log_dir())?;
    let source = LogSource::new();
    let lines = Lines { source: source.clone(), file, stderr };
    tracing_subscriber::registry()
        .with(lines.with_filter(filter))
        .try_init()
        .map_err(|error| Problem::new(ErrorCode::Internal, format!("no log: {error}")))?;
    Ok(Logging { source, _file: guard })
}

/// `info` means: ours at info, libraries at warn. More is said as in `info,libp2p_kad=debug`.
///
/// Kademlia warns of a node that is the first in its network, which is no fault: it is heard from
/// `debug` on.
fn filter(level: &str) -> Result<Targets, Problem> {
    let (first, rest) = level.split_once(',').unwrap_or((level, ""));
    let wrong = |_| {
        Problem::new(ErrorCode::Config, format!("log.level is {level:?}"))
            .with_hint("Use error, warn, info, debug or trace, as in `p2p-agent config set log.level debug`")
    };
    let ours: LevelFilter = first.trim().parse().map_err(|_| wrong(()))?;
    let libraries = ours.min(LevelFilter::WARN);
    let kademlia = if ours > LevelFilter::INFO { libraries } else { libraries.min(LevelFilter::ERROR) };
    let more: Targets = rest.parse().map_err(|_| wrong(()))?;
    let base = Targets::new().with_default(libraries).with_target("p2p_", ours).with_target("libp2p_kad", kademlia);
    Ok(base.with_targets(more))
}

struct Lines {
    source: LogSource,
    file: NonBlocking,
    stderr: bool,
}

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        let line = line::of(event, p2p_platform::now().0);
        let text = line::text(&line);
        // A log that cannot be written must not stop the work it tells of.
        let _ = self.file.clone().write_all(text.as_bytes());
        if self.stderr {
            let _ = std::io::stderr().lock().write_all(text.as_bytes());
        }
        self.source.push(line);
    }
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn ours_follow_the_level_and_libraries_only_warn() {
        let info = filter("info").expect("a level");
        assert!(info.would_enable("p2p_agent::engine", &Level::INFO));
        assert!(!info.would_enable("p2p_agent::engine", &Level::DEBUG));
        assert!(info.would_enable("libp2p_swarm", &Level::WARN));
        assert!(!info.would_enable("libp2p_swarm", &Level::INFO));
        assert!(!info.would_enable("libp2p_kad", &Level::WARN));
        assert!(filter("debug").is_ok_and(|debug| debug.would_enable("libp2p_kad", &Level::WARN)));
        let error = filter("error").expect("a level");
        assert!(!error.would_enable("libp2p_swarm", &Level::WARN));
        let more = filter("info,libp2p_kad=debug").expect("a level and a target");
        assert!(more.would_enable("libp2p_kad", &Level::DEBUG));
        assert_eq!(filter("loud").map_err(|problem| problem.code).err(), Some(ErrorCode::Config));
    }
}
