//! `cargo xtask`: set-up, demo, tests, rules and benchmarks. It is compiled before a fresh clone
//! can show anything, so it depends on little. Documents go to stdout, progress to stderr.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a developer's command line")]

mod bench;
mod build;
mod demo;
mod figures;
mod fleet;
mod models;
mod place;
mod run;
mod setup;
mod stamp;
mod test;
mod tidy;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use place::Place;
use run::say;

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "Developer tasks of P2P Agent", disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Install and make everything that is not Rust
    Setup {
        /// What it is for
        #[arg(long = "for", value_enum, default_value = "demo")]
        purpose: setup::Purpose,
    },
    /// Make the base model and fetch the ONNX Runtime library
    Models,
    /// Watch nodes find each other and compute for each other
    Demo(demo::Options),
    /// Run the whole suite
    Test(test::Options),
    /// Check the rules of the house
    Tidy,
    /// Measure against a rival, and print one document
    Bench(bench::Options),
    /// Run all benchmarks and write docs/figures.md
    Figures(figures::Options),
}

fn main() -> ExitCode {
    run::start_clock();
    let arguments = Arguments::parse();
    let done = Place::find().and_then(|place| match &arguments.task {
        Task::Setup { purpose } => setup::setup(&place, *purpose),
        Task::Models => models::models(&place),
        Task::Demo(options) => demo::demo(&place, options),
        Task::Test(options) => test::test(&place, options),
        Task::Tidy => tidy::tidy(&place),
        Task::Bench(options) => bench::bench(&place, options),
        Task::Figures(options) => figures::figures(&place, options),
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}
