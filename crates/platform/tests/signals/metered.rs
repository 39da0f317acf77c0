//! A stand-in for NetworkManager.

use p2p_platform::signals::Scope;
use p2p_types::{By, Reading, SignalKind, Untold};

use crate::stage::{Bus, Ear, options};

const MANAGER: (&str, &str, &str) =
    ("org.freedesktop.NetworkManager", "/org/freedesktop/NetworkManager", "org.freedesktop.NetworkManager");

struct Manager(u32);

#[zbus::interface(name = "org.freedesktop.NetworkManager")]
impl Manager {
    #[zbus(property)]
    fn metered(&self) -> u32 {
        self.0
    }

    #[zbus(property)]
    fn set_metered(&mut self, value: u32) {
        self.0 = value;
    }
}

fn serve(bus: &Bus, value: u32) -> zbus::blocking::Connection {
    let builder = bus.builder().serve_at(MANAGER.1, Manager(value)).expect("a path").name(MANAGER.0).expect("a name");
    builder.build().expect("the bus answers")
}

#[test]
fn the_manager_its_changes_and_its_absence_are_told() {
    let Some(mut bus) = Bus::start() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let mut settings = options(folder.path());
    settings.places.system_bus = Some(bus.address());
    let ear = Ear::new(Scope::Machine, settings);
    let kind = SignalKind::Metered;
    let told = |metered| Reading::Metered { metered };
    ear.cannot(0, kind, By::NetworkManager, Untold::Unsupported);

    let manager = serve(&bus, 3);
    ear.reading(0, By::NetworkManager, told(true));
    for (value, metered) in [(4, false), (1, true), (2, false)] {
        let mark = ear.mark();
        bus.set(MANAGER, "Metered", value as u32);
        ear.reading(mark, By::NetworkManager, told(metered));
    }
    let mark = ear.mark();
    bus.set(MANAGER, "Metered", 0_u32);
    ear.cannot(mark, kind, By::NetworkManager, Untold::Absent);

    let mark = ear.mark();
    drop(manager);
    ear.cannot(mark, kind, By::NetworkManager, Untold::Unsupported);
    let mark = ear.mark();
    bus.stop();
    ear.wait(mark, kind, |told| told.reading.is_err());
    bus.run();
    let _manager = serve(&bus, 1);
    ear.reading(mark, By::NetworkManager, told(true));
}
