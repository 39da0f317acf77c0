//! Work that is paid: holds, vouchers, settlements, canaries' credits and what comes of them.

use p2p_types::{Credits, Output as Answer, Placement, Privacy, TaskId, TaskKind, Timestamp};

use super::world::{START, World, computed};
use crate::io::{ChunkSizes, Durable, Input, Output, Restored, TaskRequest};
use crate::pay::{Balance, KeptVoucher, Limits, Payer};
use crate::requester::State;
use crate::wire::{self, envelope::Message};

const DAY_MS: u64 = 24 * 3_600_000;

pub(super) fn balance(world: &World, at: usize) -> Balance {
    world.seats[at].node.balance(Payer::Owner, world.now).expect("it is in a network")
}

fn credits(micro: u64) -> Credits {
    Credits::from_micro(micro).expect("small")
}

const TEXT: &str = "a text of forty letters, give or take 1!";

fn right() -> Answer {
    computed(TaskKind::Sentiment, TEXT).expect("it can be answered")
}

/// A task of the canary issuer for one node.
fn canary(world: &mut World, number: u8, to: usize, right: Answer) -> TaskId {
    let id = TaskId([number; 16]);
    let request = TaskRequest {
        id,
        kind: TaskKind::Sentiment,
        texts: vec![TEXT.to_owned()],
        chunk: ChunkSizes::default(),
        privacy: Privacy::Public,
        placement: Placement::Network,
        priority: p2p_types::Priority::Normal,
        deadline_ms: None,
        payer: Payer::Issuer,
        only: Some(world.device(to)),
        expected: vec![right],
    };
    let now = world.now;
    world.seats[0].node.submit(now, request).expect("taken");
    world.input(0, Input::Tick);
    id
}

/// A task that any other computer may do.
fn public(world: &mut World, at: usize, texts: &[&str]) -> TaskId {
    let request = world.request(TaskKind::Sentiment, texts);
    let request = TaskRequest { privacy: Privacy::Public, placement: Placement::Network, ..request };
    world.submit(at, request)
}

fn price() -> u64 {
    1_400_000 + 10 * 4_000
}

/// Everybody's lane is open, and node 1 did a canary and was paid.
pub(super) fn earned(nodes: usize, unpaid: bool) -> World {
    let mut world = World::with_money(nodes, unpaid);
    world.pass(100);
    let id = canary(&mut world, 200, 1, right());
    world.pass(10_000);
    assert_eq!(world.seats[0].node.task(&id).expect("known").state, State::Done);
    world
}

#[test]
fn a_newcomers_first_canary_is_settled_and_opens_the_grants() {
    let world = earned(3, false);
    let got = balance(&world, 1);
    assert!(got.current, "{got:?}");
    // 5 % of the price burn.
    assert_eq!(got.earned, credits(price() - price() / 20));
    assert_eq!((got.granted, got.free), (Credits::whole(130), Credits::whole(50)));
    let founder = balance(&world, 0);
    assert_eq!((founder.earned, founder.granted, founder.free), Default::default(), "the founder mints nothing");
    assert!(world.seats[0].node.books().expect("the notary").ledger().balances());
    assert_eq!(world.seats[1].node.pending().count(), 0);
}

/// The owner sits at the computer and has just joined: the welcome check comes all the same, and nothing else.
#[test]
fn the_welcome_check_is_done_while_its_owner_is_there() {
    let mut world = World::with_money(3, true);
    (1..3).for_each(|at| world.input(at, Input::Rules { guests: false, own_work: true, duties: true }));
    world.pass(1200);
    let refused = task_for(&mut world, 2, 1);
    let id = canary(&mut world, 200, 1, right());
    world.pass(10_000);
    assert_eq!(world.seats[0].node.task(&id).expect("known").state, State::Done);
    assert!(!balance(&world, 1).earned.is_zero());
    assert_eq!(world.seats[2].node.task(&refused).expect("known").state, State::Failed);
    let again = canary(&mut world, 201, 1, right());
    world.pass(60_000);
    assert_eq!(world.seats[0].node.task(&again).expect("known").state, State::Failed, "it is a guest's from now on");
    assert_eq!(world.seats[1].node.counts().2, 1);
}

#[test]
fn a_wrong_answer_to_a_canary_is_not_paid() {
    let mut world = World::with_money(2, false);
    world.pass(100);
    let other = Answer::Label { label: "neither".to_owned(), score_ppm: 900_000 };
    let id = canary(&mut world, 200, 1, other);
    world.pass(100_000);
    assert_eq!(world.seats[0].node.task(&id).expect("known").state, State::Done);
    let got = balance(&world, 1);
    assert_eq!((got.earned, got.granted, got.free), Default::default());
    let issuer = world.seats[0].node.balance(Payer::Issuer, world.now).expect("it plays the issuer");
    assert_eq!((issuer.earned, issuer.held), (Credits::whole(5000), Credits::ZERO), "what was set aside came back");
}

#[test]
fn who_has_credits_pays_and_who_has_none_is_not_served_by_strangers() {
    let mut world = earned(3, false);
    let paid = public(&mut world, 1, &["good"; 3]);
    world.pass(10_000);
    let task = world.seats[1].node.task(&paid).expect("known");
    assert_eq!(task.state, State::Done, "{task:?}");
    let cost = 3 * 1_400_000 + 3 * 4_000;
    assert_eq!(task.paid, credits(cost));
    let (payer, provider) = (balance(&world, 1), task.providers[0]);
    assert_eq!(payer.free, credits(50_000_000 - cost), "what lapses goes first, what was not used came back");
    assert_eq!(payer.held, Credits::ZERO);
    let provider = (0..3).find(|at| world.device(*at) == provider).expect("one of them");
    // What was given stays marked when it is spent.
    let got = balance(&world, provider);
    assert_eq!((got.earned, got.granted), (Credits::ZERO, credits(cost - cost / 20)));

    let poor = if provider == 2 { 0 } else { 2 };
    let unpaid = public(&mut world, poor, &["good"]);
    world.pass(15_000);
    let task = world.seats[poor].node.task(&unpaid).expect("known");
    assert_eq!(task.state, State::Failed);
    assert!(task.why_failed.as_ref().is_some_and(|why| why.contains("1.404 credits")), "{:?}", task.why_failed);
}

#[test]
fn among_people_who_know_each_other_work_is_done_for_nothing_too() {
    let mut world = World::with_money(3, true);
    world.pass(100);
    let task = public(&mut world, 1, &["good"]);
    world.pass(1000);
    let task = world.seats[1].node.task(&task).expect("known");
    assert_eq!((task.state, task.paid), (State::Done, Credits::ZERO));
}

#[test]
fn no_task_under_a_hold_waits_for_the_notary() {
    let mut world = earned(3, false);
    let first = task_for(&mut world, 1, 2);
    world.pass(100);
    assert_eq!(world.task(1, first).state, State::Done);
    world.kill(0);
    let second = task_for(&mut world, 1, 2);
    world.pass(100);
    assert_eq!(world.task(1, second).state, State::Done, "{:?}", world.task(1, second).why_failed);
    let pending: u64 = world.seats[2].node.pending().map(|pending| pending.amount.micro()).sum();
    assert_eq!(pending, 2 * 1_404_000 / 100 * 95, "both wait for the notary");
}

#[test]
fn what_the_owner_allows_is_never_exceeded() {
    let mut world = earned(3, false);
    world.input(1, Input::Limits { limits: Limits { daily: Some(Credits::whole(3)), total: None } });
    for _ in 0..2 {
        let task = public(&mut world, 1, &["good"]);
        world.pass(8000);
        assert_eq!(world.seats[1].node.task(&task).expect("known").state, State::Done);
    }
    let third = public(&mut world, 1, &["good"]);
    world.pass(15_000);
    let task = world.seats[1].node.task(&third).expect("known");
    assert_eq!(task.state, State::Failed);
    assert!(task.why_failed.as_ref().is_some_and(|why| why.contains("limit")), "{:?}", task.why_failed);
    assert!(balance(&world, 1).spent_today <= Credits::whole(3));
}

#[test]
fn a_payer_that_does_not_pay_gets_no_more_work() {
    let mut world = earned(3, false);
    world.road(|from, _, envelope| {
        let voucher = from == 1 && matches!(envelope.message, Some(Message::Payment(_)));
        if voucher { super::world::Way::Lost } else { super::world::Way::Straight }
    });
    // One text after the other, cheap enough for hundreds. Two sessions may end owing; after that each is refused
    // for twice as long as the one before.
    let mut done = [0_u32; 4];
    for turn in 0..120 {
        let task = task_for(&mut world, 1, 2);
        world.pass(20_000);
        done[turn / 30] += u32::from(world.task(1, task).state == State::Done);
    }
    assert!(
        done[0] <= 24 && done[1..].iter().sum::<u32>() <= 12,
        "{done:?} tasks were done for nothing, by ten minutes"
    );
    assert!(world.seats[0].node.books().expect("the notary").ledger().balances());
}

#[test]
fn what_was_not_answered_is_not_paid() {
    let mut world = earned(3, false);
    world.seats[2].workers = super::world::Workers::Wait;
    let task = task_for(&mut world, 1, 2);
    world.pass(50);
    let (work, _) = world.seats[2].running.values().next().expect("it was begun").clone();
    let outcomes = vec![Err(p2p_types::TextFailure::Model)];
    world.seats[2].running.clear();
    world.input(2, Input::WorkDone { work_id: work.work_id, outcomes, queued_us: 0, compute_us: 5 });
    world.pass(70_000);
    assert_eq!(world.task(1, task).paid, Credits::ZERO);
    assert_eq!((balance(&world, 1).held, balance(&world, 2).granted), (Credits::ZERO, Credits::ZERO));
}

/// The payer says an early voucher once more, while the restarted payee has not heard from the notary.
#[test]
fn a_voucher_on_disk_is_not_replaced_by_an_earlier_one() {
    let mut world = earned(3, false);
    let mut first = None;
    for _ in 0..3 {
        task_for(&mut world, 1, 2);
        world.pass(100);
        let said = world.heard.iter().rev().find_map(|(from, _, message)| match message {
            Message::Payment(payment) if *from == 1 => Some(payment.clone()),
            _ => None,
        });
        first = first.or(said);
    }
    let kept = world.kept(2).filter_map(|durable| match durable {
        Durable::Voucher { hold, signed } => Some(KeptVoucher { hold: *hold, signed: signed.clone() }),
        _ => None,
    });
    let latest = kept.last().expect("vouchers were kept");
    world.kill(0);
    let (statement, entries) = world.on_disk(2);
    world.restart(2, &Restored { sequence: 1_000_000, ..Restored::default() });
    let statement = Box::new(statement);
    world.input(2, Input::Wallet { payer: Payer::Owner, statement, entries, kept: vec![latest] });
    let frame = world.forge(1, 2, Message::Payment(first.expect("it paid")), |_| {});
    world.inject(1, 2, frame);
    let pending: u64 = world.seats[2].node.pending().map(|pending| pending.amount.micro()).sum();
    assert_eq!(pending, 3 * 1_404_000 / 100 * 95);
}

#[test]
fn a_new_day_brings_the_free_tier_and_ends_an_epoch() {
    let mut world = earned(3, false);
    assert_eq!(world.seats[0].node.books().expect("the notary").ledger().epoch(), 0);
    world.now.wall = Timestamp(START.0 + DAY_MS);
    world.pass(1_300_000);
    let got = balance(&world, 1);
    assert_eq!((got.granted, got.free), (Credits::whole(130), Credits::whole(50)));
    let books = world.seats[0].node.books().expect("the notary");
    assert!(books.ledger().epoch() >= 1 && books.ledger().balances());
    assert_eq!(books.ledger().supply().lapsed, Credits::whole(50));
}

#[test]
fn what_nobody_may_say_is_held_against_who_says_it() {
    let mut world = earned(3, false);
    let strikes = |world: &World, at: usize| {
        world.seats[at].outputs.iter().filter(|output| matches!(output, Output::Misbehaved { .. })).count()
    };
    let lane = balance(&world, 1).lane;
    let (account, device) = (lane.account.0.to_vec(), lane.device.0.to_vec());
    let asks =
        Message::StatementRequest(wire::StatementRequest { account: account.clone(), device: device.clone(), from: 0 });
    let frame = world.forge(2, 0, asks, |_| {});
    world.inject(2, 0, frame);
    assert_eq!(strikes(&world, 0), 1, "another's credits are not shown");
    let before = balance(&world, 1);
    let says = Message::Statement(wire::Statement { account, device, total: 99, ..wire::Statement::default() });
    let frame = world.forge(2, 1, says, |_| {});
    world.inject(2, 1, frame);
    let frame = world.forge(2, 1, Message::Payment(wire::Payment { voucher: vec![1; 300] }), |_| {});
    world.inject(2, 1, frame);
    assert_eq!(strikes(&world, 1), 2);
    assert_eq!(balance(&world, 1), before);
}

/// What is on disk of a lane is what its owner is told.
#[test]
fn entries_are_kept_in_their_order_with_their_certificates() {
    let world = earned(3, false);
    let entries: Vec<u64> = world.seats[1]
        .outputs
        .iter()
        .filter_map(|output| match output {
            Output::Persist(Durable::Entry { entry, certificate }) => {
                assert!(!certificate.is_empty());
                Some(entry.number)
            }
            _ => None,
        })
        .collect();
    assert_eq!(entries, (0..entries.len() as u64).collect::<Vec<_>>());
    assert_eq!(balance(&world, 1).orders, entries.len() as u64);
}

/// A task for one node, that is paid by its owner.
pub(super) fn task_for(world: &mut World, at: usize, to: usize) -> TaskId {
    let request = world.request(TaskKind::Sentiment, &["good"]);
    let only = Some(world.device(to));
    world.submit(at, TaskRequest { only, ..request })
}

#[test]
fn what_was_set_aside_for_who_never_comes_back_is_taken_back() {
    let mut world = earned(3, false);
    let task = task_for(&mut world, 1, 2);
    world.pass(100);
    assert_eq!(world.seats[1].node.task(&task).expect("known").state, State::Done);
    world.kill(2);
    world.pass(700_000);
    assert!(!balance(&world, 1).held.is_zero(), "it may be settled yet");
    world.now.wall = world.now.wall.plus_ms(3 * 3_600_000);
    world.pass(700_000);
    assert_eq!(balance(&world, 1).held, Credits::ZERO);
}

/// A crash of the payer between the order and the work, or of the payee after it, leaves such a hold.
#[test]
fn a_hold_that_its_payee_never_saw_goes_back_after_a_minute() {
    let mut world = earned(3, false);
    world.road(|from, _, envelope| {
        let work = from == 1 && matches!(envelope.message, Some(Message::Assignment(_)));
        if work { super::world::Way::Lost } else { super::world::Way::Straight }
    });
    task_for(&mut world, 1, 2);
    world.pass(1000);
    assert!(!balance(&world, 1).held.is_zero());
    world.pass(50_000);
    assert!(!balance(&world, 1).held.is_zero(), "its payer may be slow");
    world.pass(70_000);
    assert_eq!(balance(&world, 1).held, Credits::ZERO);
    assert!(world.seats[0].node.books().expect("the notary").ledger().balances());
}

#[test]
fn a_voucher_that_a_connection_lost_is_said_again_on_the_next() {
    let mut world = earned(3, false);
    world.road(|from, _, envelope| {
        let voucher = from == 1 && matches!(envelope.message, Some(Message::Payment(_)));
        if voucher { super::world::Way::Lost } else { super::world::Way::Straight }
    });
    let task = task_for(&mut world, 1, 2);
    world.pass(20_000);
    assert_eq!(world.seats[1].node.task(&task).expect("known").state, State::Done);
    assert_eq!(world.seats[2].node.pending().count(), 0);
    world.road(|_, _, _| super::world::Way::Straight);
    world.part(1, 2);
    world.pass(200_000);
    assert!(!balance(&world, 1).held.is_zero(), "who waits for a voucher gives nothing back");
    world.connect(1, 2);
    assert_eq!(world.seats[2].node.pending().count(), 1);
    world.part(1, 2);
    world.connect(1, 2);
    assert!(world.misbehaved(2).is_empty(), "the same once more is no offence");
    world.pass(20_000);
    assert_eq!((world.seats[2].node.pending().count(), balance(&world, 1).held), (0, Credits::ZERO));
    assert!(!balance(&world, 2).granted.is_zero());
}

#[test]
fn a_task_whose_hold_is_refused_or_never_answered_ends() {
    let mut world = earned(2, false);
    // This one has no lane: nothing can be set aside for it.
    let bare = world.sit(&Restored::default(), true);
    world.connect(0, bare);
    world.connect(1, bare);
    let refused = canary(&mut world, 201, bare, right());
    world.road(|from, _, envelope| {
        let order = from == 1 && matches!(envelope.message, Some(Message::LedgerOrder(_)));
        if order { super::world::Way::Lost } else { super::world::Way::Straight }
    });
    let unanswered = task_for(&mut world, 1, 0);
    world.pass(60_000);
    assert_eq!(world.seats[0].node.task(&refused).expect("known").state, State::Failed);
    world.road(|_, _, _| super::world::Way::Straight);
    world.pass(30_000);
    assert!(world.seats[1].node.task(&unanswered).expect("known").state.is_final());
}

#[test]
fn a_statement_that_was_not_read_is_asked_for_in_time() {
    let mut world = earned(3, false);
    world.road(|from, to, envelope| {
        let statement = (from, to) == (0, 2) && matches!(envelope.message, Some(Message::Statement(_)));
        if statement { super::world::Way::Lost } else { super::world::Way::Straight }
    });
    task_for(&mut world, 1, 2);
    world.pass(1000);
    world.road(|_, _, _| super::world::Way::Straight);
    let lane = balance(&world, 2).lane;
    let there = |world: &World| world.seats[0].node.books().expect("the notary").places(&lane).len() as u64;
    assert!(balance(&world, 2).orders < there(&world));
    world.pass(1_300_000);
    assert_eq!(balance(&world, 2).orders, there(&world));
}

/// What the notary certified is worth what it says, even where the notary's own disk forgot it.
#[test]
fn a_notary_that_lost_its_last_records_is_told_by_those_who_have_them() {
    let mut world = earned(3, false);
    let paid = public(&mut world, 1, &["good"; 3]);
    world.pass(10_000);
    assert_eq!(world.task(1, paid).state, State::Done);
    let before: Vec<Balance> = (1..3).map(|at| balance(&world, at)).collect();
    let next = |world: &World, at: usize| {
        let lane = balance(world, at).lane;
        world.seats[0].node.books().expect("the notary").ledger().lane(&lane).map(p2p_ledger::Lane::next)
    };
    let orders = [next(&world, 1), next(&world, 2)];
    let records = world.log.len();
    assert!(records > 8, "{records}");
    world.forget_records(6);
    world.pass(120_000);
    let books = world.seats[0].node.books().expect("the notary");
    assert!(books.ledger().balances());
    for (at, before) in (1..3).zip(before) {
        let after = balance(&world, at);
        assert!(after.current, "{at}");
        assert_eq!((after.earned, after.granted, after.free), (before.earned, before.granted, before.free));
    }
    assert_eq!([next(&world, 1), next(&world, 2)], orders);
}
