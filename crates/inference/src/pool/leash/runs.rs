//! How much a worker on the leash takes on at once.
//!
//! A worker answers between two runs of the model, and one that is held most of the time takes long
//! over a run. So runs shrink with the cap: what a cap costs an order is then its time and not that of
//! the texts beside it, and a worker whose order is no longer wanted is done in time to live on.

use crate::wire::RUN_TOKENS;

/// From this cap on runs are whole, in thousandths of the computer.
const WHOLE: u32 = 500;
/// Shorter runs cost more than they are good for.
const LEAST: u32 = 64;

/// Most tokens of a run under a cap of so many thousandths.
pub(super) fn tokens(cpu_permille: u16) -> u32 {
    (RUN_TOKENS * u32::from(cpu_permille).min(WHOLE) / WHOLE).max(LEAST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_shrink_with_the_cap_and_no_further_than_pays() {
        let runs = [0, 10, 100, 300, 499, 500, 1000].map(tokens);
        assert_eq!(runs, [64, 64, 64, 153, 255, 256, 256]);
    }
}
