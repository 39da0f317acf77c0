//! The rules as the configuration has them: a preset, and what the owner changed of it.

use p2p_scheduler::{Band, Battery, Checked, Contradiction, Policy, Preset, Week, When};
use serde_json::Value;

const MIB: u64 = 1 << 20;
/// One worker takes so much, whatever an older file says.
const LEAST_MEMORY_MB: u64 = 256;

/// When this computer may work for others. `None` is what the preset says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    pub preset: Preset,
    when: Option<Mode>,
    idle_ms: Option<u64>,
    hours: Option<Week>,
    network_hours: Option<Week>,
    cpu_percent: Option<u16>,
    memory_bytes: Option<u64>,
    battery_percent: Option<u8>,
    temperature_c: Option<u16>,
    metered: Option<bool>,
    power_saver: Option<bool>,
    full_screen: Option<bool>,
    presentations: Option<bool>,
    calls: Option<bool>,
    media: Option<bool>,
    games: Option<bool>,
    others_percent: Option<u16>,
    free_memory_bytes: Option<u64>,
    free_disk_bytes: Option<u64>,
    disk_bytes: Option<u64>,
    data_bytes_a_month: Option<u64>,
    upload_bytes_per_s: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Idle,
    Always,
    Hours,
}

/// Where a battery resumes above where it stops: a loose plug must not make work tremble.
const BATTERY_STEP: u8 = 5;
/// The same for degrees, and for percent of the processors.
const HEAT_STEP: u16 = 8;
const LOAD_STEP: u16 = 10;

impl Schedule {
    pub(super) fn from_values(value: impl Fn(&str) -> Value) -> Self {
        let value = |name: &str| value(&format!("schedule.{name}"));
        let number = |name: &str| value(name).as_u64();
        let small = |name: &str| number(name).and_then(|number| u16::try_from(number).ok());
        let flag = |name: &str| value(name).as_bool();
        let week = |name: &str| value(name).as_str().and_then(|text| text.parse().ok());
        Self {
            preset: match value("preset").as_str() {
                Some("full") => Preset::Full,
                Some("balanced") => Preset::Balanced,
                _ => Preset::Quiet,
            },
            when: match value("when").as_str() {
                Some("idle") => Some(Mode::Idle),
                Some("always") => Some(Mode::Always),
                Some("hours") => Some(Mode::Hours),
                _ => None,
            },
            idle_ms: number("idle_s").map(|seconds| seconds * 1000),
            hours: week("hours"),
            network_hours: week("network_hours"),
            cpu_percent: small("cpu_percent"),
            memory_bytes: number("memory_mb").map(|size| size.max(LEAST_MEMORY_MB) * MIB),
            battery_percent: number("battery_percent").and_then(|percent| u8::try_from(percent).ok()),
            temperature_c: small("temperature_c"),
            metered: flag("metered"),
            power_saver: flag("power_saver"),
            full_screen: flag("full_screen"),
            presentations: flag("presentations"),
            calls: flag("calls"),
            media: flag("media"),
            games: flag("games"),
            others_percent: small("others_percent"),
            free_memory_bytes: number("free_memory_mb").map(|size| size * MIB),
            free_disk_bytes: number("free_disk_mb").map(|size| size * MIB),
            disk_bytes: number("disk_mb").map(|size| size * MIB),
            data_bytes_a_month: number("data_mb_a_month").map(|size| size * MIB),
            upload_bytes_per_s: number("upload_kb_per_s").map(|size| size * 1024),
        }
    }

    /// Whether it matters if somebody uses the computer.
    #[must_use]
    pub fn heeds_input(&self) -> bool {
        self.policy(1, 1).is_ok_and(|policy| policy.heeds_input())
    }

    /// The rules for a computer with so many processors, of which so many workers may be used.
    ///
    /// # Errors
    /// Everything that contradicts itself.
    pub fn policy(&self, processors: u16, workers: u16) -> Result<Checked, Vec<Contradiction>> {
        let preset = self.preset.policy(processors);
        let after_ms = |usual| self.idle_ms.unwrap_or(usual);
        let usual = if let When::Idle { after_ms } = preset.when { after_ms } else { 180_000 };
        let when = match self.when {
            Some(Mode::Idle) => When::Idle { after_ms: after_ms(usual) },
            Some(Mode::Always) => When::Always,
            Some(Mode::Hours) => When::Hours,
            // Hours alone mean: idle, and in these hours; with `full`, in these hours.
            None => match preset.when {
                When::Idle { after_ms: usual } => When::Idle { after_ms: after_ms(usual) },
                When::Always if self.hours.is_some() => When::Hours,
                other => other,
            },
        };
        let battery = match self.battery_percent {
            None => preset.battery,
            Some(0) => Battery::Always,
            Some(100..) => Battery::Never,
            Some(stop) => Battery::Above { stop, resume: stop.saturating_add(BATTERY_STEP).min(100) },
        };
        let others = match self.others_percent {
            None => preset.others,
            Some(100..) => None,
            Some(percent) => Some(Band {
                stop: percent * 10,
                resume: (percent * 10).saturating_sub(LOAD_STEP * 10).max(percent * 5),
            }),
        };
        let temperature = match self.temperature_c {
            None => preset.temperature,
            Some(stop) => Some(Band { stop, resume: stop.saturating_sub(HEAT_STEP) }),
        };
        let policy = Policy {
            when,
            compute: self.hours.unwrap_or(preset.compute),
            network: self.network_hours.unwrap_or(preset.network),
            cpu_permille: self.cpu_percent.map_or(preset.cpu_permille, |percent| percent * 10),
            max_workers: workers.max(1),
            memory_bytes: self.memory_bytes.unwrap_or(preset.memory_bytes),
            battery,
            temperature,
            metered_allowed: self.metered.unwrap_or(preset.metered_allowed),
            power_saver_allowed: self.power_saver.unwrap_or(preset.power_saver_allowed),
            full_screen_allowed: self.full_screen.unwrap_or(preset.full_screen_allowed),
            presentations_allowed: self.presentations.unwrap_or(preset.presentations_allowed),
            calls_allowed: self.calls.unwrap_or(preset.calls_allowed),
            media_allowed: self.media.unwrap_or(preset.media_allowed),
            games_allowed: self.games.unwrap_or(preset.games_allowed),
            others,
            least_free_memory_bytes: self.free_memory_bytes.unwrap_or(preset.least_free_memory_bytes),
            least_free_disk_bytes: self.free_disk_bytes.unwrap_or(preset.least_free_disk_bytes),
            disk_quota_bytes: self.disk_bytes.unwrap_or(preset.disk_quota_bytes),
            data_bytes_a_month: limit(self.data_bytes_a_month, preset.data_bytes_a_month),
            upload_bytes_per_s: limit(self.upload_bytes_per_s, preset.upload_bytes_per_s),
            ..preset
        };
        policy.checked()
    }
}

/// What the preset says where nothing was said; zero is no limit.
fn limit(said: Option<u64>, preset: Option<u64>) -> Option<u64> {
    said.map_or(preset, |said| (said > 0).then_some(said))
}

/// The setting that a contradiction is about.
pub(super) fn key_of(contradiction: &Contradiction) -> &'static str {
    match contradiction.key {
        "when.after_ms" => "schedule.idle_s",
        "compute" => "schedule.hours",
        "network" => "schedule.network_hours",
        "cpu_permille" => "schedule.cpu_percent",
        "max_workers" => "work.workers",
        "memory_bytes" => "schedule.memory_mb",
        "disk_quota_bytes" => "schedule.disk_mb",
        "data_bytes_a_month" => "schedule.data_mb_a_month",
        "upload_bytes_per_s" => "schedule.upload_kb_per_s",
        "others.stop" | "others.resume" => "schedule.others_percent",
        "battery.stop" | "battery.resume" => "schedule.battery_percent",
        "temperature.stop" | "temperature.resume" => "schedule.temperature_c",
        _ => "schedule.preset",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schedule(said: &[(&str, Value)]) -> Schedule {
        Schedule::from_values(|name| {
            let short = name.strip_prefix("schedule.").expect("of this section");
            said.iter().find(|(key, _)| *key == short).map_or(Value::Null, |(_, value)| value.clone())
        })
    }

    #[test]
    fn a_preset_is_what_nobody_changed() {
        let policy = schedule(&[]).policy(8, 8).expect("it can be kept");
        assert_eq!(*policy, Preset::Quiet.policy(8));
    }

    #[test]
    fn each_setting_changes_its_rule_alone() {
        let said = [
            ("preset", json!("balanced")),
            ("idle_s", json!(60)),
            ("cpu_percent", json!(30)),
            ("battery_percent", json!(40)),
            ("others_percent", json!(100)),
            ("temperature_c", json!(60)),
            ("metered", json!(true)),
            ("disk_mb", json!(100)),
            ("data_mb_a_month", json!(2048)),
            ("upload_kb_per_s", json!(64)),
        ];
        let policy = schedule(&said).policy(8, 2).expect("it can be kept");
        let expected = Policy {
            when: When::Idle { after_ms: 60_000 },
            cpu_permille: 300,
            max_workers: 2,
            battery: Battery::Above { stop: 40, resume: 45 },
            others: None,
            temperature: Some(Band { stop: 60, resume: 52 }),
            metered_allowed: true,
            disk_quota_bytes: 100 << 20,
            data_bytes_a_month: Some(2 << 30),
            upload_bytes_per_s: Some(64 << 10),
            ..Preset::Balanced.policy(8)
        };
        assert_eq!(*policy, expected);
    }

    #[test]
    fn every_value_that_a_key_allows_can_be_kept_alone() {
        for (key, values) in [
            ("battery_percent", vec![json!(0), json!(1), json!(95), json!(99), json!(100)]),
            ("others_percent", vec![json!(1), json!(5), json!(50), json!(99), json!(100)]),
            ("temperature_c", vec![json!(40), json!(70), json!(95)]),
            ("idle_s", vec![json!(10), json!(86_400)]),
            ("cpu_percent", vec![json!(1), json!(100)]),
            ("memory_mb", vec![json!(128), json!(256)]),
            ("disk_mb", vec![json!(64)]),
            ("data_mb_a_month", vec![json!(0), json!(1)]),
            ("upload_kb_per_s", vec![json!(0), json!(8)]),
            ("hours", vec![json!("mon 08:00-08:30"), json!("mon-sun 22:00-06:00")]),
        ] {
            for value in values {
                for preset in ["quiet", "balanced", "full"] {
                    let said = [("preset", json!(preset)), (key, value.clone())];
                    let policy = schedule(&said).policy(2, 1);
                    assert!(policy.is_ok(), "{key} {value} {preset}: {policy:?}");
                }
            }
        }
    }

    #[test]
    fn what_excludes_each_other_is_named_by_its_setting() {
        let said = [("when", json!("always")), ("hours", json!("mon 08:00-09:00"))];
        let found = schedule(&said).policy(2, 1).expect_err("they exclude each other");
        assert_eq!(found.iter().map(key_of).collect::<Vec<_>>(), ["schedule.hours"]);
        let said = [("hours", json!("mon 08:00-09:00")), ("network_hours", json!("tue 08:00-09:00"))];
        let found = schedule(&said).policy(2, 1).expect_err("no hour in common");
        assert_eq!(found.iter().map(key_of).collect::<Vec<_>>(), ["schedule.network_hours"]);
    }
}
