//! Syncthing and the BOINC client, idle, in a network namespace that has nothing but loopback.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::fleet::own_group;
use crate::run::{capture, check_interrupt, say};

const PATIENCE: Duration = Duration::from_secs(60);
/// Ports inside their own namespace.
const PORTS: [u16; 2] = [22001, 22002];

/// The rivals. They are stopped and their folder is removed when this goes.
pub(super) struct Rivals {
    shell: Child,
    folder: PathBuf,
    pub(super) running: Vec<Running>,
}

pub(super) struct Running {
    pub(super) name: &'static str,
    pub(super) version: String,
    pub(super) pid: u32,
}

/// Starts a pair of Syncthings and one BOINC client, and waits until the pair is connected.
pub(super) fn start() -> Result<Rivals> {
    say("starting the rivals");
    let folder = env::temp_dir().join(format!("p2p-rivals-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    syncthing_homes(&folder)?;
    fs::create_dir_all(folder.join("boinc"))?;
    fs::write(folder.join("boinc/cc_config.xml"), BOINC_CONFIG)?;

    // One shell holds the namespace; when it is killed, `trap` takes the others with it.
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--net", "sh", "-c", SCRIPT]).current_dir(&folder);
    command.env("PATH", format!("{}:/usr/sbin:/sbin", env::var("PATH").unwrap_or_default()));
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    own_group(&mut command);
    let shell = command.spawn().context("cannot start a network namespace with `unshare`")?;
    let mut rivals = Rivals { shell, folder, running: Vec::new() };

    wait(&mut rivals, "Syncthing does not connect", |folder| {
        fs::read_to_string(folder.join("a.log")).is_ok_and(|log| log.contains("Established secure connection"))
    })?;
    wait(&mut rivals, "BOINC does not start", |folder| folder.join("boinc/client_state.xml").exists())?;
    for (name, file, version) in [
        ("Syncthing", "a.pid", first_version(&capture(Command::new("syncthing").arg("--version"))?)),
        ("BOINC client", "boinc.pid", first_version(&capture(Command::new("boinc").arg("--version"))?)),
    ] {
        let pid = fs::read_to_string(rivals.folder.join(file))?.trim().parse().context("a process id")?;
        rivals.running.push(Running { name, version, pid });
    }
    Ok(rivals)
}

/// Ends by itself when its stdin closes, so that nothing outlives xtask.
const SCRIPT: &str = "
ip link set lo up
for name in a b; do
    syncthing serve --home=$name --no-browser --no-restart --no-upgrade --logfile=- >$name.log 2>&1 &
    echo $! >$name.pid
done
boinc --dir boinc --skip_cpu_benchmarks --no_info_fetch --no_gpus --allow_multiple_clients >boinc.log 2>&1 &
echo $! >boinc.pid
cat >/dev/null
kill $(cat a.pid b.pid boinc.pid)
wait
";

const BOINC_CONFIG: &str = "<cc_config><options>
<dont_contact_ref_site>1</dont_contact_ref_site>
</options></cc_config>
";

/// Two homes that know each other and nobody else.
fn syncthing_homes(folder: &Path) -> Result<()> {
    let mut ids = Vec::new();
    for name in ["a", "b"] {
        let home = format!("--home={}", folder.join(name).display());
        capture(Command::new("syncthing").args(["generate", &home, "--no-default-folder", "--skip-port-probing"]))?;
        ids.push(capture(Command::new("syncthing").args(["serve", "--device-id", &home]))?.trim().to_owned());
    }
    for (index, name) in ["a", "b"].into_iter().enumerate() {
        let device = |(id, port): (&String, u16)| {
            format!("<device id=\"{id}\" name=\"{port}\"><address>tcp://127.0.0.1:{port}</address></device>")
        };
        let devices: String = ids.iter().zip(PORTS).map(device).collect();
        let config = format!(
            "<configuration version=\"36\">{devices}\
             <gui enabled=\"true\" tls=\"false\"><address>127.0.0.1:{}</address></gui><options>\
             <listenAddress>tcp://127.0.0.1:{}</listenAddress>\
             <globalAnnounceEnabled>false</globalAnnounceEnabled><localAnnounceEnabled>false</localAnnounceEnabled>\
             <relaysEnabled>false</relaysEnabled><natEnabled>false</natEnabled><urAccepted>-1</urAccepted>\
             <autoUpgradeIntervalH>0</autoUpgradeIntervalH><crashReportingEnabled>false</crashReportingEnabled>\
             <stunKeepaliveStartS>0</stunKeepaliveStartS><startBrowser>false</startBrowser>\
             <reconnectionIntervalS>5</reconnectionIntervalS></options></configuration>",
            PORTS[index] + 100,
            PORTS[index],
        );
        fs::write(folder.join(name).join("config.xml"), config)?;
    }
    Ok(())
}

fn wait(rivals: &mut Rivals, otherwise: &str, done: impl Fn(&Path) -> bool) -> Result<()> {
    let end = Instant::now() + PATIENCE;
    while !done(&rivals.folder) {
        check_interrupt()?;
        if let Some(status) = rivals.shell.try_wait()? {
            bail!("{otherwise}: the namespace ended ({status})");
        }
        if Instant::now() > end {
            let log = |name| fs::read_to_string(rivals.folder.join(name)).unwrap_or_default();
            bail!("{otherwise} within {} s:\n{}{}", PATIENCE.as_secs(), log("a.log"), log("boinc.log"));
        }
        thread::sleep(Duration::from_millis(200));
    }
    Ok(())
}

/// The first word that begins like a version.
fn first_version(text: &str) -> String {
    let words = text.split_whitespace().map(|word| word.trim_start_matches('v'));
    let version = words.into_iter().find(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    version.unwrap_or("unknown").to_owned()
}

impl Drop for Rivals {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        crate::fleet::end(&mut self.shell);
        let _ = fs::remove_dir_all(&self.folder);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_what_programs_say() {
        assert_eq!(first_version("syncthing v1.19.2-ds1 \"Fermium Flea\" (go1.19.8)"), "1.19.2-ds1");
        assert_eq!(first_version("7.20.5 x86_64-pc-linux-gnu"), "7.20.5");
        assert_eq!(first_version("none"), "unknown");
    }
}
