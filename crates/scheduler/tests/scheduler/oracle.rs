//! The rules once more, without memory and in another way: each question goes through the whole
//! history of what was said, and nothing is kept.

use p2p_scheduler::{Battery, GRACE_MS, Policy, Rule, START_MS, When};
use p2p_types::{Inhibitor, Reading, SignalKind, Timestamp, Untold};

/// What happened, in milliseconds since the start.
#[derive(Debug, Clone)]
pub(crate) enum Event {
    Told {
        source: u64,
        kind: SignalKind,
        reading: Result<Reading, Untold>,
        lease_ms: u64,
    },
    Leave {
        source: u64,
    },
    Pause {
        for_ms: Option<u64>,
    },
    Resume,
    Data {
        month_bytes: u64,
    },
    Disk {
        bytes: u64,
    },
    /// The wall clock is set forward or back.
    Set {
        by_ms: i64,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    Blocks,
    Between,
    Clear,
}

use Level::{Between, Blocks, Clear};

pub(crate) struct Oracle<'a> {
    pub(crate) policy: &'a Policy,
    pub(crate) history: &'a [(u64, Event)],
    pub(crate) started_wall: Timestamp,
}

/// One source's word: from when until when.
struct Word {
    source: u64,
    from: u64,
    until: u64,
    newest: bool,
    reading: Result<Reading, Untold>,
}

pub(crate) const fn is_session(source: u64) -> bool {
    source < 2
}

impl Oracle<'_> {
    pub(crate) fn level(&self, rule: Rule, at: u64) -> Level {
        let policy = self.policy;
        let yes = |blocks: bool| if blocks { Blocks } else { Clear };
        let idle = matches!(policy.when, When::Idle { .. });
        let say = |kind, wrong: &dyn Fn(&Reading) -> bool| yes(self.values(kind, at).iter().any(wrong));
        let lost = |kind| self.values(kind, at).is_empty() && self.once(kind, at);
        match rule {
            Rule::Starting => yes(at < START_MS),
            Rule::ByHand => yes(self.by_hand(at)),
            Rule::Hours => yes(!policy.compute.open(self.wall(at), self.zone(at))),
            Rule::NetworkHours => yes(!policy.network.open(self.wall(at), self.zone(at))),
            Rule::Owner => match (policy.when, self.last_input(at)) {
                (When::Idle { after_ms }, Some(last)) => {
                    yes(i64::try_from(at).expect("small") - last < after_ms as i64)
                }
                _ => Clear,
            },
            Rule::OwnerUntold => yes(idle && self.last_input(at).is_none()),
            Rule::FullScreen if policy.full_screen_allowed => Clear,
            Rule::FullScreen => {
                say(SignalKind::FullScreen, &|reading| *reading == Reading::FullScreen { full_screen: true })
            }
            Rule::Inhibitor => say(SignalKind::Inhibitor, &|reading| match reading {
                Reading::Inhibitor { inhibitor: Some(inhibitor) } => !match inhibitor {
                    Inhibitor::Presentation => policy.presentations_allowed,
                    Inhibitor::Call => policy.calls_allowed,
                    Inhibitor::Media => policy.media_allowed,
                    Inhibitor::Game => policy.games_allowed,
                },
                _ => false,
            }),
            Rule::Battery => self.battery(at),
            Rule::PowerSaver => {
                say(SignalKind::Power, &|reading| matches!(reading, Reading::Power { saver: true, .. }))
            }
            Rule::Metered if policy.metered_allowed => Clear,
            Rule::Metered => {
                if lost(SignalKind::Metered) {
                    return Blocks;
                }
                say(SignalKind::Metered, &|reading| *reading == Reading::Metered { metered: true })
            }
            Rule::DataAllowance => {
                let used =
                    self.newest(
                        at,
                        |event| if let Event::Data { month_bytes } = event { Some(*month_bytes) } else { None },
                    );
                yes(policy.data_bytes_a_month.is_some_and(|allowance| used.unwrap_or(0) >= allowance))
            }
            Rule::DiskQuota => {
                let used = self.newest(at, |event| if let Event::Disk { bytes } = event { Some(*bytes) } else { None });
                yes(used.unwrap_or(0) > policy.disk_quota_bytes)
            }
            Rule::HeatCritical => self.hot(at, Some(policy.hard.heat.stop), policy.hard.heat.resume),
            Rule::Temperature => {
                self.hot(at, policy.temperature.map(|band| band.stop), policy.temperature.map_or(0, |band| band.resume))
            }
            Rule::Load => {
                let Some(band) = policy.others else { return Clear };
                let most = self.numbers(SignalKind::Load, at).into_iter().max();
                most.map_or(Clear, |most| grade(most >= i64::from(band.stop), most <= i64::from(band.resume)))
            }
            Rule::MemoryCritical => {
                self.short(SignalKind::Memory, at, policy.hard.memory.stop, policy.hard.memory.resume)
            }
            Rule::Memory => {
                let stop = policy.least_free_memory_bytes;
                self.short(SignalKind::Memory, at, stop, stop + policy.memory_bytes)
            }
            Rule::DiskCritical => self.short(SignalKind::Disk, at, policy.hard.disk.stop, policy.hard.disk.resume),
            Rule::DiskFree if lost(SignalKind::Disk) => Blocks,
            Rule::DiskFree => {
                let stop = policy.least_free_disk_bytes;
                self.short(SignalKind::Disk, at, stop, stop + stop / 8)
            }
        }
    }

    fn battery(&self, at: u64) -> Level {
        if self.policy.battery == Battery::Always {
            return Clear;
        }
        let values = self.values(SignalKind::Power, at);
        if values.is_empty() {
            let seen = self.words(SignalKind::Power, at).iter().any(
                |word| matches!(word.reading, Ok(Reading::Power { mains, percent, .. }) if !mains || percent.is_some()),
            );
            return if seen { Blocks } else { Clear };
        }
        let mains = values.iter().all(|reading| matches!(reading, Reading::Power { mains: true, .. }));
        let percent = values.iter().filter_map(|reading| match reading {
            Reading::Power { percent, .. } => *percent,
            _ => None,
        });
        match (self.policy.battery, percent.min()) {
            _ if mains => Clear,
            (Battery::Never | Battery::Always, _) | (_, None) => Blocks,
            (Battery::Above { stop, resume }, Some(percent)) => grade(percent < stop, percent >= resume),
        }
    }

    fn hot(&self, at: u64, stop: Option<u16>, resume: u16) -> Level {
        match (stop, self.numbers(SignalKind::Temperature, at).into_iter().max()) {
            (Some(stop), Some(deci)) => grade(deci >= i64::from(stop) * 10, deci <= i64::from(resume) * 10),
            _ => Clear,
        }
    }

    fn short(&self, kind: SignalKind, at: u64, stop: u64, resume: u64) -> Level {
        let least = self.numbers(kind, at).into_iter().min();
        least.map_or(Clear, |least| grade(least < stop as i64, least >= resume as i64))
    }

    fn numbers(&self, kind: SignalKind, at: u64) -> Vec<i64> {
        let number = |reading: &Reading| match reading {
            Reading::Temperature { decicelsius } => i64::from(*decicelsius),
            Reading::Load { others_permille } => i64::from(*others_permille),
            Reading::Memory { available_bytes, .. } => *available_bytes as i64,
            Reading::Disk { free_bytes } => *free_bytes as i64,
            other => panic!("{other:?} is no number"),
        };
        self.values(kind, at).iter().map(number).collect()
    }

    fn words(&self, kind: SignalKind, at: u64) -> Vec<Word> {
        let mut words: Vec<Word> = Vec::new();
        for (when, event) in self.history.iter().filter(|(when, _)| *when <= at) {
            let ended = match event {
                Event::Told { source, kind: told, .. } if *told == kind => *source,
                Event::Leave { source } => *source,
                _ => continue,
            };
            for word in words.iter_mut().filter(|word| word.source == ended) {
                word.until = word.until.min(*when);
                word.newest &= !matches!(event, Event::Told { .. });
            }
            if let Event::Told { source, reading, lease_ms, .. } = event {
                let until = when + lease_ms;
                words.push(Word { source: *source, from: *when, until, newest: true, reading: *reading });
            }
        }
        words
    }

    /// What is known: of who lives, or for a while of who lived last.
    fn values(&self, kind: SignalKind, at: u64) -> Vec<Reading> {
        let words = self.words(kind, at);
        let known = |at: u64| -> Vec<Reading> {
            let live = words.iter().filter(|word| word.from <= at && at < word.until);
            live.filter_map(|word| word.reading.ok()).collect()
        };
        let now = known(at);
        let end =
            words.iter().filter(|word| word.reading.is_ok() && word.until > word.from).map(|word| word.until).max();
        match end {
            _ if !now.is_empty() => now,
            Some(end) if at < end + GRACE_MS => known(end - 1),
            _ => Vec::new(),
        }
    }

    fn once(&self, kind: SignalKind, at: u64) -> bool {
        self.words(kind, at).iter().any(|word| word.reading.is_ok())
    }

    /// `None` is "cannot tell".
    fn last_input(&self, at: u64) -> Option<i64> {
        let mut last = None;
        let mut known = false;
        for word in self.words(SignalKind::Input, at).into_iter().filter(|word| word.newest) {
            let lives = at < word.until;
            match word.reading {
                Ok(Reading::Input { idle_ms }) if lives => {
                    known = true;
                    last = last.max(Some(word.from as i64 - idle_ms as i64));
                }
                Err(_) if lives && is_session(word.source) => return None,
                _ if !lives && is_session(word.source) => last = last.max(Some(word.until as i64)),
                _ => {}
            }
        }
        last.filter(|_| known)
    }

    fn by_hand(&self, at: u64) -> bool {
        let newest = self
            .history
            .iter()
            .rfind(|(when, event)| *when <= at && matches!(event, Event::Pause { .. } | Event::Resume));
        match newest {
            Some((when, Event::Pause { for_ms: Some(for_ms) })) => at < when + for_ms,
            Some((_, Event::Pause { for_ms: None })) => true,
            _ => false,
        }
    }

    fn newest<T>(&self, at: u64, read: impl Fn(&Event) -> Option<T>) -> Option<T> {
        self.history.iter().rev().filter(|(when, _)| *when <= at).find_map(|(_, event)| read(event))
    }

    fn zone(&self, at: u64) -> i16 {
        let words = self.words(SignalKind::Zone, at);
        let told = words.iter().filter(|word| word.newest).filter_map(|word| match word.reading {
            Ok(Reading::Zone { minutes }) => Some((at < word.until, word.from, word.source, minutes)),
            _ => None,
        });
        told.max().map_or(0, |(.., minutes)| minutes)
    }

    pub(crate) fn wall(&self, at: u64) -> Timestamp {
        let set: i64 = self.history.iter().filter(|(when, _)| *when <= at).fold(0, |sum, (_, event)| match event {
            Event::Set { by_ms } => sum + by_ms,
            _ => sum,
        });
        Timestamp(self.started_wall.plus_ms(at).0.saturating_add_signed(set))
    }
}

const fn grade(blocks: bool, clear: bool) -> Level {
    match (blocks, clear) {
        (true, _) => Blocks,
        (false, true) => Clear,
        (false, false) => Between,
    }
}
