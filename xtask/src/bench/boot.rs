//! How long a daemon takes from process start to its first answer. Nobody else publishes it.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::report::{Document, Machine};
use crate::fleet::Fleet;
use crate::place::Place;
use crate::run::{check_interrupt, say};

const PATIENCE: Duration = Duration::from_secs(20);

pub(super) fn boot(place: &Place, runs: u32) -> Result<Vec<Document>> {
    let mut fleet = Fleet::lone(place)?;
    let socket = fleet.nodes[0].home.join("run/control.sock");
    let machine = Machine::read();
    let mut ours = Vec::new();
    // The first one fills the file cache and is not counted.
    for run in 0..=runs {
        check_interrupt()?;
        let start = Instant::now();
        fleet.launch(0)?;
        while !answers(&socket) {
            if start.elapsed() > PATIENCE {
                bail!("the daemon did not answer within {} s", PATIENCE.as_secs());
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        let seconds = start.elapsed().as_secs_f64();
        if run > 0 {
            say(format!("run {run}: {seconds:.3} s"));
            ours.push(seconds);
        }
        fleet.stop(0)?;
    }
    Ok(vec![Document::new("boot", &machine, &ours, Vec::new())])
}

/// Whether the control API answers on this socket now.
#[cfg(unix)]
fn answers(socket: &Path) -> bool {
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;

    let ask = || -> std::io::Result<bool> {
        let mut stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(b"GET /api/v1/status HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Ok(answer.starts_with(b"HTTP/1.1 200"))
    };
    ask().unwrap_or(false)
}

#[cfg(not(unix))]
fn answers(_: &Path) -> bool {
    false
}
