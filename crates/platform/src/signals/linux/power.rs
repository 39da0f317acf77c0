//! Mains or battery: UPower and the power profile by events, else what the kernel has.

use std::rc::Rc;
use std::time::Duration;

use p2p_types::{By, Reading, SignalKind, Untold};
use zbus::Connection;

use super::Context;
use super::bus::{Next, Object, follow};
use super::power_supply;

const UPOWER: Object =
    Object { name: "org.freedesktop.UPower", path: "/org/freedesktop/UPower", interface: "org.freedesktop.UPower" };
/// All batteries together.
const BATTERIES: Object = Object {
    path: "/org/freedesktop/UPower/devices/DisplayDevice",
    interface: "org.freedesktop.UPower.Device",
    ..UPOWER
};
/// The newer name of the power profiles, and the one that all versions have.
const PROFILES: [Object; 2] = [
    Object {
        name: "org.freedesktop.UPower.PowerProfiles",
        path: "/org/freedesktop/UPower/PowerProfiles",
        interface: "org.freedesktop.UPower.PowerProfiles",
    },
    Object {
        name: "net.hadess.PowerProfiles",
        path: "/net/hadess/PowerProfiles",
        interface: "net.hadess.PowerProfiles",
    },
];

/// As UPower counts.
const BATTERY: u32 = 2;
const UPS: u32 = 3;
const DISCHARGING: u32 = 2;

/// Without UPower a computer with a battery is looked at this often, another one rarely: a
/// battery can be put in.
const WITH_BATTERY: Duration = Duration::from_secs(30);
const WITHOUT: Duration = Duration::from_secs(600);

pub(super) async fn watch(context: Rc<Context>) {
    let watched = [UPOWER, PROFILES[0], PROFILES[1]];
    follow(&context.system, &watched, async |bus| {
        let (told, saver) = match bus {
            Ok(bus) => (upower(bus).await, saver(bus).await),
            Err(why) => (Err(why), None),
        };
        let saver = saver.unwrap_or_else(|| power_supply::saver(&context.sys("")));
        match told {
            Ok((mains, percent)) => {
                context.hub.reading(By::Upower, Reading::Power { mains, percent, saver });
                Next::Event
            }
            Err(why) => {
                let next = match power_supply::read(&context.sys("class/power_supply")) {
                    Some((mains, percent)) => {
                        context.hub.reading(By::Sysfs, Reading::Power { mains, percent, saver });
                        Next::Within(if percent.is_some() { WITH_BATTERY } else { WITHOUT })
                    }
                    None if why == Untold::Failed => {
                        context.hub.cannot(SignalKind::Power, By::Upower, why);
                        Next::Event
                    }
                    None => {
                        context.hub.cannot(SignalKind::Power, By::Nothing, Untold::Unsupported);
                        Next::Event
                    }
                };
                if why == Untold::Failed { Next::Patiently } else { next }
            }
        }
    })
    .await;
}

async fn upower(bus: &Connection) -> Result<(bool, Option<u8>), Untold> {
    let on_battery: bool = UPOWER.get(bus, "OnBattery").await?;
    let kind: u32 = BATTERIES.get(bus, "Type").await?;
    let present: bool = BATTERIES.get(bus, "IsPresent").await?;
    if !present || !(kind == BATTERY || kind == UPS) {
        return Ok((!on_battery, None));
    }
    let percent: f64 = BATTERIES.get(bus, "Percentage").await?;
    let state: u32 = BATTERIES.get(bus, "State").await?;
    // A supply that is too weak drains the battery although it is plugged in.
    let mains = !on_battery && state != DISCHARGING;
    // What is cut off lies between 0 and 100.
    Ok((mains, Some(percent.clamp(0.0, 100.0) as u8)))
}

/// `None` where nobody manages profiles. Asking starts no program.
async fn saver(bus: &Connection) -> Option<bool> {
    for profiles in PROFILES {
        if profiles.is_there(bus).await == Ok(true) {
            let active: String = profiles.get(bus, "ActiveProfile").await.ok()?;
            return Some(active == "power-saver");
        }
    }
    None
}
