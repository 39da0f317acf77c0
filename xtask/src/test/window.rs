//! The test that opens the real window, without a screen and with a session bus of its own.

use std::process::Command;

use crate::place::Place;

pub(super) fn command(place: &Place) -> Command {
    let mut command = Command::new("dbus-run-session");
    command.args(["--", "xvfb-run", "--auto-servernum", "--server-args=-screen 0 1280x900x24"]);
    command.args(["node", "--test", "tests/window/"]);
    command.current_dir(&place.root).env("CARGO_TARGET_DIR", &place.target);
    command
}
