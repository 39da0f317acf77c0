//! Which room may know which: the table of `docs/architecture.md`.

use std::path::Path;

use super::{Finding, Package};

/// A room, and the rooms it may know. Nobody may know `tests` or `xtask`: they are leaves.
const ALLOWED: &[(&str, &[&str])] = &[
    ("types", &[]),
    ("simd", &[]),
    ("ledger", &["types"]),
    ("trust", &["types"]),
    ("market", &["types", "simd"]),
    ("scheduler", &["types"]),
    ("protocol", &["types", "ledger", "trust", "market"]),
    ("net", &["types", "protocol"]),
    ("store", &["types", "ledger", "market"]),
    ("inference", &["types", "platform"]),
    ("platform", &["types"]),
    // `platform` for the local socket that the server listens on and the client connects to.
    ("control", &["types", "platform"]),
    (
        "agent",
        &[
            "types",
            "simd",
            "ledger",
            "trust",
            "market",
            "scheduler",
            "protocol",
            "net",
            "store",
            "inference",
            "platform",
            "control",
        ],
    ),
    ("cli", &["control", "agent", "platform", "types"]),
    ("sim", &["types", "ledger", "trust", "market", "scheduler", "protocol"]),
    ("tray", &["control", "platform", "types"]),
    ("xtask", &[]),
];

/// May know every room.
const ANYTHING: &str = "tests";

/// Every edge between our packages stands in the table.
pub(super) fn allowed(packages: &[Package]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in packages {
        let room = package.room();
        let row = ALLOWED.iter().find(|(name, _)| *name == room);
        if row.is_none() && room != ANYTHING {
            findings.push(Finding::new(&package.name, "is in no row of the table of rooms - add it to tidy/edges.rs"));
            continue;
        }
        for dependency in package.dependencies.iter().filter(|dependency| dependency.path.is_some()) {
            let other = dependency.name.strip_prefix("p2p-").unwrap_or(&dependency.name);
            let known = match row {
                // A package may name itself to test with another feature.
                Some((_, known)) => known.contains(&other) || other == room,
                None => other != "xtask",
            };
            if !known {
                findings.push(Finding::new(&package.name, format!("`{room}` may not know `{other}`")));
            }
        }
    }
    findings
}

/// A package is called like its folder.
pub(super) fn names(root: &Path, packages: &[Package]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in packages {
        let folder = package.manifest_path.parent().and_then(|folder| folder.strip_prefix(root).ok());
        let folder = folder.map(|folder| folder.to_string_lossy().replace('\\', "/")).unwrap_or_default();
        let expected = match folder.as_str() {
            "src-tauri" => "p2p-tray".to_owned(),
            "xtask" => "xtask".to_owned(),
            other => format!("p2p-{}", other.strip_prefix("crates/").unwrap_or(other)),
        };
        if package.name != expected {
            findings.push(Finding::new(folder, format!("holds package `{}`, should be `{expected}`", package.name)));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::{Dependency, Target};
    use super::*;

    fn package(name: &str, folder: &str, knows: &[&str]) -> Package {
        let ours = |name: &&str| Dependency { name: (*name).to_owned(), kind: None, path: Some("x".into()) };
        Package {
            name: name.to_owned(),
            manifest_path: format!("/tree/{folder}/Cargo.toml").into(),
            dependencies: knows.iter().map(ours).collect(),
            targets: Vec::<Target>::new(),
        }
    }

    #[test]
    fn an_edge_in_the_table_is_fine() {
        let packages = [package("p2p-net", "crates/net", &["p2p-types", "p2p-protocol"])];
        assert_eq!(allowed(&packages), []);
    }

    #[test]
    fn an_edge_that_is_not_in_the_table_is_found() {
        let findings = allowed(&[package("p2p-protocol", "crates/protocol", &["p2p-net"])]);
        assert_eq!(findings, [Finding::new("p2p-protocol", "`protocol` may not know `net`")]);
    }

    #[test]
    fn tests_may_know_every_room_but_nobody_may_know_tests() {
        assert_eq!(allowed(&[package("p2p-tests", "tests", &["p2p-net", "p2p-agent"])]), []);
        assert_eq!(allowed(&[package("p2p-tests", "tests", &["xtask"])]).len(), 1);
        assert_eq!(allowed(&[package("p2p-agent", "crates/agent", &["p2p-tests"])]).len(), 1);
    }

    #[test]
    fn a_room_without_a_row_is_found() {
        assert_eq!(allowed(&[package("p2p-attic", "crates/attic", &[])]).len(), 1);
    }

    #[test]
    fn a_package_is_called_like_its_folder() {
        let root = Path::new("/tree");
        let fine = [
            package("p2p-net", "crates/net", &[]),
            package("p2p-tray", "src-tauri", &[]),
            package("p2p-tests", "tests", &[]),
            package("xtask", "xtask", &[]),
        ];
        assert_eq!(names(root, &fine), []);
        assert_eq!(names(root, &[package("p2p-network", "crates/net", &[])]).len(), 1);
    }
}
