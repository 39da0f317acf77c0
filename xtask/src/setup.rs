//! Everything a task needs that is not Rust: Debian packages, Node packages, the Python
//! environment, and the assets.

pub(crate) mod assets;
pub(crate) mod debian;
pub(crate) mod node;
pub(crate) mod python;
pub(crate) mod sqlite_vec;

use anyhow::Result;
use clap::ValueEnum;

use crate::place::Place;
use crate::run::say;
use debian::Group;

/// What the set-up is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Purpose {
    /// To run five nodes and the tray app.
    Demo,
    /// To run the whole suite.
    Test,
    /// To measure against the rivals.
    Bench,
}

/// Does all of it for a purpose.
pub(crate) fn setup(place: &Place, purpose: Purpose) -> Result<()> {
    let groups: &[Group] = match purpose {
        Purpose::Demo => &[Group::Build, Group::Tray],
        Purpose::Test => &[Group::Build, Group::Tray, Group::Test],
        Purpose::Bench => &[Group::Build, Group::Bench],
    };
    debian::require(place, groups)?;
    assets::make(place)?;
    if purpose != Purpose::Bench {
        node::build_ui(place)?;
    }
    if purpose != Purpose::Demo {
        python::install_all(place)?;
    }
    say("everything is set up");
    Ok(())
}
