//! The tests that drive the real window. They bring a screen and a session bus of their own.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::place::Place;

/// Node on every test of `tests/window`, named one by one: what it makes of a folder changed
/// from version to version.
pub(super) fn command(place: &Place) -> Result<Command> {
    let folder = place.root.join("tests/window");
    let entries = fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<PathBuf>>>()?;
    let mut tests: Vec<_> = paths.into_iter().filter(|path| path.to_string_lossy().ends_with(".test.mjs")).collect();
    ensure!(!tests.is_empty(), "there is no *.test.mjs in {}", folder.display());
    tests.sort();
    let mut command = Command::new("node");
    // One after the other: each wants the two cores, and a quiet screen.
    command.args(["--test", "--test-concurrency=1"]).args(tests);
    command.current_dir(&place.root).env("CARGO_TARGET_DIR", &place.target);
    Ok(command)
}
