//! The configuration: one YAML file, its keys in one table, and who said what.
//!
//! Order, later wins: defaults, `/etc/p2p-agent/agent.yaml`, the home's `agent.yaml` (or the file
//! named by `--config` in its place), `P2P_AGENT_<SECTION>_<KEY>`. A home remembers the file that
//! was named for it, so that a daemon speaks of the settings it runs with.

mod address;
mod edit;
mod file;
mod keys;
mod schedule;
mod table;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use p2p_control::api::{ConfigEntry, ErrorCode, Problem};
use p2p_platform::Home;
use serde_json::Value;

pub use keys::{Config, Dashboard, Energy, Interfaces, Log, Metrics, Network, Wallet, Work};
use keys::{KEYS, Key};
pub use schedule::Schedule;

/// The administrator's defaults, which are only read.
const SYSTEM_FILE: &str = "/etc/p2p-agent/agent.yaml";

/// A value and who said it.
#[derive(Debug, Clone)]
struct Said {
    value: Value,
    source: &'static str,
}

/// The configuration as it counts now.
///
/// # Errors
/// [`ErrorCode::Config`] with file, line and key where anything in it cannot be used.
pub fn load(home: &Home, explicit: Option<&Path>) -> Result<Config, Problem> {
    let said = gather(home, explicit)?;
    let value =
        |key: &Key| said.get(key.name).map_or_else(|| key.default_for(home.is_default()), |said| said.value.clone());
    let mut config =
        Config::from_values(|name| KEYS.iter().find(|key| key.name == name).map(value).unwrap_or_default());
    config.network.any_port = !said.contains_key("network.listen_port");
    check_schedule(home, explicit, &config)?;
    Ok(config)
}

/// Every key with its value and source.
///
/// # Errors
/// As [`load`].
pub fn entries(home: &Home, explicit: Option<&Path>) -> Result<Vec<ConfigEntry>, Problem> {
    let said = gather(home, explicit)?;
    Ok(KEYS.iter().map(|key| entry(key, said.get(key.name), home)).collect())
}

/// A value as somebody types it: what it would mean in the file, where it means anything there,
/// else the text itself.
#[must_use]
pub fn typed(text: &str) -> Value {
    // In YAML an empty text and a mere comment are null as well; here null has to be said.
    let as_in_file = || serde_saphyr::from_str(text).ok().filter(|value: &Value| !value.is_null());
    serde_json::from_str(text).ok().or_else(as_in_file).unwrap_or_else(|| Value::String(text.to_owned()))
}

/// Changes one key in the home's file, which keeps its comments.
///
/// # Errors
/// When there is no such key, the value is none for it, the file cannot be written, or another
/// file was named in its place: that one is its owner's to edit.
pub fn set(home: &Home, name: &str, value: Value) -> Result<ConfigEntry, Problem> {
    if let Some(path) = home.named_config() {
        let why = format!("the node runs with {}, which is yours to edit", path.display());
        return Err(Problem::new(ErrorCode::Config, why).with_hint("Edit it, then run `p2p-agent restart`"));
    }
    let key = keys::find(name).map_err(|why| Problem::new(ErrorCode::Config, why).with_hint(HINT_LIST))?;
    let value = key
        .check(&value)
        .map_err(|why| Problem::new(ErrorCode::Config, format!("{name} {why}")).with_hint(key.help))?;
    let path = home.config_file();
    let text = file::read(&path)?.unwrap_or_default();
    file::parse(&path, &text)?;
    let edited = edit::set(&text, name, &value);
    // What was written must say what was meant; the file as it was stays where it does not.
    let reread = file::parse(&path, &edited)?;
    if reread.get(name) != Some(&value) {
        let why = format!("{} is laid out in a way that cannot be edited by program", path.display());
        return Err(Problem::new(ErrorCode::Config, why).with_hint(format!("Write `{name}: {value}` into it by hand")));
    }
    p2p_platform::file::write_private(&path, edited.as_bytes())
        .map_err(|error| Problem::new(ErrorCode::Storage, format!("{}: {error}", path.display())))?;
    // Rules that exclude each other are not kept.
    if let Err(problem) = load(home, None) {
        p2p_platform::file::write_private(&path, text.as_bytes())
            .map_err(|error| Problem::new(ErrorCode::Storage, format!("{}: {error}", path.display())))?;
        return Err(problem);
    }
    let said = gather(home, None)?;
    Ok(entry(key, said.get(name), home))
}

/// Warnings of a configuration that can be used.
///
/// # Errors
/// As [`load`].
pub fn validate(home: &Home, explicit: Option<&Path>) -> Result<Vec<String>, Problem> {
    let config = load(home, explicit)?;
    let mut warnings = file::old_environment();
    if config.network.interfaces == Interfaces::All && !home.is_default() {
        warnings.push("network.interfaces is `all`: this home is reachable from other computers".to_owned());
    }
    Ok(warnings)
}

/// The files that are read, in order, and whether each is there.
#[must_use]
pub fn search_path(home: &Home, explicit: Option<&Path>) -> Vec<(PathBuf, bool)> {
    let own = explicit.map_or_else(|| home.config_file(), Path::to_path_buf);
    [PathBuf::from(SYSTEM_FILE), own]
        .into_iter()
        .map(|path| {
            let there = path.is_file();
            (path, there)
        })
        .collect()
}

/// The text of a new home's file: every key, its default, and what it means.
#[must_use]
pub fn template(home: &Home) -> String {
    let mut text = String::from("# P2P Agent. Uncomment what you change; see `p2p-agent config list`.\n");
    let mut section = "";
    for key in KEYS {
        let (of, name) = key.name.split_once('.').unwrap_or(("", key.name));
        if of != section {
            text.push_str(&format!("\n{of}:\n"));
            section = of;
        }
        text.push_str(&format!("  # {}\n  # {name}: {}\n", key.help, key.default_for(home.is_default())));
    }
    text
}

/// Rules that exclude each other are refused by the line that says the one to change.
fn check_schedule(home: &Home, explicit: Option<&Path>, config: &Config) -> Result<(), Problem> {
    let workers = u16::try_from(config.work.workers).unwrap_or(u16::MAX);
    let Err(found) = config.schedule.policy(p2p_platform::processors(), workers) else { return Ok(()) };
    let Some(first) = found.first() else { return Ok(()) };
    let key = schedule::key_of(first);
    let own = explicit.or(home.named_config()).map_or_else(|| home.config_file(), Path::to_path_buf);
    let place = file::place_of(&own, key);
    let why = format!("{place}{key}: {}", first.what);
    Err(Problem::new(ErrorCode::Config, why).with_hint(first.mend.clone()))
}

const HINT_LIST: &str = "See `p2p-agent config list`";

fn gather(home: &Home, explicit: Option<&Path>) -> Result<BTreeMap<&'static str, Said>, Problem> {
    let mut said = BTreeMap::new();
    let mut take = |values: BTreeMap<&'static str, Value>, source| {
        said.extend(values.into_iter().map(|(name, value)| (name, Said { value, source })));
    };
    let system = PathBuf::from(SYSTEM_FILE);
    if let Some(text) = file::read(&system)? {
        take(file::parse(&system, &text)?, "system");
    }
    match explicit.or(home.named_config()) {
        Some(path) => {
            let missing = || Problem::new(ErrorCode::Config, format!("{} does not exist", path.display()));
            take(file::parse(path, &file::read(path)?.ok_or_else(missing)?)?, "file");
        }
        None => {
            let path = home.config_file();
            if let Some(text) = file::read(&path)? {
                take(file::parse(&path, &text)?, "file");
            }
        }
    }
    take(file::environment(|name| std::env::var(name).ok())?, "environment");
    Ok(said)
}

fn entry(key: &Key, said: Option<&Said>, home: &Home) -> ConfigEntry {
    let (value, source) = match said {
        Some(said) => (said.value.clone(), said.source),
        None => (key.default_for(home.is_default()), "default"),
    };
    ConfigEntry {
        key: key.name.to_owned(),
        value,
        source: source.to_owned(),
        help: key.help.to_owned(),
        // What may be spent, when this computer may work and what energy costs count at once.
        needs_restart: !["wallet.", "schedule.", "energy."].iter().any(|section| key.name.starts_with(section)),
    }
}

#[cfg(test)]
mod tests;
