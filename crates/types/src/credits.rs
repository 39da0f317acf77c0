//! Credits as whole numbers.

use std::fmt;
use std::iter::Sum;
use std::str::FromStr;

use thiserror::Error;

/// Micro-credits in one credit.
pub const MICRO: u64 = 1_000_000;

/// An amount of credits, in whole micro-credits. Never negative, and every sum is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Credits(u64);

/// Why a text is no amount of credits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CreditsError {
    #[error("an amount is a number such as 12 or 0.25")]
    NoNumber,
    #[error("an amount cannot be negative")]
    Negative,
    #[error("an amount has at most six digits after the point")]
    TooFine,
    #[error("this is more than can exist")]
    TooLarge,
}

impl Credits {
    pub const ZERO: Self = Self(0);
    /// The most there can be: half of what fits, so that no sum of two overflows.
    pub const MAX: Self = Self(u64::MAX / 2);

    /// `None` for more than can exist.
    #[must_use]
    pub const fn from_micro(micro: u64) -> Option<Self> {
        if micro <= Self::MAX.0 { Some(Self(micro)) } else { None }
    }

    /// Whole credits; for constants.
    ///
    /// # Panics
    /// When it is more than can exist.
    #[must_use]
    pub const fn whole(credits: u32) -> Self {
        Self(credits as u64 * MICRO)
    }

    /// A tenth of a credit.
    #[must_use]
    pub const fn tenth() -> Self {
        Self(100_000)
    }

    #[must_use]
    pub const fn micro(self) -> u64 {
        self.0
    }

    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// `None` where the sum is more than can exist.
    #[must_use]
    pub fn plus(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).and_then(Self::from_micro)
    }

    /// `None` where `other` is more.
    #[must_use]
    pub fn minus(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// `parts` millionths of it, rounded down; all of it for a million and more.
    #[must_use]
    pub fn millionths(self, parts: u32) -> Self {
        let share = u128::from(self.0) * u128::from(parts.min(1_000_000)) / 1_000_000;
        Self(u64::try_from(share).unwrap_or(self.0))
    }
}

/// The sum, or [`Credits::MAX`] where it is more than can exist.
impl Sum for Credits {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, |sum, amount| sum.plus(amount).unwrap_or(Self::MAX))
    }
}

/// Credits with as many digits after the point as needed: `12`, `0.25`.
impl fmt::Display for Credits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / MICRO, self.0 % MICRO);
        if rest == 0 {
            write!(f, "{whole}")
        } else {
            let digits = format!("{rest:06}");
            write!(f, "{whole}.{}", digits.trim_end_matches('0'))
        }
    }
}

impl FromStr for Credits {
    type Err = CreditsError;

    fn from_str(text: &str) -> Result<Self, CreditsError> {
        if text.starts_with('-') {
            return Err(CreditsError::Negative);
        }
        let (whole, rest) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !digits(rest) {
            return Err(CreditsError::NoNumber);
        }
        if rest.len() > 6 {
            return Err(CreditsError::TooFine);
        }
        let whole: u64 = whole.parse().map_err(|_| CreditsError::TooLarge)?;
        let rest: u64 = format!("{rest:0<6}").parse().map_err(|_| CreditsError::NoNumber)?;
        let micro = whole.checked_mul(MICRO).and_then(|micro| micro.checked_add(rest));
        micro.and_then(Self::from_micro).ok_or(CreditsError::TooLarge)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_amounts_are_each_others_inverse() {
        for text in ["0", "1", "12", "0.25", "1.5", "0.000001", "9223372036854.775807"] {
            let amount: Credits = text.parse().expect(text);
            assert_eq!(amount.to_string(), text);
        }
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        let refused = |text: &str| text.parse::<Credits>().expect_err(text);
        for text in ["", ".", "1.", ".5", "1e3", "+1", " 1", "1,5", "0x10", "NaN", "١"] {
            assert_eq!(refused(text), CreditsError::NoNumber, "{text:?}");
        }
        assert_eq!(refused("-1"), CreditsError::Negative);
        assert_eq!(refused("0.0000001"), CreditsError::TooFine);
        for text in ["9223372036854.775808", "18446744073709551616", "99999999999999999999999"] {
            assert_eq!(refused(text), CreditsError::TooLarge, "{text:?}");
        }
    }

    #[test]
    fn no_sum_overflows_and_nothing_goes_below_zero() {
        assert_eq!(Credits::MAX.plus(Credits::from_micro(1).expect("small")), None);
        assert_eq!(Credits::whole(1).minus(Credits::whole(2)), None);
        assert_eq!([Credits::MAX, Credits::whole(1)].into_iter().sum::<Credits>(), Credits::MAX);
        assert_eq!(Credits::from_micro(u64::MAX), None);
    }

    #[test]
    fn shares_are_rounded_down() {
        assert_eq!(Credits::from_micro(19).expect("small").millionths(50_000).micro(), 0);
        assert_eq!(Credits::whole(20).millionths(50_000), Credits::whole(1));
        assert_eq!(Credits::MAX.millionths(u32::MAX), Credits::MAX);
    }
}
