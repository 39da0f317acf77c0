//! What `cargo xtask models` made, as its manifests describe it. The daemon reads manifests only;
//! the worker hashes the files themselves when it loads them.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use p2p_platform::Assets;
use p2p_types::{Hash, TaskKind};
use serde::Deserialize;
use thiserror::Error;

use crate::unable::{Cause, Unable};

/// The folder of the pinned base model.
pub(crate) const BASE: &str = "minilm-l6-v2";
/// The folder of the sentiment head on it.
pub(crate) const SENTIMENT_HEAD: &str = "sentiment-head";
/// The recipe of the base model, with the digest it must have: of its weights and the recipe's version.
const RECIPE: &str = include_str!("../../../models/minilm-l6-v2.json");

/// What to do about assets that are not as they should be.
pub(crate) const HINT: &str = "run `cargo xtask models` in a build folder, or install the app again";

/// Why models and runtime cannot be used.
#[derive(Debug, Error)]
pub enum AssetError {
    #[error("{} is missing - {HINT}", .0.display())]
    Missing(PathBuf),
    #[error("{} cannot be read: {source} - {HINT}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("{} is no manifest: {why} - {HINT}", path.display())]
    Manifest { path: PathBuf, why: String },
    #[error("{} has the digest {found}, not {expected} - it was changed or cut; delete it and {HINT}", path.display())]
    Digest { path: PathBuf, found: Hash, expected: Hash },
    #[error("{} is for the base model {found}, not {expected} - {HINT}", path.display())]
    Base { path: PathBuf, found: Hash, expected: Hash },
}

impl AssetError {
    /// The same for programs.
    #[must_use]
    pub const fn cause(&self) -> Cause {
        match self {
            Self::Missing(_) => Cause::Missing,
            Self::Io { .. } | Self::Manifest { .. } => Cause::Unusable,
            Self::Digest { .. } | Self::Base { .. } => Cause::Digest,
        }
    }
}

impl From<AssetError> for Unable {
    fn from(error: AssetError) -> Self {
        Self::new(error.cause(), error.to_string())
    }
}

/// What a `manifest.json` says of its folder.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Manifest {
    pub(crate) digest: Hash,
    /// BLAKE3 of each file.
    pub(crate) files: BTreeMap<String, Hash>,
    /// Of a head: the base it stands on.
    #[serde(default)]
    pub(crate) base: Option<Hash>,
    /// Of a head: its labels, in the order of its outputs.
    #[serde(default)]
    pub(crate) labels: Vec<String>,
}

impl Manifest {
    pub(crate) fn read(folder: &Path) -> Result<Self, AssetError> {
        let path = folder.join("manifest.json");
        let bytes = fs::read(&path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => AssetError::Missing(path.clone()),
            _ => AssetError::Io { path: path.clone(), source },
        })?;
        serde_json::from_slice(&bytes).map_err(|error| AssetError::Manifest { path, why: error.to_string() })
    }

    /// Reads a file of the folder, which must be the one the manifest describes.
    pub(crate) fn file(&self, folder: &Path, name: &str) -> Result<Vec<u8>, AssetError> {
        let path = folder.join(name);
        let missing =
            || AssetError::Manifest { path: folder.join("manifest.json"), why: format!("it does not list {name}") };
        let expected = *self.files.get(name).ok_or_else(missing)?;
        let bytes = fs::read(&path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => AssetError::Missing(path.clone()),
            _ => AssetError::Io { path: path.clone(), source },
        })?;
        let found = Hash::of(&bytes);
        if found != expected {
            return Err(AssetError::Digest { path, found, expected });
        }
        Ok(bytes)
    }
}

/// Models and runtime that are there, by their manifests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Installed {
    /// Digest of the base model.
    pub base: Hash,
    /// Digest of the sentiment head.
    pub sentiment: Hash,
}

impl Installed {
    /// For each kind of task the digest of the model that answers it: what announcements and
    /// receipts name. A head's is the hash of `p2p-agent/model/1`, the base's digest and its own;
    /// `noop`, which no model answers, has zeros.
    #[must_use]
    pub fn digests(&self) -> BTreeMap<TaskKind, Hash> {
        let sentiment = [b"p2p-agent/model/1".as_slice(), &self.base.0, &self.sentiment.0].concat();
        BTreeMap::from([
            (TaskKind::Embed, self.base),
            (TaskKind::Chunk, self.base),
            (TaskKind::Sentiment, Hash::of(&sentiment)),
            (TaskKind::Noop, Hash([0; 32])),
        ])
    }
}

/// Looks whether everything is there. Cheap: manifests are read, models are not.
///
/// # Errors
/// The first thing that is missing or does not fit.
pub fn verify_assets(root: &Path) -> Result<Installed, AssetError> {
    let assets = Assets { root: root.to_owned() };
    let runtime = assets.runtime();
    if !runtime.is_file() {
        return Err(AssetError::Missing(runtime));
    }
    let folder = assets.model(BASE);
    let base = Manifest::read(&folder)?;
    let expected = pinned_base();
    if base.digest != expected {
        return Err(AssetError::Digest { path: folder, found: base.digest, expected });
    }
    for name in base.files.keys() {
        let path = folder.join(name);
        if !path.is_file() {
            return Err(AssetError::Missing(path));
        }
    }
    let folder = assets.model(SENTIMENT_HEAD);
    let head = Manifest::read(&folder)?;
    match head.base {
        Some(found) if found == base.digest => {}
        found => {
            return Err(AssetError::Base {
                path: folder,
                found: found.unwrap_or(Hash([0; 32])),
                expected: base.digest,
            });
        }
    }
    Ok(Installed { base: base.digest, sentiment: head.digest })
}

/// The digest of the one base model there is.
fn pinned_base() -> Hash {
    #[derive(Deserialize)]
    struct Recipe {
        digest: Hash,
    }
    serde_json::from_str::<Recipe>(RECIPE).expect("models/minilm-l6-v2.json names its digest").digest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(root: &Path, name: &str, bytes: &[u8]) {
        let path = root.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, bytes).expect("written");
    }

    fn installed() -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path();
        let base = pinned_base();
        let file = Hash::of(b"model");
        put(root, "models/minilm-l6-v2/model.onnx", b"model");
        let manifest = format!(r#"{{"digest":"{base}","files":{{"model.onnx":"{file}"}}}}"#);
        put(root, "models/minilm-l6-v2/manifest.json", manifest.as_bytes());
        let head = format!(r#"{{"digest":"{file}","base":"{base}","files":{{}},"labels":["negative","positive"]}}"#);
        put(root, "models/sentiment-head/manifest.json", head.as_bytes());
        fs::create_dir_all(root.join("runtime")).expect("made");
        fs::write(Assets { root: root.to_owned() }.runtime(), b"library").expect("written");
        folder
    }

    #[test]
    fn what_is_whole_is_taken_and_each_gap_is_named() {
        let folder = installed();
        let digests = verify_assets(folder.path()).expect("whole").digests();
        assert_eq!(digests.len(), 4);
        assert_ne!(digests[&TaskKind::Sentiment], digests[&TaskKind::Embed]);
        for gap in [
            "models/minilm-l6-v2/model.onnx",
            "models/minilm-l6-v2/manifest.json",
            "models/sentiment-head/manifest.json",
        ] {
            let folder = installed();
            fs::remove_file(folder.path().join(gap)).expect("removed");
            let said = verify_assets(folder.path()).expect_err("a gap").to_string();
            assert!(said.contains(gap) && said.contains("is missing"), "{said}");
        }
    }

    #[test]
    fn another_model_or_a_changed_file_is_refused() {
        let folder = installed();
        let other = Hash([1; 32]);
        put(
            folder.path(),
            "models/minilm-l6-v2/manifest.json",
            format!(r#"{{"digest":"{other}","files":{{}}}}"#).as_bytes(),
        );
        assert!(matches!(verify_assets(folder.path()), Err(AssetError::Digest { .. })));

        let folder = installed();
        let base = folder.path().join("models/minilm-l6-v2");
        let manifest = Manifest::read(&base).expect("a manifest");
        assert_eq!(manifest.file(&base, "model.onnx").expect("as described"), b"model");
        fs::write(base.join("model.onnx"), b"modem").expect("written");
        assert!(matches!(manifest.file(&base, "model.onnx"), Err(AssetError::Digest { .. })));
    }
}
