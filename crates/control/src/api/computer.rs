use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What this computer is good for, as it was measured, and what its work costs. `null` in a
/// measurement is "cannot tell".
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Computer {
    pub tier: ComputerTier,
    /// What the tier may take while it works.
    pub footprint: Footprint,
    /// What it is fit to do for others. This release offers `infer`; the others are for services to come.
    pub roles: Vec<ComputerRole>,
    /// What stands between it and the next tier; empty in the highest.
    pub lacks: Vec<ComputerLack>,
    pub measured: ComputerMeasured,
    /// Of the base model on one core, by the work of late; `null` before there was enough of it.
    pub tokens_per_second: Option<u32>,
    pub energy: Energy,
}

/// Classes of computers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ComputerTier {
    /// As a phone: it uses more than it gives.
    Basic,
    Standard,
    /// As a large laptop.
    Power,
}

/// Most that is taken on the disk and in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Footprint {
    pub disk_bytes: u64,
    pub memory_bytes: u64,
}

/// What a computer can do for others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ComputerRole {
    /// Compute their tasks.
    Infer,
    /// Keep answers.
    Cache,
    /// Keep files.
    Store,
    /// Train adapters.
    Train,
    /// Be there all day for the others.
    Coordinate,
}

/// What is missing for the next tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ComputerLack {
    Processors,
    Memory,
    Storage,
    /// Too slow, or not measured yet.
    Speed,
}

/// What was measured on this computer.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ComputerMeasured {
    pub processors: u16,
    pub memory_bytes: Option<u64>,
    /// Whether it has a battery.
    pub battery: Option<bool>,
    pub network_bytes_per_second: Option<u64>,
    /// To the nearest computer that is connected, and back.
    pub round_trip_ms: Option<f64>,
    /// Room on the disk of the node's data.
    pub storage_free_bytes: Option<u64>,
}

/// What the workers of this computer used today, what that costs, and what was done for it. A day
/// begins at midnight UTC.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Energy {
    /// When today began.
    pub since_ms: u64,
    pub watt_hours_today: f64,
    pub method: EnergyMethod,
    /// In the model: watts that one busy core adds.
    pub watts_per_core: f64,
    /// How it was found, in words.
    pub assumptions: String,
    /// Why the processor's own meter says nothing, in words; `null` where it does.
    pub meter: Option<String>,
    /// In units of `currency`, by the price in the settings.
    pub cost_today: f64,
    pub currency: String,
    pub price_per_kwh: f64,
    /// Processor time of all workers.
    pub cpu_seconds_today: f64,
    /// Tasks that were computed here, or the parts of them that were: own ones and those of others.
    pub tasks_today: u64,
    /// Those of others.
    pub tasks_for_others_today: u64,
    pub texts_today: u64,
    /// Millionths of a credit; `null` without a wallet.
    pub earned_today: Option<u64>,
}

/// How the energy was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EnergyMethod {
    /// By the processor's own meter; our share by processor time.
    Meter,
    /// By so many watts for each busy core.
    Model,
    /// By the meter where it could be read, by the model for the rest.
    Both,
}
