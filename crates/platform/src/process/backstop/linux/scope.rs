//! What is said to systemd: its user manager, or the system's where this process is root.

use std::time::Duration;

use tokio::time::timeout;
use zbus::Connection;
use zbus::export::serde::Serialize;
use zbus::zvariant::{DynamicDeserialize, DynamicType, OwnedObjectPath, Value};

use super::WHOLE;
use crate::signals::Places;

const MANAGER: (&str, &str, &str) =
    ("org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager");
const BUS: (&str, &str, &str) = ("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus");
/// No answer is waited for longer.
const ANSWER: Duration = Duration::from_secs(2);
/// The kernel counts a limit in periods. In the longest there is, who is held slice by slice by
/// the pool never meets it; shorter ones would cut into its slices.
const PERIOD_US: u64 = 1_000_000;
/// The least there is. Not the idle class: one worker serves guests and the owner, who may wait.
const WEIGHT: u64 = 1;
/// Threads of a worker, and some to spare.
const TASKS: u64 = 32;
/// Where the system keeps what works in the background.
const SLICE: &str = "background.slice";
const NO_LIMIT: u64 = u64::MAX;

/// Why the manager did not do it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It does not want to.
    No,
    /// It does not answer.
    Lost,
}

/// A service manager that sees processes by the same ids as we do.
pub(super) struct Manager(Connection);

/// The name of a worker's scope.
pub(super) fn unit(pid: u32) -> String {
    format!("p2p-agent-worker-{}-{pid}.scope", std::process::id())
}

/// Processor time for so many thousandths of the computer, in microseconds a second; `None` for
/// all of it.
pub(super) fn cpu_us_per_s(permille: u16) -> Option<u64> {
    let processors = std::thread::available_parallelism().map_or(1, |count| count.get() as u64);
    (permille < WHOLE).then(|| u64::from(permille) * processors * 1000)
}

impl Manager {
    /// Whether there is anything to ask.
    pub(super) fn may_be(places: &Places) -> bool {
        buses(places).next().is_some()
    }

    pub(super) async fn find(places: &Places) -> Option<Self> {
        for address in buses(places) {
            let found = timeout(ANSWER, Self::on(address)).await;
            if let Ok(Some(manager)) = found {
                return Some(manager);
            }
        }
        None
    }

    async fn on(address: &str) -> Option<Self> {
        let builder = zbus::connection::Builder::address(address).ok()?;
        let bus = builder.method_timeout(ANSWER).build().await.ok()?;
        // In a container our ids may be those of other processes out there.
        let name = bus.unique_name()?.to_string();
        let seen: u32 = call(&bus, BUS, "GetConnectionUnixProcessID", &(name,)).await.ok()?;
        // Asking starts nobody.
        let there: bool = call(&bus, BUS, "NameHasOwner", &(MANAGER.0,)).await.ok()?;
        (seen == std::process::id() && there).then_some(Self(bus))
    }

    /// Puts a process into a scope of its own.
    pub(super) async fn start(&self, unit: &str, pid: u32, memory: u64, cpu_permille: u16) -> Result<(), Refusal> {
        let mut properties = vec![
            ("Description", Value::from("A worker of P2P Agent")),
            ("PIDs", Value::from(vec![pid])),
            ("Slice", Value::from(SLICE)),
            // A scope that ended badly is not kept for anybody to look at.
            ("CollectMode", Value::from("inactive-or-failed")),
            ("CPUWeight", Value::from(WEIGHT)),
            ("IOWeight", Value::from(WEIGHT)),
            ("MemoryMax", Value::from(memory)),
            ("TasksMax", Value::from(TASKS)),
            ("CPUQuotaPeriodUSec", Value::from(PERIOD_US)),
        ];
        properties.push(quota(cpu_permille));
        let others: Vec<(&str, Vec<(&str, Value<'_>)>)> = Vec::new();
        let body = (unit, "fail", properties, others);
        let _job: OwnedObjectPath = call(&self.0, MANAGER, "StartTransientUnit", &body).await?;
        Ok(())
    }

    /// Changes the limit of a scope.
    pub(super) async fn set(&self, unit: &str, cpu_permille: u16) -> Result<(), Refusal> {
        call(&self.0, MANAGER, "SetUnitProperties", &(unit, true, vec![quota(cpu_permille)])).await
    }
}

fn quota(cpu_permille: u16) -> (&'static str, Value<'static>) {
    ("CPUQuotaPerSecUSec", Value::from(cpu_us_per_s(cpu_permille).unwrap_or(NO_LIMIT)))
}

/// The user's manager. That of the system obeys root.
fn buses(places: &Places) -> impl Iterator<Item = &str> {
    let of_system = places.system_bus.as_deref().filter(|_| rustix::process::geteuid().is_root());
    places.session_bus.as_deref().into_iter().chain(of_system.filter(|address| is_there(address)))
}

/// Whether the socket of a plain address exists.
fn is_there(address: &str) -> bool {
    address.strip_prefix("unix:path=").is_none_or(|path| std::path::Path::new(path).exists())
}

async fn call<B, R>(bus: &Connection, to: (&str, &str, &str), method: &str, body: &B) -> Result<R, Refusal>
where
    B: Serialize + DynamicType,
    R: for<'d> DynamicDeserialize<'d>,
{
    let (name, path, interface) = to;
    let reply = timeout(ANSWER, bus.call_method(Some(name), path, Some(interface), method, body)).await;
    let reply = reply.map_err(|_| Refusal::Lost)?.map_err(|error| match error {
        zbus::Error::MethodError(error, why, _) if !is_gone(error.as_str()) => {
            tracing::debug!(%error, ?why, method, "the service manager refuses");
            Refusal::No
        }
        _ => Refusal::Lost,
    })?;
    reply.body().deserialize().map_err(|_| Refusal::No)
}

/// What the bus says in place of a program that has left or is silent.
fn is_gone(error: &str) -> bool {
    ["NoReply", "ServiceUnknown", "NameHasNoOwner", "Disconnected"]
        .iter()
        .any(|gone| error.strip_prefix("org.freedesktop.DBus.Error.") == Some(gone))
}
