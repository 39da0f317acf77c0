//! Owners who do anything, right and wrong, in any order, from a seed: no credit comes or goes, no lane
//! is overdrawn, every hold can be ended, and the log replays to the same state.

use std::collections::{HashMap, HashSet};

use p2p_ledger::wire::{Purpose, Rule, order::Body};
use p2p_ledger::{Amounts, Answer, Committee, LaneId, Movement, Side, Statement, certificate, day};
use p2p_types::{Credits, DeviceId, Hash, Scheme as _, Seed};

use crate::world::{DAY, HOUR, NETWORK, Owner, World, claim, hold, release, transfer};

/// `P2P_AGENT_SEEDS` runs more of them.
const SEEDS: u64 = 40;
const STEPS: usize = 150;

#[test]
fn whatever_owners_do_every_credit_is_accounted_for() {
    let seeds = std::env::var("P2P_AGENT_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(SEEDS);
    for seed in 0..seeds {
        run(seed);
    }
}

fn run(seed: u64) {
    let mut chance = Seed::new(*blake3_of(seed).as_bytes());
    let mut world = World::new();
    let mut owners: Vec<Owner> = (1..=4 + chance.below(6) as u8).map(|number| world.owner(number)).collect();
    let mut holds: Vec<(usize, usize, Hash)> = Vec::new();
    let mut books = Books::default();
    for owner in &mut owners {
        let credits = 1 + chance.below(60) as u32;
        world.earn(owner, credits);
    }
    for owner in owners.iter().chain([&world.issuer]) {
        let had = world.notary.ledger().lane(&owner.lane()).expect("opened").purse().total();
        books.began.insert(owner.lane(), i128::from(had.micro()));
    }
    for step in 0..STEPS {
        let (from, to) = (chance.below(owners.len() as u64) as usize, chance.below(owners.len() as u64) as usize);
        let lane = owners[to].lane();
        let today = day(world.now);
        let body = match chance.below(12) {
            0 | 1 => transfer(&lane, some(&mut chance), Purpose::Gift),
            2..=5 => hold(&lane, some(&mut chance), world.now.plus_ms(chance.below(2 * DAY))),
            6..=8 if !holds.is_empty() => {
                let (payer, _, id) = holds[chance.below(holds.len() as u64) as usize];
                let amount = Credits::from_micro(chance.below(30_000_000)).expect("small");
                Body::Settle(owners[payer].voucher(id, 1, amount))
            }
            9 if !holds.is_empty() => release(holds[chance.below(holds.len() as u64) as usize].2),
            10 => {
                let rule = [Rule::Starter, Rule::Ramp, Rule::Free, Rule::Budget][chance.below(4) as usize];
                claim(
                    rule,
                    today - chance.below(2) as u32,
                    Credits::from_micro(1 + chance.below(100_000_000)).expect("small"),
                )
            }
            _ => {
                // The calendar goes on, or is set back.
                let hours = chance.below(30) * HOUR;
                let back = chance.below(8) == 0;
                world.now.0 = if back { world.now.0 - hours } else { world.now.0 + hours };
                continue;
            }
        };
        let made_hold = matches!(body, Body::Hold(_));
        // The order itself, and now and then once more.
        let epoch = world.notary.ledger().epoch();
        let order = owners[from].sign(&owners[from].order(world.now, epoch, body));
        let copies = 1 + usize::from(chance.below(5) == 0);
        let mut answers = world.judge(vec![order; copies]);
        if let Answer::Certified { id, movements, .. } = answers.remove(0) {
            owners[from].next += 1;
            books.write(&id, &movements, seed);
            if made_hold {
                holds.push((from, to, id));
            }
            assert!(answers.iter().all(|answer| matches!(answer, Answer::Before { .. })), "seed {seed}, step {step}");
        }
        books.agree(&world, seed);
        if chance.below(40) == 0 {
            let record = world.notary.end_epoch(&world.key, world.now);
            world.log.push(record);
        }
    }

    // Nobody's credits stay behind in a hold.
    world.now = world.now.plus_ms(3 * DAY);
    for (payer, _, id) in holds {
        if world.notary.ledger().hold(&id).is_some() {
            let mut owner = owners[payer].clone();
            world.fine(&mut owner, release(id));
            owners[payer] = owner;
        }
    }
    for owner in &owners {
        stated(&world, owner, seed);
    }
    assert_eq!(world.replayed(), world.notary, "seed {seed}");
    assert_eq!(world.replayed().ledger().root(), world.notary.ledger().root(), "seed {seed}");
}

/// What an owner's certificates alone say is what the notary says.
fn stated(world: &World, owner: &Owner, seed: u64) {
    let mut statement = Statement::new(owner.lane(), world.notary.ledger().parameters().clone());
    let committee = Committee::new(vec![DeviceId(world.key.public_key())]);
    for place in world.notary.places(&owner.lane()) {
        let record = &world.log[place.record as usize];
        let mut certificates = certificate::of_record(&NETWORK, record).expect("its own log");
        let (_, certified) = certificates.swap_remove(place.index as usize);
        let order = certificate::verify(&world.key, &NETWORK, &committee, &certified).expect("certified");
        let at = certificate::voted_at(&certified).expect("voted");
        statement.take(at, &order).unwrap_or_else(|refusal| panic!("seed {seed}: {refusal}"));
    }
    let lane = world.notary.ledger().lane(&owner.lane()).expect("opened");
    assert_eq!(statement.spendable(world.now), lane.spendable(day(world.now)), "seed {seed}");
    assert_eq!((statement.next(), statement.held()), (lane.next(), Credits::ZERO), "seed {seed}");
}

/// What the rows alone say that everybody has.
#[derive(Default)]
struct Books {
    /// What lanes had before the first row.
    began: HashMap<LaneId, i128>,
    purses: HashMap<LaneId, i128>,
    rows: HashSet<String>,
}

impl Books {
    fn write(&mut self, order: &Hash, movements: &[Movement], seed: u64) {
        for movement in movements {
            let amount = i128::from(movement.amounts.total().micro());
            *self.purses.entry(movement.lane).or_default() += match movement.side {
                Side::Debit => -amount,
                Side::Credit => amount,
                Side::Note => 0,
            };
            let row = movement.row_id(order);
            assert!(self.rows.insert(row.clone()), "seed {seed}: two rows are called {row}");
        }
    }

    /// Every purse is the sum of its rows since the first was looked at.
    fn agree(&mut self, world: &World, seed: u64) {
        for (lane, sum) in &self.purses {
            let lane_now = world.notary.ledger().lane(lane).expect("it moved credits");
            let had = self.began.get(lane).copied().unwrap_or_default();
            assert_eq!(i128::from(lane_now.purse().total().micro()), had + sum, "seed {seed}: the rows of {lane}");
        }
    }
}

fn some(chance: &mut Seed) -> Amounts {
    let mut part = |end: u64| Credits::from_micro(chance.below(end)).expect("small");
    Amounts { earned: part(20_000_000), granted: part(3), free: part(2) }
}

fn blake3_of(seed: u64) -> blake3::Hash {
    blake3::hash(&seed.to_le_bytes())
}
