//! The processors' own meter of energy, and how busy they were meanwhile.
//!
//! Linux has it for processors of Intel and AMD. Most systems let only the administrator read it,
//! since it tells others too much of what is computed: then nothing is known here, and that is said.

#[cfg(target_os = "linux")]
mod linux;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Why the meter says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoMeter {
    /// There is none, or this system has no way to ask that this program knows.
    Absent,
    /// Only the administrator may read it.
    Denied,
    /// It was asked and gave no number.
    Failed,
}

/// Where the meter is.
#[derive(Debug, Clone)]
pub struct Meter {
    #[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "there is none to read"))]
    sysfs: PathBuf,
    #[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "there is none to read"))]
    procfs: PathBuf,
}

/// One look at it. Only the difference of two means anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeterReading {
    /// For each processor package what it has counted, and where it begins again at 0, in microjoules.
    packages: BTreeMap<String, Count>,
    /// Processor time of everybody, since the computer started.
    busy: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "there is none to read"))]
struct Count {
    microjoules: u64,
    range: u64,
}

/// What the processors used between two looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Used {
    /// Of all packages, for everybody.
    pub microjoules: u64,
    /// Processor time of everybody.
    pub busy: Duration,
}

impl Meter {
    /// The meter of this computer.
    #[must_use]
    pub fn here() -> Self {
        Self::at(Path::new("/sys"), Path::new("/proc"))
    }

    /// The same in other folders that look like those.
    #[must_use]
    pub fn at(sysfs: &Path, procfs: &Path) -> Self {
        Self { sysfs: sysfs.to_owned(), procfs: procfs.to_owned() }
    }

    /// Reads it: a few small files, some microseconds.
    ///
    /// # Errors
    /// Why it says nothing.
    #[cfg(target_os = "linux")]
    pub fn read(&self) -> Result<MeterReading, NoMeter> {
        let packages = linux::packages(&self.sysfs)?;
        let busy = linux::busy(&self.procfs).ok_or(NoMeter::Failed)?;
        Ok(MeterReading { packages, busy })
    }

    /// Reads it.
    ///
    /// # Errors
    /// Always: there is none that this program knows.
    #[cfg(not(target_os = "linux"))]
    pub const fn read(&self) -> Result<MeterReading, NoMeter> {
        Err(NoMeter::Absent)
    }
}

impl MeterReading {
    /// What was used since `before`. The counter begins again at 0 now and then: two looks must not
    /// lie further apart than one round of it takes (ten minutes at full power on the smallest).
    /// `None` where the two are not of the same packages.
    #[must_use]
    pub fn since(&self, before: &Self) -> Option<Used> {
        if self.packages.len() != before.packages.len() {
            return None;
        }
        let mut microjoules = 0_u64;
        for (name, now) in &self.packages {
            let then = before.packages.get(name)?;
            let used = match now.microjoules.checked_sub(then.microjoules) {
                Some(used) => used,
                None => now.range.checked_sub(then.microjoules)?.checked_add(now.microjoules)?,
            };
            microjoules = microjoules.checked_add(used)?;
        }
        Some(Used { microjoules, busy: self.busy.checked_sub(before.busy)? })
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// Folders as the kernel lays them out: two packages with a part each, the same once more by
    /// another way, and the whole board.
    struct StandIn(tempfile::TempDir);

    impl StandIn {
        fn new() -> Self {
            let stand_in = Self(tempfile::tempdir().expect("a folder"));
            for (zone, name) in [
                ("intel-rapl:0", "package-0"),
                ("intel-rapl:0:0", "core"),
                ("intel-rapl:1", "package-1"),
                ("intel-rapl:2", "psys"),
                ("intel-rapl-mmio:0", "package-0"),
            ] {
                stand_in.write(zone, "name", name);
                stand_in.write(zone, "energy_uj", "7777777");
                stand_in.write(zone, "max_energy_range_uj", "262143328850");
            }
            fs::create_dir_all(stand_in.0.path().join("class/powercap/intel-rapl")).expect("made");
            stand_in.busy(100);
            stand_in
        }

        fn zone(&self, zone: &str) -> PathBuf {
            self.0.path().join("class/powercap").join(zone)
        }

        fn write(&self, zone: &str, file: &str, text: &str) {
            fs::create_dir_all(self.zone(zone)).expect("made");
            fs::write(self.zone(zone).join(file), format!("{text}\n")).expect("written");
        }

        /// Hundredths of a second that a program ran, that the kernel did, and that nobody did.
        fn busy(&self, ticks: u64) {
            let stat = format!("cpu  {ticks} 10 40 99999 5 0 0 3 0 0\ncpu0 1 1 1 1 0 0 0 0 0 0\n");
            fs::write(self.0.path().join("stat"), stat).expect("written");
        }

        fn read(&self) -> Result<MeterReading, NoMeter> {
            Meter::at(self.0.path(), self.0.path()).read()
        }
    }

    #[test]
    fn packages_count_once_and_the_counter_may_begin_again() {
        let meter = StandIn::new();
        meter.write("intel-rapl:0", "energy_uj", "1000000");
        meter.write("intel-rapl:1", "energy_uj", "262143000000");
        let before = meter.read().expect("readable");
        meter.write("intel-rapl:0", "energy_uj", "3500000");
        meter.write("intel-rapl:1", "energy_uj", "171150");
        meter.busy(350);
        let used = meter.read().expect("readable").since(&before).expect("the same packages");
        let hertz = rustix::param::clock_ticks_per_second();
        assert_eq!(used.microjoules, 2_500_000 + 328_850 + 171_150);
        assert_eq!(used.busy, Duration::from_millis(250 * 1000 / hertz));
    }

    #[test]
    fn what_cannot_be_read_is_not_guessed() {
        let empty = tempfile::tempdir().expect("a folder");
        assert_eq!(Meter::at(empty.path(), empty.path()).read(), Err(NoMeter::Absent));
        let meter = StandIn::new();
        let before = meter.read().expect("readable");
        fs::remove_dir_all(meter.zone("intel-rapl:1")).expect("removed");
        assert_eq!(meter.read().expect("readable").since(&before), None, "a package has gone");
        meter.write("intel-rapl:0", "energy_uj", "much");
        assert_eq!(meter.read(), Err(NoMeter::Failed));
        meter.write("intel-rapl:0", "energy_uj", "1");
        let file = meter.zone("intel-rapl:0").join("energy_uj");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o000)).expect("changed");
        // The administrator reads it all the same.
        if fs::read(&file).is_err() {
            assert_eq!(meter.read(), Err(NoMeter::Denied));
        }
    }

    #[test]
    fn an_amount_that_went_back_without_a_range_is_none() {
        let meter = StandIn::new();
        let before = meter.read().expect("readable");
        meter.write("intel-rapl:0", "energy_uj", "5");
        meter.write("intel-rapl:0", "max_energy_range_uj", "0");
        assert_eq!(meter.read().expect("readable").since(&before), None);
    }
}
