//! What the kernel has of batteries and plugs.

use std::fs;
use std::path::Path;

/// Whether on mains, and the percentage of all batteries together. `None` where the kernel does
/// not say. Batteries of mice and the like are no battery of the computer.
pub(super) fn read(supplies: &Path) -> Option<(bool, Option<u8>)> {
    let mut plugged = None;
    let mut discharging = false;
    let (mut held, mut full) = (0_u64, 0_u64);
    for entry in fs::read_dir(supplies).ok()?.flatten() {
        let word = |file: &str| fs::read_to_string(entry.path().join(file)).map(|text| text.trim().to_owned()).ok();
        let number = |file: &str| word(file)?.parse::<u64>().ok();
        if word("scope").as_deref() == Some("Device") {
            continue;
        }
        match word("type").as_deref() {
            Some("Battery" | "UPS") if word("present").as_deref() != Some("0") => {
                discharging |= word("status").as_deref() == Some("Discharging");
                // Batteries of different sizes count by what they hold, where the kernel says it.
                let energy = number("energy_now").zip(number("energy_full"));
                let charge = || number("charge_now").zip(number("charge_full"));
                let (now, most) = match energy.or_else(charge) {
                    Some((now, most)) if most > 0 => (now.min(most), most),
                    _ => (number("capacity")?.min(100), 100),
                };
                held = held.saturating_add(now);
                full = full.saturating_add(most);
            }
            Some("Mains" | "USB") => {
                plugged = Some(plugged == Some(true) || word("online").is_some_and(|online| online != "0"));
            }
            _ => {}
        }
    }
    if full == 0 {
        return Some((true, None));
    }
    let percent = u128::from(held) * 100 / u128::from(full);
    Some((plugged != Some(false) && !discharging, Some(u8::try_from(percent).unwrap_or(100))))
}

/// Whether the firmware saves power. Where it cannot be asked nobody has asked it to.
pub(super) fn saver(sysfs: &Path) -> bool {
    fs::read_to_string(sysfs.join("firmware/acpi/platform_profile")).is_ok_and(|profile| profile.trim() == "low-power")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn supply(root: &Path, name: &str, files: &[(&str, &str)]) {
        fs::create_dir_all(root.join(name)).unwrap();
        for (file, text) in files {
            fs::write(root.join(name).join(file), format!("{text}\n")).unwrap();
        }
    }

    #[test]
    fn a_laptop_a_desktop_and_a_weak_supply() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        assert_eq!(read(&root.join("none")), None);
        assert_eq!(read(root), Some((true, None)));
        supply(root, "hidpp_battery_0", &[("type", "Battery"), ("scope", "Device"), ("capacity", "5")]);
        supply(root, "AC", &[("type", "Mains"), ("online", "1")]);
        assert_eq!(read(root), Some((true, None)));
        supply(root, "BAT0", &[("type", "Battery"), ("present", "1"), ("status", "Charging"), ("capacity", "81")]);
        assert_eq!(read(root), Some((true, Some(81))));
        supply(root, "BAT0", &[("status", "Discharging")]);
        assert_eq!(read(root), Some((false, Some(81))));
        supply(root, "BAT0", &[("status", "Not charging"), ("energy_now", "30"), ("energy_full", "40")]);
        supply(root, "BAT1", &[("type", "Battery"), ("energy_now", "0"), ("energy_full", "20")]);
        assert_eq!(read(root), Some((true, Some(50))));
        supply(root, "AC", &[("online", "0")]);
        assert_eq!(read(root), Some((false, Some(50))));
    }

    #[test]
    fn the_firmware_saves_power() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!saver(folder.path()));
        supply(&folder.path().join("firmware"), "acpi", &[("platform_profile", "low-power")]);
        assert!(saver(folder.path()));
    }
}
