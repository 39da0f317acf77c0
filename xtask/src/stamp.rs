//! Doing slow things once: a stamp holds what a result was made of.

use std::collections::BTreeSet;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Where the contents of some inputs are remembered.
#[derive(Debug)]
pub(crate) struct Stamp {
    file: PathBuf,
    now: String,
}

impl Stamp {
    /// Reads the inputs: files, or folders with everything below them. A missing one counts as
    /// empty. The hash only decides about doing work again, so the standard one will do.
    pub(crate) fn of(file: PathBuf, inputs: &[PathBuf]) -> Result<Self> {
        let mut hasher = DefaultHasher::new();
        for input in inputs {
            let mut files = BTreeSet::new();
            collect(input, &mut files)?;
            for path in files {
                // Two clones with the same contents share a result.
                path.strip_prefix(input.parent().unwrap_or(input)).unwrap_or(&path).hash(&mut hasher);
                fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?.hash(&mut hasher);
            }
        }
        Ok(Self { file, now: format!("{:016x}", hasher.finish()) })
    }

    /// Whether the result was made of just these inputs.
    pub(crate) fn fresh(&self) -> bool {
        fs::read_to_string(&self.file).is_ok_and(|kept| kept == self.now)
    }

    /// To be called once the result is there.
    pub(crate) fn set(&self) -> Result<()> {
        fs::write(&self.file, &self.now).with_context(|| format!("cannot write {}", self.file.display()))
    }
}

fn collect(path: &Path, files: &mut BTreeSet<PathBuf>) -> Result<()> {
    if path.is_file() {
        files.insert(path.to_path_buf());
    } else if path.is_dir() {
        for entry in fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))? {
            let entry = entry?;
            if entry.file_name() != "__pycache__" {
                collect(&entry.path(), files)?;
            }
        }
    }
    Ok(())
}

/// Copies a folder and all below it, replacing what was there.
pub(crate) fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    if to.exists() {
        fs::remove_dir_all(to).with_context(|| format!("cannot replace {}", to.display()))?;
    }
    fs::create_dir_all(to).with_context(|| format!("cannot make {}", to.display()))?;
    for entry in fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target).with_context(|| format!("cannot write {}", target.display()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_fresh_until_an_input_changes() {
        let folder = std::env::temp_dir().join(format!("xtask-stamp-{}", std::process::id()));
        let inputs = folder.join("inputs");
        fs::create_dir_all(inputs.join("deep")).expect("a folder");
        fs::write(inputs.join("deep/a.txt"), "one").expect("a file");
        let file = folder.join("stamp");
        let stamp = || Stamp::of(file.clone(), std::slice::from_ref(&inputs)).expect("readable");

        assert!(!stamp().fresh());
        stamp().set().expect("writable");
        assert!(stamp().fresh());
        fs::write(inputs.join("deep/a.txt"), "two").expect("a file");
        assert!(!stamp().fresh());

        fs::remove_dir_all(&folder).expect("removed");
    }
}
