//! What a day's work costs in energy and money: an estimate that shows what it assumes.

use serde::{Deserialize, Serialize};

use crate::capability::Tier;

/// Millionths of a unit of money for a kilowatt-hour: 0.30 is 300,000.
pub const USUAL_PRICE: u64 = 300_000;
/// Thousandths of the processor time that must be under the meter for all to count as measured.
const NEARLY_ALL: u64 = 950;

/// Where the energy comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "basis", rename_all = "snake_case")]
pub enum Basis {
    /// The processor's own meter, and our share of everybody's processor time.
    Measured,
    /// So much for each core that is busy, above what the computer uses anyway.
    Model { milliwatts_per_core: u32 },
    /// The meter where it could be read, the model for the rest.
    Both { milliwatts_per_core: u32 },
}

/// Energy and what it costs, with what was assumed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct Estimate {
    pub microwatt_hours: u64,
    /// Millionths of a unit of money.
    pub cost_micros: u64,
    pub basis: Basis,
    /// Millionths of a unit of money for a kilowatt-hour.
    pub price_micros_per_kwh: u64,
}

/// What the workers used, of which a part under the meter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// What all workers together used of their cores.
    pub cpu_us: u64,
    /// Of that, while the meter was read.
    pub metered_cpu_us: u64,
    /// Our share of what the meter counted in that time.
    pub metered_microjoules: u64,
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

/// Our share of what the meter counted for everybody, by processor time. Clocks of different
/// coarseness may make ours the longer one: then all of it is ours.
#[must_use]
pub fn share(microjoules: u64, ours_us: u64, everybody_us: u64) -> u64 {
    if ours_us == 0 { 0 } else { ratio(microjoules, ours_us, everybody_us.max(ours_us)) }
}

/// What it was, by the meter as far as it was read and by the model for the rest.
#[must_use]
pub fn estimate(tier: Tier, usage: Usage, price_micros_per_kwh: u64) -> Estimate {
    let milliwatts_per_core = milliwatts_per_core(tier);
    let metered_us = usage.metered_cpu_us.min(usage.cpu_us);
    let measured = usage.metered_microjoules / 3_600;
    let modelled = ratio(usage.cpu_us - metered_us, u64::from(milliwatts_per_core), 3_600_000);
    let microwatt_hours = measured.saturating_add(modelled);
    let basis = if metered_us == 0 {
        Basis::Model { milliwatts_per_core }
    } else if ratio(metered_us, 1_000, usage.cpu_us) >= NEARLY_ALL {
        Basis::Measured
    } else {
        Basis::Both { milliwatts_per_core }
    };
    let cost_micros = ratio(microwatt_hours, price_micros_per_kwh, 1_000_000_000);
    Estimate { microwatt_hours, cost_micros, basis, price_micros_per_kwh }
}

/// Rounded to the nearest; never more than there are numbers for.
fn ratio(a: u64, b: u64, divisor: u64) -> u64 {
    let divisor = u128::from(divisor.max(1));
    u64::try_from((u128::from(a) * u128::from(b) + divisor / 2) / divisor).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_US: u64 = 3_600_000_000;

    fn busy(cpu_us: u64) -> Usage {
        Usage { cpu_us, ..Usage::default() }
    }

    #[test]
    fn ten_hours_of_one_core_are_60_watt_hours_and_about_two_cents() {
        let day = estimate(Tier::Standard, busy(10 * HOUR_US), USUAL_PRICE);
        assert_eq!((day.microwatt_hours, day.cost_micros), (60_000_000, 18_000));
        assert_eq!(day.basis, Basis::Model { milliwatts_per_core: 6_000 });
        assert_eq!(estimate(Tier::Power, busy(0), USUAL_PRICE).cost_micros, 0);
        let sentence = estimate(Tier::Standard, busy(20_000), USUAL_PRICE);
        assert_eq!(sentence.microwatt_hours, 33, "a single sentence is not nothing");
    }

    #[test]
    fn the_meter_goes_before_the_model() {
        let all = Usage { cpu_us: HOUR_US, metered_cpu_us: HOUR_US, metered_microjoules: 3_600_000_000 };
        let measured = estimate(Tier::Standard, all, USUAL_PRICE);
        assert_eq!((measured.microwatt_hours, measured.basis), (1_000_000, Basis::Measured));
        let half = Usage { cpu_us: 2 * HOUR_US, ..all };
        let both = estimate(Tier::Standard, half, USUAL_PRICE);
        assert_eq!((both.microwatt_hours, both.basis), (7_000_000, Basis::Both { milliwatts_per_core: 6_000 }));
    }

    #[test]
    fn a_share_is_by_processor_time() {
        assert_eq!(share(1_000, 250, 1_000), 250);
        assert_eq!(share(1_000, 250, 240), 1_000, "the other clock is coarser");
        assert_eq!(share(1_000, 0, 0), 0);
    }

    #[test]
    fn nothing_overflows() {
        let most = Usage { cpu_us: u64::MAX, metered_cpu_us: u64::MAX, metered_microjoules: u64::MAX };
        assert_eq!(estimate(Tier::Power, most, u64::MAX).basis, Basis::Measured);
        assert_eq!(estimate(Tier::Power, busy(u64::MAX), u64::MAX).cost_micros, u64::MAX);
    }
}
