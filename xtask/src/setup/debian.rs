//! Debian packages: which are missing, and how to get them. They are installed where that is
//! allowed; elsewhere the exact command is printed.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::place::{Place, in_path};
use crate::run::{capture, run, say, succeeds};

/// What a package is needed for: the first word of its line in `debian-packages.txt`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    Build,
    Tray,
    Test,
    Bench,
}

impl Group {
    const fn word(self) -> &'static str {
        match self {
            Self::Build => "build",
            Self::Tray => "tray",
            Self::Test => "test",
            Self::Bench => "bench",
        }
    }
}

/// One line of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    group: String,
    package: String,
    probe: Probe,
}

/// How to see that something is there, whoever installed it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Probe {
    Program(String),
    PkgConfig(String),
    Python(String),
    File(String),
}

/// Installs what is missing of these groups.
///
/// # Errors
/// When something stays missing; the error holds the command that installs it.
pub(crate) fn require(place: &Place, groups: &[Group]) -> Result<()> {
    let missing = missing(place, groups)?;
    if missing.is_empty() {
        return Ok(());
    }
    let names = missing.join(" ");
    let by_hand = format!("apt-get install --no-install-recommends {names}");
    if in_path("apt-get").is_none() {
        bail!("something is missing - this is not Debian - install what it calls: {names}");
    }
    let Some(prefix) = root_prefix() else {
        bail!("Debian packages are missing - installing them takes root - run: sudo {by_hand}");
    };
    say(format!("installing Debian packages: {names}"));
    run(&mut apt(&prefix, &["update", "-qq"]), "apt-get update")?;
    let mut words = vec!["install", "-y", "-qq", "--no-install-recommends"];
    words.extend(missing.iter().map(String::as_str));
    run(&mut apt(&prefix, &words), "apt-get install").with_context(|| format!("run by hand: {by_hand}"))
}

/// Installs what is missing of these groups where that is possible, and says so where not.
/// Returns whether all of it is there now.
pub(crate) fn want(place: &Place, groups: &[Group], without: &str) -> bool {
    match require(place, groups) {
        Ok(()) => true,
        Err(error) => {
            say(format!("{error:#}"));
            say(format!("going on without: {without}"));
            false
        }
    }
}

fn missing(place: &Place, groups: &[Group]) -> Result<Vec<String>> {
    let file = place.root.join("xtask/debian-packages.txt");
    let list = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let rows = parse(&list)?;
    let wanted = rows.iter().filter(|row| groups.iter().any(|group| group.word() == row.group));
    Ok(wanted.filter(|row| !present(&row.probe)).map(|row| row.package.clone()).collect())
}

fn parse(list: &str) -> Result<Vec<Row>> {
    let lines = list.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| row(line).with_context(|| format!("debian-packages.txt: `{line}` cannot be read"))).collect()
}

fn row(line: &str) -> Option<Row> {
    let mut words = line.split_whitespace();
    let (group, package, probe) = (words.next()?, words.next()?, words.next()?);
    let (kind, what) = probe.split_once(':')?;
    let probe = match kind {
        "bin" => Probe::Program(what.to_owned()),
        "pc" => Probe::PkgConfig(what.to_owned()),
        "py" => Probe::Python(what.to_owned()),
        "file" => Probe::File(what.to_owned()),
        _ => return None,
    };
    words.next().is_none().then(|| Row { group: group.to_owned(), package: package.to_owned(), probe })
}

fn present(probe: &Probe) -> bool {
    match probe {
        // An ordinary user's PATH may lack the folder of the system's tools.
        Probe::Program(name) => in_path(name).is_some() || Path::new("/usr/sbin").join(name).is_file(),
        Probe::PkgConfig(module) => succeeds(Command::new("pkg-config").args(["--exists", module])),
        Probe::Python(module) => succeeds(Command::new("python3").args(["-c", &format!("import {module}")])),
        Probe::File(path) => Path::new(path).exists(),
    }
}

/// The words to put before a command that needs root: none as root, `sudo -n` where it asks for
/// no password.
fn root_prefix() -> Option<Vec<&'static str>> {
    if capture(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0") {
        return Some(Vec::new());
    }
    let sudo = ["sudo", "-n"];
    (in_path("sudo").is_some() && succeeds(Command::new(sudo[0]).args([sudo[1], "true"]))).then(|| sudo.to_vec())
}

fn apt(prefix: &[&str], words: &[&str]) -> Command {
    // `env` because sudo drops the environment.
    let mut all = prefix.to_vec();
    all.extend(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]);
    all.extend(words);
    let mut command = Command::new(all[0]);
    command.args(&all[1..]).current_dir(env::temp_dir());
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_list_can_be_read_and_has_every_group() {
        let rows = parse(include_str!("../../debian-packages.txt")).expect("readable");
        for group in [Group::Build, Group::Tray, Group::Test, Group::Bench] {
            assert!(rows.iter().any(|row| row.group == group.word()), "no package for {group:?}");
        }
    }

    #[test]
    fn a_line_that_lacks_a_word_or_has_an_unknown_probe_is_refused() {
        assert!(parse("build mold bin:mold").is_ok());
        assert!(parse("build mold").is_err());
        assert!(parse("build mold rpm:mold").is_err());
        assert!(parse("build mold bin:mold more").is_err());
    }

    #[test]
    fn probes_look_at_what_is_really_there() {
        assert!(present(&Probe::File(env!("CARGO_MANIFEST_DIR").to_owned())));
        assert!(!present(&Probe::File("/no/such/file".to_owned())));
        assert!(!present(&Probe::Program("no-such-program-anywhere".to_owned())));
    }
}
