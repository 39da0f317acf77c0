//! What may stand in files, how long they are and what they are called.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::path::{Path, PathBuf};

use super::owners::PURE;
use super::{Finding, Source};

/// Longer files are split by what they are about. Generated ones, data and prose apart.
const MOST_LINES: usize = 500;
const CODE: &[&str] = &["rs", "ts", "js", "mjs", "svelte", "py", "css", "proto", "sh"];
/// Names under which anything fits, so everything ends up there.
const ATTICS: &[&str] = &["util", "utils", "common", "helper", "helpers", "manager", "misc", "core"];
/// What a pure room may not say: the world comes to it as arguments.
const IMPURE: &[&str] = &[
    "tokio::",
    "rand::",
    "std::net",
    "std::fs",
    "std::env",
    "std::process",
    "std::thread",
    "SystemTime::now",
    "Instant::now",
    "thread_rng",
];
/// Folders that exist on some machines only. Whoever runs tidy adds their own.
const MACHINE_FOLDERS: &[&str] = &[concat!("/wo", "rk/"), concat!("/ro", "ot/")];
/// Where packages come from is the machine's business.
const REGISTRY_HOSTS: &[&str] = &[
    concat!("registry.npm", "js"),
    concat!("pypi", ".org"),
    concat!("pythonhosted", ".org"),
    concat!("static.crates", ".io"),
    concat!("index.crates", ".io"),
    concat!("deb.debian", ".org"),
];

/// The folders no file may name: the usual ones, this user's own, and the one around the tree.
pub(super) fn machine_folders(root: &Path) -> Vec<String> {
    let own = [env::var_os("HOME").map(PathBuf::from), root.parent().map(Path::to_path_buf)];
    let own = own.into_iter().flatten().filter(|folder| folder.components().count() > 1);
    let own = own.map(|folder| format!("{}/", folder.to_string_lossy().trim_end_matches('/')));
    MACHINE_FOLDERS.iter().map(|folder| (*folder).to_owned()).chain(own).collect()
}

/// Every rule about single files.
pub(super) fn check(sources: &[Source], machine_folders: &[String]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in sources {
        let found = [length(source), name(source), purity(source), machine(source, machine_folders), registry(source)];
        findings.extend(found.into_iter().flatten().map(|message| Finding::new(&source.path, message)));
    }
    findings
}

fn extension(path: &str) -> &str {
    path.rsplit_once('.').map_or("", |(_, extension)| extension)
}

fn length(source: &Source) -> Option<String> {
    let generated = source.path.contains("generated") || source.path.ends_with("schema.d.ts");
    let lines = source.text.lines().count();
    let too_long = lines > MOST_LINES && CODE.contains(&extension(&source.path)) && !generated;
    too_long.then(|| format!("{lines} lines, at most {MOST_LINES} - split it by what it is about"))
}

fn name(source: &Source) -> Option<String> {
    if !CODE.contains(&extension(&source.path)) {
        return None;
    }
    if source.path.ends_with("/mod.rs") {
        return Some("module files are called `foo.rs` beside `foo/`, not `foo/mod.rs`".to_owned());
    }
    let stems = source.path.split('/').map(|part| part.split('.').next().unwrap_or(part));
    let attic = stems.into_iter().find(|stem| ATTICS.contains(stem));
    attic.map(|stem| format!("`{stem}` says nothing - name it after what it does"))
}

fn purity(source: &Source) -> Option<String> {
    let room = source.path.strip_prefix("crates/")?;
    let (room, rest) = room.split_once('/')?;
    let tests = rest.ends_with("tests.rs") || rest.contains("/tests/");
    if !PURE.contains(&room) || !rest.starts_with("src/") || tests {
        return None;
    }
    // Tests stand last in a file, and may read files.
    let code = source.text.split("#[cfg(test)]").next().unwrap_or_default();
    let lines = code.lines().map(|line| line.split("//").next().unwrap_or_default());
    let word = lines.into_iter().find_map(|line| IMPURE.iter().find(|word| line.contains(*word)));
    word.map(|word| format!("`{room}` is pure and may not say `{}`", word.trim_end_matches(':')))
}

fn machine(source: &Source, folders: &[String]) -> Option<String> {
    let folder = folders.iter().find(|folder| names_folder(&source.text, folder));
    folder.map(|folder| format!("names {folder}, a folder of somebody's machine"))
}

/// Whether it stands there as the beginning of a path, not inside one.
fn names_folder(text: &str, folder: &str) -> bool {
    let inside = |before: char| before.is_alphanumeric() || "._-}*)>".contains(before);
    text.match_indices(folder).any(|(at, _)| !text[..at].ends_with(inside))
}

fn registry(source: &Source) -> Option<String> {
    let host = REGISTRY_HOSTS.iter().find(|host| source.text.contains(*host));
    host.map(|host| format!("names the registry host {host} - leave that to the machine's settings"))
}

/// Every Rust file belongs to a target: reached from its root by `mod` lines. A test that nobody
/// lists never fails.
pub(super) fn forgotten(roots: &[String], sources: &[Source]) -> Vec<Finding> {
    let files: BTreeMap<&str, &str> =
        sources.iter().map(|source| (source.path.as_str(), source.text.as_str())).collect();
    let mut reached = BTreeSet::new();
    let mut open: Vec<(String, bool)> = roots.iter().map(|root| (root.clone(), true)).collect();
    while let Some((path, is_root)) = open.pop() {
        let Some(text) = files.get(path.as_str()) else { continue };
        if !reached.insert(path.clone()) {
            continue;
        }
        let (folder, file) = path.rsplit_once('/').unwrap_or(("", &path));
        let below = if is_root { folder.to_owned() } else { join(folder, file.trim_end_matches(".rs")) };
        open.extend(modules(text).map(|(name, given)| match given {
            Some(given) => (join(folder, given), false),
            None => (join(&below, &format!("{name}.rs")), false),
        }));
    }
    let rust = files.keys().filter(|path| extension(path) == "rs");
    let forgotten = rust.filter(|path| !reached.contains(**path) && !path.ends_with("build.rs"));
    forgotten.map(|path| Finding::new(*path, "belongs to no target: name it with `mod`, or in Cargo.toml")).collect()
}

/// The `mod name;` lines of a file, each with its `#[path]` where there is one.
fn modules(text: &str) -> impl Iterator<Item = (&str, Option<&str>)> {
    let mut given = None;
    text.lines().filter_map(move |line| {
        let line = line.trim();
        if let Some(path) = line.strip_prefix("#[path = \"") {
            given = path.split('"').next();
            return None;
        }
        let declaration = line.strip_suffix(';')?;
        let (before, name) = declaration.rsplit_once("mod ")?;
        let visible = before.is_empty() || before.starts_with("pub");
        visible.then(|| (name, given.take()))
    })
}

fn join(folder: &str, file: &str) -> String {
    if folder.is_empty() { file.to_owned() } else { format!("{folder}/{file}") }
}

#[cfg(test)]
mod tests;
