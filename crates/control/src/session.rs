//! Tells a daemon what the session shows that this process is in: whether somebody uses the computer, what
//! fills the screen, what keeps the computer awake. The tray app does it, and `p2p-agent session`.
//!
//! What happens is told as it happens; what stays is said again within its lease, so that a session that
//! ended, or a program that hangs, is not believed for long.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use p2p_platform::signals::{self, Options, Scope};
use p2p_types::{Reading, SignalKind, Told, Untold};
use tokio::time::{sleep, timeout};

use crate::Client;
use crate::api::SignalReport;

/// Said again this often, and believed for so long without a word.
const RENEWED: Duration = Duration::from_secs(60);
const LEASE_MS: u64 = 150_000;
/// While somebody uses the computer: more often than the shortest time after which it would count as idle.
const RENEWED_IN_USE: Duration = Duration::from_secs(4);
/// A daemon that is not there is looked for ever more patiently.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// A session whose input could be told, and for so long cannot be any more, has ended: its screen is gone.
const OVER: Duration = Duration::from_secs(60);

/// Watches this session and tells the daemon at `socket`, under the name `source`; `data` is a folder of this
/// user. Returns when no daemon was there for `patience`, and when the session is over.
///
/// # Errors
/// When the session cannot be watched at all.
pub async fn tell_session(
    socket: PathBuf,
    data: PathBuf,
    source: String,
    patience: Option<Duration>,
) -> io::Result<()> {
    let (watcher, mut heard) = signals::watch_newest(Scope::Session, Options::new(data))?;
    let mut session = Session::default();
    let (mut client, mut pause, mut alone_since) = (None, FIRST_PAUSE, Instant::now());
    // No word moves it: what does not change is said again in time, however much else does.
    let mut renewed = Instant::now();
    loop {
        let connected = match client.take() {
            Some(client) => Some(client),
            None => Client::connect(&socket).await.ok().inspect(|_| session.all_is_news()),
        };
        let report = SignalReport { source: source.clone(), lease_ms: LEASE_MS, told: session.news() };
        client = match connected {
            Some(client) if report.told.is_empty() || client.signals(&report).await.is_ok() => Some(client),
            _ => None,
        };
        if session.is_over() {
            if let Some(client) = &client {
                // The lease would say the same later.
                let goodbye = SignalReport { source, lease_ms: 0, told: Vec::new() };
                let _ = client.signals(&goodbye).await;
            }
            return Ok(());
        }
        if client.is_some() {
            (pause, alone_since) = (FIRST_PAUSE, Instant::now());
            match timeout(session.quiet_for().saturating_sub(renewed.elapsed()), heard.next()).await {
                Ok(Some(told)) => told.into_iter().for_each(|(told, since)| session.take(told, since)),
                Ok(None) => return Err(io::Error::other("the watch of this session has ended")),
                // Its answer renews the lease: a watch that hangs is not believed for longer.
                Err(_) => {
                    renewed = Instant::now();
                    watcher.say_again();
                }
            }
        } else {
            if patience.is_some_and(|patience| alone_since.elapsed() > patience) {
                return Ok(());
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        heard.take().into_iter().for_each(|(told, since)| session.take(told, since));
    }
}

/// What the session showed last, and what of it the daemon has not heard.
#[derive(Debug, Default)]
struct Session {
    shown: BTreeMap<SignalKind, (Told, Instant)>,
    news: Vec<SignalKind>,
    was_readable: bool,
}

impl Session {
    /// What is so since then; said again, it is as old as it was.
    fn take(&mut self, told: Told, since: Instant) {
        self.was_readable |= told.kind == SignalKind::Input && told.reading.is_ok();
        self.shown.insert(told.kind, (told, since));
        if !self.news.contains(&told.kind) {
            self.news.push(told.kind);
        }
    }

    fn is_over(&self) -> bool {
        let input = self.shown.get(&SignalKind::Input);
        self.was_readable
            && input.is_some_and(|(told, since)| told.reading == Err(Untold::Failed) && since.elapsed() > OVER)
    }

    fn all_is_news(&mut self) {
        self.news = self.shown.keys().copied().collect();
    }

    fn news(&mut self) -> Vec<crate::api::SignalTold> {
        let news = std::mem::take(&mut self.news);
        let now = Instant::now();
        news.iter().filter_map(|kind| self.shown.get(kind)).map(|(told, at)| aged(*told, now - *at).into()).collect()
    }

    fn quiet_for(&self) -> Duration {
        let input = self.shown.get(&SignalKind::Input).map(|(told, _)| told.reading);
        if matches!(input, Some(Ok(Reading::Input { idle_ms: 0 }))) { RENEWED_IN_USE } else { RENEWED }
    }
}

/// The same word a while later: who was still is still for longer, who was busy is busy.
fn aged(told: Told, age: Duration) -> Told {
    let reading = told.reading.map(|reading| match reading {
        Reading::Input { idle_ms } if idle_ms > 0 => {
            Reading::Input { idle_ms: idle_ms.saturating_add(u64::try_from(age.as_millis()).unwrap_or(u64::MAX)) }
        }
        other => other,
    });
    Told { reading, ..told }
}

#[cfg(test)]
mod tests {
    use p2p_types::By;

    use super::*;

    fn input(idle_ms: u64) -> Told {
        Told { kind: SignalKind::Input, by: By::X11, reading: Ok(Reading::Input { idle_ms }) }
    }

    #[test]
    fn who_was_still_is_still_for_longer_and_who_was_busy_is_busy() {
        assert_eq!(aged(input(1000), Duration::from_secs(60)), input(61_000));
        assert_eq!(aged(input(0), Duration::from_secs(60)), input(0));
        let untold = Told { reading: Err(Untold::Failed), ..input(0) };
        assert_eq!(aged(untold, Duration::from_secs(60)), untold);
    }

    #[test]
    fn a_session_whose_screen_is_gone_is_over_and_one_that_never_spoke_is_not() {
        let failed = Told { reading: Err(Untold::Failed), ..input(0) };
        let long_ago = Instant::now().checked_sub(OVER * 2).expect("the computer has run for two minutes");
        let mut session = Session::default();
        session.take(failed, Instant::now());
        session.shown.insert(SignalKind::Input, (failed, long_ago));
        assert!(!session.is_over());
        session.take(input(0), Instant::now());
        session.take(failed, Instant::now());
        assert!(!session.is_over(), "it may come back");
        session.shown.insert(SignalKind::Input, (failed, long_ago));
        assert!(session.is_over());
    }

    #[test]
    fn the_same_word_again_is_news_and_as_old_as_it_was() {
        let long_ago = Instant::now().checked_sub(OVER).expect("the computer has run for a minute");
        let idle_ms = |session: &mut Session| match session.news().first().and_then(|told| told.read()) {
            Some(Told { reading: Ok(Reading::Input { idle_ms }), .. }) => idle_ms,
            other => panic!("{other:?}"),
        };
        let mut session = Session::default();
        session.take(input(1000), long_ago);
        assert!(idle_ms(&mut session) >= 61_000);
        session.take(input(1000), long_ago);
        assert!(idle_ms(&mut session) >= 61_000);
        // Somebody came and went while nobody listened.
        session.take(input(1000), Instant::now());
        assert!(idle_ms(&mut session) < 10_000);
    }

    #[test]
    fn only_news_is_told_until_it_is_time_to_say_all_again() {
        let mut session = Session::default();
        session.take(input(0), Instant::now());
        session.take(input(0), Instant::now());
        let screen =
            Told { kind: SignalKind::FullScreen, by: By::X11, reading: Ok(Reading::FullScreen { full_screen: false }) };
        session.take(screen, Instant::now());
        assert_eq!(session.news().len(), 2);
        assert!(session.news().is_empty());
        assert_eq!(session.quiet_for(), RENEWED_IN_USE);
        session.take(input(1000), Instant::now());
        assert_eq!(session.news().len(), 1);
        assert_eq!(session.quiet_for(), RENEWED);
        session.all_is_news();
        assert_eq!(session.news().len(), 2);
    }
}
