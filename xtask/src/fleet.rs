//! Nodes on loopback: daemons with homes of their own under one temporary folder, in one network
//! of kind `local`. They are stopped and their folder is removed when the fleet goes.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use serde_json::Value;

use crate::place::Place;
use crate::run::{capture, check_interrupt, say};

/// How long a daemon may take to answer, and nodes to find each other.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a daemon may take to end once it was asked to.
const GOODBYE: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(200);
const FOLDER_PREFIX: &str = "p2p-fleet-";

/// One daemon and its home.
#[derive(Debug)]
pub(crate) struct Node {
    /// What people are told: `node 1` and so on.
    pub(crate) name: String,
    pub(crate) home: PathBuf,
    pub(crate) device_id: String,
    child: Option<Child>,
}

impl Node {
    /// The daemon's process id, while it runs.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }
}

/// Some nodes that see each other.
#[derive(Debug)]
pub(crate) struct Fleet {
    place: Place,
    folder: PathBuf,
    pub(crate) nodes: Vec<Node>,
}

impl Fleet {
    /// One node with a network of its own; its daemon is not started.
    pub(crate) fn lone(place: &Place) -> Result<Self> {
        sweep(place);
        let folder = env::temp_dir().join(format!("{FOLDER_PREFIX}{}", std::process::id()));
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let mut fleet = Self { place: place.clone(), folder, nodes: Vec::new() };
        fleet.add(&[])?;
        fleet.agent(0, &["network", "create", "demo", "--kind", "local"])?;
        Ok(fleet)
    }

    /// Starts `count` nodes and waits until each sees all others. With `dashboard`, the one that is
    /// [shown](Self::shown) opens the door for browsers.
    pub(crate) fn start(place: &Place, count: usize, dashboard: bool) -> Result<Self> {
        say(format!("starting {count} nodes"));
        let mut fleet = Self::lone(place)?;
        let network = fleet.folder.join("demo.p2pnet");
        fleet.agent(0, &["network", "show", "--file", &network.to_string_lossy()])?;
        let shown = usize::from(count > 1);
        if dashboard && shown == 0 {
            fleet.agent(0, &["config", "set", "dashboard.enabled", "true"])?;
        }
        fleet.launch(0)?;
        let addresses = fleet.ready(0)?["listening"].clone();
        if addresses.as_array().is_none_or(Vec::is_empty) {
            bail!("{} listens nowhere", fleet.nodes[0].name);
        }
        for index in 1..count {
            fleet.add(&["--network", &network.to_string_lossy()])?;
            fleet.agent(index, &["config", "set", "network.bootstrap", &addresses.to_string()])?;
            if dashboard && shown == index {
                fleet.agent(index, &["config", "set", "dashboard.enabled", "true"])?;
            }
            fleet.launch(index)?;
        }
        for index in 0..count {
            let status = fleet.ready(index)?;
            fleet.nodes[index].device_id =
                status["device_id"].as_str().context("a status names the device")?.to_owned();
        }
        fleet.meet()?;
        Ok(fleet)
    }

    /// The node that a person looks at: the second, which earns credits; the founder is given none.
    pub(crate) fn shown(&self) -> usize {
        usize::from(self.nodes.len() > 1)
    }

    /// A new home. Ports are given by the system, so that fleets do not meet.
    fn add(&mut self, options: &[&str]) -> Result<()> {
        let number = self.nodes.len() + 1;
        let home = self.folder.join(number.to_string());
        self.nodes.push(Node { name: format!("node {number}"), home, device_id: String::new(), child: None });
        let mut words = vec!["init", "--yes"];
        words.extend(options);
        self.agent(number - 1, &words)?;
        self.agent(number - 1, &["config", "set", "network.listen_port", "0"])?;
        Ok(())
    }

    /// Starts the daemon of one node, without waiting for it.
    pub(crate) fn launch(&mut self, index: usize) -> Result<()> {
        let log = File::create(self.log(index))?;
        let mut daemon = self.place.ours("p2p-daemon");
        daemon.arg("--home").arg(&self.nodes[index].home);
        daemon.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        // Ctrl-C in the terminal is for xtask, which then stops them in order.
        own_group(&mut daemon);
        self.nodes[index].child = Some(daemon.spawn().context("cannot start p2p-daemon")?);
        Ok(())
    }

    /// Waits until a node was paid for its first work, and has what newcomers get.
    pub(crate) fn earn(&self, index: usize) -> Result<()> {
        say(format!("{} earns its first credits", self.nodes[index].name));
        let end = Instant::now() + PATIENCE;
        while self.agent(index, &["wallet", "balance"])?["free"].as_u64().unwrap_or(0) == 0 {
            check_interrupt()?;
            if Instant::now() > end {
                bail!("{} earned nothing", self.nodes[index].name);
            }
            thread::sleep(Duration::from_millis(200));
        }
        Ok(())
    }

    /// What a node spent today, in micro-credits, with what is set aside.
    pub(crate) fn spent(&self, index: usize) -> Result<u64> {
        self.agent(index, &["wallet", "balance"])?["spent_today"].as_u64().context("a wallet says what was spent")
    }

    /// Stops the daemon of one node, and waits until it ended.
    pub(crate) fn stop(&mut self, index: usize) -> Result<()> {
        self.agent(index, &["down"])?;
        if let Some(mut child) = self.nodes[index].child.take() {
            end(&mut child);
        }
        Ok(())
    }

    fn log(&self, index: usize) -> PathBuf {
        self.folder.join(format!("{}.log", index + 1))
    }

    /// Waits until the daemon answers; returns its status.
    fn ready(&mut self, index: usize) -> Result<Value> {
        let end = Instant::now() + PATIENCE;
        loop {
            check_interrupt()?;
            if let Some(child) = &mut self.nodes[index].child
                && let Some(status) = child.try_wait()?
            {
                let log = fs::read_to_string(self.log(index)).unwrap_or_default();
                bail!("the daemon of {} ended ({status}):\n{}", self.nodes[index].name, log.trim());
            }
            match self.agent(index, &["status"]) {
                Ok(status) if status["state"] != "starting" => return Ok(status),
                Ok(_) => {}
                Err(error) if Instant::now() > end => return Err(error.context("the daemon does not answer")),
                Err(_) => {}
            }
            thread::sleep(LOOK_EVERY);
        }
    }

    /// Waits until every node sees all the others.
    fn meet(&mut self) -> Result<()> {
        let others = self.nodes.len() - 1;
        let end = Instant::now() + PATIENCE;
        let mut seen = Vec::new();
        loop {
            check_interrupt()?;
            let now = (0..self.nodes.len()).map(|index| self.peers(index)).collect::<Result<Vec<_>>>()?;
            if now != seen {
                let counts: Vec<String> = now.iter().map(ToString::to_string).collect();
                say(format!("peers seen by each node: {} (of {others})", counts.join(" ")));
                seen = now;
            }
            if seen.iter().all(|count| *count >= others) {
                return Ok(());
            }
            if Instant::now() > end {
                bail!("the nodes did not find each other within {} s", PATIENCE.as_secs());
            }
            thread::sleep(LOOK_EVERY);
        }
    }

    /// How many other nodes this one is connected to.
    pub(crate) fn peers(&self, index: usize) -> Result<usize> {
        let status = self.agent(index, &["status"])?;
        let peers = status["peers"].as_array().context("a status lists peers")?;
        Ok(peers.iter().filter(|peer| peer["connected"] == true).count())
    }

    /// Calls `p2p-agent` on the home of one node and reads the JSON it prints.
    pub(crate) fn agent(&self, index: usize, words: &[&str]) -> Result<Value> {
        let printed = capture(agent(&self.place, &self.nodes[index].home).args(words))?;
        serde_json::from_str(&printed)
            .with_context(|| format!("`p2p-agent {}` printed what is not JSON: {printed:?}", words.join(" ")))
    }

    /// The node with this device id.
    pub(crate) fn named(&self, device_id: &str) -> Result<&Node> {
        self.nodes
            .iter()
            .find(|node| node.device_id == device_id)
            .ok_or_else(|| anyhow!("{device_id} is none of the nodes"))
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        let asked: Vec<_> = self.nodes.iter().filter(|node| node.child.is_some()).collect();
        let calls: Vec<_> = asked.iter().filter_map(|node| quiet(agent(&self.place, &node.home).arg("down"))).collect();
        for mut call in calls {
            end(&mut call);
        }
        for node in &mut self.nodes {
            if let Some(child) = &mut node.child {
                end(child);
            }
        }
        // What cannot be removed now is swept away by the next fleet.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn agent(place: &Place, home: &Path) -> Command {
    let mut command = place.ours("p2p-agent");
    command.arg("--json").arg("--home").arg(home);
    command
}

fn quiet(command: &mut Command) -> Option<Child> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()
}

/// Waits for a process that was asked to end, and kills it when it does not.
pub(crate) fn end(child: &mut Child) {
    let end = Instant::now() + GOODBYE;
    while Instant::now() < end {
        match child.try_wait() {
            Ok(None) => thread::sleep(Duration::from_millis(20)),
            Ok(Some(_)) | Err(_) => return,
        }
    }
    let _ = child.kill();
    let _ = child.wait();
}

/// Stops and removes what fleets left whose xtask was killed.
fn sweep(place: &Place) {
    let Ok(entries) = fs::read_dir(env::temp_dir()) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some(pid) = name.to_string_lossy().strip_prefix(FOLDER_PREFIX).map(str::to_owned) else { continue };
        // Without /proc nobody can tell whether it still runs; a process that ended has no `exe`.
        if !Path::new("/proc/self/exe").exists() || Path::new("/proc").join(&pid).join("exe").exists() {
            continue;
        }
        let homes = fs::read_dir(entry.path()).into_iter().flatten().flatten().map(|home| home.path());
        let all_down = homes.filter(|home| home.is_dir()).all(|home| {
            let down = agent(place, &home).arg("down").stdin(Stdio::null()).output();
            // Status 3: no daemon runs.
            down.is_ok_and(|output| output.status.success() || output.status.code() == Some(3))
        });
        if all_down {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Gives a process a group of its own, so that signals of the terminal pass it by.
#[cfg(unix)]
pub(crate) fn own_group(command: &mut Command) {
    std::os::unix::process::CommandExt::process_group(command, 0);
}

#[cfg(not(unix))]
pub(crate) fn own_group(_: &mut Command) {}
