//! A computer with its own clocks.

use p2p_scheduler::{
    Checked, Class, Input, Machine, Output, Policy, Preset, Reason, Resumes, Scheduler, SourceId, Verdict,
};
use p2p_types::{By, Inhibitor, Monotonic, Now, Reading, SignalKind, Timestamp, Told, Untold};

pub(crate) const SECOND: u64 = 1_000;
pub(crate) const MINUTE: u64 = 60 * SECOND;
pub(crate) const HOUR: u64 = 60 * MINUTE;
pub(crate) const DAY: u64 = 24 * HOUR;
pub(crate) const GIB: u64 = 1 << 30;
/// Saturday, 21 November 2026, 00:00 UTC.
pub(crate) const SATURDAY: u64 = 20_778 * DAY;
pub(crate) const MACHINE: Machine = Machine { processors: 8, memory_bytes: 16 * GIB, worker_bytes: GIB / 4 };
/// The tray, and what the daemon asks itself.
pub(crate) const TRAY: SourceId = SourceId(1);
pub(crate) const DAEMON: SourceId = SourceId(2);
/// Long enough for what is not about leases.
const LEASE: u64 = 600 * SECOND;

pub(crate) struct World {
    pub(crate) scheduler: Scheduler,
    pub(crate) now: Now,
    pub(crate) outputs: Vec<Output>,
}

pub(crate) fn quiet() -> Policy {
    Preset::Quiet.policy(8)
}

/// Quiet, whoever is there.
pub(crate) fn always() -> Policy {
    Policy { when: p2p_scheduler::When::Always, ..quiet() }
}

pub(crate) fn checked(policy: Policy) -> Checked {
    policy.checked().expect("no contradiction")
}

impl World {
    /// Saturday noon, and everything has started.
    pub(crate) fn new(policy: Policy) -> Self {
        let mut world = Self::starting(policy);
        world.pass(5 * SECOND);
        world.outputs.clear();
        world
    }

    pub(crate) fn starting(policy: Policy) -> Self {
        let now = Now { wall: Timestamp(SATURDAY + 12 * HOUR), mono: Monotonic(7_000_000_000) };
        Self { scheduler: Scheduler::new(checked(policy), MACHINE, now), now, outputs: Vec::new() }
    }

    /// Nobody has touched it for an hour.
    pub(crate) fn idle(policy: Policy) -> Self {
        let mut world = Self::new(policy);
        world.read(Reading::Input { idle_ms: HOUR });
        world.pass(10 * SECOND);
        world.outputs.clear();
        assert!(world.guest().runs(), "{:?}", world.guest());
        world
    }

    pub(crate) fn handle(&mut self, input: Input) {
        self.scheduler.handle(self.now, input);
        while let Some(output) = self.scheduler.poll_output() {
            self.outputs.push(output);
        }
    }

    /// The tray tells the owner's input and what is on the screen, the daemon the rest.
    pub(crate) fn read(&mut self, reading: Reading) {
        self.say(reading.kind(), Ok(reading));
    }

    pub(crate) fn say(&mut self, kind: SignalKind, reading: Result<Reading, Untold>) {
        let session = matches!(kind, SignalKind::Input | SignalKind::FullScreen | SignalKind::Inhibitor);
        self.tell(if session { TRAY } else { DAEMON }, session, LEASE, kind, reading);
    }

    pub(crate) fn tell(
        &mut self,
        source: SourceId,
        session: bool,
        lease_ms: u64,
        kind: SignalKind,
        reading: Result<Reading, Untold>,
    ) {
        let told = Told { kind, by: By::Procfs, reading };
        self.handle(Input::Told { source, session, lease_ms, told });
    }

    /// Both clocks go on, and the scheduler is called at its deadlines only.
    pub(crate) fn pass(&mut self, ms: u64) {
        let end = self.now.mono.plus_ms(ms);
        while let Some(deadline) = self.scheduler.next_deadline(self.now).filter(|at| *at <= end) {
            assert!(deadline > self.now.mono, "a deadline that is over would be waited for in a circle");
            self.leap(deadline.since(self.now.mono) / 1000);
            self.handle(Input::Tick);
        }
        self.leap(end.since(self.now.mono) / 1000);
    }

    /// Both clocks go on, and nobody calls the scheduler.
    pub(crate) fn leap(&mut self, ms: u64) {
        self.now = Now { wall: self.now.wall.plus_ms(ms), mono: self.now.mono.plus_ms(ms) };
    }

    pub(crate) fn guest(&self) -> Verdict {
        *self.scheduler.verdict(Class::Guest)
    }

    pub(crate) fn why(&self) -> Option<Reason> {
        self.guest().reason()
    }

    pub(crate) fn resumes(&self) -> Resumes {
        match self.guest() {
            Verdict::Pause { resumes, .. } => resumes,
            Verdict::Run(_) => panic!("it runs"),
        }
    }

    /// Pauses with `reason` after exactly `stop_ms`, and once `cure` is read, runs again after
    /// exactly `resume_ms`.
    pub(crate) fn pauses(&mut self, ill: Reading, stop_ms: u64, reason: Reason, cure: Reading, resume_ms: u64) {
        self.read(ill);
        if stop_ms > 0 {
            self.pass(stop_ms - 1);
            assert!(self.guest().runs(), "too early: {:?}", self.guest());
            self.pass(1);
        }
        assert_eq!(self.why(), Some(reason));
        assert!(!matches!(self.resumes(), Resumes::Shortly { .. }), "{:?}", self.resumes());
        self.read(cure);
        self.pass(resume_ms - 1);
        assert_eq!(self.why(), Some(reason), "it holds");
        assert_eq!(self.resumes(), Resumes::Shortly { within_ms: resume_ms });
        self.pass(1);
        assert!(self.guest().runs(), "{:?}", self.guest());
    }
}

pub(crate) fn power(mains: bool, percent: u8) -> Reading {
    Reading::Power { mains, percent: Some(percent), saver: false }
}

pub(crate) fn memory(available_bytes: u64) -> Reading {
    Reading::Memory { available_bytes, total_bytes: 16 * GIB, pressure_permille: Some(0) }
}

pub(crate) fn inhibits(inhibitor: Option<Inhibitor>) -> Reading {
    Reading::Inhibitor { inhibitor }
}
