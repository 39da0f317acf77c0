//! Orders that are refused, each with its reason, each changing nothing.

use p2p_ledger::wire::order::Body;
use p2p_ledger::wire::{self, Purpose};
use p2p_ledger::{
    Amounts, Answer, BATCH_ORDERS, HOLDS_PER_LANE, HOLDS_PER_PAYEE, LANES_PER_ACCOUNT, ORDERS_PER_EPOCH, Refusal,
};
use p2p_types::{Credits, Hash, NetworkId, SignError, Signed};

use crate::world::{HOUR, NETWORK, Owner, World, earned, hold, release, transfer};

fn two() -> (World, Owner, Owner) {
    let mut world = World::new();
    let (mut payer, payee) = (world.owner(1), world.owner(2));
    world.earn(&mut payer, 20);
    (world, payer, payee)
}

#[test]
fn amounts_of_nothing_too_much_or_more_than_there_is() {
    let (mut world, payer, payee) = two();
    let gift = |amounts: wire::Amounts| {
        let payee = Some(payee.lane().to_wire());
        Body::Transfer(wire::Transfer { payee, amounts: Some(amounts), purpose: Purpose::Gift.into() })
    };
    let only = |earned| wire::Amounts { earned, granted: 0, free: 0 };
    assert_eq!(world.refused(&payer, gift(only(0))), Refusal::Nothing);
    // What a negative number would be.
    assert_eq!(world.refused(&payer, gift(only(u64::MAX))), Refusal::TooLarge);
    let split = wire::Amounts { earned: u64::MAX / 2, granted: u64::MAX / 2, free: 2 };
    assert_eq!(world.refused(&payer, gift(split)), Refusal::TooLarge);
    let (wanted, available) = (Credits::whole(20), Credits::whole(19));
    let expires = world.now.plus_ms(HOUR);
    assert_eq!(world.refused(&payer, gift(only(wanted.micro()))), Refusal::Overdrawn { wanted, available });
    assert_eq!(
        world.refused(&payer, hold(&payee.lane(), earned(20), expires)),
        Refusal::Overdrawn { wanted, available }
    );
}

#[test]
fn strangers_and_oneself() {
    let (mut world, payer, payee) = two();
    let stranger = Owner::new(9);
    let lane = stranger.lane();
    assert_eq!(world.refused(&payer, transfer(&lane, earned(1), Purpose::Gift)), Refusal::UnknownPayee(lane));
    assert_eq!(world.refused(&stranger, transfer(&payee.lane(), earned(1), Purpose::Gift)), Refusal::UnknownLane(lane));
    assert_eq!(world.refused(&payer, transfer(&payer.lane(), earned(1), Purpose::Own)), Refusal::ToItself);
    let expires = world.now.plus_ms(HOUR);
    assert_eq!(world.refused(&payer, hold(&payer.lane(), earned(1), expires)), Refusal::ToItself);
    // A device that another account did not let in.
    let mut thief = stranger;
    thief.account = payer.account.clone();
    let opening = wire::LaneOpening { device: p2p_types::Scheme::public_key(&thief.device).to_vec(), issued_ms: 0 };
    let opening = Signed::new(&thief.device, &NETWORK, &opening).into_bytes();
    assert_eq!(world.refused(&thief, Body::Open(wire::Open { opening })), Refusal::NotTheLanes);
}

#[test]
fn orders_signed_by_others_or_for_another_network() {
    let (mut world, payer, payee) = two();
    let order = payer.order(world.now, 0, transfer(&payee.lane(), earned(1), Purpose::Gift));
    let forged = Signed::new(&payee.device, &NETWORK, &order);
    let elsewhere = Signed::new(&payer.device, &NetworkId([8; 32]), &order);
    let mut changed = payer.sign(&order).into_bytes();
    *changed.last_mut().expect("it has bytes") ^= 1;
    let changed = Signed::from_bytes(changed).expect("of the right size");
    let refusals: Vec<Refusal> = world
        .judge(vec![forged, elsewhere, changed])
        .into_iter()
        .map(|answer| match answer {
            Answer::Refused(refusal) => refusal,
            other => panic!("not refused: {other:?}"),
        })
        .collect();
    let wrong = Refusal::Signature(SignError::Signature("order"));
    assert_eq!(refusals, [Refusal::NotTheLanes, wrong.clone(), wrong]);
}

#[test]
fn orders_of_another_time() {
    let (mut world, payer, payee) = two();
    let body = || transfer(&payee.lane(), earned(1), Purpose::Gift);
    let mut with = |change: &dyn Fn(&mut wire::Order)| {
        let mut order = payer.order(world.now, 0, body());
        change(&mut order);
        match world.judge(vec![payer.sign(&order)]).remove(0) {
            Answer::Refused(refusal) => refusal,
            other => panic!("not refused: {other:?}"),
        }
    };
    assert_eq!(with(&|order| order.expires_ms -= 60_000), Refusal::Expired);
    assert_eq!(with(&|order| order.expires_ms = u64::MAX), Refusal::TooLong { limit_ms: HOUR });
    assert_eq!(with(&|order| order.epoch = 3), Refusal::Epoch { order: 3, current: 0 });
    assert_eq!(with(&|order| order.epoch = u64::MAX), Refusal::Epoch { order: u64::MAX, current: 0 });
    assert_eq!(with(&|order| order.sequence += 1), Refusal::OutOfSequence { expected: 2, found: 3 });
    assert_eq!(with(&|order| order.sequence = u64::MAX), Refusal::OutOfSequence { expected: 2, found: u64::MAX });
}

#[test]
fn the_same_order_counts_once_for_ever_and_another_in_its_place_is_kept_as_proof() {
    let (mut world, mut payer, payee) = two();
    let order = payer.sign(&payer.order(world.now, 0, transfer(&payee.lane(), earned(5), Purpose::Gift)));
    assert!(matches!(world.judge(vec![order.clone()])[0], Answer::Certified { .. }));
    let root = world.notary.ledger().root();
    for _ in 0..1_000 {
        let answers = world.judge(vec![order.clone(); 100]);
        assert!(answers.iter().all(|answer| matches!(answer, Answer::Before { .. })));
    }
    assert_eq!(world.notary.ledger().root(), root, "100,000 repetitions moved nothing");
    world.now = world.now.plus_ms(48 * HOUR);
    assert!(matches!(world.judge(vec![order])[0], Answer::Before { .. }), "and after it expired");

    let records = world.log.len();
    let Refusal::Conflict { .. } = world.refused(&payer, transfer(&payee.lane(), earned(6), Purpose::Gift)) else {
        panic!("a second order for one place");
    };
    assert_eq!(world.log.len(), records + 1, "both halves are on record");
    world.refused(&payer, transfer(&payee.lane(), earned(7), Purpose::Gift));
    assert_eq!(world.log.len(), records + 1, "one proof is enough");
    assert_eq!(world.replayed(), world.notary);
    // The lane itself goes on: its owner may have restored an older copy.
    payer.next += 1;
    world.fine(&mut payer, transfer(&payee.lane(), earned(1), Purpose::Gift));
}

#[test]
fn holds_and_vouchers_that_do_not_fit() {
    let (mut world, mut payer, mut payee) = two();
    let mut third = world.owner(3);
    let now = world.now;
    let lane = payee.lane();
    assert_eq!(world.refused(&payer, hold(&lane, earned(1), now)), Refusal::HoldEnded(now));
    let long = now.plus_ms(25 * HOUR);
    assert_eq!(world.refused(&payer, hold(&lane, earned(1), long)), Refusal::TooLong { limit_ms: 24 * HOUR });

    let id = world.fine(&mut payer, hold(&lane, earned(10), now.plus_ms(HOUR)));
    let settle = |signer: &Owner, hold, credits| Body::Settle(signer.voucher(hold, 1, Credits::whole(credits)));
    let (amount, ceiling) = (Credits::whole(11), Credits::whole(10));
    assert_eq!(world.refused(&payee, settle(&payer, id, 11)), Refusal::VoucherTooHigh { amount, ceiling });
    assert_eq!(world.refused(&payee, settle(&payee, id, 5)), Refusal::VoucherOfAnother);
    assert_eq!(world.refused(&third, settle(&payer, id, 5)), Refusal::NotYourHold);
    assert_eq!(world.refused(&third, release(id)), Refusal::NotYourHold);
    let unknown = Hash([5; 32]);
    assert_eq!(world.refused(&payee, settle(&payer, unknown, 5)), Refusal::UnknownHold(unknown));
    world.fine(&mut payee, settle(&payer, id, 5));
    assert_eq!(world.refused(&payee, settle(&payer, id, 5)), Refusal::UnknownHold(id), "it settles once");

    let tiny = Amounts::earned(Credits::from_micro(99_999).expect("small"));
    let refused = world.refused(&payer, hold(&payee.lane(), tiny, now.plus_ms(HOUR)));
    assert!(matches!(refused, Refusal::HoldTooSmall { .. }), "{refused}");

    let mut second_computer = Owner::with_device(1, 77);
    world.open(&mut second_computer);
    let own = hold(&second_computer.lane(), earned(1), now.plus_ms(HOUR));
    assert_eq!(world.refused(&payer, own), Refusal::ToItself, "nobody pays themselves for work");

    world.earn(&mut third, 100);
    let payees: Vec<Owner> =
        (0..HOLDS_PER_LANE / HOLDS_PER_PAYEE).map(|number| world.owner(20 + number as u8)).collect();
    for payee in &payees {
        for _ in 0..HOLDS_PER_PAYEE {
            world.fine(&mut third, hold(&payee.lane(), earned(1), now.plus_ms(HOUR)));
        }
        if payee.lane() == payees[0].lane() {
            let more = world.refused(&third, hold(&payee.lane(), earned(1), now.plus_ms(HOUR)));
            assert_eq!(more, Refusal::TooManyHolds(HOLDS_PER_PAYEE), "nobody is buried under holds");
        }
    }
    let more = world.refused(&third, hold(&lane, earned(1), now.plus_ms(HOUR)));
    assert_eq!(more, Refusal::TooManyHolds(HOLDS_PER_LANE));
}

#[test]
fn nobody_fills_a_notarys_disk_for_nothing() {
    let (mut world, mut payer, payee) = two();
    for device in 0..LANES_PER_ACCOUNT - 1 {
        world.open(&mut Owner::with_device(1, 150 + device as u8));
    }
    let more = Owner::with_device(1, 90);
    assert_eq!(world.refused(&more, more.opening()), Refusal::TooManyLanes(LANES_PER_ACCOUNT));

    let mut orders = Vec::new();
    // The settlement by which it earned ended a hold, and does not count.
    while payer.next <= ORDERS_PER_EPOCH {
        let body = transfer(&payee.lane(), Amounts::earned(Credits::from_micro(1).expect("small")), Purpose::Gift);
        orders.push(payer.sign(&payer.order(world.now, 0, body)));
        payer.next += 1;
    }
    let too_many = orders.len() - BATCH_ORDERS;
    let answers = world.judge(orders.clone());
    let refused = answers.iter().filter(|answer| matches!(answer, Answer::Refused(Refusal::TooManyAtOnce)));
    assert_eq!(refused.count(), too_many, "a batch is bounded");
    for batch in orders[BATCH_ORDERS..].chunks(BATCH_ORDERS) {
        assert!(world.judge(batch.to_vec()).iter().all(|answer| matches!(answer, Answer::Certified { .. })));
    }
    let body = transfer(&payee.lane(), earned(1), Purpose::Gift);
    assert_eq!(world.refused(&payer, body), Refusal::TooManyOrders(ORDERS_PER_EPOCH));
    let record = world.notary.end_epoch(&world.key, world.now);
    world.log.push(record);
    world.fine(&mut payer, transfer(&payee.lane(), earned(1), Purpose::Gift));
}

#[test]
fn an_order_that_is_void_is_no_proof_against_its_signer() {
    let (mut world, mut payer, payee) = two();
    let refused = payer.sign(&payer.order(world.now, 0, transfer(&payee.lane(), earned(500), Purpose::Gift)));
    assert!(matches!(world.judge(vec![refused.clone()])[0], Answer::Refused(Refusal::Overdrawn { .. })));
    world.fine(&mut payer, transfer(&payee.lane(), earned(1), Purpose::Gift));
    world.now = world.now.plus_ms(HOUR);
    let records = world.log.len();
    assert!(matches!(world.judge(vec![refused])[0], Answer::Refused(Refusal::Conflict { .. })));
    assert_eq!(world.log.len(), records);
}

#[test]
fn a_clock_set_back_a_day_gives_nothing_twice() {
    let (mut world, mut payer, payee) = two();
    let today = p2p_ledger::day(world.now);
    world.fine(&mut payer, crate::world::claim(wire::Rule::Free, today, Credits::whole(50)));
    let later = world.now;
    world.now = p2p_types::Timestamp(later.0 - 24 * HOUR);
    let yesterday = crate::world::claim(wire::Rule::Free, today - 1, Credits::whole(50));
    assert!(matches!(world.refused(&payer, yesterday), Refusal::NothingToClaim(_)));
    world.fine(&mut payer, transfer(&payee.lane(), earned(1), Purpose::Gift));
    world.now = later;
    assert_eq!(world.purse(&payer), Amounts { earned: Credits::whole(18), ..Amounts::default() });
    assert_eq!(world.replayed(), world.notary);
}
