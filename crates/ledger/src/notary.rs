//! One notary: takes signed orders, carries out those that are right, and says so under its
//! signature.
//!
//! Pure: [`Notary::judge`] gives a record and the answers, and whoever calls it must have the record on
//! disk before an answer leaves. A notary that cannot write must stop, because its state is ahead of
//! its disk. Its state is what its log says: [`Notary::replay`] makes the same again.

use std::collections::{HashMap, HashSet};

use p2p_types::{DeviceId, Hash, NetworkId, Scheme, SignError, Signed, Timestamp, Verified};
use prost::Message as _;
use thiserror::Error;

use crate::certificate::{countersigned, leaf};
use crate::order::{hash, id};
use crate::wire::record::Kind;
use crate::{
    Applied, CertificateError, Committee, LaneId, Ledger, Movement, Order, Parameters, Refusal, certificate, merkle,
    wire,
};

/// The most orders of one batch: their record stays far below its limit.
pub const BATCH_ORDERS: usize = 4096;
/// A calendar this far ahead of the last batch is believed only when somebody confirms it: 45 days.
pub const LEAP_MS: u64 = 45 * 24 * 60 * 60 * 1000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notary {
    network: NetworkId,
    ledger: Ledger,
    /// Batches so far.
    batches: u64,
    /// Lanes of which a conflict is on record. One is enough, and a log must not grow by more.
    conflicted: HashSet<LaneId>,
    /// When the epoch began. The first began with the first batch.
    epoch_began: Option<Timestamp>,
    /// The time of the last batch, and what somebody confirmed since.
    latest: Timestamp,
    confirmed: Timestamp,
    /// Records so far.
    records: u64,
    /// Where the orders stand that touched a lane, in their order: what its owner is told of.
    places: HashMap<LaneId, Vec<Place>>,
    /// The hash of the record before: a log with a record missing or changed does not fit together.
    previous: Hash,
}

/// Where in a notary's log an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The record, counted from 0.
    pub record: u64,
    /// The order's place in that batch.
    pub index: u32,
}

/// An order whose signature was checked for the notary's network, or why it does not hold.
pub type VerifiedOrder = Result<Verified<wire::Order>, SignError>;

/// What came of a batch.
#[derive(Debug, Default)]
pub struct Judged {
    /// To be on disk before any of the answers leaves. `None` when nothing changed.
    pub record: Option<Vec<u8>>,
    /// One for each order, in their order.
    pub answers: Vec<Answer>,
}

#[derive(Debug)]
pub enum Answer {
    Certified {
        id: Hash,
        certificate: wire::Certificate,
        movements: Vec<Movement>,
        /// The lanes whose owners are to be told, with the number of orders that touched each before.
        touched: Vec<(LaneId, u64)>,
    },
    /// It was certified before; the certificate is where certificates are kept.
    Before {
        id: Hash,
    },
    Refused(Refusal),
}

/// Why a record does not continue a log.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ReplayError {
    #[error("a record cannot be read")]
    Unreadable,
    #[error("a record does not follow the one before it")]
    Gap,
    #[error("a record is signed by another notary, or not at all")]
    Signature,
    #[error("an order in the log is refused now: {0}")]
    Refused(#[from] Refusal),
    #[error("the log's state is not the one that its checkpoint names")]
    OtherState,
}

impl Notary {
    #[must_use]
    pub fn new(network: NetworkId, parameters: Parameters) -> Self {
        Self {
            network,
            ledger: Ledger::new(parameters),
            batches: 0,
            conflicted: HashSet::new(),
            epoch_began: None,
            latest: Timestamp::default(),
            confirmed: Timestamp::default(),
            records: 0,
            places: HashMap::new(),
            previous: Hash::of(&network.0),
        }
    }

    #[must_use]
    pub const fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The orders that touched a lane, in their order.
    #[must_use]
    pub fn places(&self, lane: &LaneId) -> &[Place] {
        self.places.get(lane).map_or(&[], Vec::as_slice)
    }

    /// When the epoch began; the far future while nothing ever was carried out.
    #[must_use]
    pub fn epoch_began(&self) -> Timestamp {
        self.epoch_began.unwrap_or(Timestamp(u64::MAX))
    }

    /// Records of the log so far.
    #[must_use]
    pub const fn records(&self) -> u64 {
        self.records
    }

    /// Judges orders in the order they are given; those behind the first [`BATCH_ORDERS`] are refused.
    pub fn judge(&mut self, scheme: &dyn Scheme, at: Timestamp, orders: Vec<Signed<wire::Order>>) -> Judged {
        self.judge_verified(scheme, at, Signed::verify_each(scheme, &self.network, orders))
    }

    /// The same for orders whose signatures were checked before, as somewhere else they may be while
    /// the batch before is judged.
    pub fn judge_verified(&mut self, scheme: &dyn Scheme, at: Timestamp, orders: Vec<VerifiedOrder>) -> Judged {
        if let Some(leap) = self.leap(at) {
            let answers = orders.iter().map(|_| Answer::Refused(Refusal::ClockLeap(leap))).collect();
            return Judged { record: None, answers };
        }
        let mut answers = Vec::with_capacity(orders.len());
        let (mut accepted, mut conflicts) = (Vec::new(), Vec::new());
        for verified in orders {
            let answer = match verified {
                _ if answers.len() >= BATCH_ORDERS => Answer::Refused(Refusal::TooManyAtOnce),
                Ok(order) => self.judge_one(scheme, at, order, &mut accepted, &mut conflicts),
                Err(error) => Answer::Refused(error.into()),
            };
            answers.push(answer);
        }
        if accepted.is_empty() && conflicts.is_empty() {
            return Judged { record: None, answers };
        }

        let tree = merkle::Tree::new(accepted.iter().map(|(id, _)| leaf(id)).collect());
        let vote = wire::Vote {
            epoch: self.ledger.epoch(),
            batch: self.batches,
            at_ms: at.0,
            orders: u32::try_from(accepted.len()).expect("a batch is small"),
            root: tree.root().0.to_vec(),
            previous: self.previous.0.to_vec(),
        };
        let vote = Signed::new(scheme, &self.network, &vote).into_bytes();
        let mut index = 0;
        for answer in &mut answers {
            if let Answer::Certified { certificate, .. } = answer {
                certificate.votes.push(countersigned(&vote, &tree, index));
                index += 1;
            }
        }
        let orders = accepted.into_iter().map(|(_, order)| order).collect();
        let record = self.chained(Kind::Batch(wire::Batch { vote, orders, conflicts }));
        self.batches += 1;
        self.latest = at;
        self.epoch_began.get_or_insert(at);
        Judged { record: Some(record), answers }
    }

    /// Whether it may be so late: not further ahead of the last batch than somebody confirmed.
    #[must_use]
    pub fn believes(&self, at: Timestamp) -> bool {
        self.leap(at).is_none()
    }

    /// When the last batch was judged.
    #[must_use]
    pub const fn latest(&self) -> Timestamp {
        self.latest
    }

    /// How far `at` is ahead of the last batch, where that is too far to be believed.
    fn leap(&self, at: Timestamp) -> Option<u64> {
        let leap = at.since(self.latest.max(self.confirmed));
        (self.batches > 0 && leap > LEAP_MS).then_some(leap)
    }

    /// Whoever runs the notary says that it is really so late: after a long sleep, and not because
    /// the calendar was set wrong. A notary that judged by a wrong calendar would end grants early
    /// and keep holds open until then.
    pub const fn confirm_clock(&mut self, at: Timestamp) {
        self.confirmed = at;
    }

    fn judge_one(
        &mut self,
        scheme: &dyn Scheme,
        at: Timestamp,
        order: Verified<wire::Order>,
        accepted: &mut Vec<(Hash, Vec<u8>)>,
        conflicts: &mut Vec<wire::Conflict>,
    ) -> Answer {
        let applied = Order::read(scheme, &self.network, &order).and_then(|read| {
            let lanes = self.ledger.touched_by(&read);
            self.ledger.apply(at, &read).map(|applied| (read.id, lanes, applied))
        });
        match applied {
            Ok((id, lanes, Applied::Now(movements))) => {
                let bytes = order.signed().as_bytes().to_vec();
                let index = u32::try_from(accepted.len()).expect("a batch is small");
                let touched = self.remember_place(lanes, Place { record: self.records, index });
                accepted.push((id, bytes.clone()));
                let certificate = wire::Certificate { order: bytes, votes: Vec::new() };
                Answer::Certified { id, certificate, movements, touched }
            }
            Ok((id, _, Applied::Before)) => Answer::Before { id },
            Err(refusal) => {
                // Both halves are kept: whoever signed two orders for one place is shown to have.
                // One that is void by now shows nothing: it may have been refused when it was young,
                // and its owner gave another in its place.
                if let Refusal::Conflict { first } = &refusal
                    && at < Timestamp(order.expires_ms)
                    && self.remember_conflict(&order)
                {
                    let second = order.signed().as_bytes().to_vec();
                    conflicts.push(wire::Conflict { first: first.0.to_vec(), second });
                }
                Answer::Refused(refusal)
            }
        }
    }

    fn remember_place(&mut self, lanes: Vec<LaneId>, place: Place) -> Vec<(LaneId, u64)> {
        let mut remember = |lane| {
            let places = self.places.entry(lane).or_default();
            places.push(place);
            (lane, places.len() as u64 - 1)
        };
        lanes.into_iter().map(&mut remember).collect()
    }

    /// Whether it is the first of its lane.
    fn remember_conflict(&mut self, order: &wire::Order) -> bool {
        LaneId::read(order.lane.as_ref()).is_ok_and(|lane| self.conflicted.insert(lane))
    }

    /// Takes back an order that this notary certified before its log lost it. It is carried out as of
    /// the time of the vote, in a batch of its own.
    ///
    /// # Errors
    /// When the certificate is not this notary's.
    pub fn restore(
        &mut self,
        scheme: &dyn Scheme,
        certificate: &wire::Certificate,
    ) -> Result<Judged, CertificateError> {
        let committee = Committee::new(vec![DeviceId(scheme.public_key())]);
        certificate::verify(scheme, &self.network, &committee, certificate)?;
        // Of all votes, this notary's own.
        let own =
            certificate.votes.iter().filter_map(|vote| Signed::<wire::Vote>::from_bytes(vote.vote.as_slice()).ok());
        let own = own.filter(|vote| vote.claimed_signer() == scheme.public_key()).find_map(|vote| vote.peek().ok());
        let at = own.map_or(0, |vote| vote.at_ms);
        let order = Signed::from_bytes(certificate.order.as_slice()).map_err(Refusal::from)?;
        Ok(self.judge(scheme, Timestamp(at), vec![order]))
    }

    /// Ends the epoch and gives the record that says in which state. To be on disk before anything
    /// of the next epoch leaves.
    pub fn end_epoch(&mut self, scheme: &dyn Scheme, at: Timestamp) -> Vec<u8> {
        self.ledger.begin_epoch();
        self.epoch_began = Some(at);
        let checkpoint = self.checkpoint(at);
        self.chained(Kind::Checkpoint(Signed::new(scheme, &self.network, &checkpoint).into_bytes()))
    }

    fn checkpoint(&self, at: Timestamp) -> wire::Checkpoint {
        let supply = self.ledger.supply();
        wire::Checkpoint {
            epoch: self.ledger.epoch(),
            began_ms: at.0,
            batches: self.batches,
            state_root: self.ledger.root().0.to_vec(),
            parameters: self.ledger.parameters().hash().0.to_vec(),
            supply: Some(wire::Supply {
                minted: supply.minted.micro(),
                burnt: supply.burnt.micro(),
                lapsed: supply.lapsed.micro(),
            }),
            previous: self.previous.0.to_vec(),
        }
    }

    fn chained(&mut self, kind: Kind) -> Vec<u8> {
        let record = wire::Record { kind: Some(kind) }.encode_to_vec();
        self.previous = Hash::of(&record);
        self.records += 1;
        record
    }

    /// Does again what a record of this notary's log says.
    ///
    /// # Errors
    /// When it does not follow, is not this notary's, or no longer leads where it led. Then the
    /// notary is not to be used further.
    pub fn replay(&mut self, scheme: &dyn Scheme, record: &[u8]) -> Result<(), ReplayError> {
        let read = wire::Record::decode(record).map_err(|_| ReplayError::Unreadable)?;
        match read.kind.ok_or(ReplayError::Unreadable)? {
            Kind::Batch(batch) => self.replay_batch(scheme, batch)?,
            Kind::Checkpoint(bytes) => {
                let checkpoint = self.own::<wire::Checkpoint>(scheme, bytes)?;
                self.follows(&checkpoint.previous, checkpoint.batches)?;
                self.ledger.begin_epoch();
                self.epoch_began = Some(Timestamp(checkpoint.began_ms));
                if *checkpoint != self.checkpoint(Timestamp(checkpoint.began_ms)) {
                    return Err(ReplayError::OtherState);
                }
            }
        }
        self.previous = Hash::of(record);
        self.records += 1;
        Ok(())
    }

    fn replay_batch(&mut self, scheme: &dyn Scheme, batch: wire::Batch) -> Result<(), ReplayError> {
        let vote = self.own::<wire::Vote>(scheme, batch.vote)?;
        self.follows(&vote.previous, vote.batch)?;
        let orders: Vec<_> =
            batch.orders.into_iter().map(Signed::from_bytes).collect::<Result<_, _>>().map_err(Refusal::from)?;
        let leaves: Vec<Hash> = orders.iter().map(|order| leaf(&id(&self.network, order))).collect();
        if merkle::Tree::new(leaves).root() != hash(&vote.root)? || vote.epoch != self.ledger.epoch() {
            return Err(ReplayError::OtherState);
        }
        for (index, order) in (0_u32..).zip(Signed::verify_each(scheme, &self.network, orders)) {
            let order = Order::read(scheme, &self.network, &order.map_err(Refusal::from)?)?;
            let lanes = self.ledger.touched_by(&order);
            self.remember_place(lanes, Place { record: self.records, index });
            if self.ledger.apply(Timestamp(vote.at_ms), &order)? == Applied::Before {
                return Err(ReplayError::OtherState);
            }
        }
        for conflict in batch.conflicts {
            let second = Signed::<wire::Order>::from_bytes(conflict.second).and_then(|order| order.peek());
            self.remember_conflict(&second.map_err(Refusal::from)?);
        }
        self.batches += 1;
        self.latest = Timestamp(vote.at_ms);
        self.epoch_began.get_or_insert(self.latest);
        Ok(())
    }

    fn own<T: p2p_types::Artefact>(&self, scheme: &dyn Scheme, bytes: Vec<u8>) -> Result<Verified<T>, ReplayError> {
        let signed = Signed::<T>::from_bytes(bytes).map_err(|_| ReplayError::Unreadable)?;
        let verified = signed.verify(scheme, &self.network).map_err(|_| ReplayError::Signature)?;
        if verified.signer() == scheme.public_key() { Ok(verified) } else { Err(ReplayError::Signature) }
    }

    fn follows(&self, previous: &[u8], batches: u64) -> Result<(), ReplayError> {
        if previous == self.previous.0 && batches == self.batches { Ok(()) } else { Err(ReplayError::Gap) }
    }
}
