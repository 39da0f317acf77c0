//! What a day's work costs in energy and money: an estimate that shows what it assumes.

use serde::{Deserialize, Serialize};

use crate::capability::Tier;

/// Millionths of a unit of money for a kilowatt-hour: 0.30 is 300,000.
pub const USUAL_PRICE: u64 = 300_000;

/// Where the energy comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "basis", rename_all = "snake_case")]
pub enum Basis {
    /// The processor's own meter.
    Measured,
    /// So much for each core that is busy, above what the computer uses anyway.
    Model { milliwatts_per_core: u32 },
}

/// Energy and what it costs, with what was assumed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct Estimate {
    pub milliwatt_hours: u64,
    /// Millionths of a unit of money.
    pub cost_micros: u64,
    pub basis: Basis,
    /// Millionths of a unit of money for a kilowatt-hour.
    pub price_micros_per_kwh: u64,
}

/// What one busy core adds: phones about 1.5 W, laptops 6 W, large ones 10 W. Rough on purpose, and
/// shown beside the result; losses of the power supply are not in it.
#[must_use]
pub const fn milliwatts_per_core(tier: Tier) -> u32 {
    match tier {
        Tier::Basic => 1_500,
        Tier::Standard => 6_000,
        Tier::Power => 10_000,
    }
}

/// By the model: `cpu_ms` is what all workers together used of their cores.
#[must_use]
pub fn estimated(tier: Tier, cpu_ms: u64, price_micros_per_kwh: u64) -> Estimate {
    let milliwatts = milliwatts_per_core(tier);
    let milliwatt_hours = ratio(cpu_ms, u64::from(milliwatts), 3_600_000);
    with(milliwatt_hours, Basis::Model { milliwatts_per_core: milliwatts }, price_micros_per_kwh)
}

/// By a meter.
#[must_use]
pub fn measured(milliwatt_hours: u64, price_micros_per_kwh: u64) -> Estimate {
    with(milliwatt_hours, Basis::Measured, price_micros_per_kwh)
}

fn with(milliwatt_hours: u64, basis: Basis, price: u64) -> Estimate {
    Estimate {
        milliwatt_hours,
        cost_micros: ratio(milliwatt_hours, price, 1_000_000),
        basis,
        price_micros_per_kwh: price,
    }
}

/// Rounded to the nearest; never more than there are numbers for.
fn ratio(a: u64, b: u64, divisor: u64) -> u64 {
    let divisor = u128::from(divisor);
    u64::try_from((u128::from(a) * u128::from(b) + divisor / 2) / divisor).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_hours_of_one_core_are_60_watt_hours_and_about_two_cents() {
        let day = estimated(Tier::Standard, 10 * 3_600_000, USUAL_PRICE);
        assert_eq!((day.milliwatt_hours, day.cost_micros), (60_000, 18_000));
        assert_eq!(day.basis, Basis::Model { milliwatts_per_core: 6_000 });
        assert_eq!(measured(60_000, 300_000).cost_micros, 18_000);
        assert_eq!(estimated(Tier::Power, 0, USUAL_PRICE).cost_micros, 0);
        assert_eq!(measured(u64::MAX, u64::MAX).cost_micros, u64::MAX, "nothing overflows");
    }
}
