//! What goes wrong, and when.

use crate::computer::Seam;
use crate::dice::Dice;
use crate::{MS, Micros, SECOND};

/// How often things go wrong while the storm lasts.
#[derive(Debug, Clone, Copy, Default)]
pub struct Faults {
    /// Processes that end, a minute; each comes back after 1 to 20 s.
    pub crashes_per_minute: u64,
    /// The same, in the very moment in which something becomes durable.
    pub seams_per_minute: u64,
    /// Partitions in two or three groups, a minute; each lasts 2 to 25 s.
    pub partitions_per_minute: u64,
    /// Connections that break, a minute.
    pub severed_per_minute: u64,
    /// Computers that go to sleep, a minute, for 1 to 40 s.
    pub sleeps_per_minute: u64,
    /// Calendars that are off, of a thousand nodes, by up to 50 s.
    pub skewed_permille: u64,
}

/// One thing that goes wrong, or is mended.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    Crash { node: usize, politely: bool },
    Seam { node: usize, seam: Seam },
    Start { node: usize },
    Partition { groups: Vec<u8> },
    Heal,
    Sever { one: usize, other: usize },
    Sleep { node: usize },
    Wake { node: usize },
}

/// All that goes wrong between `from` and `until`. What is broken is mended by then.
pub(crate) fn plan(
    faults: &Faults,
    nodes: usize,
    (from, until): (Micros, Micros),
    dice: &mut Dice,
) -> Vec<(Micros, Fault)> {
    let mut plan = Vec::new();
    let span = until.saturating_sub(from);
    let times = |per_minute: u64| per_minute * span / (60 * SECOND);
    let end = |at: Micros, lasts: Micros| (at + lasts).min(until);
    for _ in 0..times(faults.crashes_per_minute) {
        let (at, node) = (from + dice.below(span), dice.index(nodes));
        plan.push((at, Fault::Crash { node, politely: dice.permille(700) }));
        plan.push((end(at, dice.between(SECOND, 20 * SECOND)), Fault::Start { node }));
    }
    for _ in 0..times(faults.seams_per_minute) {
        let (at, node) = (from + dice.below(span), dice.index(nodes));
        let seam = if dice.permille(500) { Seam::BeforeCommit } else { Seam::AfterCommit };
        plan.push((at, Fault::Seam { node, seam }));
        plan.push((end(at, dice.between(10 * SECOND, 30 * SECOND)), Fault::Start { node }));
    }
    for _ in 0..times(faults.partitions_per_minute) {
        let at = from + dice.below(span);
        let parts = dice.between(2, 3);
        let groups = (0..nodes).map(|_| u8::try_from(dice.below(parts)).expect("few groups")).collect();
        plan.push((at, Fault::Partition { groups }));
        plan.push((end(at, dice.between(2 * SECOND, 25 * SECOND)), Fault::Heal));
    }
    for _ in 0..times(faults.severed_per_minute) {
        let (one, other) = (dice.index(nodes), dice.index(nodes));
        if one != other {
            plan.push((from + dice.below(span), Fault::Sever { one, other }));
        }
    }
    for _ in 0..times(faults.sleeps_per_minute) {
        let (at, node) = (from + dice.below(span), dice.index(nodes));
        plan.push((at, Fault::Sleep { node }));
        plan.push((end(at, dice.between(SECOND, 40 * SECOND)), Fault::Wake { node }));
    }
    plan.push((until, Fault::Heal));
    plan.extend((0..nodes).flat_map(|node| [(until, Fault::Wake { node }), (until + MS, Fault::Start { node })]));
    plan
}
