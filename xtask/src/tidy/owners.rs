//! Which room may name which foreign crate. One world has one owner, so that it can be replaced
//! in one place.

use super::{Dependency, Finding, Package};

/// A crate (or a family of them, with a `*` at the end) and the rooms that own it.
const OWNED: &[(&str, &[&str])] = &[
    // The wire.
    ("libp2p*", &["net"]),
    ("mdns-sd", &["net"]),
    // Files and databases.
    ("rusqlite", &["store"]),
    ("sqlite-vec", &["store"]),
    // Models.
    ("ort", &["inference"]),
    ("ndarray", &["inference"]),
    ("tokenizers", &["inference"]),
    ("safetensors", &["inference"]),
    ("candle*", &["inference"]),
    ("postcard", &["inference"]),
    // The operating system.
    ("getrandom", &["platform"]),
    ("keyring*", &["platform"]),
    ("landlock", &["platform"]),
    ("libc", &["platform"]),
    ("rustix", &["platform"]),
    ("seccompiler", &["platform"]),
    ("sysinfo", &["platform"]),
    ("wayland*", &["platform"]),
    ("windows*", &["platform"]),
    ("x11rb", &["platform"]),
    ("zbus", &["platform", "tray"]),
    // A key closed with a passphrase.
    ("argon2", &["platform"]),
    ("chacha20poly1305", &["platform"]),
    ("rpassword", &["cli"]),
    // The control API.
    ("axum", &["control"]),
    ("http*", &["control"]),
    ("hyper*", &["control"]),
    ("tower*", &["control"]),
    ("tokio-stream", &["control"]),
    ("utoipa*", &["control"]),
    // Encodings and signatures.
    ("bs58", &["types"]),
    ("ed25519-zebra", &["types"]),
    // The trait that batch verification asks its factors through; drawn from hashes.
    ("rand_core", &["types"]),
    ("prost", &["types", "ledger", "protocol"]),
    ("prost-build", &["ledger", "protocol"]),
    ("protox", &["ledger", "protocol"]),
    // Hosts.
    ("serde-saphyr", &["agent"]),
    ("serde_path_to_error", &["agent", "control"]),
    ("prometheus-client", &["agent", "net"]),
    ("clap*", &["cli", "xtask"]),
    ("tracing-appender", &["cli"]),
    ("tracing-subscriber", &["cli", "tray"]),
    ("tauri*", &["tray"]),
    ("tray-icon", &["tray"]),
    ("anyhow", &["xtask", "tray"]),
    ("signal-hook", &["xtask"]),
];

/// Any room may use these, pure ones included.
const PURE_COMMON: &[&str] = &["blake3", "bytes", "serde", "thiserror", "zeroize"];
/// Any room may use these but the pure ones.
const COMMON: &[&str] = &["base64", "futures", "serde_json", "tokio", "tracing"];
/// For tests of any room.
const FOR_TESTS: &[&str] = &["proptest", "rand_chacha", "tempfile"];
/// Rooms without clock, I/O, async and randomness.
pub(super) const PURE: &[&str] = &["types", "simd", "ledger", "trust", "market", "scheduler", "protocol"];
/// All that may stand between a fresh clone and its first line of output.
const XTASK: &[&str] = &["anyhow", "clap", "serde", "serde_json", "signal-hook"];

/// Every foreign crate is named by its owners only, or is common.
pub(super) fn foreign(packages: &[Package]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in packages.iter().filter(|package| package.room() != "tests") {
        for dependency in package.dependencies.iter().filter(|dependency| dependency.path.is_none()) {
            if let Some(message) = judge(package.room(), dependency) {
                findings.push(Finding::new(&package.name, message));
            }
        }
    }
    findings
}

fn judge(room: &str, dependency: &Dependency) -> Option<String> {
    let name = dependency.name.as_str();
    if room == "xtask" {
        return (!XTASK.contains(&name)).then(|| format!("`xtask` has to compile fast, without `{name}`"));
    }
    let for_tests = dependency.kind.as_deref() == Some("dev");
    if PURE_COMMON.contains(&name) || (for_tests && FOR_TESTS.contains(&name)) {
        return None;
    }
    if COMMON.contains(&name) {
        let pure = PURE.contains(&room) && !for_tests;
        return pure.then(|| format!("`{room}` is pure and may not use `{name}`"));
    }
    let owners = OWNED.iter().find(|(pattern, _)| fits(pattern, name)).map(|(_, owners)| *owners);
    match owners {
        None => Some(format!("nobody owns `{name}` yet - decide who does in tidy/owners.rs")),
        Some(owners) if owners.contains(&room) => None,
        Some(owners) => Some(format!("`{name}` belongs to {}, not to `{room}`", owners.join(" and "))),
    }
}

fn fits(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(family) => name == family || name.strip_prefix(family).is_some_and(|rest| rest.starts_with(['-', '_'])),
        None => pattern == name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(room: &str, name: &str, kind: Option<&str>) -> Option<String> {
        judge(room, &Dependency { name: name.to_owned(), kind: kind.map(str::to_owned), path: None })
    }

    #[test]
    fn an_owner_may_and_another_may_not() {
        assert_eq!(verdict("net", "libp2p", None), None);
        assert_eq!(verdict("net", "libp2p-stream", None), None);
        assert_eq!(verdict("agent", "libp2p", None).as_deref(), Some("`libp2p` belongs to net, not to `agent`"));
        assert!(verdict("store", "ort", None).is_some());
        assert!(verdict("cli", "rusqlite", Some("dev")).is_some());
    }

    #[test]
    fn a_family_is_told_from_a_name_that_begins_alike() {
        assert!(fits("http*", "http-body-util"));
        assert!(fits("http*", "http"));
        assert!(!fits("http*", "httparse"));
        assert!(!fits("ort", "ort-sys"));
    }

    #[test]
    fn a_pure_room_has_no_runtime() {
        assert!(verdict("protocol", "tokio", None).is_some());
        assert!(verdict("types", "tracing", None).is_some());
        assert_eq!(verdict("types", "serde_json", Some("dev")), None);
        assert_eq!(verdict("net", "tokio", None), None);
    }

    #[test]
    fn a_crate_that_nobody_decided_about_is_found() {
        assert!(verdict("agent", "left-pad", None).is_some());
        assert_eq!(verdict("agent", "tempfile", Some("dev")), None);
        assert!(verdict("agent", "tempfile", None).is_some());
    }

    #[test]
    fn xtask_stays_light() {
        assert_eq!(verdict("xtask", "clap", None), None);
        assert!(verdict("xtask", "tokio", None).is_some());
    }
}
