//! What anybody can check without asking anybody.

use p2p_ledger::wire::{self, Purpose};
use p2p_ledger::{Answer, CertificateError, Committee, certificate};
use p2p_types::{DeviceId, Scheme, Signed};

use crate::world::{NETWORK, Owner, World, earned, transfer};

fn certified() -> (World, Committee, wire::Certificate) {
    let mut world = World::new();
    let (mut payer, payee) = (world.owner(1), world.owner(2));
    world.earn(&mut payer, 20);
    // In the middle of a batch, so that the path to the root has a length.
    let mut orders = Vec::new();
    for _ in 0..5 {
        orders.push(payer.sign(&payer.order(world.now, 0, transfer(&payee.lane(), earned(1), Purpose::Gift))));
        payer.next += 1;
    }
    let answer = world.judge(orders).remove(3);
    let Answer::Certified { certificate, .. } = answer else { panic!("{answer:?}") };
    let committee = Committee::new(vec![DeviceId(world.key.public_key())]);
    (world, committee, certificate)
}

fn check(world: &World, committee: &Committee, certificate: &wire::Certificate) -> Result<(), CertificateError> {
    certificate::verify(&world.key, &NETWORK, committee, certificate).map(|_| ())
}

#[test]
fn a_certificate_holds_for_its_order_and_no_other() {
    let (world, committee, good) = certified();
    check(&world, &committee, &good).expect("as the notary gave it");

    let other = Owner::new(1);
    let order = other.sign(&other.order(world.now, 0, transfer(&other.lane(), earned(1), Purpose::Gift)));
    let moved = wire::Certificate { order: order.into_bytes(), ..good.clone() };
    let none = CertificateError::TooFew { votes: 0, quorum: 1 };
    assert_eq!(check(&world, &committee, &moved), Err(none.clone()));

    let mut elsewhere = good.clone();
    elsewhere.votes[0].index += 1;
    assert_eq!(check(&world, &committee, &elsewhere), Err(none.clone()));
    let mut shorter = good;
    shorter.votes[0].siblings.pop();
    assert_eq!(check(&world, &committee, &shorter), Err(none));
}

#[test]
fn forged_missing_and_repeated_votes_prove_nothing() {
    let (world, committee, good) = certified();
    let none = wire::Certificate { votes: Vec::new(), ..good.clone() };
    assert_eq!(check(&world, &committee, &none), Err(CertificateError::TooFew { votes: 0, quorum: 1 }));

    // Somebody else signs the same vote.
    let forger = Owner::new(50).device;
    let vote =
        Signed::<wire::Vote>::from_bytes(good.votes[0].vote.clone()).expect("it is one").peek().expect("readable");
    let mut forged = good.clone();
    forged.votes[0].vote = Signed::new(&forger, &NETWORK, &vote).into_bytes();
    assert_eq!(check(&world, &committee, &forged), Err(CertificateError::TooFew { votes: 0, quorum: 1 }));
    // Beside a vote that counts, it spoils nothing.
    let mut beside = forged;
    beside.votes.push(good.votes[0].clone());
    check(&world, &committee, &beside).expect("one good vote is enough");

    // Of four notaries, one who votes three times is one.
    let mut notaries: Vec<DeviceId> = (60..63).map(|number| DeviceId(Owner::new(number).device.public_key())).collect();
    notaries.push(DeviceId(world.key.public_key()));
    let four = Committee::new(notaries);
    let thrice = wire::Certificate { votes: vec![good.votes[0].clone(); 3], ..good.clone() };
    assert_eq!(check(&world, &four, &thrice), Err(CertificateError::TooFew { votes: 1, quorum: 3 }));

    for place in 0..good.votes[0].vote.len() {
        let mut flipped = good.clone();
        flipped.votes[0].vote[place] ^= 1;
        assert!(check(&world, &committee, &flipped).is_err(), "byte {place} of a vote");
    }
}
