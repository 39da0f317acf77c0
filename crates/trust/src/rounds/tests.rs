use std::collections::BTreeSet;

use p2p_types::{Now, Seed, Timestamp};

use super::*;
use crate::BrokenCopy;

const FOUNDER: AccountId = AccountId([255; 32]);
const RICH: Budget = Budget { left: 1_000_000, price: 10 };
const SECOND: u64 = 1_000;

fn device(n: u64) -> DeviceId {
    let mut id = [1; 32];
    id[..8].copy_from_slice(&n.to_le_bytes());
    DeviceId(id)
}

fn account(n: u64) -> AccountId {
    AccountId(device(n).0)
}

fn peer(n: u64, owner: u64) -> Peer {
    let kinds = BTreeSet::from([TaskKind::Sentiment]);
    Peer { device: device(n), account: account(owner), kinds, accepting: true }
}

/// A world with its own clock and chance.
struct World {
    rounds: Rounds,
    now: Monotonic,
    chance: Seed,
    peers: Vec<Peer>,
}

impl World {
    fn new(peers: Vec<Peer>) -> Self {
        Self { rounds: Rounds::new(FOUNDER), now: Monotonic(50_000_000), chance: Seed::new([4; 32]), peers }
    }

    fn random(&mut self) -> u64 {
        self.chance.below(u64::MAX)
    }

    fn next(&mut self, budget: Budget) -> Option<Ask> {
        let random = self.random();
        self.rounds.next(self.now, random, &self.peers, budget)
    }

    fn ended(&mut self, n: u64, outcome: Outcome) -> Option<Standing> {
        let random = self.random();
        self.rounds.ended(self.now, random, device(n), outcome)
    }

    /// Lets time pass from deadline to deadline until somebody is asked: whom, and after how long.
    fn wait(&mut self) -> Option<(Ask, u64)> {
        let from = self.now;
        for _ in 0..1_000 {
            if let Some(ask) = self.next(RICH) {
                return Some((ask, self.now.since(from) / 1_000));
            }
            let deadline = self.rounds.next_deadline()?;
            assert!(deadline > self.now, "a deadline that nothing comes of would be waited for in a circle");
            self.now = deadline;
        }
        None
    }
}

#[test]
fn a_newcomer_is_asked_at_once_and_once() {
    let mut world = World::new(vec![peer(1, 1)]);
    let ask = world.next(RICH).expect("at once");
    assert_eq!(ask, Ask { device: device(1), account: account(1), newcomer: true });
    assert_eq!(world.next(RICH), None, "one is under way");
    assert_eq!(world.ended(1, Outcome::Passed), Some(Standing::Passed));
    assert_eq!(world.ended(1, Outcome::Passed), None, "it ended already");
    assert_eq!(world.next(RICH), None, "it is no newcomer any more");
}

#[test]
fn some_are_never_asked() {
    let mut founder = peer(1, 1);
    founder.account = FOUNDER;
    let unable = Peer { kinds: BTreeSet::from([TaskKind::Chunk, TaskKind::Noop]), ..peer(2, 2) };
    let busy = Peer { accepting: false, ..peer(3, 3) };
    let mut world = World::new(vec![founder, unable, busy]);
    assert_eq!(world.next(RICH), None);
    assert_eq!(world.rounds.next_deadline(), None);
}

#[test]
fn at_most_eight_are_under_way_and_one_for_an_account() {
    let mut world = World::new((0..20).map(|n| peer(n, n / 2)).collect());
    let asked: Vec<Ask> = std::iter::from_fn(|| world.next(RICH)).collect();
    assert_eq!((asked.len(), world.rounds.under_way()), (8, 8));
    assert_eq!(asked.iter().map(|ask| ask.account).collect::<BTreeSet<_>>().len(), 8);
}

#[test]
fn who_gave_no_answer_is_tried_again_later_and_later() {
    let mut world = World::new(vec![peer(1, 1)]);
    let mut waits = Vec::new();
    for _ in 0..10 {
        waits.push(world.wait().expect("asked again").1 / SECOND);
        assert_eq!(world.ended(1, Outcome::Nothing), Some(Standing::Newcomer));
    }
    assert_eq!(waits, [0, 5, 10, 20, 40, 80, 160, 320, 600, 600]);
}

/// However many devices it has, an account is one newcomer; each device is checked all the same.
#[test]
fn an_account_with_many_devices_is_one_newcomer() {
    let mut world = World::new((1..=5).map(|n| peer(n, 1)).collect());
    let first = world.wait().expect("at once").0;
    world.rounds.ended(world.now, 1, first.device, Outcome::Nothing);
    let (second, waited) = world.wait().expect("after five seconds");
    assert_eq!(waited, 5 * SECOND);
    assert_ne!(second.device, first.device, "the one that failed gives way");
    world.rounds.ended(world.now, 2, second.device, Outcome::Passed);
    assert_eq!(world.next(RICH), None, "the others are no newcomers");
    let mut asked = BTreeSet::new();
    for _ in 0..60 {
        let (ask, _) = world.wait().expect("in time");
        assert!(!ask.newcomer);
        asked.insert(ask.device);
        let random = world.random();
        world.rounds.ended(world.now, random, ask.device, Outcome::Passed);
    }
    assert_eq!(asked.len(), 5);
}

#[test]
fn who_passed_is_asked_again_at_random_and_less_and_less() {
    let mut world = World::new(vec![peer(1, 1)]);
    let mut waits = Vec::new();
    for _ in 0..1_060 {
        waits.push(world.wait().expect("asked").1);
        world.ended(1, Outcome::Passed);
    }
    let mean = |waits: &[u64]| waits.iter().sum::<u64>() / waits.len() as u64;
    let later = mean(&waits[60..]);
    assert!(later.abs_diff(HOUR_MS) < 6 * MINUTE_MS, "{later}");
    let below = waits[60..].iter().filter(|wait| **wait < HOUR_MS).count();
    assert!((580..690).contains(&below), "{below} of 1000, of an exponential distribution 632");
    assert_eq!((mean_ms(1), mean_ms(20), mean_ms(5_000)), (11 * MINUTE_MS, 30 * MINUTE_MS, HOUR_MS));

    // Many that passed once: ten minutes, about.
    let mut early = Vec::new();
    for n in 0..400 {
        world.peers = vec![peer(n + 10, n + 10)];
        world.wait();
        world.ended(n + 10, Outcome::Passed);
        early.push(world.wait().expect("asked").1);
        world.ended(n + 10, Outcome::Passed);
    }
    assert!(mean(&early).abs_diff(11 * MINUTE_MS) < 2 * MINUTE_MS, "{}", mean(&early));
}

#[test]
fn who_answers_wrongly_waits_an_hour_then_two_and_becomes_a_cheat() {
    let mut world = World::new(vec![peer(1, 1)]);
    world.wait();
    let mut expected = HOUR_MS;
    for wrong in 1..=12_u32 {
        let standing = world.ended(1, Outcome::Wrong);
        assert_eq!(standing, Some(if wrong < 3 { Standing::Doubtful } else { Standing::Cheat }));
        let (_, waited) = world.wait().expect("everybody gets another chance");
        assert!(waited >= expected, "{waited} after {wrong}");
        assert!(waited < expected + 2 * HOUR_MS, "and a random time, mean ten minutes: {waited} after {wrong}");
        expected = (expected * 2).min(WEEK_MS);
    }
    assert_eq!(world.rounds.track(&device(1)).wrong, 12);
    assert_eq!(expected, WEEK_MS);
}

#[test]
fn one_wrong_answer_in_fifty_is_forgiven() {
    let standing = |passes, wrong| Track { passes, wrong, ..Track::default() }.standing();
    assert_eq!(standing(0, 0), Standing::Newcomer);
    assert_eq!(standing(1, 0), Standing::Passed);
    assert_eq!((standing(49, 1), standing(50, 1)), (Standing::Doubtful, Standing::Passed));
    assert_eq!((standing(149, 3), standing(150, 3)), (Standing::Cheat, Standing::Passed));
    assert_eq!(standing(0, u32::MAX), Standing::Cheat);
}

#[test]
fn a_wrong_answer_ends_the_streak() {
    let mut world = World::new(vec![peer(1, 1)]);
    for outcome in [Outcome::Passed, Outcome::Passed, Outcome::Nothing, Outcome::Wrong, Outcome::Passed] {
        world.wait();
        world.ended(1, outcome);
    }
    assert_eq!(world.rounds.track(&device(1)), Track { passes: 3, streak: 1, wrong: 1, nothings: 0 });
}

#[test]
fn the_budget_bears_what_is_under_way_and_the_last_of_it_is_for_newcomers() {
    let mut world = World::new((0..5).map(|n| peer(n, n)).collect());
    assert_eq!(world.next(Budget { left: 9, price: 10 }), None);
    let asked = std::iter::from_fn(|| world.next(Budget { left: 39, price: 10 })).count();
    assert_eq!(asked, 3);

    let mut world = World::new(vec![peer(1, 1)]);
    world.wait();
    world.ended(1, Outcome::Passed);
    assert_eq!(world.next(RICH), None);
    world.now = world.rounds.next_deadline().expect("drawn");
    assert_eq!(world.next(Budget { left: 89, price: 10 }), None);
    world.peers.push(peer(2, 2));
    assert!(world.next(Budget { left: 10, price: 10 }).expect("it is kept for them").newcomer);
    assert!(!world.next(Budget { left: 100, price: 10 }).expect("enough for both").newcomer);
}

#[test]
fn those_who_passed_leave_places_for_newcomers() {
    let mut world = World::new((0..10).map(|n| peer(n, n)).collect());
    for _ in 0..10 {
        let ask = world.next(RICH).expect("a newcomer");
        world.rounds.ended(world.now, 0, ask.device, Outcome::Passed);
    }
    (0..10).for_each(|n| world.rounds.memory.set_due(&device(n), world.now));
    let again = std::iter::from_fn(|| world.next(RICH)).count();
    assert_eq!(again, AGAIN_UNDER_WAY, "ten are due");
    world.peers.extend((20..30).map(|n| peer(n, n)));
    assert!(world.next(RICH).expect("a place is left").newcomer);
}

/// Else whoever comes back after a day would know that the first task is a canary.
#[test]
fn who_was_away_when_its_time_came_gets_another() {
    let mut at_once = 0;
    for n in 0..50 {
        let mut world = World::new(vec![peer(n, n)]);
        world.chance = Seed::new([u8::try_from(n).expect("small"); 32]);
        world.wait();
        world.ended(n, Outcome::Passed);
        world.next(RICH);
        world.now = world.now.plus_ms(24 * HOUR_MS);
        at_once += usize::from(world.wait().expect("in time").1 < 10 * SECOND);
    }
    assert!(at_once < 8, "{at_once} of 50");
}

/// A new account makes no newcomer of a device that was asked before.
#[test]
fn a_device_that_changed_hands_keeps_its_past() {
    let mut world = World::new(vec![peer(1, 1)]);
    world.wait();
    world.ended(1, Outcome::Wrong);
    world.peers = vec![peer(1, 2)];
    let (ask, waited) = world.wait().expect("in time");
    assert!(!ask.newcomer && ask.account == account(2) && waited >= HOUR_MS);
    for _ in 0..20 {
        world.ended(1, Outcome::Nothing);
        assert_eq!(world.next(RICH), None, "nor is it asked again at once");
        world.wait().expect("in time");
    }
    assert_eq!(world.rounds.standing(&device(1)), Standing::Doubtful);
}

#[test]
fn what_nobody_says_the_end_of_has_fallen_through() {
    let mut world = World::new(vec![peer(1, 1)]);
    world.wait();
    let (ask, waited) = world.wait().expect("again");
    assert_eq!((ask.device, waited), (device(1), LOST_MS + 5 * SECOND));
    assert_eq!(world.rounds.track(&device(1)).nothings, 1);
}

#[test]
fn memory_is_bounded_and_forgets_no_cheat_before_others() {
    let mut world = World::new(Vec::new());
    let ask = |world: &mut World, n: u64, outcome| {
        world.peers = vec![peer(n, n)];
        world.wait().expect("asked");
        world.ended(n, outcome);
    };
    for _ in 0..3 {
        ask(&mut world, 1, Outcome::Wrong);
    }
    ask(&mut world, 2, Outcome::Passed);
    for n in 10..10_200 {
        ask(&mut world, n, Outcome::Nothing);
    }
    assert_eq!(world.rounds.tracks().count(), 10_000);
    assert_eq!(world.rounds.standing(&device(1)), Standing::Cheat);
    assert_eq!(world.rounds.standing(&device(2)), Standing::Passed);
    assert_eq!(world.rounds.track(&device(10)).nothings, 0, "the oldest newcomer is forgotten");
    assert_eq!(world.rounds.track(&device(10_199)).nothings, 1);
}

#[test]
fn memory_outlives_the_process() {
    let mut world = World::new(vec![peer(1, 1), peer(2, 2), peer(3, 3)]);
    for (n, outcome) in [(1, Outcome::Wrong), (2, Outcome::Nothing), (3, Outcome::Passed)] {
        world.peers = vec![peer(n, n)];
        world.wait();
        world.ended(n, outcome);
    }
    let at = |wall, mono| Now { wall: Timestamp(wall), mono };
    let bytes = world.rounds.to_bytes(at(1_000_000, world.now));
    let tracks: Vec<_> = world.rounds.tracks().collect();

    // After a restart the timers' clock begins anew, and a minute has passed by the calendar.
    world.rounds = Rounds::from_bytes(&bytes, FOUNDER, at(1_060_000, Monotonic(7))).expect("whole");
    assert_eq!(world.rounds.tracks().collect::<Vec<_>>(), tracks);
    world.now = Monotonic(7);
    world.peers = vec![peer(1, 1)];
    let (_, waited) = world.wait().expect("in time");
    assert!((59 * MINUTE_MS..3 * HOUR_MS).contains(&waited), "the rest of the hour: {waited}");
    world.ended(1, Outcome::Wrong);
    world.peers = vec![peer(2, 2)];
    assert!(world.next(RICH).expect("its five seconds are over").newcomer);
    world.ended(2, Outcome::Nothing);
    assert_eq!(world.wait().map(|(_, waited)| waited), Some(10 * SECOND), "the second time");

    let mut damaged = bytes.clone();
    damaged[20] ^= 1;
    assert_eq!(Rounds::from_bytes(&damaged, FOUNDER, Now::default()).err(), Some(BrokenCopy::Damaged));
    let back = Rounds::from_bytes(&bytes, FOUNDER, at(0, Monotonic(0))).expect("a calendar that went back");
    assert_eq!(back.standing(&device(1)), Standing::Doubtful);
}

/// Whatever peers come and go and however they answer.
#[test]
fn the_rules_hold_in_any_run() {
    for seed in 0..60_u8 {
        let mut chance = Seed::new([seed; 32]);
        let mut rounds = Rounds::new(FOUNDER);
        let mut now = Monotonic(0);
        let (mut left, price) = (200 + chance.below(4_000), 1 + chance.below(20));
        let mut under_way: Vec<(Ask, Monotonic)> = Vec::new();
        for step in 0..400 {
            now = now.plus_ms(chance.below(90) * SECOND);
            under_way.retain(|(_, since)| since.plus_ms(LOST_MS) > now);
            // Forty devices of fifteen owners, one of them the founder.
            let mut peers: Vec<Peer> = (0..40).map(|n| peer(n, n % 15)).collect();
            peers.iter_mut().filter(|peer| peer.account == account(0)).for_each(|peer| peer.account = FOUNDER);
            peers.retain(|_| chance.below(3) > 0);
            if !under_way.is_empty() && chance.below(2) == 0 {
                let at = usize::try_from(chance.below(under_way.len() as u64)).expect("small");
                let (ask, _) = under_way.swap_remove(at);
                let outcome = [Outcome::Passed, Outcome::Wrong, Outcome::Nothing, Outcome::Passed]
                    [usize::try_from(chance.below(4)).expect("small")];
                // What is answered is paid; wrong answers as well, at worst.
                left -= if outcome == Outcome::Nothing { 0 } else { price };
                assert!(rounds.ended(now, chance.below(u64::MAX), ask.device, outcome).is_some());
            }
            let newcomers: Vec<AccountId> = peers
                .iter()
                .map(|peer| peer.account)
                .filter(|of| *of != FOUNDER && !rounds.tracks().any(|(_, owner, _)| owner == *of))
                .collect();
            while let Some(ask) = rounds.next(now, chance.below(u64::MAX), &peers, Budget { left, price }) {
                assert!(peers.iter().any(|peer| peer.device == ask.device), "only who is there");
                assert_ne!(ask.account, FOUNDER);
                assert!(under_way.iter().all(|(other, _)| other.account != ask.account), "two for one account");
                under_way.push((ask, now));
                assert!(under_way.len() as u64 * price <= left, "seed {seed} step {step}: more than there is");
            }
            assert!(under_way.len() <= UNDER_WAY);
            assert_eq!(under_way.len(), rounds.under_way());
            let full = under_way.len() == UNDER_WAY || (under_way.len() as u64 + 1) * price > left;
            let asked = |of: &AccountId| under_way.iter().any(|(ask, _)| ask.account == *of);
            assert!(full || newcomers.iter().all(asked), "seed {seed} step {step}: a newcomer waits");
        }
    }
}
