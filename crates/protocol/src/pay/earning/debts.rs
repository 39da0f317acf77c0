//! Payers that do not pay. One session that ends owing something is an accident; who makes a habit of it gets
//! no more work for a while, longer each time.

use std::collections::BTreeMap;

use p2p_types::{DeviceId, Monotonic};

/// Sessions that may end so.
const ACCIDENTS: u32 = 2;
/// How long after that nothing is done for the payer, doubled each time.
const FIRST_MS: u64 = 60_000;
const LONGEST_MS: u64 = 24 * 60 * 60 * 1000;
/// Payers that are remembered.
const PAYERS: usize = 1024;

#[derive(Debug, Clone, Copy, Default)]
struct Debt {
    sessions: u32,
    until: Monotonic,
}

#[derive(Debug, Default)]
pub(super) struct Debts {
    payers: BTreeMap<DeviceId, Debt>,
}

impl Debts {
    /// Whether work may be done for a payer now.
    pub(super) fn may_work_for(&self, now: Monotonic, payer: &DeviceId) -> bool {
        self.payers.get(payer).is_none_or(|debt| debt.until <= now)
    }

    /// A session of the payer ended: with all of it paid, or not.
    pub(super) fn ended(&mut self, now: Monotonic, payer: DeviceId, paid: bool) {
        if paid {
            self.payers.remove(&payer);
            return;
        }
        if self.payers.len() >= PAYERS && !self.payers.contains_key(&payer) {
            // Whoever may work again soonest.
            let first = self.payers.iter().min_by_key(|(_, debt)| debt.until).map(|(payer, _)| *payer);
            first.map(|first| self.payers.remove(&first));
        }
        let debt = self.payers.entry(payer).or_default();
        debt.sessions = debt.sessions.saturating_add(1);
        if debt.sessions > ACCIDENTS {
            let doubled = (debt.sessions - ACCIDENTS - 1).min(16);
            debt.until = now.plus_ms((FIRST_MS << doubled).min(LONGEST_MS));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAYER: DeviceId = DeviceId([1; 32]);

    #[test]
    fn accidents_are_forgiven_and_habits_are_not() {
        let (mut debts, now) = (Debts::default(), Monotonic(5));
        for _ in 0..2 {
            debts.ended(now, PAYER, false);
            assert!(debts.may_work_for(now, &PAYER));
        }
        debts.ended(now, PAYER, false);
        assert!(!debts.may_work_for(now.plus_ms(59_999), &PAYER) && debts.may_work_for(now.plus_ms(60_000), &PAYER));
        debts.ended(now, PAYER, false);
        assert!(!debts.may_work_for(now.plus_ms(119_999), &PAYER));
        for _ in 0..100 {
            debts.ended(now, PAYER, false);
        }
        assert!(debts.may_work_for(now.plus_ms(LONGEST_MS), &PAYER));
        debts.ended(now, PAYER, true);
        assert!(debts.may_work_for(now, &PAYER), "who pays again is welcome");
    }

    #[test]
    fn not_everybody_is_remembered() {
        let mut debts = Debts::default();
        for number in 0..3000_u32 {
            let mut payer = [0; 32];
            payer[..4].copy_from_slice(&number.to_le_bytes());
            debts.ended(Monotonic(0), DeviceId(payer), false);
        }
        assert_eq!(debts.payers.len(), PAYERS);
    }
}
