//! Stand-ins for UPower and the power profiles, and what the kernel has where they are missing.

use p2p_platform::signals::Scope;
use p2p_types::{By, Reading, SignalKind, Untold};

use crate::stage::{Bus, Ear, options};

const UPOWER: (&str, &str, &str) = ("org.freedesktop.UPower", "/org/freedesktop/UPower", "org.freedesktop.UPower");
const BATTERY: (&str, &str, &str) =
    (UPOWER.0, "/org/freedesktop/UPower/devices/DisplayDevice", "org.freedesktop.UPower.Device");
const PROFILES: (&str, &str, &str) =
    ("net.hadess.PowerProfiles", "/net/hadess/PowerProfiles", "net.hadess.PowerProfiles");

struct Upower {
    on_battery: bool,
    slow: bool,
}

#[zbus::interface(name = "org.freedesktop.UPower")]
impl Upower {
    #[zbus(property)]
    async fn on_battery(&self) -> bool {
        if self.slow {
            std::future::pending::<()>().await;
        }
        self.on_battery
    }

    #[zbus(property)]
    fn set_on_battery(&mut self, value: bool) {
        self.on_battery = value;
    }
}

struct Battery {
    present: bool,
    percentage: f64,
    state: u32,
}

#[zbus::interface(name = "org.freedesktop.UPower.Device")]
impl Battery {
    #[zbus(property, name = "Type")]
    fn kind(&self) -> u32 {
        2
    }

    #[zbus(property)]
    fn is_present(&self) -> bool {
        self.present
    }

    #[zbus(property)]
    fn set_is_present(&mut self, value: bool) {
        self.present = value;
    }

    #[zbus(property)]
    fn percentage(&self) -> f64 {
        self.percentage
    }

    #[zbus(property)]
    fn set_percentage(&mut self, value: f64) {
        self.percentage = value;
    }

    #[zbus(property)]
    fn state(&self) -> u32 {
        self.state
    }

    #[zbus(property)]
    fn set_state(&mut self, value: u32) {
        self.state = value;
    }
}

struct Profiles(String);

#[zbus::interface(name = "net.hadess.PowerProfiles")]
impl Profiles {
    #[zbus(property)]
    fn active_profile(&self) -> String {
        self.0.clone()
    }

    #[zbus(property)]
    fn set_active_profile(&mut self, value: String) {
        self.0 = value;
    }
}

pub(crate) fn upower(bus: &Bus, slow: bool) -> zbus::blocking::Connection {
    let battery = Battery { present: true, percentage: 73.9, state: 1 };
    let builder = bus.builder().serve_at(UPOWER.1, Upower { on_battery: false, slow }).expect("a path");
    builder.serve_at(BATTERY.1, battery).expect("a path").name(UPOWER.0).expect("a name").build().expect("the bus")
}

fn told(mains: bool, percent: Option<u8>, saver: bool) -> Reading {
    Reading::Power { mains, percent, saver }
}

#[test]
fn upower_and_the_profile_are_followed() {
    let Some(bus) = Bus::start() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let mut settings = options(folder.path());
    settings.places.system_bus = Some(bus.address());
    let ear = Ear::new(Scope::Machine, settings);
    ear.cannot(0, SignalKind::Power, By::Nothing, Untold::Unsupported);
    let _upower = upower(&bus, false);
    ear.reading(0, By::Upower, told(true, Some(73), false));
    bus.set(UPOWER, "OnBattery", true);
    ear.reading(0, By::Upower, told(false, Some(73), false));
    bus.set(BATTERY, "Percentage", 12.0);
    ear.reading(0, By::Upower, told(false, Some(12), false));
    let profiles = Profiles("power-saver".to_owned());
    let builder = bus.builder().serve_at(PROFILES.1, profiles).expect("a path").name(PROFILES.0).expect("a name");
    let _profiles = builder.build().expect("the bus");
    ear.reading(0, By::Upower, told(false, Some(12), true));
    bus.set(PROFILES, "ActiveProfile", "balanced");
    let mark = ear.mark();
    bus.set(UPOWER, "OnBattery", false);
    ear.reading(mark, By::Upower, told(true, Some(12), false));
    // Plugged in, but the supply is too weak.
    bus.set(BATTERY, "State", 2_u32);
    ear.reading(mark, By::Upower, told(false, Some(12), false));
    bus.set(BATTERY, "IsPresent", false);
    ear.reading(mark, By::Upower, told(true, None, false));
}

#[test]
fn where_upower_is_missing_or_hangs_the_kernel_is_read() {
    let Some(bus) = Bus::start() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let battery = folder.path().join("class/power_supply/BAT0");
    std::fs::create_dir_all(&battery).expect("it can be made");
    for (file, text) in [("type", "Battery\n"), ("status", "Discharging\n"), ("capacity", "44\n")] {
        std::fs::write(battery.join(file), text).expect("it can be written");
    }
    let mut settings = options(folder.path());
    settings.places.sysfs = folder.path().to_owned();
    let ear = Ear::new(Scope::Machine, settings.clone());
    ear.reading(0, By::Sysfs, told(false, Some(44), false));
    drop(ear);

    settings.places.system_bus = Some(bus.address());
    let _upower = upower(&bus, true);
    let ear = Ear::new(Scope::Machine, settings);
    ear.reading(0, By::Sysfs, told(false, Some(44), false));
}
