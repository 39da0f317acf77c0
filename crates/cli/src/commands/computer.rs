//! The computer in words: what it is good for, what its work costs and what was done for it.

use p2p_control::api::{Computer, ComputerLack, ComputerRole, ComputerTier, Energy, EnergyMethod};

use super::names::count;
use crate::credits;

/// `standard: fit to compute for others; about 2,400 tokens a second on one core`.
pub(super) fn in_short(computer: &Computer) -> String {
    let tier = tier(computer.tier);
    match computer.tokens_per_second {
        None => format!("{tier} until its speed was measured: the first work measures it"),
        Some(_) => format!("{tier}: {}; {}", roles(&computer.roles), speed(computer)),
    }
}

/// `12 tasks (10 for others), 3.1 Wh, about 0.00093 EUR (estimated: 6 W a busy core), 2.66 credits earned`.
pub(super) fn today(energy: &Energy) -> String {
    let mut said = match energy.tasks_today {
        0 => "nothing computed yet".to_owned(),
        tasks => format!("{} ({} for others)", count(tasks, "task", "tasks"), energy.tasks_for_others_today),
    };
    if energy.cpu_seconds_today > 0.0 {
        said.push_str(&format!(", {}, {} ({})", watt_hours(energy), money(energy), method(energy)));
    }
    if let Some(earned) = energy.earned_today {
        said.push_str(&format!(", {} earned", credits::named(earned)));
    }
    said
}

/// What was measured, and what the tier may take.
pub(super) fn measured(computer: &Computer) -> String {
    let measured = &computer.measured;
    let bytes = |bytes: Option<u64>, what: &str| match bytes {
        Some(bytes) => format!("{} {what}", size(bytes)),
        None => format!("{what}: cannot tell"),
    };
    let battery = match measured.battery {
        Some(true) => "a battery",
        Some(false) => "no battery",
        None => "battery: cannot tell",
    };
    let footprint = &computer.footprint;
    let mut said = format!(
        "{}: {}, {}, {}, {battery}; takes at most {} on the disk and {} of memory",
        tier(computer.tier),
        count(u64::from(measured.processors), "processor", "processors"),
        bytes(measured.memory_bytes, "of memory"),
        bytes(measured.storage_free_bytes, "free on the disk"),
        size(footprint.disk_bytes),
        size(footprint.memory_bytes),
    );
    if let Some(next) = above(computer.tier).filter(|_| !computer.lacks.is_empty()) {
        let lacks: Vec<_> = computer.lacks.iter().map(|lack| self::lack(*lack)).collect();
        said.push_str(&format!("; to be {next} it lacks {}", lacks.join(", ")));
    }
    said
}

pub(super) fn speed(computer: &Computer) -> String {
    match computer.tokens_per_second {
        Some(speed) => format!("about {} tokens a second on one core", grouped(u64::from(speed))),
        None => "cannot tell yet: the first work measures it".to_owned(),
    }
}

/// The way to others.
pub(super) fn road(computer: &Computer) -> String {
    let near = computer.measured.round_trip_ms.map(|ms| format!("; the nearest computer is {ms:.1} ms away"));
    let near = near.unwrap_or_default();
    match computer.measured.network_bytes_per_second {
        Some(speed) => format!("{} a second{near}", size(speed)),
        None => format!("cannot tell how fast: nothing moved enough to measure it{near}"),
    }
}

pub(super) fn roles(roles: &[ComputerRole]) -> String {
    if roles.is_empty() {
        return "fit for its owner's tasks".to_owned();
    }
    let words: Vec<_> = roles.iter().map(|role| self::role(*role)).collect();
    format!("fit to {}", words.join(", "))
}

/// How the energy is found.
pub(super) fn basis(energy: &Energy) -> String {
    match &energy.meter {
        None => energy.assumptions.clone(),
        Some(why) => format!("{}; the processor's own meter: {why}", energy.assumptions),
    }
}

fn method(energy: &Energy) -> String {
    match energy.method {
        EnergyMethod::Meter => "measured by the processor's meter".to_owned(),
        EnergyMethod::Model => format!("estimated: {} W a busy core", energy.watts_per_core),
        EnergyMethod::Both => format!("partly measured, the rest estimated: {} W a busy core", energy.watts_per_core),
    }
}

fn watt_hours(energy: &Energy) -> String {
    match energy.watt_hours_today {
        hours if hours < 0.001 => "under 0.001 Wh".to_owned(),
        hours => format!("{} Wh", significant(hours)),
    }
}

fn money(energy: &Energy) -> String {
    let currency = &energy.currency;
    match energy.cost_today {
        cost if cost < 0.000_01 => format!("under 0.00001 {currency}"),
        cost => format!("about {} {currency}", significant(cost)),
    }
}

/// Two digits that mean something, and all before the point.
fn significant(number: f64) -> String {
    let mut places = 0;
    let mut scaled = number;
    while scaled < 10.0 && places < 6 {
        scaled *= 10.0;
        places += 1;
    }
    let text = format!("{number:.places$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// `200 MB`, `7.6 GB`: of 1024 each.
fn size(bytes: u64) -> String {
    let mega = bytes >> 20;
    if mega < 1024 { format!("{mega} MB") } else { format!("{} GB", significant(mega as f64 / 1024.0)) }
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

const fn tier(tier: ComputerTier) -> &'static str {
    match tier {
        ComputerTier::Basic => "basic",
        ComputerTier::Standard => "standard",
        ComputerTier::Power => "power",
    }
}

const fn above(tier: ComputerTier) -> Option<&'static str> {
    match tier {
        ComputerTier::Basic => Some("standard"),
        ComputerTier::Standard => Some("power"),
        ComputerTier::Power => None,
    }
}

const fn lack(lack: ComputerLack) -> &'static str {
    match lack {
        ComputerLack::Processors => "processors",
        ComputerLack::Memory => "memory",
        ComputerLack::Storage => "room on the disk",
        ComputerLack::Speed => "speed",
    }
}

const fn role(role: ComputerRole) -> &'static str {
    match role {
        ComputerRole::Infer => "compute for others",
        ComputerRole::Cache => "keep answers",
        ComputerRole::Store => "keep files",
        ComputerRole::Train => "train",
        ComputerRole::Coordinate => "be there all day for others",
    }
}

#[cfg(test)]
mod tests {
    use p2p_control::api::{ComputerMeasured, Footprint};

    use super::*;

    fn computer() -> Computer {
        Computer {
            tier: ComputerTier::Standard,
            footprint: Footprint { disk_bytes: 200 << 20, memory_bytes: 1 << 30 },
            roles: vec![ComputerRole::Infer, ComputerRole::Cache],
            lacks: vec![ComputerLack::Processors, ComputerLack::Speed],
            measured: ComputerMeasured {
                processors: 2,
                memory_bytes: Some(7_800 << 20),
                battery: Some(false),
                network_bytes_per_second: None,
                round_trip_ms: Some(0.31),
                storage_free_bytes: None,
            },
            tokens_per_second: Some(12_400),
            energy: Energy {
                since_ms: 0,
                watt_hours_today: 3.1,
                method: EnergyMethod::Model,
                watts_per_core: 6.0,
                assumptions: "estimated: 6 W for each busy core".to_owned(),
                meter: Some("only the administrator may read it".to_owned()),
                cost_today: 0.00093,
                currency: "EUR".to_owned(),
                price_per_kwh: 0.3,
                cpu_seconds_today: 1860.0,
                tasks_today: 12,
                tasks_for_others_today: 10,
                texts_today: 40,
                earned_today: Some(2_660_000),
            },
        }
    }

    #[test]
    fn the_day_is_one_line() {
        let mut energy = computer().energy;
        let said =
            "12 tasks (10 for others), 3.1 Wh, about 0.00093 EUR (estimated: 6 W a busy core), 2.66 credits earned";
        assert_eq!(today(&energy), said);
        energy = Energy { watt_hours_today: 0.0001, cost_today: 0.0, tasks_today: 1, earned_today: None, ..energy };
        assert!(today(&energy).starts_with("1 task (10 for others), under 0.001 Wh, under 0.00001 EUR"));
        energy = Energy { tasks_today: 0, cpu_seconds_today: 0.0, ..energy };
        assert_eq!(today(&energy), "nothing computed yet");
    }

    #[test]
    fn what_cannot_be_told_is_said() {
        let computer = computer();
        assert_eq!(
            measured(&computer),
            "standard: 2 processors, 7.6 GB of memory, free on the disk: cannot tell, no battery; takes at most 200 MB \
             on the disk and 1 GB of memory; to be power it lacks processors, speed"
        );
        assert!(road(&computer).starts_with("cannot tell") && road(&computer).ends_with("0.3 ms away"));
        assert!(basis(&computer.energy).ends_with("meter: only the administrator may read it"));
        let fresh = Computer { tier: ComputerTier::Basic, tokens_per_second: None, ..computer };
        assert_eq!(in_short(&fresh), "basic until its speed was measured: the first work measures it");
    }

    #[test]
    fn numbers_have_the_digits_that_mean_something() {
        for (number, said) in
            [(3.1, "3.1"), (0.00093, "0.00093"), (123.4, "123"), (1.0, "1"), (40.0, "40"), (0.05, "0.05")]
        {
            assert_eq!(significant(number), said);
        }
        assert_eq!((grouped(12_400), grouped(999)), ("12,400".to_owned(), "999".to_owned()));
    }
}
