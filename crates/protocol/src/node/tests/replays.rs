//! A day of paid work, recorded and said again: a hundred thousand messages, and nobody believes one.

use std::collections::BTreeMap;

use p2p_types::{Credits, Monotonic, Timestamp};

use super::money::{balance, earned, task_for};
use super::world::World;
use crate::io::{Input, Output, Restored};
use crate::wire::envelope::Message;

/// Frames as they were recorded, and the letters in them, put into new envelopes.
const FRAMES: usize = 80_000;
const LETTERS: usize = 20_000;
/// Replays between two times that everybody begins anew.
const ROUND: usize = 200;
/// Between two replays: as fast as a node may speak.
const STEP_US: u64 = 20_000;

/// Why frames were refused, and how often.
type Refused = BTreeMap<String, usize>;

/// Gives `at` a frame as if `from` had sent it. Anything but a refusal is a replay that was believed.
fn replay(world: &mut World, from: usize, at: usize, frame: &[u8], refused: &mut Refused) {
    world.now.mono = Monotonic(world.now.mono.0 + STEP_US);
    let sender = world.device(from);
    world.seats[at].node.handle(world.now, Input::Received { from: sender, frame: frame.to_vec() });
    let mut said = None;
    while let Some(output) = world.seats[at].node.poll_output() {
        match output {
            // Numbers and names differ from frame to frame.
            Output::Misbehaved { reason, .. } => {
                let words = reason.split(' ').filter(|word| !word.contains(|letter: char| letter.is_ascii_digit()));
                said = Some(words.take(3).collect::<Vec<_>>().join(" "));
            }
            Output::Disconnect { .. } | Output::NodeChanged => {}
            other => panic!("a replay of {from} was believed by {at}: {other:?}"),
        }
    }
    // Whoever goes on like this is shown out, and what it says then is not even read.
    *refused.entry(said.unwrap_or_else(|| "unread".to_owned())).or_default() += 1;
}

/// Everybody forgets who was shown out, and every number they heard.
fn begin_anew(world: &mut World, sequence: u64) {
    for at in 0..3 {
        world.restart(at, &Restored { sequence, ..Restored::default() });
        world.open_wallets(at);
    }
    for (one, other) in [(0, 1), (0, 2), (1, 2)] {
        world.part(one, other);
        world.connect(one, other);
    }
    world.pass(100);
}

#[test]
fn a_hundred_thousand_replays_move_nothing() {
    let mut world = earned(3, false);
    for _ in 0..12 {
        task_for(&mut world, 1, 2);
        world.pass(300);
    }
    world.pass(20_000);
    let frames = std::mem::take(&mut world.frames);
    let said = std::mem::take(&mut world.heard);
    let books = world.seats[0].node.books().expect("the notary").clone();
    let held: Vec<_> = (0..3).map(|at| balance(&world, at)).collect();
    let records = world.log.len();
    let wall = world.now.wall;

    let mut refused = Refused::new();
    for number in 0..FRAMES {
        if number % ROUND == 0 {
            world.now.wall = wall;
            begin_anew(&mut world, 1_000_000 * (1 + number / ROUND) as u64);
        }
        let (from, to, frame) = &frames[number % frames.len()];
        match number / (FRAMES / 5) {
            // To the same node at once; by another node; to another node.
            0 => replay(&mut world, *from, *to, frame, &mut refused),
            1 => replay(&mut world, 3 - from - to, *to, frame, &mut refused),
            2 => replay(&mut world, *from, 3 - from - to, frame, &mut refused),
            // An hour later; where the receiver's calendar went back an hour.
            3 => {
                world.now.wall = wall.plus_ms(3_600_000);
                replay(&mut world, *from, *to, frame, &mut refused);
            }
            _ => {
                world.now.wall = Timestamp(wall.0 - 3_600_000);
                replay(&mut world, *from, *to, frame, &mut refused);
            }
        }
    }
    world.now.wall = wall;
    assert_eq!(refused.values().sum::<usize>(), FRAMES, "{refused:?}");
    for defence in ["it was seen", "it was signed", "it is addressed", "it expired", "it was sent"] {
        assert!(refused.keys().any(|reason| reason.starts_with(defence)), "{defence}: {refused:?}");
    }

    // The letters themselves, in envelopes that are right: what a payer, a payee or the notary could say again.
    let letters: Vec<_> = said
        .iter()
        .filter(|(_, _, message)| {
            use Message::{LedgerOrder, LedgerRefusal, Payment, Statement};
            matches!(message, LedgerOrder(_) | LedgerRefusal(_) | Payment(_) | Statement(_))
        })
        .collect();
    assert!(letters.len() > 20, "{}", letters.len());
    for number in 0..LETTERS {
        if number % ROUND == 0 {
            begin_anew(&mut world, 1_000_000 * (1000 + number / ROUND) as u64);
        }
        let (from, to, letter) = letters[number % letters.len()];
        world.now.mono = Monotonic(world.now.mono.0 + STEP_US);
        let others = [(*from, *to), (3 - from - to, *to)];
        let (from, to) = others[number / letters.len() % 2];
        if !world.seats[from].connected.contains(&to) {
            world.connect(from, to);
        }
        let frame = world.forge(from, to, letter.clone(), |_| {});
        world.inject(from, to, frame);
        world.heard.clear();
        world.frames.clear();
    }

    println!("{FRAMES} frames: {refused:?}; {LETTERS} letters of {}: nothing moved", letters.len());
    assert_eq!(world.log.len(), records, "the notary wrote nothing");
    assert!(*world.seats[0].node.books().expect("the notary") == books, "its books are as they were");
    for (at, before) in held.iter().enumerate() {
        let after = balance(&world, at);
        assert_eq!(
            (after.earned, after.granted, after.free, after.held, after.orders),
            (before.earned, before.granted, before.free, before.held, before.orders),
            "node {at}"
        );
    }
    assert_eq!(world.seats[2].node.pending().count(), 0);

    // And honest work goes on, after everybody began anew.
    begin_anew(&mut world, 1_000_000_000);
    world.pass(20_000);
    let task = task_for(&mut world, 1, 2);
    world.pass(10_000);
    let task = world.task(1, task);
    assert!(task.paid > Credits::ZERO, "{task:?}");
}
