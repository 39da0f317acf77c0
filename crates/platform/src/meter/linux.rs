//! The meter's files (`intel_rapl`, whose name AMD's processors share) and the kernel's count of
//! busy processors.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use super::{Count, NoMeter};

/// More packages than any computer has.
const PACKAGES: usize = 64;

/// What each package has counted. Parts of a package are in it already; the whole board (`psys`)
/// is not asked, nor the second way to the same meter (`intel-rapl-mmio`).
pub(super) fn packages(sysfs: &Path) -> Result<BTreeMap<String, Count>, NoMeter> {
    let mut packages = BTreeMap::new();
    let zones = fs::read_dir(sysfs.join("class/powercap")).map_err(|error| cause(&error))?;
    for zone in zones.flatten() {
        if !zone.file_name().to_str().is_some_and(is_whole) {
            continue;
        }
        let zone = zone.path();
        let name = text(&zone.join("name"))?;
        if !name.starts_with("package") || packages.len() >= PACKAGES {
            continue;
        }
        let microjoules = number(&zone.join("energy_uj"))?;
        // Without a range the count cannot begin again in a way that is understood.
        let range = number(&zone.join("max_energy_range_uj")).unwrap_or_default();
        packages.insert(name, Count { microjoules, range });
    }
    if packages.is_empty() { Err(NoMeter::Absent) } else { Ok(packages) }
}

/// `intel-rapl:0` is a whole of something, `intel-rapl:0:1` a part of it.
fn is_whole(zone: &str) -> bool {
    zone.strip_prefix("intel-rapl:").is_some_and(|number| !number.contains(':'))
}

/// Processor time of everybody since the computer started.
pub(super) fn busy(procfs: &Path) -> Option<Duration> {
    let (_, ticks) = crate::signals::processor_ticks(&fs::read_to_string(procfs.join("stat")).ok()?)?;
    let hertz = rustix::param::clock_ticks_per_second();
    Some(Duration::from_millis(ticks.checked_mul(1000)?.checked_div(hertz)?))
}

fn number(file: &Path) -> Result<u64, NoMeter> {
    text(file)?.parse().map_err(|_| NoMeter::Failed)
}

fn text(file: &Path) -> Result<String, NoMeter> {
    fs::read_to_string(file).map(|text| text.trim().to_owned()).map_err(|error| cause(&error))
}

fn cause(error: &io::Error) -> NoMeter {
    match error.kind() {
        io::ErrorKind::NotFound => NoMeter::Absent,
        io::ErrorKind::PermissionDenied => NoMeter::Denied,
        _ => NoMeter::Failed,
    }
}
