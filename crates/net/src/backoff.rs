//! How long to wait before the next attempt.

use std::time::Duration;

use p2p_types::DeviceId;

const FIRST_MS: u64 = 1_000;
const LAST_MS: u64 = 60_000;

/// The wait after `failures` failed attempts: it doubles from 1 s to 60 s. Up to a third of it
/// is told by who waits and what for, so that nodes that lost the same peer at the same moment
/// do not all come back at the same moment.
pub(crate) fn wait(me: &DeviceId, what: &[u8], failures: u32) -> Duration {
    let longest = FIRST_MS.saturating_mul(3).saturating_mul(1 << failures.min(16)) / 2;
    let longest = longest.min(LAST_MS);
    let shortest = longest * 2 / 3;
    let mut hasher = blake3::Hasher::new();
    hasher.update(&me.0).update(what).update(&failures.to_le_bytes());
    let bytes = *hasher.finalize().as_bytes();
    let drawn = u64::from(u32::from_le_bytes(bytes[..4].try_into().expect("four of 32 bytes")));
    Duration::from_millis(shortest + drawn % (longest - shortest + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_grows_from_one_second_to_sixty() {
        let me = DeviceId([1; 32]);
        let waits: Vec<_> = (0..40).map(|failures| wait(&me, b"peer", failures).as_millis()).collect();
        assert!((1_000..=1_500).contains(&waits[0]), "{waits:?}");
        assert!(waits[..6].windows(2).all(|pair| pair[0] < pair[1]), "{waits:?}");
        assert!(waits[6..].iter().all(|wait| (40_000..=60_000).contains(wait)), "{waits:?}");
    }

    #[test]
    fn nodes_do_not_wait_in_step() {
        let waits: std::collections::BTreeSet<_> =
            (0..50).map(|node| wait(&DeviceId([node; 32]), b"peer", 3)).collect();
        assert!(waits.len() > 40, "{}", waits.len());
        assert_eq!(wait(&DeviceId([1; 32]), b"peer", 3), wait(&DeviceId([1; 32]), b"peer", 3));
    }
}
