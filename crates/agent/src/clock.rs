//! What time it is, for the machine.

use p2p_types::Now;

/// Both clocks at once.
pub(crate) fn now() -> Now {
    Now { wall: p2p_platform::now(), mono: p2p_platform::monotonic() }
}
