//! What to do when no daemon answers. Pure: the caller brings the clock and what became of the
//! daemon that it started.

use std::time::{Duration, Instant};

use p2p_control::api::{ErrorCode, Problem};

/// The wait before the first new start after a crash; each further crash doubles it.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// A daemon that answered this long before it crashed starts with a clean sheet.
const STEADY_AFTER: Duration = Duration::from_secs(60);
/// How long a daemon that was started may take to answer.
const START_LIMIT: Duration = Duration::from_secs(15);
/// Between two looks at a daemon that starts.
const LOOK_AGAIN: Duration = Duration::from_millis(25);

/// What became of the daemon that this app started.
#[derive(Debug, PartialEq)]
pub(super) enum Ended {
    /// There is none.
    NotOurs,
    StillThere,
    /// It was told to end, by whomever.
    Cleanly,
    Crashed(Box<Problem>),
}

/// What follows.
#[derive(Debug, PartialEq)]
pub(super) enum Step {
    Start,
    /// Start once this has passed.
    StartAfter(Duration),
    /// It is on its way: look for it again after this.
    LookAgain(Duration),
    /// Say why there is none, and watch whether somebody starts one.
    Wait(Problem),
}

/// What has happened so far.
#[derive(Debug, Default)]
pub(super) struct Course {
    /// Somebody decided about the daemon already: the first start, or a person.
    settled: bool,
    started: Option<Instant>,
    arrived: Option<Instant>,
    crashes: u32,
    failure: Option<Problem>,
}

impl Course {
    pub(super) fn started(&mut self, now: Instant) {
        self.settled = true;
        self.started = Some(now);
        self.arrived = None;
        self.failure = None;
    }

    /// A start did not even begin.
    pub(super) fn failed(&mut self, problem: Problem) {
        self.settled = true;
        self.failure = Some(problem);
    }

    /// A daemon answers, ours or another.
    pub(super) fn arrived(&mut self, now: Instant) {
        self.settled = true;
        self.arrived = Some(now);
        self.failure = None;
    }

    /// Nobody answers.
    pub(super) fn lost(&mut self, now: Instant, ended: Ended, problem: Problem) -> Step {
        let arrived = self.arrived.take();
        match ended {
            // Somebody else's socket, or a home that cannot be used: a start would not help.
            Ended::NotOurs if problem.code != ErrorCode::NotRunning && problem.code != ErrorCode::TooBusy => {
                self.settled = true;
                Step::Wait(problem)
            }
            Ended::NotOurs if !self.settled => Step::Start,
            Ended::NotOurs => Step::Wait(self.failure.clone().unwrap_or(problem)),
            Ended::StillThere => match self.started {
                Some(started) if now.duration_since(started) < START_LIMIT => Step::LookAgain(LOOK_AGAIN),
                _ => Step::LookAgain(FIRST_PAUSE),
            },
            // Whoever stopped it wants it stopped.
            Ended::Cleanly => {
                self.crashes = 0;
                Step::Wait(problem)
            }
            // Another daemon has this home: it will answer.
            Ended::Crashed(why) if why.code == ErrorCode::AlreadyRunning => Step::LookAgain(FIRST_PAUSE),
            // It never answered, and the next would not either: say why.
            Ended::Crashed(why) if arrived.is_none() && self.crashes == 0 => {
                self.failure = Some((*why).clone());
                Step::Wait(*why)
            }
            Ended::Crashed(_) => {
                if arrived.is_some_and(|arrived| now.duration_since(arrived) >= STEADY_AFTER) {
                    self.crashes = 0;
                }
                let pause = FIRST_PAUSE.saturating_mul(1 << self.crashes.min(6)).min(LONGEST_PAUSE);
                self.crashes += 1;
                Step::StartAfter(pause)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nobody() -> Problem {
        Problem::new(ErrorCode::NotRunning, "nobody listens")
    }

    fn crash() -> Ended {
        Ended::Crashed(Box::new(Problem::new(ErrorCode::StartFailed, "signal 9")))
    }

    fn running(now: Instant) -> Course {
        let mut course = Course::default();
        course.started(now);
        course.arrived(now);
        course
    }

    #[test]
    fn the_first_look_starts_one() {
        let now = Instant::now();
        assert_eq!(Course::default().lost(now, Ended::NotOurs, nobody()), Step::Start);
    }

    #[test]
    fn a_socket_of_somebody_else_is_left_alone() {
        let foreign = Problem::new(ErrorCode::SocketForeign, "of another user");
        let step = Course::default().lost(Instant::now(), Ended::NotOurs, foreign.clone());
        assert_eq!(step, Step::Wait(foreign));
    }

    #[test]
    fn a_daemon_of_somebody_else_is_not_brought_back() {
        let now = Instant::now();
        let mut course = Course::default();
        course.arrived(now);
        assert_eq!(course.lost(now, Ended::NotOurs, nobody()), Step::Wait(nobody()));
    }

    #[test]
    fn a_daemon_that_was_told_to_end_stays_ended() {
        let now = Instant::now();
        assert_eq!(running(now).lost(now, Ended::Cleanly, nobody()), Step::Wait(nobody()));
    }

    #[test]
    fn a_daemon_on_its_way_is_waited_for() {
        let now = Instant::now();
        let mut course = Course::default();
        course.started(now);
        assert_eq!(course.lost(now, Ended::StillThere, nobody()), Step::LookAgain(LOOK_AGAIN));
        assert_eq!(course.lost(now + START_LIMIT, Ended::StillThere, nobody()), Step::LookAgain(FIRST_PAUSE));
    }

    #[test]
    fn each_crash_waits_longer_and_steadiness_forgives() {
        let mut now = Instant::now();
        let mut course = running(now);
        for expected in [1, 2, 4, 8, 16, 32, 60, 60] {
            assert_eq!(course.lost(now, crash(), nobody()), Step::StartAfter(Duration::from_secs(expected)));
            course.started(now);
            course.arrived(now);
        }
        now += STEADY_AFTER;
        assert_eq!(course.lost(now, crash(), nobody()), Step::StartAfter(FIRST_PAUSE));
    }

    #[test]
    fn a_start_that_fails_at_once_is_explained_not_repeated() {
        let now = Instant::now();
        let mut course = Course::default();
        course.started(now);
        let why = Problem::new(ErrorCode::Config, "line 3");
        let step = course.lost(now, Ended::Crashed(Box::new(why.clone())), nobody());
        assert_eq!(step, Step::Wait(why.clone()));
        // And the reason stays on the screen while one watches for a daemon.
        assert_eq!(course.lost(now, Ended::NotOurs, nobody()), Step::Wait(why));
    }

    #[test]
    fn who_comes_second_looks_for_the_first() {
        let now = Instant::now();
        let mut course = Course::default();
        course.started(now);
        let second = Problem::new(ErrorCode::AlreadyRunning, "pid 7");
        let step = course.lost(now, Ended::Crashed(Box::new(second)), nobody());
        assert_eq!(step, Step::LookAgain(FIRST_PAUSE));
    }
}
