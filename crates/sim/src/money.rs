//! Credits in a world: who founds, who asks canaries, who is stingy, and what happens to disks and calendars.

use p2p_ledger::wire as ledger;
use p2p_protocol::{Charter, Limits, Money, Network, NetworkKind, found_network};
use p2p_types::{AccountId, Credits, DeviceId, NetworkId, Scheme as _, Signed, Timestamp};

use crate::computer::Computer;
use crate::dice::Dice;
use crate::scenario::START_MS;
use crate::scheme::KeyedHash;
use crate::{Faults, Links, Load, Micros, SECOND, Scenario};

/// The computer that founds, keeps the ledger and asks canaries.
pub(crate) const NOTARY: usize = 0;

/// A world in which work is paid.
#[derive(Debug, Clone, Copy)]
pub struct Economy {
    /// Work is done for whoever cannot pay, too.
    pub unpaid: bool,
    pub canaries: usize,
    /// Of a thousand computers: those whose owner has another one.
    pub twins_permille: u64,
    /// Of a thousand computers: those with a limit.
    pub limited_permille: u64,
    /// Of a thousand records: those that the notary's disk fails at.
    pub broken_permille: u64,
    /// Of a thousand frames: those with which something old is said once more.
    pub echoes_permille: u64,
    /// One node's vouchers never arrive.
    pub stingy: bool,
    /// Computers that become what they were a while ago.
    pub restores: usize,
    /// Their sequence numbers, too. Until they are beyond what others have seen, nobody hears them.
    pub old_sequences: bool,
    /// Calendars that are wrong for a while, by minutes to a day.
    pub wrong_calendars: usize,
    /// Times at which everybody's calendar goes on by up to 30 hours.
    pub nights: usize,
    /// The notary is away for most of the storm.
    pub long_away: bool,
}

impl Economy {
    /// Nothing goes wrong.
    #[must_use]
    pub const fn calm() -> Self {
        Self {
            unpaid: false,
            canaries: 20,
            twins_permille: 0,
            limited_permille: 0,
            broken_permille: 0,
            echoes_permille: 0,
            stingy: false,
            restores: 0,
            old_sequences: false,
            wrong_calendars: 0,
            nights: 0,
            long_away: false,
        }
    }
}

impl Scenario {
    /// A world with money in which everything is chosen by the seed.
    #[must_use]
    pub fn with_money(seed: u64) -> Self {
        let mut dice = Dice::new(seed, "economy");
        let nodes = if dice.permille(900) { dice.between(3, 9) } else { dice.between(10, 30) };
        let nodes = usize::try_from(nodes).expect("few");
        let mut some = |most: u64| if dice.permille(600) { dice.between(1, most) } else { 0 };
        let faults = Faults {
            crashes_per_minute: some(8),
            seams_per_minute: some(20),
            partitions_per_minute: some(3),
            severed_per_minute: some(30),
            sleeps_per_minute: some(4),
            skewed_permille: some(300),
        };
        let links =
            Links { loss_permille: some(60), twice_permille: some(60), jitter_us: some(100_000), ..Links::default() };
        let economy = Economy {
            unpaid: some(1) == 0,
            canaries: usize::try_from(10 + some(30)).expect("few"),
            twins_permille: some(500),
            limited_permille: some(500),
            broken_permille: some(100),
            echoes_permille: some(60),
            stingy: some(3) == 1,
            restores: usize::try_from(some(3)).expect("few"),
            old_sequences: some(2) == 1,
            wrong_calendars: usize::try_from(some(3)).expect("few"),
            nights: usize::try_from(some(3)).expect("few"),
            long_away: some(4) == 1,
        };
        let load = Load {
            tasks: usize::try_from(20 + some(60)).expect("few"),
            after: 0,
            large_permille: some(100),
            cancelled_permille: some(100),
            pauses: usize::try_from(some(4)).expect("few"),
            trust_changes: 10,
        };
        Self {
            name: "money",
            seed,
            nodes,
            links,
            faults,
            load,
            calm_us: 5 * SECOND,
            storm_us: 90 * SECOND,
            money: Some(economy),
            ..Self::default()
        }
    }
}

/// Who belongs to whom, and what each computer needs to pay.
#[derive(Debug)]
pub(crate) struct House {
    pub(crate) network: Network,
    issuer: KeyedHash,
    /// The one that never pays.
    pub(crate) stingy: Option<usize>,
    pub(crate) limits: Vec<Limits>,
}

impl House {
    /// `accounts` are those of the computers, in their order; the first one founds.
    pub(crate) fn found(seed: u64, economy: &Economy, founder: &KeyedHash, notary: DeviceId, nodes: usize) -> Self {
        let mut dice = Dice::new(seed, "house");
        let issuer = KeyedHash::new(blake3::derive_key("p2p-agent simulator issuer", b""));
        let charter = Charter {
            name: "simulated".to_owned(),
            kind: NetworkKind::Open,
            members_trusted: false,
            unpaid: economy.unpaid,
            notary,
            issuer: AccountId(issuer.public_key()),
            nonce: [seed.to_le_bytes()[0]; 32],
        };
        let network = found_network(founder, &charter, Timestamp(START_MS)).expect("a name that is one");
        let mut limit = |node: usize| {
            if node == NOTARY || !dice.permille(economy.limited_permille) {
                return Limits::default();
            }
            let amount = |dice: &mut Dice| Credits::from_micro(dice.between(500_000, 40_000_000));
            let total = if dice.permille(300) { amount(&mut dice) } else { None };
            Limits { daily: amount(&mut dice), total }
        };
        let limits = (0..nodes).map(&mut limit).collect();
        let stingy = economy.stingy.then(|| 1 + dice.index(nodes - 1));
        Self { network, issuer, stingy, limits }
    }

    pub(crate) fn issuer(&self) -> AccountId {
        AccountId(self.issuer.public_key())
    }

    pub(crate) fn money(&self, node: usize, device: DeviceId, account: &KeyedHash) -> Money {
        let network = &self.network.id;
        let issuer = (node == NOTARY).then(|| opening(&self.issuer, network, device));
        Money { opening: opening(account, network, device), issuer, limits: self.limits[node] }
    }
}

fn opening(account: &KeyedHash, network: &NetworkId, device: DeviceId) -> Vec<u8> {
    let opening = ledger::LaneOpening { device: device.0.to_vec(), issued_ms: START_MS };
    Signed::new(account, network, &opening).into_bytes()
}

/// The computers of a world, some of them of one owner.
pub(crate) fn computers(seed: u64, economy: &Economy, nodes: usize) -> Vec<Computer> {
    let mut dice = Dice::new(seed, "owners");
    let mut owners: Vec<usize> = Vec::new();
    for number in 0..nodes {
        let alone = owners.last().copied().filter(|last| owners.iter().filter(|owner| *owner == last).count() == 1);
        owners.push(alone.filter(|_| dice.permille(economy.twins_permille)).unwrap_or(number));
    }
    owners.into_iter().enumerate().map(|(number, owner)| Computer::new(number, owner)).collect()
}

/// What goes wrong with homes and calendars, and when.
#[derive(Debug, Clone)]
pub(crate) enum Mishap {
    /// The owner makes a copy of the home.
    Copy { node: usize },
    /// The home becomes what it was when it was copied.
    Restore { node: usize },
    /// A calendar is off by so much.
    Calendar { node: usize, ms: i64 },
    /// Everybody's calendar goes on.
    Night { ms: u64 },
    /// From here on nothing breaks any more; what is broken is mended.
    Calm,
    /// All is over.
    End,
}

const HOUR_MS: u64 = 3_600_000;

/// All of them, from `from` until everything must be settled.
pub(crate) fn mishaps(
    economy: &Economy,
    nodes: usize,
    (from, until): (Micros, Micros),
    dice: &mut Dice,
) -> Vec<(Micros, Mishap)> {
    let mut plan = Vec::new();
    let span = until.saturating_sub(from);
    for _ in 0..economy.restores {
        // Not the notary's: whoever restores that loses what it signed since, and must say so to everybody.
        let node = 1 + dice.index(nodes - 1);
        let at = from + dice.below(span * 3 / 4);
        plan.push((at, Mishap::Copy { node }));
        plan.push(((at + dice.between(2 * SECOND, 40 * SECOND)).min(until - SECOND), Mishap::Restore { node }));
    }
    for _ in 0..economy.wrong_calendars {
        let (at, node) = (from + dice.below(span), dice.index(nodes));
        let most = if dice.permille(500) { 10 * 60_000 } else { 24 * HOUR_MS };
        let ms = i64::try_from(dice.below(2 * most)).expect("small") - i64::try_from(most).expect("small");
        plan.push((at, Mishap::Calendar { node, ms }));
        plan.push(((at + dice.between(2 * SECOND, 40 * SECOND)).min(until), Mishap::Calendar { node, ms: 0 }));
    }
    for _ in 0..economy.nights {
        plan.push((from + dice.below(span), Mishap::Night { ms: dice.between(HOUR_MS / 6, 30 * HOUR_MS) }));
    }
    plan.push((until, Mishap::Calm));
    // Long enough for sessions to be idle, for bans to end, and for calendars to be looked at.
    let mut at = until + 120 * SECOND;
    for ms in [HOUR_MS + 60_000, HOUR_MS + 60_000, 24 * HOUR_MS] {
        plan.push((at, Mishap::Night { ms }));
        at += 700 * SECOND;
    }
    plan.push((at, Mishap::End));
    plan
}
