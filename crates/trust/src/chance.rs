//! Waiting times that nobody foresees, from random numbers given in.

use p2p_types::DeviceId;

/// ln 2 as a fraction of 2^32.
const LN_2: u128 = 2_977_044_472;

/// A number of its own for each device, from one random number.
pub(crate) fn own(random: u64, device: &DeviceId) -> u64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&random.to_le_bytes()).update(&device.0);
    let mut number = [0; 8];
    hasher.finalize_xof().fill(&mut number);
    u64::from_le_bytes(number)
}

/// An exponentially distributed time of mean `mean_ms`. It has no memory: having waited long says
/// nothing about when, so there is no moment at which honest work pays more than at another.
///
/// In whole numbers, because logarithms of floats differ between machines in their last digit.
pub(crate) fn wait_ms(random: u64, mean_ms: u64) -> u64 {
    // -ln(x / 2^64) = (64 - log2 x) ln 2
    let waited = (64_u128 << 32).saturating_sub(log2(random.max(1)));
    let ms = (((waited * LN_2) >> 32) * u128::from(mean_ms)) >> 32;
    u64::try_from(ms).unwrap_or(u64::MAX)
}

/// The binary logarithm of `x` (at least 1), in 2^-32.
fn log2(x: u64) -> u128 {
    let whole = 63 - x.leading_zeros();
    let mut result = u128::from(whole) << 32;
    // x as a number from 1 to 2, in 2^-63; each squaring gives one binary digit.
    let mut part = u128::from(x << x.leading_zeros());
    for digit in (0..32).rev() {
        part = (part * part) >> 63;
        if part >= 1 << 64 {
            part >>= 1;
            result |= 1 << digit;
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_have_the_mean_and_the_shape_of_chance() {
        let mean = 600_000;
        let waits: Vec<u64> = (0..20_000).map(|n| wait_ms(own(n, &DeviceId([1; 32])), mean)).collect();
        let measured = waits.iter().sum::<u64>() / 20_000;
        assert!(measured.abs_diff(mean) < mean / 40, "{measured}");
        // Of an exponential distribution 63.2 % are below the mean, and 5.0 % above three times it.
        let share = |of: &dyn Fn(u64) -> bool| waits.iter().filter(|wait| of(**wait)).count();
        assert!(share(&|wait| wait < mean).abs_diff(12_642) < 300);
        assert!(share(&|wait| wait > 3 * mean).abs_diff(996) < 150);
    }

    #[test]
    fn the_ends_are_where_they_should_be() {
        assert_eq!(wait_ms(u64::MAX, 600_000), 0);
        assert_eq!(wait_ms(1 << 63, 1_000_000), 693_147, "half of them are below ln 2");
        assert_eq!(wait_ms(0, 1_000), wait_ms(1, 1_000));
        assert_eq!(wait_ms(0, 1_000), 44_361);
        assert_eq!(wait_ms(0, 0), 0);
    }

    #[test]
    fn devices_have_numbers_of_their_own() {
        assert_ne!(own(1, &DeviceId([1; 32])), own(1, &DeviceId([2; 32])));
        assert_ne!(own(1, &DeviceId([1; 32])), own(2, &DeviceId([1; 32])));
    }
}
