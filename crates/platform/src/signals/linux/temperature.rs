//! The hottest sensor of the processor.

use std::fs;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use p2p_types::{By, Reading, SignalKind, Untold};

use super::Context;

const REST: Duration = Duration::from_secs(60);
const WORK: Duration = Duration::from_secs(5);

/// Drivers whose every sensor sits in or at the processor.
const CHIPS: [&str; 8] =
    ["coretemp", "k10temp", "zenpower", "cpu_thermal", "soc_thermal", "scpi_sensors", "fam15h_power", "k8temp"];

pub(super) async fn watch(context: Rc<Context>) {
    loop {
        match read(&context.sys("class")) {
            Ok(decicelsius) => context.hub.reading(By::Sysfs, Reading::Temperature { decicelsius }),
            Err(why) => context.hub.cannot(SignalKind::Temperature, By::Sysfs, why),
        }
        context.pause(REST, WORK).await;
    }
}

/// The chip's own sensors first, then the kernel's zones of the processor, then that of the
/// firmware, which on some boards stands still.
fn read(class: &Path) -> Result<i32, Untold> {
    let mut zones = Vec::new();
    let mut firmware = Vec::new();
    let chips =
        hottest(entries(&class.join("hwmon")).filter(|chip| CHIPS.contains(&word(&chip.join("name")).as_str())));
    if let Some(chips) = chips {
        return Ok(chips);
    }
    let mut there = false;
    for zone in entries(&class.join("thermal")) {
        let kind = word(&zone.join("type")).to_lowercase();
        let known = kind == "x86_pkg_temp" || kind.contains("cpu") || kind.contains("soc") || kind == "tcpu";
        let Some(degrees) = degrees(&zone.join("temp")) else {
            there |= known;
            continue;
        };
        if known {
            zones.push(degrees);
        } else if kind == "acpitz" {
            firmware.push(degrees);
        }
    }
    let found = zones.into_iter().max().or_else(|| firmware.into_iter().max());
    found.ok_or(if there { Untold::Failed } else { Untold::Absent })
}

fn hottest(chips: impl Iterator<Item = std::path::PathBuf>) -> Option<i32> {
    let sensors = chips.flat_map(|chip| entries(&chip)).filter(|file| {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("temp") && name.ends_with("_input")
    });
    sensors.filter_map(|sensor| degrees(&sensor)).max()
}

fn entries(folder: &Path) -> impl Iterator<Item = std::path::PathBuf> + use<> {
    fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path())
}

fn word(file: &Path) -> String {
    fs::read_to_string(file).map(|text| text.trim().to_owned()).unwrap_or_default()
}

/// Tenths of a degree. Sensors that are not connected give numbers beyond all sense.
fn degrees(file: &Path) -> Option<i32> {
    let millidegrees: i32 = word(file).parse().ok()?;
    (-40_000..=150_000).contains(&millidegrees).then_some(millidegrees / 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(class: &Path, name: &str, text: &str) {
        let path = class.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, format!("{text}\n")).unwrap();
    }

    #[test]
    fn the_chip_counts_before_the_zone_before_the_firmware() {
        let folder = tempfile::tempdir().unwrap();
        let class = folder.path();
        assert_eq!(read(class), Err(Untold::Absent));
        file(class, "hwmon/hwmon0/name", "nvme");
        file(class, "hwmon/hwmon0/temp1_input", "99000");
        assert_eq!(read(class), Err(Untold::Absent));
        file(class, "thermal/thermal_zone1/type", "x86_pkg_temp");
        assert_eq!(read(class), Err(Untold::Failed));
        file(class, "thermal/thermal_zone0/type", "acpitz");
        file(class, "thermal/thermal_zone0/temp", "27800");
        assert_eq!(read(class), Ok(278));
        file(class, "thermal/thermal_zone1/temp", "51500");
        assert_eq!(read(class), Ok(515));
        file(class, "hwmon/hwmon1/name", "k10temp");
        file(class, "hwmon/hwmon1/temp1_input", "61250");
        file(class, "hwmon/hwmon1/temp2_input", "64875");
        file(class, "hwmon/hwmon1/temp3_input", "4294967295");
        file(class, "hwmon/hwmon1/temp3_max", "105000");
        assert_eq!(read(class), Ok(648));
    }
}
