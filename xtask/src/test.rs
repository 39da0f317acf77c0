//! `cargo xtask test`: the whole suite. Everything runs even when something fails; the last line
//! says how many passed.

mod counts;
mod window;

use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Instant;

use anyhow::{Result, anyhow, bail};
use clap::Args;

use crate::place::{PROFILE, Place};
use crate::run::{capture, catch_interrupts, check_interrupt, interrupted, run, run_shown, say, succeeds};
use crate::setup::{assets, debian, node, python};
use crate::tidy;
use counts::{Counts, Runner};

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Leave out the window and the demo
    #[arg(long)]
    quick: bool,
}

/// # Errors
/// When anything failed; what did was listed.
pub(crate) fn test(place: &Place, options: &Options) -> Result<()> {
    catch_interrupts()?;
    let mut suite = Suite { place, counts: Counts::default(), failed: Vec::new() };
    suite.prepare();
    suite.rules();
    suite.rust();
    suite.models();
    suite.interface();
    if !options.quick {
        suite.tests("window tests", Runner::Node, window::command(place));
        suite.check("demo", demo_round);
    }
    suite.finish()
}

struct Suite<'a> {
    place: &'a Place,
    counts: Counts,
    failed: Vec<String>,
}

impl Suite<'_> {
    /// What has to be there before anything compiles. The model is made beside the interface.
    fn prepare(&mut self) {
        use debian::Group;
        let groups = [Group::Build, Group::Tray, Group::Test];
        self.check("Debian packages", |place| debian::require(place, &groups));
        let place = self.place;
        let (made, built) = thread::scope(|scope| {
            let beside = scope.spawn(|| assets::make(place).and_then(|()| python::install_all(place)));
            let built = node::build_ui(place);
            (beside.join().unwrap_or_else(|_| Err(anyhow!("the thread panicked"))), built)
        });
        self.check("models", |_| made);
        self.check("user interface", |_| built);
    }

    fn rules(&mut self) {
        self.check("formatting", |place| {
            run(place.cargo().args(["fmt", "--all", "--check"]), "checking the formatting")
        });
        self.check("tidy", tidy::tidy);
        self.check("clippy", |place| {
            // With the profile of everything else, so that build scripts and macros are built once.
            let words = ["clippy", "--profile", PROFILE, "--workspace", "--all-targets", "--", "-D", "warnings"];
            run(place.cargo().args(words), "checking with clippy")
        });
        if succeeds(self.place.cargo().args(["deny", "--version"])) {
            self.check("licences, bans and sources", |place| {
                let words = ["deny", "--offline", "--all-features", "check", "bans", "licenses", "sources"];
                run(place.cargo().args(words), "checking the dependencies")
            });
        } else {
            say("cargo-deny is not installed: licences, bans and sources are not checked");
        }
    }

    fn rust(&mut self) {
        self.check("binaries", |place| {
            // The same selection as the tests', so that features are unified the same way.
            let words = ["build", "--profile", PROFILE, "--workspace", "--all-targets"];
            run(place.cargo().args(words), "building all binaries and tests")
        });
        let mut cargo = self.place.cargo();
        cargo.env("P2P_AGENT_ASSETS", self.place.assets());
        if succeeds(self.place.cargo().args(["nextest", "--version"])) {
            cargo.args(["nextest", "run", "--cargo-profile", PROFILE, "--workspace", "--no-fail-fast"]);
            self.tests("Rust tests", Runner::Nextest, Ok(cargo));
        } else {
            cargo.args(["test", "--profile", PROFILE, "--workspace", "--no-fail-fast", "--lib", "--bins", "--tests"]);
            self.tests("Rust tests", Runner::CargoTest, Ok(cargo));
        }
        if has_doc_tests(self.place) {
            let mut cargo = self.place.cargo();
            cargo.args(["test", "--profile", PROFILE, "--workspace", "--no-fail-fast", "--doc"]);
            self.tests("documentation tests", Runner::CargoTest, Ok(cargo));
        }
    }

    fn models(&mut self) {
        let mut python = python::python(self.place);
        python.args(["-m", "unittest"]).env("P2P_AGENT_ASSETS", self.place.assets());
        self.tests("model tests", Runner::Unittest, Ok(python));
        let mut python = python::python(self.place);
        python.current_dir(self.place.root.join("tests/retrieval")).args(["-m", "unittest"]);
        self.tests("tests of the judge of searches", Runner::Unittest, Ok(python));
    }

    fn interface(&mut self) {
        let npm = |words: &'static [&'static str], what: &'static str| {
            move |place: &Place| run(&mut node::npm(place, words), what)
        };
        self.check("types and style of the interface", npm(&["run", "check"], "checking the user interface"));
        self.check(
            "types of the control API",
            npm(&["run", "types:check"], "comparing its types with the control API"),
        );
        self.tests("interface tests", Runner::Vitest, Ok(node::npm(self.place, &["test"])));
    }

    /// A step that is right or wrong as a whole.
    fn check(&mut self, name: &str, step: impl FnOnce(&Place) -> Result<()>) {
        let began = Instant::now();
        match check_interrupt().and_then(|()| step(self.place)) {
            Ok(()) => {
                self.counts.passed += 1;
                say(format!("{name}: fine ({:.0} s)", began.elapsed().as_secs_f64()));
            }
            Err(error) => {
                self.counts.failed += 1;
                say(format!("{name}: {error:#}"));
                self.failed.push(name.to_owned());
            }
        }
    }

    /// A step that counts its tests itself.
    fn tests(&mut self, name: &str, runner: Runner, command: Result<Command>) {
        if interrupted() {
            return;
        }
        let began = Instant::now();
        let (mut counts, wrong) = match command.and_then(|mut command| run_shown(&mut command, name)) {
            Ok((status, text)) => {
                let counts = runner.read(&text);
                let wrong = match counts {
                    None => Some("said nothing about tests".to_owned()),
                    Some(counts) if counts.passed + counts.failed == 0 => Some("ran no test".to_owned()),
                    Some(counts) if counts.failed > 0 => Some(format!("{} failed", counts.failed)),
                    Some(_) if !status.success() => Some(format!("ended with {status}")),
                    Some(_) => None,
                };
                (counts.unwrap_or_default(), wrong)
            }
            Err(error) => (Counts::default(), Some(format!("{error:#}"))),
        };
        let seconds = began.elapsed().as_secs_f64();
        match wrong {
            None => say(format!("{name}: {} passed ({seconds:.0} s)", counts.passed)),
            Some(reason) => {
                counts.failed = counts.failed.max(1);
                say(format!("{name}: {reason}"));
                self.failed.push(name.to_owned());
            }
        }
        self.counts += counts;
    }

    fn finish(self) -> Result<()> {
        for name in &self.failed {
            say(format!("failed: {name}"));
        }
        // Last and alone on its line, for whoever reads the result.
        if self.failed.is_empty() && !interrupted() {
            println!("{}", self.counts);
            return Ok(());
        }
        eprintln!();
        println!("{}", self.counts);
        std::process::exit(1);
    }
}

/// One round of the demo as users call it, with what is built already.
fn demo_round(place: &Place) -> Result<()> {
    say("one round of the demo");
    let mut demo = Command::new(std::env::current_exe()?);
    demo.args(["demo", "--once", "--json", "--built"]).current_dir(&place.root);
    let document: serde_json::Value = serde_json::from_str(&capture(&mut demo)?)?;
    let nodes = document["nodes"].as_array().map_or(0, Vec::len);
    if nodes != 5 {
        bail!("the demo tells of {nodes} nodes, not 5");
    }
    for task in document["tasks"].as_array().ok_or_else(|| anyhow!("the demo has no tasks"))? {
        for field in ["text", "label", "score", "requester", "provider", "stages", "receipt"] {
            if task[field].is_null() {
                bail!("a task of the demo lacks `{field}`");
            }
        }
        if task["provider"] == task["requester"] {
            bail!("a node of the demo computed for itself");
        }
    }
    Ok(())
}

/// Whether any library shows code in its documentation that would be run.
fn has_doc_tests(place: &Place) -> bool {
    fn look(folder: &Path) -> bool {
        std::fs::read_dir(folder).into_iter().flatten().flatten().any(|entry| {
            let path = entry.path();
            if path.is_dir() {
                return look(&path);
            }
            let rust = path.extension().is_some_and(|extension| extension == "rs");
            rust && std::fs::read_to_string(path).is_ok_and(|text| shows_code(&text))
        })
    }
    look(&place.root.join("crates"))
}

fn shows_code(text: &str) -> bool {
    let fences = text.lines().map(str::trim).filter(|line| line.starts_with("///") || line.starts_with("//!"));
    fences.into_iter().any(|line| matches!(line[3..].trim(), "```" | "```rust" | "```should_panic" | "```no_run"))
}
