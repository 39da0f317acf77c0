//! What orders do.

use p2p_ledger::wire::order::Body;
use p2p_ledger::wire::{Purpose, Rule};
use p2p_ledger::{Amounts, Answer, Reason, Refusal, day};
use p2p_types::Credits;

use crate::world::{DAY, HOUR, Owner, World, claim, earned, hold, release, transfer};

fn whole(earned: u32, granted: u32, free: u32) -> Amounts {
    let whole = Credits::whole;
    Amounts { earned: whole(earned), granted: whole(granted), free: whole(free) }
}

#[test]
fn work_is_paid_from_a_hold_less_the_burn_and_the_rest_returns() {
    let mut world = World::new();
    let (mut payer, mut payee) = (world.owner(1), world.owner(2));
    world.earn(&mut payer, 200);
    let had = world.purse(&payer).total();
    let expires = world.now.plus_ms(HOUR);
    let id = world.fine(&mut payer, hold(&payee.lane(), earned(100), expires));
    assert_eq!(world.purse(&payer).total(), had.minus(Credits::whole(100)).expect("it had more"));

    let settle = Body::Settle(payer.voucher(id, 7, Credits::whole(40)));
    world.fine(&mut payee, settle);
    assert_eq!(world.purse(&payee), earned(38));
    assert_eq!(world.purse(&payer).total(), had.minus(Credits::whole(40)).expect("it had more"));
    assert_eq!(world.notary.ledger().hold(&id), None);
    assert_eq!(world.replayed(), world.notary);
}

#[test]
fn what_was_granted_stays_marked_when_it_is_spent() {
    let mut world = World::new();
    let (mut payer, mut payee) = (world.owner(1), world.owner(2));
    world.earn(&mut payer, 20);
    let today = day(world.now);
    world.fine(&mut payer, claim(Rule::Starter, today, Credits::whole(100)));
    world.fine(&mut payer, claim(Rule::Ramp, today, Credits::whole(30)));
    world.fine(&mut payer, claim(Rule::Free, today, Credits::whole(50)));
    assert_eq!(world.purse(&payer), whole(19, 130, 50));

    assert_eq!(world.refused(&payer, transfer(&payee.lane(), whole(0, 1, 0), Purpose::Gift)), Refusal::NotTransferable);
    let expires = world.now.plus_ms(HOUR);
    let id = world.fine(&mut payer, hold(&payee.lane(), whole(0, 100, 50), expires));
    let settle = Body::Settle(payer.voucher(id, 1, Credits::whole(100)));
    world.fine(&mut payee, settle);
    assert_eq!(world.purse(&payee), whole(0, 95, 0), "free before granted, and all of it marked");
    assert_eq!(world.purse(&payer), whole(19, 80, 0));
    assert_eq!(world.refused(&payee, transfer(&payer.lane(), whole(0, 5, 0), Purpose::Tip)), Refusal::NotTransferable);
}

#[test]
fn one_owners_two_computers_spend_side_by_side_and_share_with_marks_kept() {
    let mut world = World::new();
    let mut first = world.owner(1);
    let mut second = Owner::with_device(1, 50);
    world.open(&mut second);
    world.earn(&mut first, 20);
    let today = day(world.now);
    world.fine(&mut first, claim(Rule::Starter, today, Credits::whole(100)));
    world.fine(&mut first, transfer(&second.lane(), whole(9, 60, 0), Purpose::Own));
    assert_eq!((world.purse(&first), world.purse(&second)), (whole(10, 40, 0), whole(9, 60, 0)));
    let already = Refusal::NothingToClaim("the starter credits were claimed before");
    assert_eq!(world.refused(&second, claim(Rule::Starter, today, Credits::whole(100))), already);
    let other = world.owner(3);
    assert_eq!(world.refused(&first, transfer(&other.lane(), whole(0, 1, 0), Purpose::Own)), Refusal::NotOwn);

    // A computer that is lost: its account moves what was in its lane.
    let rescue = second.order(world.now, 0, transfer(&first.lane(), whole(9, 60, 0), Purpose::Own));
    let signed = p2p_types::Signed::new(&second.account, &crate::world::NETWORK, &rescue);
    assert!(matches!(world.judge(vec![signed])[0], Answer::Certified { .. }));
    assert_eq!(world.purse(&first), whole(19, 100, 0));
}

#[test]
fn the_free_tier_lapses_at_midnight_wherever_it_is() {
    let mut world = World::new();
    let (mut owner, payee) = (world.owner(1), world.owner(2));
    world.earn(&mut owner, 20);
    world.fine(&mut owner, claim(Rule::Free, day(world.now), Credits::whole(50)));
    let expires = world.now.plus_ms(20 * HOUR);
    let id = world.fine(&mut owner, hold(&payee.lane(), whole(0, 0, 30), expires));
    assert_eq!(world.purse(&owner), whole(19, 0, 20));

    world.now = world.now.plus_ms(DAY);
    assert_eq!(world.purse(&owner), whole(19, 0, 0));
    world.fine(&mut owner, release(id));
    assert_eq!(world.purse(&owner), whole(19, 0, 0), "what comes back of yesterday's is gone too");
    assert_eq!(world.notary.ledger().supply().lapsed, Credits::whole(50));
    world.fine(&mut owner, claim(Rule::Free, day(world.now), Credits::whole(50)));
    assert_eq!(world.purse(&owner), whole(19, 0, 50));
}

#[test]
fn an_order_has_each_of_its_rows_once_though_two_free_tiers_lapse_by_it() {
    let mut world = World::new();
    let (mut owner, payee) = (world.owner(1), world.owner(2));
    world.earn(&mut owner, 20);
    world.fine(&mut owner, claim(Rule::Free, day(world.now), Credits::whole(50)));
    let expires = world.now.plus_ms(20 * HOUR);
    let id = world.fine(&mut owner, hold(&payee.lane(), whole(0, 0, 30), expires));
    world.now = world.now.plus_ms(DAY);
    let Answer::Certified { id, movements, .. } = world.send(&owner, release(id)) else { panic!("carried out") };
    let lapsed: Vec<Amounts> =
        movements.iter().filter(|row| row.reason == Reason::Lapsed).map(|row| row.amounts).collect();
    assert_eq!(lapsed, [whole(0, 0, 50)], "20 that were there, and 30 that came back too late");
    let rows: std::collections::HashSet<String> = movements.iter().map(|row| row.row_id(&id)).collect();
    assert_eq!(rows.len(), movements.len());
}

#[test]
fn every_hold_ends_though_nobody_comes_back() {
    let mut world = World::new();
    let (mut payer, payee) = (world.owner(1), world.owner(2));
    world.earn(&mut payer, 20);
    let expires = world.now.plus_ms(HOUR);
    let id = world.fine(&mut payer, hold(&payee.lane(), earned(19), expires));
    let grace = world.notary.ledger().parameters().grace_ms;
    let end = expires.plus_ms(grace);
    assert_eq!(world.refused(&payer, release(id)), Refusal::HoldNotEnded(end));
    world.now = end;
    let late = Body::Settle(payer.voucher(id, 1, Credits::whole(5)));
    assert_eq!(world.refused(&payee, late), Refusal::HoldEnded(end));
    world.fine(&mut payer, release(id));
    assert_eq!(world.purse(&payer), earned(19));
    assert_eq!(world.refused(&payer, release(id)), Refusal::UnknownHold(id));
}

#[test]
fn a_payee_may_let_a_hold_go_at_once() {
    let mut world = World::new();
    let (mut payer, mut payee) = (world.owner(1), world.owner(2));
    world.earn(&mut payer, 20);
    let expires = world.now.plus_ms(HOUR);
    let id = world.fine(&mut payer, hold(&payee.lane(), earned(19), expires));
    world.fine(&mut payee, release(id));
    assert_eq!((world.purse(&payer), world.purse(&payee)), (earned(19), earned(0)));
}

#[test]
fn the_network_gives_nothing_without_verified_work_and_nothing_to_its_founder() {
    let mut world = World::new();
    let (mut owner, today) = (world.owner(1), day(world.now));
    let none = Refusal::NothingToClaim("nothing of this owner's work was verified yet");
    assert_eq!(world.refused(&owner, claim(Rule::Starter, today, Credits::whole(100))), none);
    assert_eq!(world.refused(&owner, claim(Rule::Free, today, Credits::whole(50))), none);
    assert!(matches!(world.refused(&owner, claim(Rule::Ramp, today, Credits::whole(30))), Refusal::NothingToClaim(_)));
    assert_eq!(world.refused(&owner, claim(Rule::Budget, today, Credits::whole(1))), Refusal::IssuersOnly);

    world.earn(&mut owner, 2);
    let (claimed, given) = (Credits::whole(101), Credits::whole(100));
    assert_eq!(world.refused(&owner, claim(Rule::Starter, today, claimed)), Refusal::ClaimTooHigh { claimed, given });
    world.fine(&mut owner, claim(Rule::Ramp, today, Credits::whole(30)));
    assert!(matches!(world.refused(&owner, claim(Rule::Ramp, today, Credits::whole(30))), Refusal::NothingToClaim(_)));
    let tomorrow = claim(Rule::Free, today + 1, Credits::whole(50));
    assert_eq!(world.refused(&owner, tomorrow), Refusal::NothingToClaim("the free tier is today's only"));

    let (founder, issuer) = (world.founder.clone(), world.issuer.clone());
    assert_eq!(world.refused(&founder, claim(Rule::Starter, today, Credits::whole(100))), Refusal::Founders);
    let expires = world.now.plus_ms(HOUR);
    assert_eq!(world.refused(&issuer, hold(&founder.lane(), earned(1), expires)), Refusal::Founders);
    assert_eq!(world.refused(&issuer, transfer(&owner.lane(), earned(1), Purpose::Gift)), Refusal::IssuersOnly);
    let again = claim(Rule::Budget, 0, Credits::whole(1));
    assert_eq!(world.refused(&issuer, again), Refusal::NothingToClaim("this epoch's budget was claimed before"));
}

#[test]
fn the_ramp_gives_thirty_days_and_no_more() {
    let mut world = World::new();
    let mut owner = world.owner(1);
    for _ in 0..30 {
        world.earn(&mut owner, 1);
        world.fine(&mut owner, claim(Rule::Ramp, day(world.now), Credits::whole(30)));
        world.now = world.now.plus_ms(DAY);
    }
    assert_eq!(world.purse(&owner).granted, Credits::whole(900));
    world.earn(&mut owner, 1);
    let more = world.refused(&owner, claim(Rule::Ramp, day(world.now), Credits::whole(30)));
    assert_eq!(more, Refusal::NothingToClaim("all days were claimed before"));
}

#[test]
fn the_issuers_budget_comes_once_an_epoch() {
    let mut world = World::new();
    let record = world.notary.end_epoch(&world.key, world.now);
    world.log.push(record);
    let mut issuer = world.issuer.clone();
    let budget = world.notary.ledger().parameters().canary_budget;
    world.fine(&mut issuer, claim(Rule::Budget, 0, budget));
    assert!(matches!(world.refused(&issuer, claim(Rule::Budget, 0, budget)), Refusal::NothingToClaim(_)));
    assert_eq!(world.replayed(), world.notary);
}
