//! The one sentence in English: what, then why, then when it changes.

use p2p_types::{Inhibitor, SignalKind, Timestamp, Untold};

use crate::calendar::Local;
use crate::{Reason, Resumes, Verdict};

const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// What a sentence needs besides the verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Words {
    pub now: Timestamp,
    pub zone_minutes: i16,
    pub processors: u16,
}

/// "Waiting" passes by itself, "Paused" does not.
#[must_use]
pub fn sentence(verdict: &Verdict, words: &Words) -> String {
    match verdict {
        Verdict::Run(allowance) => {
            let plural = if words.processors == 1 { "core" } else { "cores" };
            format!("Ready: up to {} of {} {plural}.", allowance.workers, words.processors)
        }
        Verdict::Pause { reason: Reason::ByHand { until: Some(at) }, .. } => {
            format!("Paused by you until {}.", moment(*at, words))
        }
        Verdict::Pause { reason: Reason::ByHand { until: None }, .. } => "Paused by you until you resume.".to_owned(),
        Verdict::Pause { reason: Reason::Starting, .. } => "Waiting: just started.".to_owned(),
        Verdict::Pause { reason, resumes: Resumes::Shortly { within_ms } } => {
            format!("Waiting: {}. Resumes in {} at most.", over(*reason), length(*within_ms))
        }
        Verdict::Pause { reason, resumes } => {
            let what = if passes(*reason) { "Waiting" } else { "Paused" };
            format!("{what}: {}. {}.", why(*reason), when(*resumes, words))
        }
    }
}

const fn passes(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::Owner
            | Reason::Hours
            | Reason::NetworkHours
            | Reason::FullScreen
            | Reason::Inhibitor { .. }
            | Reason::Load { .. }
            | Reason::Temperature { .. }
            | Reason::HeatCritical { .. }
            | Reason::CannotTell { kind: SignalKind::Input, .. }
    )
}

fn why(reason: Reason) -> String {
    match reason {
        Reason::ByHand { .. } => "you paused it".to_owned(),
        Reason::HeatCritical { celsius } => format!("this computer is too hot, {celsius} °C"),
        Reason::MemoryCritical { available_mib } => format!("almost no memory is left, {}", size(available_mib)),
        Reason::DiskCritical { free_mib } => format!("the disk is almost full, {} free", size(free_mib)),
        Reason::Hours => "outside the hours you set".to_owned(),
        Reason::Owner => "you are using the computer".to_owned(),
        Reason::FullScreen => "a program fills the screen".to_owned(),
        Reason::Inhibitor { inhibitor } => present(inhibitor).to_owned(),
        Reason::Battery { percent: Some(percent) } => format!("on battery, {percent} %"),
        Reason::Battery { percent: None } => "on battery".to_owned(),
        Reason::PowerSaver => "the power saver is on".to_owned(),
        Reason::Metered => "this network is paid by volume".to_owned(),
        Reason::NetworkHours => "outside the hours you set for the network".to_owned(),
        Reason::DataAllowance { used_mib, allowance_mib } => {
            format!("{} of this month's {} of data are used", size(used_mib), size(allowance_mib))
        }
        Reason::Temperature { celsius } => format!("this computer is warm, {celsius} °C"),
        Reason::Load { percent } => format!("other programs are busy, {percent} %"),
        Reason::Memory { available_mib } => format!("other programs need the memory, {} left", size(available_mib)),
        Reason::DiskFree { free_mib } => format!("the disk is getting full, {} free", size(free_mib)),
        Reason::DiskQuota { used_mib, quota_mib } => {
            format!("its place on the disk is full, {} of {}", size(used_mib), size(quota_mib))
        }
        Reason::CannotTell { kind, why } => format!("cannot tell {}, {}", what(kind), because(why)),
        Reason::Starting => "just started".to_owned(),
    }
}

/// What was the reason until a moment ago.
const fn over(reason: Reason) -> &'static str {
    match reason {
        Reason::HeatCritical { .. } | Reason::Temperature { .. } => "this computer has just cooled down",
        Reason::MemoryCritical { .. } | Reason::Memory { .. } => "memory has just become free",
        Reason::DiskCritical { .. } | Reason::DiskFree { .. } | Reason::DiskQuota { .. } => {
            "the disk has just got room again"
        }
        Reason::FullScreen => "the screen has just become free",
        Reason::Inhibitor { .. } => "what you did has just ended",
        Reason::Battery { .. } => "mains power has just come back, or enough of the battery",
        Reason::PowerSaver => "the power saver has just been turned off",
        Reason::Metered => "the network has just changed",
        Reason::Load { .. } => "other programs have just become quiet",
        Reason::CannotTell { .. } => "what could not be told has just been told again",
        _ => "the reason has just ended",
    }
}

fn when(resumes: Resumes, words: &Words) -> String {
    match resumes {
        Resumes::ByHand => "Resumes when you say so".to_owned(),
        Resumes::At { at } => format!("Resumes at {}", moment(at, words)),
        Resumes::AfterIdle { ms } => format!("Resumes {} after you stop", length(ms)),
        Resumes::OnMains => "Resumes on mains power".to_owned(),
        Resumes::OnMainsOrPercent { percent } => format!("Resumes on mains power, or at {percent} %"),
        Resumes::SaverOff => "Resumes when it is off".to_owned(),
        Resumes::Cooled { celsius } => format!("Resumes at {celsius} °C"),
        Resumes::LoadBelow { percent } => format!("Resumes when they use less than {percent} %"),
        Resumes::MemoryFree { mib } => format!("Resumes when {} are free", size(mib)),
        Resumes::DiskFree { mib } => format!("Resumes when {} are free", size(mib)),
        Resumes::QuotaBelow { mib } => format!("Resumes below {}", size(mib)),
        Resumes::WhenOver => "Resumes when that is over".to_owned(),
        Resumes::Unmetered => "Resumes on another network".to_owned(),
        Resumes::NextMonth => "Resumes next month".to_owned(),
        Resumes::WhenTold => "Resumes when it can".to_owned(),
        Resumes::Shortly { within_ms } => format!("Resumes in {} at most", length(within_ms)),
    }
}

const fn present(inhibitor: Inhibitor) -> &'static str {
    match inhibitor {
        Inhibitor::Presentation => "you are giving a presentation",
        Inhibitor::Call => "you are in a call",
        Inhibitor::Media => "a film or music is playing",
        Inhibitor::Game => "a game is running",
    }
}

const fn what(kind: SignalKind) -> &'static str {
    match kind {
        SignalKind::Input => "whether you are using the computer",
        SignalKind::Power => "whether it is on battery",
        SignalKind::Temperature => "how warm it is",
        SignalKind::Metered => "whether this network is paid by volume",
        SignalKind::FullScreen => "whether a program fills the screen",
        SignalKind::Inhibitor => "whether there is a call or a film",
        SignalKind::Load => "how busy other programs are",
        SignalKind::Memory => "how much memory is free",
        SignalKind::Disk => "how much room the disk has",
        SignalKind::Zone => "what time it is here",
    }
}

const fn because(why: Untold) -> &'static str {
    match why {
        Untold::NoSession => "nobody watches your session",
        Untold::Absent => "there is nothing to measure it with",
        Untold::Unsupported => "this system does not say",
        Untold::Failed => "the system gave no answer",
        Untold::SourceGone => "who told it has gone",
    }
}

/// `16:00`, `tomorrow at 06:00`, or `Monday at 06:00`.
fn moment(at: Timestamp, words: &Words) -> String {
    let (then, now) = (Local::of(at, words.zone_minutes), Local::of(words.now, words.zone_minutes));
    let minutes = then.ms / 60_000;
    let time = format!("{:02}:{:02}", minutes / 60, minutes % 60);
    match then.day - now.day {
        0 => time,
        1 => format!("{time} tomorrow"),
        days if days > 0 && days < 7 => format!("{time} on {}", DAYS[then.weekday()]),
        days => format!("{time} in {days} days"),
    }
}

fn length(ms: u64) -> String {
    let (count, unit) = match ms {
        _ if ms < 120_000 && !ms.is_multiple_of(60_000) => (ms.div_ceil(1000), "second"),
        _ if ms < 7_200_000 && !ms.is_multiple_of(3_600_000) => (ms / 60_000, "minute"),
        _ => (ms / 3_600_000, "hour"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

fn size(mib: u64) -> String {
    if mib < 1024 { format!("{mib} MB") } else { format!("{}.{} GB", mib / 1024, mib % 1024 * 10 / 1024) }
}
