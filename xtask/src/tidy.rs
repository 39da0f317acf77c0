//! `cargo xtask tidy`: rules about the house that no compiler knows. Every rule is a function
//! from what stands in the tree to what is wrong with it, and has a test that breaks it.

mod edges;
mod owners;
mod sources;

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::place::Place;
use crate::run::{capture, say};

/// Something that breaks a rule: where, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    place: String,
    message: String,
}

impl Finding {
    fn new(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self { place: place.into(), message: message.into() }
    }
}

/// What `cargo metadata --no-deps` says, as far as the rules read it.
#[derive(Debug, Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

/// A member of the workspace.
#[derive(Debug, Clone, Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
    dependencies: Vec<Dependency>,
    targets: Vec<Target>,
}

#[derive(Debug, Clone, Deserialize)]
struct Dependency {
    name: String,
    /// `None` for an ordinary one, else `dev` or `build`.
    kind: Option<String>,
    /// Set for members of the workspace.
    path: Option<PathBuf>,
}

#[derive(Debug, Clone, Deserialize)]
struct Target {
    src_path: PathBuf,
}

impl Package {
    /// The room's name in the tables: the package's without the project's prefix.
    fn room(&self) -> &str {
        self.name.strip_prefix("p2p-").unwrap_or(&self.name)
    }
}

/// A file that git tracks, or would track.
#[derive(Debug, Clone)]
struct Source {
    /// From the tree's root, with forward slashes.
    path: String,
    text: String,
}

/// Checks every rule.
///
/// # Errors
/// When one is broken; what breaks it was printed.
pub(crate) fn tidy(place: &Place) -> Result<()> {
    let packages = packages(place)?;
    let sources = tracked(place)?;
    let mut findings = BTreeSet::new();
    findings.extend(edges::names(&place.root, &packages));
    findings.extend(edges::allowed(&packages));
    findings.extend(owners::foreign(&packages));
    findings.extend(sources::check(&sources, &sources::machine_folders(&place.root)));
    findings.extend(sources::forgotten(&roots(place, &packages), &sources));
    for Finding { place, message } in &findings {
        eprintln!("{place}: {message}");
    }
    if !findings.is_empty() {
        bail!("tidy: {} found in {} files and {} packages", findings.len(), sources.len(), packages.len());
    }
    say(format!("tidy: {} files and {} packages are in order", sources.len(), packages.len()));
    Ok(())
}

fn packages(place: &Place) -> Result<Vec<Package>> {
    let mut cargo = place.cargo();
    cargo.args(["metadata", "--no-deps", "--format-version", "1", "--offline"]);
    let metadata: Metadata = serde_json::from_str(&capture(&mut cargo)?).context("cargo metadata cannot be read")?;
    Ok(metadata.packages)
}

/// The files that targets of the workspace begin with.
fn roots(place: &Place, packages: &[Package]) -> Vec<String> {
    let targets = packages.iter().flat_map(|package| &package.targets);
    let inside = targets.filter_map(|target| target.src_path.strip_prefix(&place.root).ok());
    inside.map(|path| path.to_string_lossy().replace('\\', "/")).collect()
}

/// Every text file of the tree that is not ignored. Pictures and models are passed over.
fn tracked(place: &Place) -> Result<Vec<Source>> {
    let mut git = Command::new("git");
    git.current_dir(&place.root).args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let list = capture(&mut git)?;
    let mut sources = Vec::new();
    for path in list.split('\0').filter(|path| !path.is_empty()).collect::<BTreeSet<_>>() {
        // Deleted but still in the index, or a link to a folder.
        let Ok(bytes) = fs::read(place.root.join(path)) else { continue };
        if let Ok(text) = String::from_utf8(bytes) {
            sources.push(Source { path: path.to_owned(), text });
        }
    }
    Ok(sources)
}
