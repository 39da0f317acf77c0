//! What the owners of the nodes want.

use p2p_protocol::{ChunkSizes, Payer, TaskRequest};
use p2p_types::{DeviceId, Placement, Priority, Privacy, TaskId, TaskKind};

use crate::dice::Dice;
use crate::workers::{POISON, answer};
use crate::{Micros, SECOND};

/// How much is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// Tasks while the storm lasts.
    pub tasks: usize,
    /// Tasks after it, each public and for the network: all must come out right.
    pub after: usize,
    /// Of a thousand tasks: how many have up to 300 texts rather than a few.
    pub large_permille: u64,
    /// Of a thousand tasks: how many are cancelled before they may be done.
    pub cancelled_permille: u64,
    /// Nodes whose owner pauses them for a while.
    pub pauses: usize,
    /// Changes of trust.
    pub trust_changes: usize,
}

impl Default for Load {
    fn default() -> Self {
        Self { tasks: 300, after: 40, large_permille: 30, cancelled_permille: 50, pauses: 20, trust_changes: 60 }
    }
}

/// Something an owner does.
#[derive(Debug, Clone)]
pub(crate) enum Wish {
    Submit { node: usize, request: Box<TaskRequest>, must_succeed: bool },
    Cancel { node: usize, task: TaskId },
    Pause { node: usize },
    Resume { node: usize },
    Trust { node: usize, whom: usize, trusted: bool },
}

/// What every text begins with: nothing but an assignment may carry it.
pub(crate) const MARK: &str = "secret-";

/// All that is asked for: the storm lasts from `from` to `until`, the rest comes in the minute after.
pub(crate) fn plan(load: &Load, nodes: usize, (from, until): (Micros, Micros), dice: &mut Dice) -> Vec<(Micros, Wish)> {
    let mut plan = Vec::new();
    let span = until.saturating_sub(from);
    for number in 0..load.tasks {
        let (at, node) = (from + dice.below(span), dice.index(nodes));
        let request = request(number, load, dice);
        let task = request.id;
        plan.push((at, Wish::Submit { node, request: Box::new(request), must_succeed: false }));
        if dice.permille(load.cancelled_permille) {
            plan.push((at + dice.below(3 * SECOND), Wish::Cancel { node, task }));
        }
    }
    for number in 0..load.after {
        let calm = TaskRequest {
            privacy: Privacy::Public,
            placement: Placement::Network,
            deadline_ms: None,
            expected: Vec::new(),
            texts: vec![format!("{MARK}{number} after the storm")],
            ..request(load.tasks + number, load, dice)
        };
        // Presence has come round, and who was dialed in vain has been dialed again.
        let at = until + 45 * SECOND + dice.below(5 * SECOND);
        plan.push((at, Wish::Submit { node: dice.index(nodes), request: Box::new(calm), must_succeed: true }));
    }
    for _ in 0..load.pauses {
        let (at, node) = (from + dice.below(span), dice.index(nodes));
        plan.push((at, Wish::Pause { node }));
        plan.push(((at + dice.between(SECOND, 30 * SECOND)).min(until), Wish::Resume { node }));
    }
    plan.extend((0..nodes).map(|node| (until + SECOND, Wish::Resume { node })));
    for _ in 0..load.trust_changes {
        let (node, whom) = (dice.index(nodes), dice.index(nodes));
        plan.push((from + dice.below(span), Wish::Trust { node, whom, trusted: dice.permille(400) }));
    }
    plan
}

/// What the canary issuer asks of nodes, at chosen times and of chosen ones.
pub(crate) fn canaries(
    count: usize,
    devices: &[DeviceId],
    (from, until): (Micros, Micros),
    dice: &mut Dice,
) -> Vec<(Micros, Wish)> {
    let load = Load { large_permille: 0, ..Load::default() };
    let canary = |number: usize| {
        let asked = request(1_000_000 + number, &load, dice);
        let text = format!("{MARK}canary {number}");
        let request = TaskRequest {
            expected: answer(asked.kind, &text).into_iter().collect(),
            texts: vec![text],
            privacy: Privacy::Public,
            placement: Placement::Network,
            deadline_ms: None,
            payer: Payer::Issuer,
            only: Some(devices[1 + dice.index(devices.len() - 1)]),
            ..asked
        };
        // The first come early: without them nobody has anything.
        let span = until.saturating_sub(from) / if number.is_multiple_of(2) { 4 } else { 1 };
        let wish = Wish::Submit { node: 0, request: Box::new(request), must_succeed: false };
        (from + dice.below(span), wish)
    };
    (0..count).map(canary).collect()
}

fn request(number: usize, load: &Load, dice: &mut Dice) -> TaskRequest {
    let kind = TaskKind::ALL[dice.index(TaskKind::ALL.len())];
    let count = if dice.permille(load.large_permille) { dice.between(50, 300) } else { dice.between(1, 6) };
    let text = |at: u64, dice: &mut Dice| match dice.below(200) {
        0 => " ".to_owned(),
        1 => format!("{MARK}{number}-{at} {POISON}"),
        2 => format!("{MARK}{number}-{at} {}", "long ".repeat(2000)),
        _ => format!("{MARK}{number}-{at}"),
    };
    let mut id = [0; 16];
    id[..8].copy_from_slice(&(number as u64).to_be_bytes());
    id[8..].copy_from_slice(&dice.below(u64::MAX).to_be_bytes());
    let privacy = [Privacy::Public, Privacy::Public, Privacy::Trusted, Privacy::Local][dice.index(4)];
    let placement = match privacy {
        Privacy::Local => [Placement::Auto, Placement::Local][dice.index(2)],
        Privacy::Trusted | Privacy::Public => {
            [Placement::Network, Placement::Network, Placement::Auto, Placement::Local][dice.index(4)]
        }
    };
    let mut texts: Vec<String> = (0..count).map(|at| text(at, dice)).collect();
    // One good text at least, or the task is refused.
    texts[0] = format!("{MARK}{number}-first");
    TaskRequest {
        id: TaskId(id),
        kind,
        texts,
        chunk: if kind == TaskKind::Chunk { ChunkSizes { tokens: 64, overlap: 8 } } else { ChunkSizes::default() },
        privacy,
        placement,
        priority: Priority::ALL[dice.index(Priority::ALL.len())],
        deadline_ms: dice.permille(100).then(|| dice.between(50, 20_000)),
        payer: Payer::Owner,
        only: None,
        expected: Vec::new(),
    }
}
