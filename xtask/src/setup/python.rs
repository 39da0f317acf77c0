//! The Python environment: one for all clones, with what `models/*.txt` and the benchmarks name.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::place::{Place, in_path};
use crate::run::{run_logged, succeeds};
use crate::stamp::Stamp;

/// Python of the environment, in the folder of the models.
pub(crate) fn python(place: &Place) -> Command {
    let mut command = Command::new(place.venv_program("python"));
    // Else the runtime looks for its maker's servers as it starts.
    command.env("ORT_DISABLE_TELEMETRY", "1");
    command.current_dir(place.root.join("models")).env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

/// Installs what one list of requirements names, and nothing else: the lists name all they need.
pub(crate) fn install(place: &Place, requirements: &Path) -> Result<()> {
    let name = requirements.file_stem().context("a list of requirements has a name")?.to_string_lossy().into_owned();
    let stamp = Stamp::of(place.venv().join(format!("{name}.stamp")), &[requirements.to_path_buf()])?;
    if stamp.fresh() && place.venv_program("python").exists() {
        return Ok(());
    }
    ensure_venv(place)?;
    let mut pip = python(place);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "-r"]).arg(requirements);
    let log = place.cache.join(format!("log/pip-{name}.log"));
    run_logged(&mut pip, &format!("installing Python packages ({name})"), &log)?;
    stamp.set()
}

/// Installs what all lists in `models/` name.
pub(crate) fn install_all(place: &Place) -> Result<()> {
    for list in lists(&place.root.join("models"))? {
        install(place, &list)?;
    }
    Ok(())
}

fn lists(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut lists = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "txt") {
            lists.push(path);
        }
    }
    lists.sort();
    Ok(lists)
}

fn ensure_venv(place: &Place) -> Result<()> {
    // A venv whose Python was removed or replaced is made again.
    if succeeds(Command::new(place.venv_program("python")).args(["-m", "pip", "--version"])) {
        return Ok(());
    }
    let Some(python) = in_path("python3").or_else(|| in_path("python")) else {
        bail!("the model cannot be made - Python is not installed - install Python 3.11 or later with venv");
    };
    if !succeeds(Command::new(&python).args(["-c", "import sys; sys.exit(sys.version_info < (3, 11))"])) {
        bail!("the model cannot be made - {} is too old - install Python 3.11 or later", python.display());
    }
    let venv = place.venv();
    if venv.exists() {
        fs::remove_dir_all(&venv).with_context(|| format!("cannot replace {}", venv.display()))?;
    }
    let log = place.cache.join("log/venv.log");
    run_logged(Command::new(python).args(["-m", "venv"]).arg(&venv), "making a Python environment", &log)
}
