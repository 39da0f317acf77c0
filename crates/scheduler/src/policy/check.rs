//! What cannot be kept, and how to mend it.

use std::fmt;

use serde::Serialize;

use super::{Band, Battery, Policy, When};

const MIB: u64 = 1 << 20;
/// No worker runs in less.
const LEAST_MEMORY: u64 = 256 * MIB;
/// Shorter than this, a pause in typing would start work.
const LEAST_IDLE_MS: u64 = 10_000;
const MOST_IDLE_MS: u64 = 24 * 3_600_000;
const LEAST_UPLOAD: u64 = 1_024;
const HEAT: std::ops::RangeInclusive<u16> = 40..=110;

/// One thing that cannot be as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Contradiction {
    /// The key concerned, as in `temperature.resume`.
    pub key: &'static str,
    /// What is wrong with it.
    pub what: String,
    /// What to write instead.
    pub mend: String,
}

impl fmt::Display for Contradiction {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{}: {}. {}.", self.key, self.what, self.mend)
    }
}

struct Found(Vec<Contradiction>);

impl Found {
    fn unless(&mut self, right: bool, key: &'static str, what: impl Into<String>, mend: impl Into<String>) {
        if !right {
            self.0.push(Contradiction { key, what: what.into(), mend: mend.into() });
        }
    }

    /// A value that pauses when it is too high resumes lower; one that pauses when too low, higher.
    fn band<T: PartialOrd + fmt::Display>(&mut self, key: &'static str, band: Band<T>, high_pauses: bool) {
        let Band { stop, resume } = band;
        let (right, side) = if high_pauses { (resume < stop, "below") } else { (resume > stop, "above") };
        let what = format!("it resumes at {resume} and stops at {stop}, so it would start and stop for ever");
        self.unless(right, key, what, format!("Choose a value {side} {stop}"));
    }
}

pub(super) fn contradictions(policy: &Policy) -> Vec<Contradiction> {
    let mut found = Found(Vec::new());
    times(policy, &mut found);
    shares(policy, &mut found);
    limits(policy, &mut found);
    hard(policy, &mut found);
    found.0
}

fn times(policy: &Policy, found: &mut Found) {
    if let When::Idle { after_ms } = policy.when {
        let mend = "Choose between 10 seconds and 24 hours; 3 minutes is usual";
        let right = (LEAST_IDLE_MS..=MOST_IDLE_MS).contains(&after_ms);
        found.unless(right, "when.after_ms", format!("{after_ms} ms without input cannot be waited for"), mend);
    }
    if policy.when == When::Always {
        let what = "`always` and only certain hours exclude each other";
        found.unless(policy.compute.is_always(), "compute", what, "Set `when` to `hours`, or `compute` to `always`");
    }
    let mend = "Name at least one half hour, or pause by hand";
    found.unless(!policy.compute.is_never(), "compute", "there is no hour in which guests may work", mend);
    found.unless(!policy.network.is_never(), "network", "there is no hour in which the network may be used", mend);
    if !policy.compute.is_never() && !policy.network.is_never() {
        let what = "it has no hour in common with `compute`, and guests need both";
        found.unless(!policy.compute.and(&policy.network).is_never(), "network", what, "Let them overlap");
    }
}

fn shares(policy: &Policy, found: &mut Found) {
    let right = (1..=1000).contains(&policy.cpu_permille);
    let what = format!("a cap of {} thousandths lets nothing run, or more than there is", policy.cpu_permille);
    found.unless(right, "cpu_permille", what, "Choose from 1 to 1000 (250 is a quarter), or pause by hand");
    found.unless(policy.max_workers > 0, "max_workers", "no worker can work", "Choose 1 or more, or pause by hand");
    let what = format!("no worker runs in {} bytes", policy.memory_bytes);
    let mend = format!("Choose at least {LEAST_MEMORY} (256 MiB)");
    found.unless(policy.memory_bytes >= LEAST_MEMORY, "memory_bytes", what, mend);
    if let Some(others) = policy.others {
        let right = (1..=1000).contains(&others.stop);
        found.unless(
            right,
            "others.stop",
            "it is no share of the processors",
            "Choose from 1 to 1000, or leave it out",
        );
        found.band("others.resume", others, true);
    }
}

fn limits(policy: &Policy, found: &mut Found) {
    if let Battery::Above { stop, resume } = policy.battery {
        let right = (1..=99).contains(&stop) && resume <= 100;
        let mend = "Choose from 1 to 99, and at most 100 to resume, or `never`";
        found.unless(right, "battery.stop", "it is no percentage that a battery falls below", mend);
        found.band("battery.resume", Band { stop, resume }, false);
    }
    if let Some(temperature) = policy.temperature {
        let mend = "Choose from 40 to 110 degrees Celsius, or leave it out";
        found.unless(HEAT.contains(&temperature.stop), "temperature.stop", "no computer works by it", mend);
        found.band("temperature.resume", temperature, true);
        let what = "it is above the hard limit, which stops everything first";
        let mend = format!("Choose at most {}", policy.hard.heat.stop);
        found.unless(temperature.stop <= policy.hard.heat.stop, "temperature.stop", what, mend);
    }
    let mend = "Choose a size, or leave out the limit";
    found.unless(policy.disk_quota_bytes > 0, "disk_quota_bytes", "nothing can be kept in nothing", "Choose a size");
    let what = "a month without a byte lets nothing run";
    found.unless(policy.data_bytes_a_month != Some(0), "data_bytes_a_month", what, mend);
    let right = policy.upload_bytes_per_s.is_none_or(|limit| limit >= LEAST_UPLOAD);
    let mend = format!("Choose at least {LEAST_UPLOAD}, or leave out the limit");
    found.unless(right, "upload_bytes_per_s", "no answer would leave in time", mend);
}

fn hard(policy: &Policy, found: &mut Found) {
    let hard = &policy.hard;
    let mend = "Choose from 40 to 110 degrees Celsius; 95 is usual";
    found.unless(HEAT.contains(&hard.heat.stop), "hard.heat.stop", "no computer works by it", mend);
    found.band("hard.heat.resume", hard.heat, true);
    found.band("hard.memory.resume", hard.memory, false);
    found.band("hard.disk.resume", hard.disk, false);
    let soft = [
        ("least_free_memory_bytes", policy.least_free_memory_bytes, hard.memory.stop),
        ("least_free_disk_bytes", policy.least_free_disk_bytes, hard.disk.stop),
    ];
    for (key, value, limit) in soft {
        let what = "it is below the hard limit, which stops everything first";
        found.unless(value >= limit, key, what, format!("Choose at least {limit}"));
    }
}
