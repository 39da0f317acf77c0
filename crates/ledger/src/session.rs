//! The two ends of a hold while work goes on under it. No notary is asked: the payer signs a higher
//! voucher for each task, and the payee works on as long as it covers what was done.

use p2p_types::{Credits, Hash, TaskId, Timestamp};
use thiserror::Error;

use crate::order::{LaneId, Voucher};
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
    #[error("it is for {amount} credits in all, less than the {owed} that are owed")]
    TooLow { amount: Credits, owed: Credits },
    #[error("it is for {amount} credits, the hold for {ceiling}")]
    TooHigh { amount: Credits, ceiling: Credits },
    #[error("the hold ended")]
    Ended,
}

/// The payer's end: what of a hold is promised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paying {
    pub hold: Hash,
    ceiling: Credits,
    number: u64,
    promised: Credits,
}

impl Paying {
    #[must_use]
    pub const fn new(hold: Hash, ceiling: Credits) -> Self {
        Self { hold, ceiling, number: 0, promised: Credits::ZERO }
    }

    /// What can still be promised.
    #[must_use]
    pub fn left(&self) -> Credits {
        self.ceiling.minus(self.promised).unwrap_or_default()
    }

    /// The next voucher, to be signed: `price` more than the one before. It must be on disk before
    /// it leaves. `None` where the hold is too small for it.
    pub fn pay(&mut self, task: TaskId, price: Credits) -> Option<wire::Voucher> {
        let promised = self.promised.plus(price).filter(|promised| *promised <= self.ceiling)?;
        self.promised = promised;
        self.number += 1;
        Some(wire::Voucher {
            hold: self.hold.0.to_vec(),
            number: self.number,
            amount: promised.micro(),
            task: task.0.to_vec(),
        })
    }

    /// Goes on from one's own latest voucher, as the payee shows it: after a restore from an older
    /// copy one knows less than one signed.
    pub fn catch_up(&mut self, voucher: &Voucher) {
        if voucher.hold == self.hold && voucher.number > self.number {
            self.number = voucher.number;
            self.promised = voucher.amount.max(self.promised).min(self.ceiling);
        }
    }
}

/// The payee's end: what of a hold is earned, and whether to work on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earning {
    hold: Hash,
    payer: LaneId,
    ceiling: Credits,
    expires: Timestamp,
    /// The price of all work done so far.
    owed: Credits,
    number: u64,
    vouched: Credits,
}

impl Earning {
    #[must_use]
    pub const fn new(hold: Hash, payer: LaneId, ceiling: Credits, expires: Timestamp) -> Self {
        let (owed, vouched) = (Credits::ZERO, Credits::ZERO);
        Self { hold, payer, ceiling, expires, owed, number: 0, vouched }
    }

    /// Work for `price` was delivered.
    pub fn delivered(&mut self, price: Credits) {
        self.owed = self.owed.plus(price).unwrap_or(Credits::MAX);
    }

    /// Whether another task for `price` may begin: what was delivered is paid, and the hold can bear it.
    #[must_use]
    pub fn may_work(&self, now: Timestamp, price: Credits) -> bool {
        let bears = self.owed.plus(price).is_some_and(|owed| owed <= self.ceiling);
        self.vouched >= self.owed && bears && now < self.expires
    }

    /// Takes a voucher whose signature was checked.
    ///
    /// # Errors
    /// When it is not the next of this hold, or covers less than was delivered.
    pub fn take(&mut self, now: Timestamp, voucher: &Voucher) -> Result<(), VoucherRefused> {
        let (number, amount) = (voucher.number, voucher.amount);
        if voucher.hold != self.hold {
            return Err(VoucherRefused::OtherHold);
        }
        if voucher.device != self.payer.device {
            return Err(VoucherRefused::OtherDevice);
        }
        if now >= self.expires {
            return Err(VoucherRefused::Ended);
        }
        if number <= self.number || amount < self.vouched {
            return Err(VoucherRefused::GoesBack { number, last: self.number });
        }
        if amount > self.ceiling {
            return Err(VoucherRefused::TooHigh { amount, ceiling: self.ceiling });
        }
        if amount < self.owed {
            return Err(VoucherRefused::TooLow { amount, owed: self.owed });
        }
        self.number = number;
        self.vouched = amount;
        Ok(())
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
    use p2p_types::{AccountId, DeviceId};

    use super::*;

    const HOLD: Hash = Hash([1; 32]);
    const TASK: TaskId = TaskId([2; 16]);
    const DEVICE: DeviceId = DeviceId([3; 32]);
    const END: Timestamp = Timestamp(10_000);

    fn ends() -> (Paying, Earning) {
        let payer = LaneId { account: AccountId([4; 32]), device: DEVICE };
        (Paying::new(HOLD, Credits::whole(10)), Earning::new(HOLD, payer, Credits::whole(10), END))
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
            assert!(earning.may_work(Timestamp(0), price));
            earning.delivered(price);
            assert!(!earning.may_work(Timestamp(0), price), "nothing more before the voucher");
            let voucher = paying.pay(TASK, price).expect("the hold bears it");
            earning.take(Timestamp(0), &seen(&voucher)).expect("the next voucher");
        }
        assert!(!earning.may_work(Timestamp(0), price), "the hold is too small for a third");
        assert_eq!(paying.pay(TASK, price), None);
        assert_eq!((earning.vouched(), paying.left()), (Credits::whole(8), Credits::whole(2)));
        assert!(!earning.may_work(END, Credits::whole(1)), "not after its end");
    }

    #[test]
    fn vouchers_that_go_back_or_belong_elsewhere_are_refused() {
        let (mut paying, mut earning) = ends();
        let first = seen(&paying.pay(TASK, Credits::whole(2)).expect("bears it"));
        let second = seen(&paying.pay(TASK, Credits::whole(2)).expect("bears it"));
        earning.take(Timestamp(0), &second).expect("the latest");
        let refused =
            |earning: &mut Earning, voucher: Voucher| earning.take(Timestamp(0), &voucher).expect_err("refused");
        let goes_back = VoucherRefused::GoesBack { number: 1, last: 2 };
        assert_eq!(refused(&mut earning, first.clone()), goes_back);
        assert_eq!(refused(&mut earning, second.clone()), VoucherRefused::GoesBack { number: 2, last: 2 });
        let lower = Voucher { number: 3, ..first };
        assert_eq!(refused(&mut earning, lower), VoucherRefused::GoesBack { number: 3, last: 2 });
        let next = Voucher { number: 3, ..second };
        assert_eq!(refused(&mut earning, Voucher { hold: Hash([9; 32]), ..next.clone() }), VoucherRefused::OtherHold);
        assert_eq!(
            refused(&mut earning, Voucher { device: DeviceId([9; 32]), ..next.clone() }),
            VoucherRefused::OtherDevice
        );
        let (amount, ceiling) = (Credits::whole(11), Credits::whole(10));
        assert_eq!(
            refused(&mut earning, Voucher { amount, ..next.clone() }),
            VoucherRefused::TooHigh { amount, ceiling }
        );
        earning.delivered(Credits::whole(5));
        let (amount, owed) = (next.amount, Credits::whole(5));
        assert_eq!(refused(&mut earning, next.clone()), VoucherRefused::TooLow { amount, owed });
        assert_eq!(earning.take(END, &next), Err(VoucherRefused::Ended));
        assert_eq!(earning.vouched(), Credits::whole(4), "nothing that was refused counts");
    }

    #[test]
    fn a_payer_restored_from_an_older_copy_goes_on_from_its_own_latest_voucher() {
        let (mut paying, mut earning) = ends();
        let older = paying.clone();
        let latest = seen(&paying.pay(TASK, Credits::whole(3)).expect("bears it"));
        earning.take(Timestamp(0), &latest).expect("the next voucher");
        let mut restored = older;
        restored.catch_up(&latest);
        assert_eq!(restored, paying);
        let next = seen(&restored.pay(TASK, Credits::whole(1)).expect("bears it"));
        earning.take(Timestamp(0), &next).expect("goes on");
        restored.catch_up(&latest);
        assert_eq!(restored.left(), Credits::whole(6), "an older one changes nothing");
    }
}
