//! What the owner is doing.

use p2p_types::{Inhibitor, Monotonic, Reading, SignalKind, Untold};

use super::{Facts, Judged, blocks};
use crate::board::Hands;
use crate::gate::Raw;
use crate::{Reason, Resumes, When};

impl Facts<'_> {
    pub(super) fn owner(&self) -> Judged {
        let When::Idle { after_ms } = self.policy.when else {
            return Judged::new(Raw::Clear, Reason::Owner, Resumes::WhenOver).off();
        };
        let judged = Judged::new(Raw::Clear, Reason::Owner, Resumes::AfterIdle { ms: after_ms });
        match self.board.hands(self.now.mono) {
            Hands::Untold(why) => judged.cannot_tell(why),
            Hands::Last(last) => {
                let away = last.saturating_add(i64::try_from(after_ms.saturating_mul(1000)).unwrap_or(i64::MAX));
                let away = Monotonic(u64::try_from(away).unwrap_or(0));
                let here = self.now.mono < away;
                Judged { raw: blocks(here), ..judged }.until(here.then_some(away))
            }
        }
    }

    pub(super) fn owner_untold(&self) -> Judged {
        let reason = |why| Reason::CannotTell { kind: SignalKind::Input, why };
        let judged = |raw, why| Judged::new(raw, reason(why), Resumes::WhenTold);
        match (self.policy.when, self.board.hands(self.now.mono)) {
            (When::Idle { .. }, Hands::Untold(why)) => judged(Raw::Blocks, why),
            (When::Idle { .. }, Hands::Last(_)) => judged(Raw::Clear, Untold::SourceGone),
            (When::Always | When::Hours, _) => judged(Raw::Clear, Untold::SourceGone).off(),
        }
    }

    pub(super) fn full_screen(&self) -> Judged {
        let judged = Judged::new(Raw::Clear, Reason::FullScreen, Resumes::WhenOver);
        if self.policy.full_screen_allowed {
            return judged.off();
        }
        let any = |readings: Vec<Reading>| Some(readings.contains(&Reading::FullScreen { full_screen: true }));
        match self.see(SignalKind::FullScreen, any) {
            Ok(full) => Judged { raw: blocks(full), ..judged },
            Err((why, _)) => judged.cannot_tell(why),
        }
    }

    pub(super) fn inhibitor(&self) -> Judged {
        let policy = self.policy;
        let forbidden: Vec<Inhibitor> = [
            (Inhibitor::Presentation, policy.presentations_allowed),
            (Inhibitor::Call, policy.calls_allowed),
            (Inhibitor::Media, policy.media_allowed),
            (Inhibitor::Game, policy.games_allowed),
        ]
        .into_iter()
        .filter_map(|(inhibitor, allowed)| (!allowed).then_some(inhibitor))
        .collect();
        let judged = |raw, inhibitor| Judged::new(raw, Reason::Inhibitor { inhibitor }, Resumes::WhenOver);
        let Some(first) = forbidden.first() else { return judged(Raw::Clear, Inhibitor::Game).off() };
        let found = |readings: Vec<Reading>| {
            let one = |wanted: &&Inhibitor| readings.contains(&Reading::Inhibitor { inhibitor: Some(**wanted) });
            Some(forbidden.iter().find(one).copied())
        };
        match self.see(SignalKind::Inhibitor, found) {
            Ok(found) => judged(blocks(found.is_some()), found.unwrap_or(*first)),
            Err((why, _)) => judged(Raw::Clear, *first).cannot_tell(why),
        }
    }
}
