//! The keys there are.

use p2p_protocol::Limits;
use p2p_scheduler::Week;
use p2p_types::Credits;
use serde_json::{Value, json};

use super::address;
use super::schedule::Schedule;
pub(super) use super::table::KEYS;

/// What a key's value must be.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shape {
    /// A port of TCP and UDP.
    Port,
    /// A port, or `null` for none.
    OptionalPort,
    Flag,
    /// A whole number between the two.
    Number(u64, u64),
    /// A whole number up to this one, or `null` for none.
    OptionalNumber(u64),
    OneOf(&'static [&'static str]),
    /// One of these words, or `null`.
    OptionalWord(&'static [&'static str]),
    /// A whole number between the two, or `null`.
    OptionalWithin(u64, u64),
    /// True, false or `null`.
    OptionalFlag,
    /// An amount of money, of at most six digits after the point.
    Money,
    /// Three capital letters.
    Currency,
    /// Hours of a week, or `null`.
    OptionalHours,
    /// A list of multiaddresses.
    Addresses,
}

#[derive(Debug)]
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) shape: Shape,
    pub(super) default: fn(default_home: bool) -> Value,
    pub(super) help: &'static str,
}

/// The key of this name, or why there is none.
pub(super) fn find(name: &str) -> Result<&'static Key, String> {
    if let Some(key) = KEYS.iter().find(|key| key.name == name) {
        return Ok(key);
    }
    let shown: String = name.chars().take(40).collect();
    let closest = KEYS.iter().map(|key| (distance(name, key.name), key.name)).min().filter(|(off, _)| *off <= 4);
    Err(match closest {
        Some((_, meant)) => format!("there is no key {shown:?}; is {meant} meant?"),
        None => format!("there is no key {shown:?}"),
    })
}

impl Key {
    pub(super) fn default_for(&self, default_home: bool) -> Value {
        (self.default)(default_home)
    }

    /// The value, where it is one for this key; why it is none otherwise.
    pub(super) fn check(&self, value: &Value) -> Result<Value, String> {
        let fits = match self.shape {
            Shape::Port => number_within(value, 0, 65_535),
            Shape::OptionalPort => value.is_null() || number_within(value, 0, 65_535),
            Shape::Flag => value.is_boolean(),
            Shape::Number(least, most) => number_within(value, least, most),
            Shape::OptionalNumber(most) => value.is_null() || number_within(value, 0, most),
            Shape::OneOf(words) => value.as_str().is_some_and(|word| words.contains(&word)),
            Shape::OptionalWord(words) => value.is_null() || value.as_str().is_some_and(|word| words.contains(&word)),
            Shape::OptionalWithin(least, most) => value.is_null() || number_within(value, least, most),
            Shape::OptionalFlag => value.is_null() || value.is_boolean(),
            Shape::Money => value.as_f64().is_some_and(|amount| (0.0..=MOST_MONEY).contains(&amount)),
            Shape::Currency => value.as_str().is_some_and(is_currency),
            Shape::OptionalHours if value.is_null() => true,
            Shape::OptionalHours => {
                let week = value.as_str().map(str::parse::<Week>);
                if let Some(Err(error)) = week {
                    return Err(format!("cannot be understood: {error}"));
                }
                week.is_some()
            }
            Shape::Addresses => value.as_array().is_some_and(|list| {
                list.len() <= 64 && list.iter().all(|one| one.as_str().is_some_and(address::is_dialable))
            }),
        };
        if fits { Ok(value.clone()) } else { Err(format!("must be {}, not {}", self.expected(), shorten(value))) }
    }

    /// A value from the environment, where all is text.
    pub(super) fn parse_text(&self, text: &str) -> Result<Value, String> {
        let value = match self.shape {
            Shape::OneOf(_) | Shape::Currency => json!(text),
            Shape::OptionalWord(_) | Shape::OptionalHours if text != "null" => json!(text),
            Shape::Addresses => json!(text.split(',').map(str::trim).filter(|one| !one.is_empty()).collect::<Vec<_>>()),
            _ => serde_json::from_str(text).unwrap_or_else(|_| json!(text)),
        };
        self.check(&value)
    }

    fn expected(&self) -> String {
        match self.shape {
            Shape::Port => "a port from 0 to 65535".to_owned(),
            Shape::OptionalPort => "a port from 0 to 65535, or null".to_owned(),
            Shape::Flag => "true or false".to_owned(),
            Shape::Number(least, most) => format!("a whole number from {least} to {most}"),
            Shape::OptionalNumber(most) => format!("a whole number from 0 to {most}, or null"),
            Shape::OneOf(words) => words.join(" or "),
            Shape::OptionalWord(words) => format!("{}, or null for what the preset says", words.join(", ")),
            Shape::OptionalWithin(least, most) => {
                format!("a whole number from {least} to {most}, or null for what the preset says")
            }
            Shape::OptionalFlag => "true, false, or null for what the preset says".to_owned(),
            Shape::Money => format!("an amount from 0 to {MOST_MONEY}, as in 0.30"),
            Shape::Currency => "three capital letters, as in EUR".to_owned(),
            Shape::OptionalHours => "hours like `mon-fri 18:00-23:00, sat 00:00-24:00`, or null for always".to_owned(),
            Shape::Addresses => {
                "a list of at most 64 addresses like /ip4/192.0.2.1/tcp/9000 or /ip4/192.0.2.1/udp/9000/quic-v1"
                    .to_owned()
            }
        }
    }
}

/// More than a kilowatt-hour costs in any money.
const MOST_MONEY: f64 = 1_000_000.0;

fn is_currency(word: &str) -> bool {
    word.len() == 3 && word.bytes().all(|letter| letter.is_ascii_uppercase())
}

fn number_within(value: &Value, least: u64, most: u64) -> bool {
    value.as_u64().is_some_and(|number| (least..=most).contains(&number))
}

fn shorten(value: &Value) -> String {
    value.to_string().chars().take(40).collect()
}

/// How many letters differ between two names (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, letter) in a.chars().take(64).enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, other) in b.iter().enumerate() {
            let changed = diagonal + usize::from(letter != *other);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

/// Who can reach this node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interfaces {
    Loopback,
    All,
}

/// The configuration as the engine uses it.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    pub network: Network,
    pub work: Work,
    pub wallet: Wallet,
    /// When this computer may work for others.
    pub schedule: Schedule,
    pub energy: Energy,
    pub dashboard: Dashboard,
    pub metrics: Metrics,
    pub log: Log,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    pub listen_port: u16,
    /// Nobody named the port: another will do where it is taken.
    pub any_port: bool,
    pub interfaces: Interfaces,
    pub bootstrap: Vec<String>,
    pub nearby: bool,
    pub max_peers: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Work {
    pub workers: u32,
    pub idle_worker_s: u64,
}

/// What the owner lets this computer spend, in whole credits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wallet {
    pub daily_limit: Option<u32>,
    pub total_limit: Option<u32>,
}

impl Wallet {
    pub(crate) fn limits(&self) -> Limits {
        Limits { daily: self.daily_limit.map(Credits::whole), total: self.total_limit.map(Credits::whole) }
    }
}

/// What energy costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Energy {
    /// Millionths of a unit of money.
    pub price_micros_per_kwh: u64,
    /// Three capital letters.
    pub currency: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dashboard {
    pub enabled: bool,
    pub port: u16,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metrics {
    pub port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    pub level: String,
}

impl Config {
    /// Takes values that were checked against [`KEYS`].
    pub(super) fn from_values(value: impl Fn(&str) -> Value) -> Self {
        let port = |name: &str| value(name).as_u64().and_then(|port| u16::try_from(port).ok());
        let number = |name: &str| value(name).as_u64().unwrap_or_default();
        let limit = |name: &str| value(name).as_u64().and_then(|limit| u32::try_from(limit).ok());
        // Checked before: nothing below 0, and nothing that has no place in a number.
        let micros = |name: &str| (value(name).as_f64().unwrap_or_default() * 1e6).round() as u64;
        let flag = |name: &str| value(name).as_bool().unwrap_or_default();
        let word = |name: &str| value(name).as_str().unwrap_or_default().to_owned();
        let bootstrap = value("network.bootstrap");
        let bootstrap = bootstrap.as_array().into_iter().flatten();
        Self {
            network: Network {
                listen_port: port("network.listen_port").unwrap_or_default(),
                any_port: false,
                interfaces: if word("network.interfaces") == "all" { Interfaces::All } else { Interfaces::Loopback },
                bootstrap: bootstrap.filter_map(|address| address.as_str().map(str::to_owned)).collect(),
                nearby: flag("network.nearby"),
                max_peers: usize::try_from(number("network.max_peers")).unwrap_or(1),
            },
            work: Work {
                workers: u32::try_from(number("work.workers")).unwrap_or(1),
                idle_worker_s: number("work.idle_worker_s"),
            },
            schedule: Schedule::from_values(&value),
            energy: Energy { price_micros_per_kwh: micros("energy.price_per_kwh"), currency: word("energy.currency") },
            wallet: Wallet { daily_limit: limit("wallet.daily_limit"), total_limit: limit("wallet.total_limit") },
            dashboard: Dashboard {
                enabled: flag("dashboard.enabled"),
                port: port("dashboard.port").unwrap_or_default(),
            },
            metrics: Metrics { port: port("metrics.port") },
            log: Log { level: word("log.level") },
        }
    }
}
