//! Value by where it came from.
//!
//! What a network gives away may be spent on work and nothing else, and whoever is paid with it may
//! again only spend it: otherwise paying oneself would turn gifts into earnings. So an amount
//! has three parts, the payer names them, and the marks travel with the value.

use p2p_types::Credits;

use crate::Refusal;
use crate::wire;

/// Parts of an amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Amounts {
    /// Free to be spent, given and tipped.
    pub earned: Credits,
    /// Only to be spent on work.
    pub granted: Credits,
    /// Of the free tier of one day, which lapses at its end; counts as granted once it is paid.
    pub free: Credits,
}

impl Amounts {
    #[must_use]
    pub const fn earned(amount: Credits) -> Self {
        Self { earned: amount, granted: Credits::ZERO, free: Credits::ZERO }
    }

    #[must_use]
    pub const fn granted(amount: Credits) -> Self {
        Self { earned: Credits::ZERO, granted: amount, free: Credits::ZERO }
    }

    /// All parts together. Parts that were read from outside never overflow it.
    #[must_use]
    pub fn total(&self) -> Credits {
        [self.earned, self.granted, self.free].into_iter().sum()
    }

    #[must_use]
    pub(crate) fn plus(&self, other: &Self) -> Option<Self> {
        let sum = Self {
            earned: self.earned.plus(other.earned)?,
            granted: self.granted.plus(other.granted)?,
            free: self.free.plus(other.free)?,
        };
        sum.checked_total().map(|_| sum)
    }

    /// `None` where a part is less than what is taken of it.
    #[must_use]
    pub(crate) fn minus(&self, other: &Self) -> Option<Self> {
        Some(Self {
            earned: self.earned.minus(other.earned)?,
            granted: self.granted.minus(other.granted)?,
            free: self.free.minus(other.free)?,
        })
    }

    /// The parts of the first `amount` of it: free before granted before earned. `None` where it is
    /// less than that.
    #[must_use]
    pub fn first(&self, amount: Credits) -> Option<Self> {
        let free = self.free.min(amount);
        let rest = amount.minus(free)?;
        let granted = self.granted.min(rest);
        let earned = rest.minus(granted)?;
        (earned <= self.earned).then_some(Self { earned, granted, free })
    }

    /// What a payee gets of it after `burn` went: marked value burns first, and stays marked.
    pub(crate) fn paid_after(&self, burn: Credits) -> Option<Self> {
        let marked = self.granted.plus(self.free)?;
        let burnt_marked = marked.min(burn);
        let earned = self.earned.minus(burn.minus(burnt_marked)?)?;
        Some(Self { earned, granted: marked.minus(burnt_marked)?, free: Credits::ZERO })
    }

    fn checked_total(&self) -> Option<Credits> {
        self.earned.plus(self.granted)?.plus(self.free)
    }

    pub(crate) fn read(wire: Option<&wire::Amounts>) -> Result<Self, Refusal> {
        let wire = wire.ok_or(Refusal::Malformed("no amount"))?;
        let part = |micro| Credits::from_micro(micro).ok_or(Refusal::TooLarge);
        let amounts = Self { earned: part(wire.earned)?, granted: part(wire.granted)?, free: part(wire.free)? };
        match amounts.checked_total() {
            None => Err(Refusal::TooLarge),
            Some(Credits::ZERO) => Err(Refusal::Nothing),
            Some(_) => Ok(amounts),
        }
    }

    /// As it is encoded.
    #[must_use]
    pub const fn to_wire(&self) -> wire::Amounts {
        wire::Amounts { earned: self.earned.micro(), granted: self.granted.micro(), free: self.free.micro() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amounts(earned: u32, granted: u32, free: u32) -> Amounts {
        let whole = Credits::whole;
        Amounts { earned: whole(earned), granted: whole(granted), free: whole(free) }
    }

    #[test]
    fn what_lapses_is_spent_first_and_earnings_last() {
        let all = amounts(10, 5, 3);
        assert_eq!(all.first(Credits::whole(2)), Some(amounts(0, 0, 2)));
        assert_eq!(all.first(Credits::whole(7)), Some(amounts(0, 4, 3)));
        assert_eq!(all.first(Credits::whole(18)), Some(all));
        assert_eq!(all.first(Credits::whole(19)), None);
    }

    #[test]
    fn no_payment_turns_marked_value_into_earnings() {
        for (earned, granted, free, burn) in [(10, 5, 3, 1), (10, 5, 3, 8), (10, 5, 3, 9), (0, 20, 0, 1), (20, 0, 0, 1)]
        {
            let paid = amounts(earned, granted, free);
            let got = paid.paid_after(Credits::whole(burn)).expect("less than all burns");
            assert!(got.earned <= paid.earned);
            assert_eq!(got.total().plus(Credits::whole(burn)), Some(paid.total()));
        }
        assert_eq!(amounts(1, 1, 1).paid_after(Credits::whole(4)), None);
    }

    #[test]
    fn amounts_from_outside_are_neither_nothing_nor_too_much() {
        let read = |earned, granted, free| Amounts::read(Some(&wire::Amounts { earned, granted, free }));
        assert_eq!(read(0, 0, 0), Err(Refusal::Nothing));
        assert_eq!(read(u64::MAX, 0, 0), Err(Refusal::TooLarge));
        assert_eq!(read(u64::MAX / 2, 1, 0), Err(Refusal::TooLarge));
        assert_eq!(Amounts::read(None), Err(Refusal::Malformed("no amount")));
        assert!(read(u64::MAX / 2 - 1, 1, 0).is_ok());
    }
}
