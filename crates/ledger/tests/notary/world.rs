//! Owners with real keys, and one notary.

use p2p_ledger::wire::{self, order::Body};
use p2p_ledger::{Amounts, Answer, LaneId, Notary, Parameters, Refusal};
use p2p_types::{AccountId, Credits, DeviceId, Ed25519, Hash, NetworkId, Scheme, SecretKey, Signed, Timestamp};

pub(crate) const NETWORK: NetworkId = NetworkId([7; 32]);
/// A day's beginning, and some hours.
pub(crate) const START: Timestamp = Timestamp(20_000 * DAY + 8 * HOUR);
pub(crate) const HOUR: u64 = 3_600_000;
pub(crate) const DAY: u64 = 24 * HOUR;

/// One device of one owner.
#[derive(Debug, Clone)]
pub(crate) struct Owner {
    pub(crate) account: Ed25519,
    pub(crate) device: Ed25519,
    pub(crate) next: u64,
}

impl Owner {
    pub(crate) fn new(number: u8) -> Self {
        Self::with_device(number, number.wrapping_add(100))
    }

    pub(crate) fn with_device(account: u8, device: u8) -> Self {
        let key = |first: u8, number: u8| {
            let mut secret = [first; 32];
            secret[31] = number;
            Ed25519::new(&SecretKey::new(secret))
        };
        Self { account: key(1, account), device: key(2, device), next: 0 }
    }

    pub(crate) fn lane(&self) -> LaneId {
        LaneId { account: AccountId(self.account.public_key()), device: DeviceId(self.device.public_key()) }
    }

    pub(crate) fn order(&self, at: Timestamp, epoch: u64, body: Body) -> wire::Order {
        let lane = Some(self.lane().to_wire());
        wire::Order { lane, epoch, sequence: self.next, expires_ms: at.0 + 60_000, body: Some(body) }
    }

    pub(crate) fn sign(&self, order: &wire::Order) -> Signed<wire::Order> {
        Signed::new(&self.device, &NETWORK, order)
    }

    pub(crate) fn opening(&self) -> Body {
        let opening = wire::LaneOpening { device: self.device.public_key().to_vec(), issued_ms: START.0 };
        Body::Open(wire::Open { opening: Signed::new(&self.account, &NETWORK, &opening).into_bytes() })
    }

    pub(crate) fn voucher(&self, hold: Hash, number: u64, amount: Credits) -> wire::Settle {
        let voucher = wire::Voucher { hold: hold.0.to_vec(), number, amount: amount.micro(), task: vec![0; 16] };
        wire::Settle { voucher: Signed::new(&self.device, &NETWORK, &voucher).into_bytes() }
    }
}

pub(crate) fn transfer(payee: &LaneId, amounts: Amounts, purpose: wire::Purpose) -> Body {
    Body::Transfer(wire::Transfer {
        payee: Some(payee.to_wire()),
        amounts: Some(amounts.to_wire()),
        purpose: purpose.into(),
    })
}

pub(crate) fn hold(payee: &LaneId, ceiling: Amounts, expires: Timestamp) -> Body {
    Body::Hold(wire::Hold { payee: Some(payee.to_wire()), ceiling: Some(ceiling.to_wire()), expires_ms: expires.0 })
}

pub(crate) fn release(hold: Hash) -> Body {
    Body::Release(wire::Release { hold: hold.0.to_vec() })
}

pub(crate) fn claim(rule: wire::Rule, day: u32, amount: Credits) -> Body {
    Body::Claim(wire::Claim { rule: rule.into(), day, amount: amount.micro() })
}

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) notary: Notary,
    pub(crate) key: Ed25519,
    pub(crate) now: Timestamp,
    pub(crate) log: Vec<Vec<u8>>,
    pub(crate) founder: Owner,
    pub(crate) issuer: Owner,
}

impl World {
    /// A network whose issuer has its budget.
    pub(crate) fn new() -> Self {
        let (founder, issuer) = (Owner::new(200), Owner::new(201));
        let key = founder.device.clone();
        let notary = Notary::new(NETWORK, parameters(&founder, &issuer));
        let mut world = Self { notary, key, now: START, log: Vec::new(), founder, issuer };
        let (mut founder, mut issuer) = (world.founder.clone(), world.issuer.clone());
        world.open(&mut founder);
        world.open(&mut issuer);
        let budget = world.notary.ledger().parameters().canary_budget;
        world.fine(&mut issuer, claim(wire::Rule::Budget, 0, budget));
        (world.founder, world.issuer) = (founder, issuer);
        world
    }

    pub(crate) fn open(&mut self, owner: &mut Owner) {
        let opening = owner.opening();
        self.fine(owner, opening);
    }

    /// A new owner with a lane.
    pub(crate) fn owner(&mut self, number: u8) -> Owner {
        let mut owner = Owner::new(number);
        self.open(&mut owner);
        owner
    }

    /// Pays an owner for a canary, as the issuer does.
    pub(crate) fn earn(&mut self, owner: &mut Owner, credits: u32) {
        let mut issuer = self.issuer.clone();
        let expires = self.now.plus_ms(HOUR);
        let hold = self.fine(&mut issuer, hold(&owner.lane(), Amounts::earned(Credits::whole(credits)), expires));
        let settle = Body::Settle(issuer.voucher(hold, 1, Credits::whole(credits)));
        self.fine(owner, settle);
        self.issuer = issuer;
    }

    pub(crate) fn judge(&mut self, orders: Vec<Signed<wire::Order>>) -> Vec<Answer> {
        let judged = self.notary.judge(&self.key, self.now, orders);
        self.log.extend(judged.record);
        assert!(self.notary.ledger().balances(), "a credit came or went");
        judged.answers
    }

    pub(crate) fn send(&mut self, owner: &Owner, body: Body) -> Answer {
        let epoch = self.notary.ledger().epoch();
        let order = owner.sign(&owner.order(self.now, epoch, body));
        self.judge(vec![order]).pop().expect("one answer for one order")
    }

    /// Sends what must be carried out; gives the order's id.
    pub(crate) fn fine(&mut self, owner: &mut Owner, body: Body) -> Hash {
        match self.send(owner, body) {
            Answer::Certified { id, .. } => {
                owner.next += 1;
                id
            }
            other => panic!("not carried out: {other:?}"),
        }
    }

    /// Sends what must be refused, and checks that nothing changed.
    pub(crate) fn refused(&mut self, owner: &Owner, body: Body) -> Refusal {
        let before = self.notary.ledger().root();
        match self.send(owner, body) {
            Answer::Refused(refusal) => {
                assert_eq!(self.notary.ledger().root(), before, "a refused order changed something");
                refusal
            }
            other => panic!("not refused: {other:?}"),
        }
    }

    pub(crate) fn purse(&self, owner: &Owner) -> Amounts {
        let lane = self.notary.ledger().lane(&owner.lane()).expect("it has a lane");
        lane.spendable(p2p_ledger::day(self.now))
    }

    /// A notary made anew from the log.
    pub(crate) fn replayed(&self) -> Notary {
        let mut notary = Notary::new(NETWORK, parameters(&self.founder, &self.issuer));
        for record in &self.log {
            notary.replay(&self.key, record).expect("its own log");
        }
        notary
    }
}

pub(crate) fn parameters(founder: &Owner, issuer: &Owner) -> Parameters {
    Parameters::new(AccountId(founder.account.public_key()), AccountId(issuer.account.public_key()))
}

pub(crate) fn earned(credits: u32) -> Amounts {
    Amounts::earned(Credits::whole(credits))
}
