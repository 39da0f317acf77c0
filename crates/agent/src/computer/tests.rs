use std::fs;
use std::path::Path;

use p2p_control::api::{ComputerLack, ComputerRole, ComputerTier, EnergyMethod};
use p2p_types::Timestamp;

use super::*;
use crate::config;

const DAY: u64 = 20_000 * 86_400_000;
const GIB: u64 = 1 << 30;
const SEEN: Seen = Seen {
    processors: 2,
    memory_bytes: Some(4 * GIB),
    battery: Some(false),
    storage_free_bytes: Some(9 * GIB),
    round_trip_us: Some(250),
};

fn at(second: u64) -> Now {
    Now { wall: Timestamp(DAY + second * 1_000), mono: Monotonic(second * 1_000_000) }
}

fn spent(cpu_ms: u64, tokens: u64, model_ms: u64) -> Spent {
    Spent { cpu: Duration::from_millis(cpu_ms), tokens, model_us: model_ms * 1_000 }
}

fn view(computer: &Computer, now: Now) -> p2p_control::api::Computer {
    let price = config::Energy { price_micros_per_kwh: 300_000, currency: "EUR".to_owned() };
    computer.view(now, &SEEN, Around { price: &price, earned_today: None })
}

/// A home, and a meter of one package that the test turns.
struct Desk {
    folder: tempfile::TempDir,
    home: Home,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let home = Home::at(folder.path().join("home"));
        home.create().expect("folders");
        Self { folder, home }
    }

    fn turn(&self, joules: u64, busy_seconds: u64) {
        let zone = self.folder.path().join("class/powercap/intel-rapl:0");
        fs::create_dir_all(&zone).expect("made");
        for (file, text) in [
            ("name", "package-0".to_owned()),
            ("energy_uj", (joules * 1_000_000).to_string()),
            ("max_energy_range_uj", "262143328850".to_owned()),
        ] {
            fs::write(zone.join(file), text).expect("written");
        }
        // The kernel counts in hundredths of a second.
        fs::write(self.folder.path().join("stat"), format!("cpu  {} 0 0 9 0 0 0 0\n", busy_seconds * 100))
            .expect("written");
    }

    fn computer(&self, now: Now) -> Computer {
        Computer::begin(&self.home, Meter::at(self.folder.path(), self.folder.path()), now)
    }
}

#[test]
fn before_any_work_nothing_is_claimed() {
    let computer = Desk::new().computer(at(0));
    let shown = view(&computer, at(1));
    assert_eq!((shown.tier, shown.tokens_per_second), (ComputerTier::Basic, None));
    assert_eq!((shown.lacks, shown.roles), (vec![ComputerLack::Speed], Vec::new()));
    let energy = shown.energy;
    assert_eq!((energy.tasks_today, energy.since_ms), (0, DAY));
    assert!(energy.watt_hours_today.abs() < f64::EPSILON && energy.cost_today.abs() < f64::EPSILON);
}

#[test]
fn without_a_meter_the_model_stands_in_and_says_so() {
    let mut computer = Desk::new().computer(at(0));
    computer.begins(at(0), spent(0, 0, 0));
    computer.done(at(60), 8, true);
    computer.look(at(60), spent(60_000, 60_000, 30_000), false);
    let shown = view(&computer, at(61));
    assert_eq!((shown.tier, shown.tokens_per_second), (ComputerTier::Standard, Some(2_000)));
    assert!(shown.roles.contains(&ComputerRole::Infer));
    let energy = shown.energy;
    assert_eq!((energy.method, energy.tasks_today, energy.tasks_for_others_today), (EnergyMethod::Model, 1, 1));
    // A minute of a core that adds 6 W.
    assert!((energy.watt_hours_today - 0.1).abs() < 1e-6, "{energy:?}");
    assert!((energy.cost_today - 0.000_03).abs() < 1e-9, "{energy:?}");
    assert!(energy.assumptions.contains("estimated: 6 W"), "{energy:?}");
    assert_eq!(energy.meter.as_deref(), Some("this computer has none that can be asked"));
}

#[cfg(target_os = "linux")]
#[test]
fn the_meter_counts_our_share_of_the_time_in_which_we_work() {
    let desk = Desk::new();
    desk.turn(1_000, 0);
    let mut computer = desk.computer(at(0));
    // What others use while we rest is not ours.
    desk.turn(50_000, 500);
    computer.begins(at(100), spent(0, 0, 0));
    desk.turn(50_100, 510);
    computer.look(at(110), spent(5_000, 1_000, 500), true);
    computer.look(at(110), spent(5_100, 1_000, 500), true);
    // The next order follows at once: the meter runs on.
    computer.begins(at(110), spent(5_200, 1_000, 500));
    desk.turn(50_200, 520);
    computer.look(at(120), spent(10_000, 2_000, 1_000), false);
    let energy = view(&computer, at(121)).energy;
    assert_eq!((energy.method, energy.meter), (EnergyMethod::Meter, None));
    // Half of 200 J.
    assert!((energy.watt_hours_today - 100.0 / 3_600.0).abs() < 1e-5, "{}", energy.watt_hours_today);
    assert!((energy.cpu_seconds_today - 10.0).abs() < 1e-9);
}

#[cfg(target_os = "linux")]
#[test]
fn looks_too_far_apart_are_no_measurement() {
    let desk = Desk::new();
    desk.turn(0, 0);
    let mut computer = desk.computer(at(0));
    computer.begins(at(0), spent(0, 0, 0));
    desk.turn(9_000, 301);
    computer.look(at(301), spent(300_000, 9_000, 9_000), false);
    assert_eq!(view(&computer, at(302)).energy.method, EnergyMethod::Model);
}

#[test]
fn the_day_goes_on_after_a_restart_and_ends_at_midnight() {
    let desk = Desk::new();
    let mut computer = desk.computer(at(0));
    assert!(computer.wants_keeping(at(0)));
    computer.begins(at(0), spent(0, 0, 0));
    computer.done(at(10), 3, false);
    computer.look(at(10), spent(9_000, 4_000, 2_000), false);
    computer.keep(at(10))();
    assert!(!computer.wants_keeping(at(69)) && computer.wants_keeping(at(70)));
    // Another process, whose pool begins at nothing.
    let mut computer = desk.computer(at(20));
    computer.done(at(21), 1, true);
    computer.look(at(21), spent(1_000, 0, 0), false);
    let shown = view(&computer, at(22));
    assert_eq!((shown.energy.tasks_today, shown.energy.texts_today), (2, 4));
    assert!((shown.energy.cpu_seconds_today - 10.0).abs() < 1e-9);
    assert_eq!(shown.tokens_per_second, Some(2_000));
    let tomorrow = view(&computer, at(86_400));
    assert_eq!((tomorrow.energy.tasks_today, tomorrow.tokens_per_second), (0, Some(2_000)));
    assert_eq!(view(&desk.computer(at(86_400)), at(86_400)).energy.tasks_today, 0);
}

#[test]
fn a_damaged_file_costs_the_day_and_no_more() {
    let desk = Desk::new();
    for damaged in ["", "{", "{\"day\":7}"] {
        p2p_platform::file::write_private(&file(&desk.home), damaged.as_bytes()).expect("written");
        assert_eq!(view(&desk.computer(at(0)), at(0)).energy.tasks_today, 0);
    }
}

fn file(home: &Home) -> PathBuf {
    let file = home.database().with_file_name(kept::FILE);
    assert!(file.parent().is_some_and(Path::is_dir));
    file
}
