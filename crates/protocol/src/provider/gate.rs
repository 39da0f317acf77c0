//! Who is let in: what the owner ordered by hand, and what the owner's rules say now.

use p2p_types::DeviceId;

/// Parts of a newcomer's checks after which one process takes none against the rules, so that nobody can
/// make a guest of it that stays. When the rules turn, they are released like all others.
const WELCOMES: u8 = 3;

#[derive(Debug, Default)]
pub(crate) struct Gate {
    /// Paused by hand.
    pub(crate) paused: bool,
    /// The owner's rules want no guests now.
    resting: bool,
    /// They would bear work that the owner asked for, though.
    own_work: bool,
    /// Who checks newcomers, while this node is one.
    welcomes: Option<DeviceId>,
    welcomed: u8,
}

impl Gate {
    pub(super) fn new(paused: bool) -> Self {
        Self { paused, ..Self::default() }
    }

    /// What the rules say. `own_work`: whether they bear what the owner asked for.
    pub(crate) fn set_rules(&mut self, guests: bool, own_work: bool) {
        self.resting = !guests;
        self.own_work = own_work;
    }

    /// The welcome check is the first paid work after joining, and comes from the network's notary. The
    /// owner asked for it by joining.
    pub(crate) fn set_welcome(&mut self, from: Option<DeviceId>) {
        self.welcomes = from;
    }

    /// Whether anybody at all is let in.
    pub(crate) fn is_open(&self) -> bool {
        !self.paused && (!self.resting || self.awaits_welcome())
    }

    pub(crate) fn admits(&self, from: &DeviceId) -> bool {
        !self.paused && (!self.resting || (self.awaits_welcome() && self.welcomes == Some(*from)))
    }

    /// Work of `from` was taken.
    pub(crate) fn took(&mut self, from: &DeviceId) {
        if self.welcomes == Some(*from) {
            self.welcomed = self.welcomed.saturating_add(1);
        }
    }

    const fn awaits_welcome(&self) -> bool {
        self.own_work && self.welcomes.is_some() && self.welcomed < WELCOMES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHECKER: DeviceId = DeviceId([1; 32]);
    const OTHER: DeviceId = DeviceId([2; 32]);

    #[test]
    fn the_rules_keep_guests_out_and_let_the_welcome_check_in() {
        let mut gate = Gate::new(false);
        assert!(gate.is_open() && gate.admits(&OTHER));
        gate.set_rules(false, true);
        assert!(!gate.is_open() && !gate.admits(&CHECKER));
        gate.set_welcome(Some(CHECKER));
        assert!(gate.is_open() && gate.admits(&CHECKER) && !gate.admits(&OTHER));
        (0..WELCOMES).for_each(|_| gate.took(&CHECKER));
        assert!(!gate.is_open() && !gate.admits(&CHECKER), "a check that never ends is a guest");
        gate.set_rules(true, true);
        assert!(gate.admits(&OTHER));
    }

    #[test]
    fn a_pause_by_hand_and_hard_limits_are_for_everybody() {
        let mut gate = Gate::new(false);
        gate.set_welcome(Some(CHECKER));
        gate.set_rules(false, false);
        assert!(!gate.is_open() && !gate.admits(&CHECKER));
        gate.set_rules(true, true);
        gate.paused = true;
        assert!(!gate.is_open() && !gate.admits(&CHECKER));
    }
}
