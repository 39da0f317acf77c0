//! What is on disk says all, and nothing else is believed.

use p2p_ledger::wire::Purpose;
use p2p_ledger::{Answer, LEAP_MS, Notary, Refusal, ReplayError, certificate, log};

use crate::world::{NETWORK, Owner, World, earned, parameters, transfer};

fn used() -> World {
    let mut world = World::new();
    let (mut first, second) = (world.owner(1), world.owner(2));
    world.earn(&mut first, 100);
    for _ in 0..4 {
        world.fine(&mut first, transfer(&second.lane(), earned(3), Purpose::Tip));
    }
    let record = world.notary.end_epoch(&world.key, world.now);
    world.log.push(record);
    world.fine(&mut first, transfer(&second.lane(), earned(3), Purpose::Tip));
    world
}

fn empty(world: &World) -> Notary {
    Notary::new(NETWORK, parameters(&world.founder, &world.issuer))
}

#[test]
fn a_log_replays_to_the_same_state() {
    let world = used();
    let replayed = world.replayed();
    assert_eq!(replayed, world.notary);
    assert_eq!(replayed.ledger().root(), world.notary.ledger().root());
}

#[test]
fn a_record_that_is_missing_repeated_or_another_notarys_is_refused() {
    let world = used();
    let mut missing = empty(&world);
    assert_eq!(missing.replay(&world.key, &world.log[1]), Err(ReplayError::Gap));
    let mut repeated = empty(&world);
    repeated.replay(&world.key, &world.log[0]).expect("the first");
    assert_eq!(repeated.replay(&world.key, &world.log[0]), Err(ReplayError::Gap));
    let other = &world.issuer.device;
    assert_eq!(empty(&world).replay(other, &world.log[0]), Err(ReplayError::Signature));
}

#[test]
fn no_flipped_bit_of_a_record_is_replayed() {
    let world = used();
    for (number, record) in world.log.iter().enumerate() {
        for place in (0..record.len()).step_by(7) {
            let mut notary = empty(&world);
            for before in &world.log[..number] {
                notary.replay(&world.key, before).expect("untouched");
            }
            let mut flipped = record.clone();
            flipped[place] ^= 1;
            notary.replay(&world.key, &flipped).expect_err("a flipped bit");
        }
    }
}

#[test]
fn certificates_that_were_lost_are_made_again_of_the_log() {
    let mut world = World::new();
    let (mut payer, payee) = (world.owner(1), world.owner(2));
    world.earn(&mut payer, 100);
    let mut orders = Vec::new();
    for _ in 0..3 {
        orders.push(payer.sign(&payer.order(world.now, 0, transfer(&payee.lane(), earned(3), Purpose::Gift))));
        payer.next += 1;
    }
    let answers = world.judge(orders);
    let again = certificate::of_record(&NETWORK, world.log.last().expect("a batch")).expect("its own record");
    assert_eq!(again.len(), 3);
    for (answer, again) in answers.into_iter().zip(again) {
        let Answer::Certified { id, certificate, .. } = answer else { panic!("{answer:?}") };
        assert_eq!((id, certificate), again);
    }
}

#[test]
fn a_calendar_far_ahead_is_believed_only_when_somebody_confirms_it() {
    let mut world = World::new();
    let owner = Owner::new(5);
    let late = world.now.plus_ms(LEAP_MS + 1);
    world.now = late;
    assert_eq!(world.refused(&owner, owner.opening()), Refusal::ClockLeap(LEAP_MS + 1));
    world.notary.confirm_clock(late);
    let mut owner = owner;
    world.open(&mut owner);
    assert_eq!(world.replayed().ledger(), world.notary.ledger());
}

#[test]
fn a_log_that_lost_its_end_takes_back_what_certificates_show() {
    let mut world = World::new();
    let (mut payer, payee) = (world.owner(1), world.owner(2));
    world.earn(&mut payer, 100);
    let order = payer.sign(&payer.order(world.now, 0, transfer(&payee.lane(), earned(30), Purpose::Gift)));
    let Answer::Certified { certificate, .. } = world.judge(vec![order]).remove(0) else { panic!("carried out") };
    let mut bytes = Vec::new();
    for record in &world.log {
        bytes.extend(log::frame(bytes.len() as u64, record).expect("below the limit"));
    }
    let (records, whole) = log::read(&bytes[..bytes.len() - 1]).expect("only its end is damaged");
    assert_eq!(records.len(), world.log.len() - 1);
    assert!(whole < bytes.len());

    let mut notary = empty(&world);
    for record in records {
        notary.replay(&world.key, record).expect("whole");
    }
    assert_ne!(notary.ledger().root(), world.notary.ledger().root());
    let judged = notary.restore(&world.key, &certificate).expect("its own certificate");
    assert!(judged.record.is_some());
    assert_eq!(notary.ledger().root(), world.notary.ledger().root());
    let again = notary.restore(&world.key, &certificate).expect("its own certificate");
    assert!(again.record.is_none(), "once is enough");
    let mut forged = certificate;
    forged.votes.clear();
    notary.restore(&world.key, &forged).expect_err("without a vote it shows nothing");
}
