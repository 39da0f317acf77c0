//! The two ends of a hold while work goes on under it. No notary is asked: the payer signs a higher
//! voucher for each task, and the payee begins no more work while one is missing.

use p2p_types::{Credits, DeviceId, Hash, TaskId, Timestamp};
use thiserror::Error;

use crate::order::Voucher;
use crate::wire;

/// Why a voucher is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum VoucherRefused {
    #[error("it is for another hold")]
    OtherHold,
    #[error("it is not signed by the device that made the hold")]
    OtherDevice,
    #[error("voucher {number} does not follow voucher {last}")]
    GoesBack { number: u64, last: u64 },
    #[error("it is for {amount} credits, the hold for {ceiling}")]
    TooHigh { amount: Credits, ceiling: Credits },
    #[error("the hold can be settled no more")]
    Ended,
}

/// The payer's end: what of a hold is promised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paying {
    hold: Hash,
    /// Who made the hold and signs for it.
    device: DeviceId,
    ceiling: Credits,
    number: u64,
    promised: Credits,
}

impl Paying {
    #[must_use]
    pub const fn new(hold: Hash, device: DeviceId, ceiling: Credits) -> Self {
        Self { hold, device, ceiling, number: 0, promised: Credits::ZERO }
    }

    #[must_use]
    pub const fn hold(&self) -> Hash {
        self.hold
    }

    /// What can still be promised.
    #[must_use]
    pub fn left(&self) -> Credits {
        self.ceiling.minus(self.promised).unwrap_or_default()
    }

    /// The next voucher, to be signed: `price` more than the one before. `None` where the hold is too small for it.
    pub fn pay(&mut self, task: TaskId, price: Credits) -> Option<wire::Voucher> {
        let promised = self.promised.plus(price).filter(|promised| *promised <= self.ceiling)?;
        self.number = self.number.checked_add(1)?;
        self.promised = promised;
        Some(wire::Voucher {
            hold: self.hold.0.to_vec(),
            number: self.number,
            amount: promised.micro(),
            task: task.0.to_vec(),
        })
    }
}

/// The payee's end: what of a hold is earned, and whether to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earning {
    hold: Hash,
    /// Whose vouchers count.
    device: DeviceId,
    ceiling: Credits,
    /// No work is begun from here on.
    expires: Timestamp,
    /// Until then it can be settled.
    settled_by: Timestamp,
    /// The price of all work that was begun, and of that which was delivered.
    begun: Credits,
    delivered: Credits,
    number: u64,
    vouched: Credits,
}

impl Earning {
    /// `grace_ms` is the network's [`crate::Parameters::grace_ms`].
    #[must_use]
    pub const fn new(hold: Hash, device: DeviceId, ceiling: Credits, expires: Timestamp, grace_ms: u64) -> Self {
        let zero = Credits::ZERO;
        let settled_by = expires.plus_ms(grace_ms);
        Self { hold, device, ceiling, expires, settled_by, begun: zero, delivered: zero, number: 0, vouched: zero }
    }

    /// Sets `price` aside for a task that begins now. False where it must not begin: more than
    /// `unpaid` was delivered without a voucher, or the hold does not bear all that was begun, or it ends.
    /// Some must be borne: with several tasks under way, vouchers are a little behind.
    pub fn begin(&mut self, now: Timestamp, price: Credits, unpaid: Credits) -> bool {
        let bears = self.begun.plus(price).filter(|begun| *begun <= self.ceiling);
        let behind = self.delivered.minus(self.vouched).unwrap_or_default();
        match bears {
            Some(begun) if behind <= unpaid && now < self.expires => {
                self.begun = begun;
                true
            }
            _ => false,
        }
    }

    /// A task that was begun for `price` was delivered.
    pub fn deliver(&mut self, price: Credits) {
        self.delivered = self.delivered.plus(price).unwrap_or(Credits::MAX);
    }

    /// A task that was begun for `price` will not be delivered.
    pub fn abandon(&mut self, price: Credits) {
        self.begun = self.begun.minus(price).unwrap_or_default();
    }

    /// Takes a voucher whose signature was checked. One that does not cover everything is taken too: it
    /// is worth what it says, and [`Self::begin`] waits for the rest.
    ///
    /// # Errors
    /// When it is not the next of this hold, or the notary would not settle it.
    pub fn take(&mut self, now: Timestamp, voucher: &Voucher) -> Result<(), VoucherRefused> {
        let (number, amount) = (voucher.number, voucher.amount);
        if voucher.hold != self.hold {
            return Err(VoucherRefused::OtherHold);
        }
        if voucher.device != self.device {
            return Err(VoucherRefused::OtherDevice);
        }
        if now >= self.settled_by {
            return Err(VoucherRefused::Ended);
        }
        if number <= self.number || amount <= self.vouched {
            return Err(VoucherRefused::GoesBack { number, last: self.number });
        }
        if amount > self.ceiling {
            return Err(VoucherRefused::TooHigh { amount, ceiling: self.ceiling });
        }
        self.number = number;
        self.vouched = amount;
        // What is vouched for was delivered: by an earlier process, where this one did not do it. It is
        // no payment for work to come.
        if let Some(before) = amount.minus(self.delivered) {
            self.begun = self.begun.plus(before).unwrap_or(Credits::MAX);
            self.delivered = amount;
        }
        Ok(())
    }

    /// Whether work that was begun is neither delivered nor given up.
    #[must_use]
    pub fn is_working(&self) -> bool {
        self.begun > self.delivered
    }

    /// What was delivered and is not vouched for.
    #[must_use]
    pub fn unpaid(&self) -> Credits {
        self.delivered.minus(self.vouched).unwrap_or_default()
    }

    /// What could be settled now.
    #[must_use]
    pub const fn vouched(&self) -> Credits {
        self.vouched
    }

    /// Whether it is time to settle: little of the hold is left, or little of its time.
    #[must_use]
    pub fn should_settle(&self, now: Timestamp, margin_ms: u64) -> bool {
        let high = self.vouched.micro() >= self.ceiling.micro() / 10 * 9;
        !self.vouched.is_zero() && (high || now.plus_ms(margin_ms) >= self.expires)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOLD: Hash = Hash([1; 32]);
    const TASK: TaskId = TaskId([2; 16]);
    const DEVICE: DeviceId = DeviceId([3; 32]);
    const START: Timestamp = Timestamp(0);
    const END: Timestamp = Timestamp(10_000);
    const GRACE_MS: u64 = 1000;

    fn ends() -> (Paying, Earning) {
        let ceiling = Credits::whole(10);
        (Paying::new(HOLD, DEVICE, ceiling), Earning::new(HOLD, DEVICE, ceiling, END, GRACE_MS))
    }

    fn seen(voucher: &wire::Voucher) -> Voucher {
        let amount = Credits::from_micro(voucher.amount).expect("small");
        Voucher { device: DEVICE, hold: HOLD, number: voucher.number, amount }
    }

    #[test]
    fn a_payee_works_as_long_as_vouchers_keep_up() {
        let (mut paying, mut earning) = ends();
        let price = Credits::whole(4);
        for _ in 0..2 {
            assert!(earning.begin(START, price, Credits::ZERO));
            earning.deliver(price);
            assert!(!earning.begin(START, Credits::whole(1), Credits::ZERO), "nothing more before the voucher");
            let voucher = paying.pay(TASK, price).expect("the hold bears it");
            earning.take(START, &seen(&voucher)).expect("the next voucher");
        }
        assert!(!earning.begin(START, price, Credits::ZERO), "the hold is too small for a third");
        assert_eq!(paying.pay(TASK, price), None);
        assert_eq!((earning.vouched(), paying.left()), (Credits::whole(8), Credits::whole(2)));
        assert!(!earning.begin(END, Credits::whole(1), Credits::ZERO), "not after its end");
    }

    #[test]
    fn what_is_under_way_is_set_aside_and_a_part_payment_is_kept() {
        let (mut paying, mut earning) = ends();
        let price = Credits::whole(4);
        assert!(earning.begin(START, price, Credits::ZERO) && earning.begin(START, price, Credits::ZERO));
        assert!(!earning.begin(START, price, Credits::ZERO), "two under way leave too little for a third");
        earning.deliver(price);
        earning.deliver(price);
        let first = seen(&paying.pay(TASK, price).expect("bears it"));
        earning.take(START, &first).expect("worth what it says");
        assert_eq!(earning.vouched(), price);
        assert!(!earning.begin(START, Credits::whole(1), Credits::ZERO), "the other is not paid yet");
        let second = seen(&paying.pay(TASK, price).expect("bears it"));
        earning.take(END, &second).expect("late, but the notary would settle it");
        earning.abandon(Credits::whole(8));
        assert_eq!(earning.vouched(), Credits::whole(8));
    }

    #[test]
    fn vouchers_that_go_back_or_belong_elsewhere_are_refused() {
        let (mut paying, mut earning) = ends();
        let first = seen(&paying.pay(TASK, Credits::whole(2)).expect("bears it"));
        let second = seen(&paying.pay(TASK, Credits::whole(2)).expect("bears it"));
        earning.take(START, &second).expect("the latest");
        let refused = |earning: &mut Earning, voucher: Voucher| earning.take(START, &voucher).expect_err("refused");
        let goes_back = VoucherRefused::GoesBack { number: 1, last: 2 };
        assert_eq!(refused(&mut earning, first), goes_back);
        assert_eq!(refused(&mut earning, second), VoucherRefused::GoesBack { number: 2, last: 2 });
        let lower = Voucher { number: 3, ..first };
        assert_eq!(refused(&mut earning, lower), VoucherRefused::GoesBack { number: 3, last: 2 });
        let next = Voucher { number: 3, ..second };
        assert_eq!(refused(&mut earning, Voucher { hold: Hash([9; 32]), ..next }), VoucherRefused::OtherHold);
        assert_eq!(refused(&mut earning, Voucher { device: DeviceId([9; 32]), ..next }), VoucherRefused::OtherDevice);
        let (amount, ceiling) = (Credits::whole(11), Credits::whole(10));
        assert_eq!(refused(&mut earning, Voucher { amount, ..next }), VoucherRefused::TooHigh { amount, ceiling });
        assert_eq!(earning.take(END.plus_ms(GRACE_MS), &next), Err(VoucherRefused::Ended));
        assert_eq!(earning.vouched(), Credits::whole(4), "nothing that was refused counts");
    }
}
