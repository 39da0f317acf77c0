//! The computer as the API shows it.

use p2p_control::api;
use p2p_control::api::{ComputerLack, ComputerMeasured, ComputerRole, ComputerTier, EnergyMethod};
use p2p_ledger::day as day_of;
use p2p_platform::NoMeter;
use p2p_scheduler::capability::{self, Lack, Measured, Role, Tier};
use p2p_scheduler::energy::{self, Basis};
use p2p_types::Now;

use super::Computer;
use crate::config;

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// What was seen of the computer beside its work; `None` cannot be told.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Seen {
    pub(crate) processors: u16,
    pub(crate) memory_bytes: Option<u64>,
    pub(crate) battery: Option<bool>,
    pub(crate) storage_free_bytes: Option<u64>,
    /// To the nearest computer that is connected, and back.
    pub(crate) round_trip_us: Option<u64>,
}

/// What stands beside the cost.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Around<'a> {
    pub(crate) price: &'a config::Energy,
    /// Millionths of a credit.
    pub(crate) earned_today: Option<u64>,
}

impl Computer {
    /// As it is now. Asks nobody.
    pub(crate) fn view(&self, now: Now, seen: &Seen, around: Around<'_>) -> api::Computer {
        let tokens_per_s = self.speed.tokens_per_s();
        let fit = capability::assess(&Measured {
            processors: seen.processors,
            memory_bytes: seen.memory_bytes.unwrap_or(0),
            battery: seen.battery.unwrap_or(false),
            // Nothing in this release moves enough to measure it.
            network_bytes_per_s: None,
            storage_free_bytes: seen.storage_free_bytes.unwrap_or(0),
            tokens_per_s,
        });
        api::Computer {
            tier: tier(fit.tier),
            footprint: api::Footprint {
                disk_bytes: fit.footprint.disk_bytes,
                memory_bytes: fit.footprint.memory_bytes,
            },
            roles: fit.roles.into_iter().map(role).collect(),
            lacks: fit.lacks.into_iter().map(lack).collect(),
            measured: ComputerMeasured {
                processors: seen.processors,
                memory_bytes: seen.memory_bytes,
                battery: seen.battery,
                network_bytes_per_second: None,
                round_trip_ms: seen.round_trip_us.map(|us| ratio(us, 1_000)),
                storage_free_bytes: seen.storage_free_bytes,
            },
            tokens_per_second: tokens_per_s,
            energy: self.energy(now, fit.tier, around),
        }
    }

    fn energy(&self, now: Now, tier: Tier, around: Around<'_>) -> api::Energy {
        let mut day = self.day;
        day.turn(day_of(now.wall));
        let estimate = energy::estimate(tier, day.usage(), around.price.price_micros_per_kwh);
        let watts = f64::from(energy::milliwatts_per_core(tier)) / 1_000.0;
        let (method, assumptions) = match estimate.basis {
            Basis::Measured => (EnergyMethod::Meter, BY_METER.to_owned()),
            Basis::Model { .. } => (EnergyMethod::Model, by_model(watts)),
            Basis::Both { .. } => {
                (EnergyMethod::Both, format!("{BY_METER}, as far as it was read; {}", by_model(watts)))
            }
        };
        api::Energy {
            since_ms: now.wall.0 / DAY_MS * DAY_MS,
            watt_hours_today: ratio(estimate.microwatt_hours, 1_000_000),
            method,
            watts_per_core: watts,
            assumptions,
            meter: self.no_meter.map(|why| why_no_meter(why).to_owned()),
            cost_today: ratio(estimate.cost_micros, 1_000_000),
            currency: around.price.currency.clone(),
            price_per_kwh: ratio(estimate.price_micros_per_kwh, 1_000_000),
            cpu_seconds_today: ratio(day.cpu_us, 1_000_000),
            tasks_today: day.tasks,
            tasks_for_others_today: day.for_others,
            texts_today: day.texts,
            earned_today: around.earned_today,
        }
    }
}

const BY_METER: &str = "measured by the processor's own meter, our share by processor time";

fn by_model(watts: f64) -> String {
    format!(
        "estimated: {watts} W for each busy core, above what the computer uses anyway; losses of the power supply are \
         not in it"
    )
}

const fn why_no_meter(why: NoMeter) -> &'static str {
    match why {
        NoMeter::Absent => "this computer has none that can be asked",
        NoMeter::Denied => "only the administrator may read it",
        NoMeter::Failed => "it gave no number",
    }
}

const fn tier(tier: Tier) -> ComputerTier {
    match tier {
        Tier::Basic => ComputerTier::Basic,
        Tier::Standard => ComputerTier::Standard,
        Tier::Power => ComputerTier::Power,
    }
}

const fn role(role: Role) -> ComputerRole {
    match role {
        Role::Infer => ComputerRole::Infer,
        Role::Cache => ComputerRole::Cache,
        Role::Store => ComputerRole::Store,
        Role::Train => ComputerRole::Train,
        Role::Coordinate => ComputerRole::Coordinate,
    }
}

const fn lack(lack: Lack) -> ComputerLack {
    match lack {
        Lack::Processors => ComputerLack::Processors,
        Lack::Memory => ComputerLack::Memory,
        Lack::Storage => ComputerLack::Storage,
        Lack::Speed => ComputerLack::Speed,
    }
}

/// A number in larger units. What is lost beyond 2^53 is nothing that anybody reads.
fn ratio(amount: u64, unit: u32) -> f64 {
    amount as f64 / f64::from(unit)
}
