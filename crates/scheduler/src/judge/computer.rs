//! How the computer is.

use p2p_types::{Reading, SignalKind, Untold};

use super::{Facts, Judged, blocks};
use crate::gate::Raw;
use crate::judge::Applies;
use crate::{Band, Battery, Reason, Resumes};

const MIB: u64 = 1 << 20;
/// More than a fifth of the time something waited for memory.
const PRESSED_PERMILLE: u16 = 200;
const RELIEVED_PERMILLE: u16 = 50;

impl Facts<'_> {
    /// On mains only where all say so; the least percentage; saving where any says so.
    pub(super) fn power(&self) -> Result<(bool, Option<u8>, bool), (Untold, bool)> {
        self.see(SignalKind::Power, |readings| {
            let each = readings.into_iter().filter_map(|reading| match reading {
                Reading::Power { mains, percent, saver } => Some((mains, percent, saver)),
                _ => None,
            });
            each.reduce(|a, b| (a.0 && b.0, a.1.into_iter().chain(b.1).min(), a.2 || b.2))
        })
    }

    pub(super) fn battery(&self) -> Judged {
        let resumes = match self.policy.battery {
            Battery::Never | Battery::Always => Resumes::OnMains,
            Battery::Above { resume, .. } => Resumes::OnMainsOrPercent { percent: resume },
        };
        let judged = |raw, percent| Judged::new(raw, Reason::Battery { percent }, resumes);
        match (self.power(), self.policy.battery) {
            (_, Battery::Always) => judged(Raw::Clear, None).off(),
            (Ok((true, percent, _)), _) => judged(Raw::Clear, percent),
            (Ok((false, percent, _)), Battery::Never) => judged(Raw::Blocks, percent),
            (Ok((false, Some(percent), _)), Battery::Above { stop, resume }) => {
                judged(low(percent, &Band { stop, resume }), Some(percent))
            }
            // On battery, and nobody knows how long it lasts.
            (Ok((false, None, _)), Battery::Above { .. }) => judged(Raw::Blocks, None),
            (Err((why, true)), _) if self.board.battery_seen => untold(SignalKind::Power, why),
            (Err((why, _)), _) => judged(Raw::Clear, None).cannot_tell(why),
        }
    }

    pub(super) fn power_saver(&self) -> Judged {
        let judged = Judged::new(Raw::Clear, Reason::PowerSaver, Resumes::SaverOff);
        match self.power() {
            _ if self.policy.power_saver_allowed => judged.off(),
            Ok((_, _, saver)) => Judged { raw: blocks(saver), ..judged },
            Err((why, _)) => judged.cannot_tell(why),
        }
    }

    pub(super) fn metered(&self) -> Judged {
        let judged = Judged::new(Raw::Clear, Reason::Metered, Resumes::Unmetered);
        if self.policy.metered_allowed {
            return judged.off();
        }
        let any = |readings: Vec<Reading>| Some(readings.contains(&Reading::Metered { metered: true }));
        match self.see(SignalKind::Metered, any) {
            Ok(metered) => Judged { raw: blocks(metered), ..judged },
            Err((why, true)) => untold(SignalKind::Metered, why),
            Err((why, false)) => judged.cannot_tell(why),
        }
    }

    pub(super) fn heat(&self, band: Option<Band<u16>>, reason: impl Fn(i16) -> Reason) -> Judged {
        let Some(band) = band else { return Judged::new(Raw::Clear, reason(0), Resumes::WhenOver).off() };
        let resumes = Resumes::Cooled { celsius: band.resume };
        let hottest = |readings: Vec<Reading>| {
            let each = readings.into_iter().filter_map(|reading| match reading {
                Reading::Temperature { decicelsius } => Some(decicelsius),
                _ => None,
            });
            each.max()
        };
        match self.see(SignalKind::Temperature, hottest) {
            Ok(deci) => {
                let band = Band { stop: i32::from(band.stop) * 10, resume: i32::from(band.resume) * 10 };
                let celsius = i16::try_from(deci / 10).unwrap_or(i16::MAX);
                Judged::new(high(deci, &band), reason(celsius), resumes)
            }
            Err((why, _)) => Judged::new(Raw::Clear, reason(0), resumes).cannot_tell(why),
        }
    }

    pub(super) fn load(&self) -> Judged {
        let resume = self.policy.others.map_or(0, |band| band.resume / 10);
        let judged = |raw, percent| Judged::new(raw, Reason::Load { percent }, Resumes::LoadBelow { percent: resume });
        let Some(band) = self.policy.others else { return judged(Raw::Clear, 0).off() };
        let most = |readings: Vec<Reading>| {
            let each = readings.into_iter().filter_map(|reading| match reading {
                Reading::Load { others_permille } => Some(others_permille),
                _ => None,
            });
            each.max()
        };
        match self.see(SignalKind::Load, most) {
            Ok(load) => judged(high(load, &band), load / 10),
            Err((why, _)) => judged(Raw::Clear, 0).cannot_tell(why),
        }
    }

    pub(super) fn memory(&self, band: Band<u64>, soft: bool) -> Judged {
        // More than an eighth of the computer above the stop may never be free on a small one.
        let total = self.see(SignalKind::Memory, |readings| {
            let totals = readings.into_iter().filter_map(|reading| match reading {
                Reading::Memory { total_bytes, .. } => Some(total_bytes),
                _ => None,
            });
            totals.min()
        });
        let room = total.map_or(u64::MAX, |total| (total / 8).max(1));
        let band = Band { stop: band.stop, resume: band.resume.min(band.stop.saturating_add(room)) };
        let judged = |raw, bytes| {
            let available_mib = bytes / MIB;
            let reason = if soft { Reason::Memory { available_mib } } else { Reason::MemoryCritical { available_mib } };
            Judged::new(raw, reason, Resumes::MemoryFree { mib: band.resume / MIB })
        };
        let least = |readings: Vec<Reading>| {
            let each = readings.into_iter().filter_map(|reading| match reading {
                Reading::Memory { available_bytes, pressure_permille, .. } => {
                    Some((available_bytes, pressure_permille.unwrap_or(0)))
                }
                _ => None,
            });
            each.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
        };
        match self.see(SignalKind::Memory, least) {
            Ok((bytes, pressure)) => {
                let pressed = Band { stop: PRESSED_PERMILLE, resume: RELIEVED_PERMILLE };
                let pressed = if soft { high(pressure, &pressed) } else { Raw::Clear };
                judged(worse(low(bytes, &band), pressed), bytes)
            }
            Err((why, _)) => judged(Raw::Clear, 0).cannot_tell(why),
        }
    }

    pub(super) fn disk(&self, band: Band<u64>, soft: bool) -> Judged {
        let judged = |raw, bytes| {
            let free_mib = bytes / MIB;
            let reason = if soft { Reason::DiskFree { free_mib } } else { Reason::DiskCritical { free_mib } };
            Judged::new(raw, reason, Resumes::DiskFree { mib: band.resume / MIB })
        };
        let least = |readings: Vec<Reading>| {
            let each = readings.into_iter().filter_map(|reading| match reading {
                Reading::Disk { free_bytes } => Some(free_bytes),
                _ => None,
            });
            each.min()
        };
        match self.see(SignalKind::Disk, least) {
            Ok(bytes) => judged(low(bytes, &band), bytes),
            Err((why, true)) if soft => untold(SignalKind::Disk, why),
            Err((why, _)) => judged(Raw::Clear, 0).cannot_tell(why),
        }
    }
}

/// For values that pause when they are high.
fn high<T: PartialOrd>(value: T, band: &Band<T>) -> Raw {
    match () {
        () if value >= band.stop => Raw::Blocks,
        () if value <= band.resume => Raw::Clear,
        () => Raw::Between,
    }
}

/// For values that pause when they are low.
fn low<T: PartialOrd>(value: T, band: &Band<T>) -> Raw {
    match () {
        () if value < band.stop => Raw::Blocks,
        () if value >= band.resume => Raw::Clear,
        () => Raw::Between,
    }
}

/// A pause because it was told once and cannot be told now.
fn untold(kind: SignalKind, why: Untold) -> Judged {
    let judged = Judged::new(Raw::Blocks, Reason::CannotTell { kind, why }, Resumes::WhenTold);
    Judged { applies: Applies::CannotTell { why }, ..judged }
}

const fn worse(a: Raw, b: Raw) -> Raw {
    match (a, b) {
        (Raw::Blocks, _) | (_, Raw::Blocks) => Raw::Blocks,
        (Raw::Between, _) | (_, Raw::Between) => Raw::Between,
        _ => Raw::Clear,
    }
}
