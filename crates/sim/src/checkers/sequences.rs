//! A number that was seen is never seen again, whatever crashed in between.

use std::collections::BTreeMap;

use p2p_types::DeviceId;

use super::Verdict;

#[derive(Debug, Default)]
pub(crate) struct Sequences {
    last: BTreeMap<DeviceId, u64>,
}

impl Sequences {
    /// A home became an older copy of itself: its numbers begin anew, and others do not hear them until they
    /// are new again.
    pub(crate) fn restored(&mut self, device: DeviceId) {
        self.last.remove(&device);
    }

    pub(crate) fn left(&mut self, from: DeviceId, sequence: u64) -> Verdict {
        let last = self.last.entry(from).or_default();
        if sequence <= *last {
            let detail = format!("{from} used {sequence} after it had used {last}");
            return Err(("sequences", detail));
        }
        *last = sequence;
        Ok(())
    }
}
