//! Who provides what: a table that everybody who is connected can ask.

use p2p_types::{DeviceId, Hash};

use super::{Fabric, Motion, PortEvent};
use crate::{MS, Schedule};

impl Fabric {
    /// Tells the network that this node provides what `key` names.
    pub fn provide(&mut self, node: usize, key: Hash) {
        self.ports[node].provides.insert(key);
    }

    /// Asks who provides it; one [`PortEvent::Providers`] answers.
    pub fn find_providers<E: From<Motion>>(&mut self, node: usize, key: Hash, schedule: &mut Schedule<E>) {
        let wait = self.dice.between(20 * MS, 400 * MS);
        schedule.after(wait, Motion::Found { node, key }.into());
    }

    /// Whoever provides it and can be reached, without the one who asks. A node without peers
    /// finds nobody.
    pub(super) fn found(&self, node: usize, key: Hash) -> Vec<(usize, PortEvent)> {
        let asker = &self.ports[node];
        if !asker.running {
            return Vec::new();
        }
        let provides =
            |peer: &usize| *peer != node && self.ports[*peer].provides.contains(&key) && !self.separated(node, *peer);
        let alone = asker.up.is_empty();
        let found = (0..self.ports.len()).filter(|_| !alone).filter(provides);
        let devices: Vec<DeviceId> = found.map(|peer| self.ports[peer].device).collect();
        vec![(node, PortEvent::Providers { key, devices })]
    }
}
