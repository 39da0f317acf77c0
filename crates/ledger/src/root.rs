//! One hash that names a whole state, so that notaries can tell whether they agree.

use p2p_types::Hash;

use crate::amounts::Amounts;
use crate::lane::{Account, Lane};
use crate::ledger::{Hold, Ledger};
use crate::merkle;
use crate::order::LaneId;

impl Ledger {
    /// The Merkle root over everything: totals first, then lanes, accounts and holds, each in the
    /// order of their ids. The same state has the same root on every computer.
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut lanes: Vec<_> = self.lanes.iter().collect();
        let mut accounts: Vec<_> = self.accounts.iter().collect();
        let mut holds: Vec<_> = self.holds.iter().collect();
        lanes.sort_unstable_by_key(|(id, _)| **id);
        accounts.sort_unstable_by_key(|(id, _)| **id);
        holds.sort_unstable_by_key(|(id, _)| **id);

        let mut leaves = vec![self.totals()];
        leaves.extend(lanes.into_iter().map(|(id, lane)| of_lane(id, lane)));
        leaves.extend(accounts.into_iter().map(|(id, account)| of_account(&id.0, account)));
        leaves.extend(holds.into_iter().map(|(id, hold)| of_hold(id, hold)));
        merkle::Tree::new(leaves).root()
    }

    fn totals(&self) -> Hash {
        let mut leaf = Leaf::of("totals");
        leaf.bytes(&self.parameters.hash().0).number(self.epoch);
        let supply = self.supply;
        leaf.number(supply.minted.micro()).number(supply.burnt.micro()).number(supply.lapsed.micro());
        leaf.end()
    }
}

fn of_lane(id: &LaneId, lane: &Lane) -> Hash {
    let mut leaf = Leaf::of("lane");
    leaf.lane(id).amounts(&lane.purse).number(lane.free_day.into());
    leaf.number(lane.next()).bytes(&lane.head.0).number(lane.holds as u64);
    leaf.number(lane.given.0).number(lane.given.1);
    leaf.end()
}

fn of_account(id: &[u8; 32], account: &Account) -> Hash {
    let mut leaf = Leaf::of("account");
    leaf.bytes(id).number(account.lanes as u64).number(account.ever_worked.into()).number(account.starter.into());
    leaf.number(account.ramp_days.into());
    for last in [account.ramp_day.map(u64::from), account.free_day.map(u64::from), account.budget_epoch] {
        // One more than the number, so that none is not the same as zero.
        leaf.number(last.map_or(0, |last| last + 1));
    }
    leaf.number(account.worked.len() as u64);
    for day in &account.worked {
        leaf.number(u64::from(*day));
    }
    leaf.end()
}

fn of_hold(id: &Hash, hold: &Hold) -> Hash {
    let mut leaf = Leaf::of("hold");
    leaf.bytes(&id.0).lane(&hold.payer).lane(&hold.payee).amounts(&hold.ceiling);
    leaf.number(hold.free_day.into()).number(hold.expires.0);
    leaf.end()
}

/// The content of a leaf: what it is of, then fields of known length.
struct Leaf(Vec<u8>);

impl Leaf {
    fn of(what: &str) -> Self {
        let mut leaf = Self(Vec::with_capacity(256));
        leaf.number(what.len() as u64).bytes(what.as_bytes());
        leaf
    }

    fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(bytes);
        self
    }

    fn number(&mut self, number: u64) -> &mut Self {
        self.bytes(&number.to_le_bytes())
    }

    fn lane(&mut self, lane: &LaneId) -> &mut Self {
        self.bytes(&lane.account.0).bytes(&lane.device.0)
    }

    fn amounts(&mut self, amounts: &Amounts) -> &mut Self {
        self.number(amounts.earned.micro()).number(amounts.granted.micro()).number(amounts.free.micro())
    }

    fn end(&self) -> Hash {
        merkle::leaf(&self.0)
    }
}
