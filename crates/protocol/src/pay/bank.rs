//! The notary's side: takes orders and questions in the order they come, judges what came while the
//! disk was busy as one batch, and answers when that batch is on disk.

use std::collections::{BTreeMap, VecDeque};

use p2p_ledger::{Answer, BATCH_ORDERS, LaneId, Notary, Place, Refusal, certificate, day, id, wire as ledger};
use p2p_types::{AccountId, Credits, DeviceId, Hash, Now, Signed};
use prost::Message as _;

use crate::bucket::{Bucket, Rate};
use crate::io::Output;
use crate::post::Post;
use crate::wire::{self, envelope::Message, ledger_refusal::Why};

/// Orders and questions that wait. Beyond that the notary takes nothing until it has caught up.
const WAITING: usize = 2 * BATCH_ORDERS;
/// What one node may ask: a busy computer settles a few sessions a second.
const ASKED: Rate = Rate { burst: 256, refill_us: 20_000 };
/// Nodes whose use is counted.
const COUNTED: usize = 1024;
/// Certificates in one answer: far below the limit of a frame.
pub(super) const PAGE: usize = 64;
/// Answers that wait for the log to be read.
const READS: usize = 256;

/// An answer, and to whom.
pub(crate) type Reply = (DeviceId, Message);

#[derive(Debug)]
enum Asked {
    Order {
        from: DeviceId,
        order: Signed<ledger::Order>,
    },
    Statement {
        from: DeviceId,
        lane: LaneId,
        first: u64,
    },
    /// A certificate of this notary that its log may have lost.
    Restore {
        certificate: ledger::Certificate,
    },
}

#[derive(Debug)]
struct Answered {
    from: DeviceId,
    order: Hash,
    answer: Answer,
}

#[derive(Debug)]
struct Read {
    to: DeviceId,
    statement: wire::Statement,
}

#[derive(Debug)]
pub(crate) struct Bank {
    notary: Notary,
    waiting: VecDeque<Asked>,
    /// What is told when the record on its way is on disk.
    writing: Option<Vec<Answered>>,
    reads: BTreeMap<u64, Read>,
    next_read: u64,
    used: BTreeMap<DeviceId, Bucket>,
    /// The disk failed: the state is ahead of it, and nothing may be answered any more.
    stopped: bool,
}

impl Bank {
    pub(crate) fn new(notary: Notary) -> Self {
        Self {
            notary,
            waiting: VecDeque::new(),
            writing: None,
            reads: BTreeMap::new(),
            next_read: 0,
            used: BTreeMap::new(),
            stopped: false,
        }
    }

    pub(crate) const fn notary(&self) -> &Notary {
        &self.notary
    }

    /// Whether it carries orders out.
    pub(crate) const fn works(&self) -> bool {
        !self.stopped
    }

    /// Takes an order. `Some` where it is answered at once.
    pub(crate) fn order(
        &mut self,
        now: Now,
        from: DeviceId,
        account: Option<AccountId>,
        bytes: Vec<u8>,
        post: &Post,
    ) -> Option<Reply> {
        let may_ask = self.may_ask(now, from, post);
        let order = match Signed::<ledger::Order>::from_bytes(bytes) {
            Ok(order) => order,
            Err(error) => return Some((from, refusal(Hash::of(b""), Why::Never, error.to_string()))),
        };
        let name = id(&post.network, &order);
        // Who is not there cannot have asked: nobody opens lanes for invented computers or owners.
        let lane = order.peek().ok().and_then(|order| order.lane);
        let of_asker = |lane: &ledger::Lane| account.is_some_and(|account| lane.account == account.0);
        let own = lane.is_some_and(|lane| lane.device == from.0 && (from == post.me || of_asker(&lane)));
        if may_ask && !own {
            return Some((from, refusal(name, Why::Never, "it is for another computer's lane".to_owned())));
        }
        if !may_ask {
            return Some((from, refusal(name, Why::Later, "the notary has more to do than it takes".to_owned())));
        }
        self.waiting.push_back(Asked::Order { from, order });
        None
    }

    /// Takes a question about a lane of the asker's account.
    pub(crate) fn statement(&mut self, now: Now, from: DeviceId, lane: LaneId, first: u64, post: &Post) {
        if self.may_ask(now, from, post) {
            self.waiting.push_back(Asked::Statement { from, lane, first });
        }
    }

    /// Takes back what this notary certified, from who has it still.
    pub(crate) fn restore(
        &mut self,
        now: Now,
        from: DeviceId,
        certificates: &[Vec<u8>],
        post: &Post,
    ) -> Result<(), &'static str> {
        for certificate in certificates.iter().take(PAGE) {
            let certificate = certificate::decode(certificate).map_err(|_| "a certificate that cannot be read")?;
            if !self.may_ask(now, from, post) {
                break;
            }
            self.waiting.push_back(Asked::Restore { certificate });
        }
        Ok(())
    }

    fn may_ask(&mut self, now: Now, from: DeviceId, post: &Post) -> bool {
        if self.stopped || self.waiting.len() >= WAITING {
            return false;
        }
        if self.used.len() >= COUNTED && !self.used.contains_key(&from) {
            self.used.clear();
        }
        from == post.me || self.used.entry(from).or_default().take(now, ASKED)
    }

    /// Goes on with what waits, where nothing is on its way to the disk. Gives what can be answered.
    pub(crate) fn work(&mut self, now: Now, post: &mut Post) -> Vec<Reply> {
        let mut replies = Vec::new();
        while self.writing.is_none() && !self.stopped {
            match self.waiting.front() {
                None => break,
                Some(Asked::Statement { .. }) => {
                    let Some(Asked::Statement { from, lane, first }) = self.waiting.pop_front() else { break };
                    replies.extend(self.state(from, lane, first, post));
                }
                Some(Asked::Order { .. }) => replies.extend(self.judge(now, post)),
                Some(Asked::Restore { .. }) => {
                    if let Some(Asked::Restore { certificate }) = self.waiting.pop_front() {
                        self.take_back(&certificate, post);
                    }
                }
            }
        }
        replies
    }

    /// Ends the epoch where a new day began.
    pub(crate) fn end_epoch(&mut self, now: Now, post: &mut Post) {
        let began = self.notary.epoch_began();
        let late = day(now.wall) > day(began) && self.notary.believes(now.wall);
        if self.writing.is_none() && !self.stopped && late {
            let record = self.notary.end_epoch(&*post.scheme, now.wall);
            self.writing = Some(Vec::new());
            post.emit(Output::Record { record });
        }
    }

    /// Judges the orders that wait in front.
    fn judge(&mut self, now: Now, post: &mut Post) -> Vec<Reply> {
        let (mut from, mut orders) = (Vec::new(), Vec::new());
        while orders.len() < BATCH_ORDERS
            && let Some(Asked::Order { .. }) = self.waiting.front()
            && let Some(Asked::Order { from: device, order }) = self.waiting.pop_front()
        {
            from.push((device, id(&post.network, &order)));
            orders.push(order);
        }
        let judged = self.notary.judge(&*post.scheme, now.wall, orders);
        let answers = from.into_iter().zip(judged.answers);
        let answers: Vec<Answered> = answers.map(|((from, order), answer)| Answered { from, order, answer }).collect();
        match judged.record {
            Some(record) => {
                self.writing = Some(answers);
                post.emit(Output::Record { record });
                Vec::new()
            }
            None => self.tell(answers),
        }
    }

    /// Carries out once more what the log lost. What it has, or what is not this notary's, changes nothing.
    fn take_back(&mut self, certificate: &ledger::Certificate, post: &mut Post) {
        let Ok(judged) = self.notary.restore(&*post.scheme, certificate) else { return };
        let Some(record) = judged.record else { return };
        // Whoever lost it with the notary is told; the others have it.
        let certified = judged.answers.into_iter().filter_map(|answer| match answer {
            Answer::Certified { id, .. } => Some(Answered { from: post.me, order: id, answer }),
            _ => None,
        });
        self.writing = Some(certified.collect());
        post.emit(Output::Record { record });
    }

    /// The record is on disk, or never will be.
    pub(crate) fn recorded(&mut self, written: bool) -> Vec<Reply> {
        let Some(answers) = self.writing.take() else { return Vec::new() };
        if written {
            return self.tell(answers);
        }
        self.stopped = true;
        self.waiting.clear();
        let later = |answered: Answered| {
            (answered.from, refusal(answered.order, Why::Later, "the notary's disk failed".to_owned()))
        };
        answers.into_iter().map(later).collect()
    }

    fn tell(&self, answers: Vec<Answered>) -> Vec<Reply> {
        let mut replies = Vec::new();
        for Answered { from, order, answer } in answers {
            match answer {
                Answer::Certified { certificate, touched, .. } => {
                    let certificate = certificate.encode_to_vec();
                    let tell = |(lane, before): (LaneId, u64)| {
                        let statement = wire::Statement {
                            from: before,
                            certificates: vec![certificate.clone()],
                            ..self.begin_statement(lane)
                        };
                        (lane.device, Message::Statement(statement))
                    };
                    replies.extend(touched.into_iter().map(tell));
                }
                // Whoever gives it again has not heard of it: the lane's total says so.
                Answer::Before { .. } => replies.push((from, refusal(order, Why::Stale, "carried out before".into()))),
                Answer::Refused(why) => replies.push((from, refusal(order, kind(&why), why.to_string()))),
            }
        }
        replies
    }

    fn state(&mut self, from: DeviceId, lane: LaneId, first: u64, post: &mut Post) -> Option<Reply> {
        let places = self.notary.places(&lane);
        let begin = usize::try_from(first).unwrap_or(usize::MAX).min(places.len());
        let page: Vec<Place> = places[begin..].iter().take(PAGE).copied().collect();
        let statement = wire::Statement { from: begin as u64, ..self.begin_statement(lane) };
        if page.is_empty() {
            return Some((from, Message::Statement(statement)));
        }
        // A node that asks more than it waits for asks again.
        if self.reads.len() < READS {
            self.next_read += 1;
            self.reads.insert(self.next_read, Read { to: from, statement });
            post.emit(Output::ReadLog { request: self.next_read, places: page });
        }
        None
    }

    fn begin_statement(&self, lane: LaneId) -> wire::Statement {
        wire::Statement {
            account: lane.account.0.to_vec(),
            device: lane.device.0.to_vec(),
            total: self.notary.places(&lane).len() as u64,
            epoch: self.notary.ledger().epoch(),
            others: self.notary.ledger().others_of(&lane).micro(),
            ..wire::Statement::default()
        }
    }

    /// What was asked of the log is there; nothing, where it could not be read.
    pub(crate) fn log_read(&mut self, request: u64, certificates: Vec<Vec<u8>>) -> Option<Reply> {
        let Read { to, statement } = self.reads.remove(&request)?;
        if certificates.is_empty() {
            return None;
        }
        Some((to, Message::Statement(wire::Statement { certificates, ..statement })))
    }
}

fn refusal(order: Hash, why: Why, detail: String) -> Message {
    Message::LedgerRefusal(wire::LedgerRefusal { order: order.0.to_vec(), why: why.into(), detail })
}

/// What a refusal means for whoever gave the order.
fn kind(refusal: &Refusal) -> Why {
    match refusal {
        Refusal::OutOfSequence { .. } | Refusal::Conflict { .. } | Refusal::Epoch { .. } => Why::Stale,
        // One of two calendars is wrong: another order at once would expire as soon.
        Refusal::Expired
        | Refusal::TooLong { .. }
        | Refusal::TooManyAtOnce
        | Refusal::ClockLeap(_)
        | Refusal::TooManyOrders(_) => Why::Later,
        Refusal::Overdrawn { .. } => Why::Overdrawn,
        _ => Why::Never,
    }
}

/// A lane as a message names it.
pub(crate) fn lane(account: &[u8], device: &[u8]) -> Option<LaneId> {
    Some(LaneId { account: AccountId::try_from(account).ok()?, device: DeviceId::try_from(device).ok()? })
}

/// What a statement says of other lanes.
pub(crate) fn credits(micro: u64) -> Credits {
    Credits::from_micro(micro).unwrap_or_default()
}
