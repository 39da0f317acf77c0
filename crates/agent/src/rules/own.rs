//! What the own watch of this computer told last, for others than the rules.

use p2p_types::{Reading, SignalKind};

use super::Rules;

impl Rules {
    /// `None` where it cannot be told.
    pub(crate) fn reading(&self, kind: SignalKind) -> Option<Reading> {
        self.told.get(&kind).and_then(|told| told.reading.ok())
    }
}
