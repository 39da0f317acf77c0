use std::cell::RefCell;
use std::rc::Rc;

use super::*;

/// A worker in made-up time, which always has something to do.
#[derive(Debug, Default)]
struct Worker {
    clock: Duration,
    stopped: bool,
    signals: u32,
}

type Shared = Rc<RefCell<Worker>>;

impl Reins for Shared {
    fn stop(&self) {
        let mut worker = self.borrow_mut();
        worker.stopped = true;
        worker.signals += 1;
    }

    fn resume(&self) {
        let mut worker = self.borrow_mut();
        worker.stopped = false;
        worker.signals += 1;
    }

    fn cpu_time(&self) -> Option<Duration> {
        Some(self.borrow().clock)
    }
}

struct World {
    pack: Pack<Shared>,
    workers: Vec<Shared>,
    ids: Vec<u64>,
    begun: Instant,
    now: Instant,
    halted: bool,
    /// Whether others have all processors, so long after the beginning.
    taken: fn(Duration) -> bool,
    /// All clocks together, every [`STEP`].
    used: Vec<Duration>,
}

const STEP: Duration = Duration::from_micros(100);

impl World {
    fn new(processors: usize, workers: usize, allowed: Allowed) -> Self {
        let begun = Instant::now();
        let mut pack = Pack::new(processors, begun);
        pack.allow(begun, allowed);
        let workers: Vec<Shared> = (0..workers).map(|_| Shared::default()).collect();
        let ids = workers.iter().map(|worker| pack.add(begun, Rc::clone(worker), Duration::ZERO)).collect();
        Self { pack, workers, ids, begun, now: begun, halted: false, taken: |_| false, used: Vec::new() }
    }

    /// Looks as often as the pack asks for it, late by what `late` says.
    fn run(&mut self, length: Duration, mut late: impl FnMut(u32) -> Duration) -> u32 {
        let end = self.now + length;
        let mut looks = 0;
        let mut due = Some(self.now);
        while self.now < end {
            if due.is_some_and(|due| self.now >= due) {
                looks += 1;
                let again = self.pack.look(self.now, self.halted).again;
                due = again.map(|again| self.now + again + late(looks));
            }
            for worker in &self.workers {
                let mut worker = worker.borrow_mut();
                if !worker.stopped && !(self.taken)(self.now - self.begun) {
                    worker.clock += STEP;
                }
            }
            self.now += STEP;
            self.used.push(self.workers.iter().map(|worker| worker.borrow().clock).sum());
        }
        looks
    }

    /// The most and the least that any window of a second used, and the mean, in thousandths of
    /// the computer.
    fn windows(&self, processors: f64) -> (f64, f64, f64) {
        let steps = (1.0 / STEP.as_secs_f64()).round() as usize;
        let all = |from: usize, to: usize| (self.used[to] - self.used[from]).as_secs_f64();
        let windows = (0..self.used.len() - steps).map(|from| all(from, from + steps) * 1000.0 / processors);
        let most = windows.clone().fold(0.0, f64::max);
        let least = windows.fold(f64::INFINITY, f64::min);
        let length = (self.used.len() - 1) as f64 * STEP.as_secs_f64();
        (most, least, all(0, self.used.len() - 1) / length * 1000.0 / processors)
    }

    /// The share of windows that are further from the cap.
    fn far(&self, processors: f64, cap: f64, permille: f64) -> f64 {
        let steps = (1.0 / STEP.as_secs_f64()).round() as usize;
        // The first second is the beginning.
        let from = steps..self.used.len() - steps;
        let all = from.len() as f64;
        let used = |from: usize| (self.used[from + steps] - self.used[from]).as_secs_f64() * 1000.0 / processors;
        from.filter(|from| (used(*from) - cap).abs() > permille).count() as f64 / all
    }

    fn running(&self) -> usize {
        self.workers.iter().filter(|worker| !worker.borrow().stopped).count()
    }
}

fn allowed(workers: u16, cpu_permille: u16) -> Allowed {
    Allowed { workers, cpu_permille, ..Allowed::default() }
}

/// The thread that looks is late now and then, by less than a slice.
fn a_little(look: u32) -> Duration {
    Duration::from_micros(u64::from(look * 7919 % 15) * 100)
}

#[test]
fn every_window_of_a_second_is_at_the_cap() {
    for (processors, workers) in [(1, 1), (2, 1), (2, 2), (8, 4), (16, 16), (64, 64)] {
        for cap in [10, 50, 100, 300, 500, 800, 990] {
            let mut world = World::new(processors, workers, allowed(u16::MAX, cap));
            world.run(Duration::from_secs(6), a_little);
            let (most, least, mean) = world.windows(processors as f64);
            let possible = f64::from(cap).min(workers as f64 * 1000.0 / processors as f64);
            let told = format!("{workers} workers, {processors} processors, {cap}: {least:.1} to {most:.1}, {mean:.2}");
            assert!(most <= possible + 5.0 && least >= possible - 5.0, "{told}");
            assert!((mean - possible).abs() < 2.0, "{told}");
        }
    }
}

#[test]
fn what_a_late_look_gave_away_is_paid_back() {
    // Every fortieth look comes 20 ms late, as on a computer that is all in use.
    let mut world = World::new(2, 2, allowed(2, 300));
    world.run(Duration::from_secs(20), |look| Duration::from_millis(if look % 40 == 0 { 20 } else { 0 }));
    let (most, _, mean) = world.windows(2.0);
    assert!(most <= 320.0 && mean <= 301.0, "{most:.1} {mean:.2}");
}

/// Others have all processors for a moment, again and again: what they took is made up for as soon as
/// they are gone, and no second shows it.
#[test]
fn what_others_took_is_made_up_for_within_any_second() {
    for (processors, workers) in [(2, 2), (8, 8)] {
        for cap in [100, 300, 500, 800] {
            let mut world = World::new(processors, workers, allowed(u16::MAX, cap));
            world.taken = |at| at.as_millis() % 700 < 20;
            world.run(Duration::from_secs(30), a_little);
            let ((most, _, mean), cap) = (world.windows(processors as f64), f64::from(cap));
            let far = world.far(processors as f64, cap, 5.0);
            let told = format!("{workers} workers, {cap}: most {most:.1}, mean {mean:.2}, {far:.3} of the windows far");
            assert!(most <= cap + 5.0 && (mean - cap).abs() < 4.0 && far < 0.2, "{told}");
        }
    }
}

#[test]
fn nothing_is_saved_up_while_there_is_no_work() {
    let mut world = World::new(2, 1, allowed(2, 100));
    for id in std::mem::take(&mut world.ids) {
        world.pack.remove(world.now, id);
    }
    assert_eq!(world.pack.look(world.now, false).again, None, "nobody is looked at");
    world.now += Duration::from_secs(3600);
    world.pack.add(world.now, Rc::clone(&world.workers[0]), Duration::ZERO);
    world.run(Duration::from_secs(3), a_little);
    let (most, ..) = world.windows(2.0);
    assert!(most <= 105.0, "{most}");
}

#[test]
fn without_a_cap_nobody_looks() {
    for (workers, most, running) in [(3, 3, 3), (3, 2, 2), (3, 0, 0)] {
        let mut world = World::new(4, workers, allowed(most, 1000));
        assert_eq!(world.run(Duration::from_secs(1), a_little), 1, "one look, and no other");
        assert_eq!(world.running(), running);
        let signals: u32 = world.workers.iter().map(|worker| worker.borrow().signals).sum();
        assert_eq!(signals as usize, workers - running);
    }
}

#[test]
fn the_oldest_run_and_another_takes_the_place_of_one_that_ends() {
    let mut world = World::new(4, 3, allowed(1, 1000));
    world.run(Duration::from_millis(10), a_little);
    let stopped = |world: &World| world.workers.iter().map(|worker| worker.borrow().stopped).collect::<Vec<_>>();
    assert_eq!(stopped(&world), [false, true, true]);
    assert_eq!(world.pack.held(world.now, world.ids[1]), Duration::from_millis(10));
    world.pack.remove(world.now, world.ids[0]);
    world.pack.look(world.now, false);
    assert_eq!(stopped(&world), [false, false, true]);
    // Let off the leash, one that was stopped runs.
    world.pack.remove(world.now, world.ids[2]);
    assert_eq!(stopped(&world), [false, false, false]);
    assert_eq!(world.pack.held(world.now + STEP, world.ids[1]), Duration::from_millis(10));
}

#[test]
fn a_halt_stops_all_without_a_timer_and_lasts() {
    let mut world = World::new(2, 2, allowed(2, 1000));
    world.run(Duration::from_millis(10), a_little);
    let look = world.pack.look(world.now, true);
    assert_eq!(look, Look { again: None, stops: 2, continues: 0 });
    world.halted = true;
    world.pack.allow(world.now, allowed(1, 500));
    world.run(Duration::from_millis(10), a_little);
    world.pack.add(world.now, Shared::default(), Duration::ZERO);
    assert_eq!(world.pack.look(world.now, true).stops, 1, "and who comes later");
    assert_eq!(world.running(), 0);
    assert_eq!(world.pack.held(world.now, world.ids[0]), Duration::from_millis(10));
    let look = world.pack.look(world.now, false);
    assert_eq!((look.continues, world.running()), (1, 1));
}

#[test]
fn what_was_used_without_a_cap_is_no_debt() {
    let mut world = World::new(2, 2, allowed(2, 1000));
    world.run(Duration::from_secs(60), a_little);
    world.pack.allow(world.now, allowed(2, 100));
    let (before, from) = (world.used.len(), world.now);
    world.run(Duration::from_secs(2), a_little);
    let used = (world.used[world.used.len() - 1] - world.used[before - 1]).as_secs_f64();
    assert!((0.39..0.41).contains(&used), "{used} in {:?}", world.now - from);
    // And a cap that is lifted leaves nobody stopped.
    world.pack.allow(world.now, allowed(2, 1000));
    world.pack.look(world.now, false);
    assert_eq!(world.running(), 2);
    assert!(world.now > world.begun);
}

#[test]
fn a_cap_of_nothing_lets_nobody_run() {
    let mut world = World::new(2, 2, allowed(2, 0));
    assert!(world.run(Duration::from_secs(1), a_little) <= 2);
    assert_eq!(world.running(), 0);
}
