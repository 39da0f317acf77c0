//! Credits as a world sees them: the notary's disk, wallets, copies of homes, what is said twice, and
//! whether all is settled in the end.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use p2p_ledger::{LaneId, Notary, Place, certificate};
use p2p_protocol::wire::envelope::Message;
use p2p_protocol::{Input, Limits, Money, Payer};
use p2p_types::{Credits, DeviceId, Hash, TaskId};

use super::{Event, World};
use crate::checkers::{Verdict, read};
use crate::computer::{Seam, amount_of, incarnation};
use crate::dice::Dice;
use crate::load;
use crate::money::{self, Mishap, NOTARY};
use crate::scenario::{Sabotage, Scenario};
use crate::{MS, Micros, SECOND};

/// Messages that may be said once more.
const REMEMBERED: usize = 64;
/// Computers that say more than this in a second talk without end.
const FRAMES_A_SECOND: u32 = 1000;
/// Why an honest order may be refused.
const EXPECTED: &[&str] = &[
    "has no lane yet",
    "the hold ended at",
    "whoever founded the network",
    "credits are wanted",
    "there is no open hold",
];
/// What a node may say of a voucher that came twice.
const OLD_VOUCHER: &str = "a voucher that does not follow the one before";

/// What a world with money keeps.
#[derive(Debug)]
pub(super) struct State {
    dice: Dice,
    /// Orders and payments that were said: from whom, to whom.
    said: VecDeque<(usize, DeviceId, Message)>,
    /// Computers that became older copies of themselves, their numbers too.
    aged: BTreeSet<usize>,
    calm: bool,
    pub(super) over: bool,
    /// Frames of each computer in the second that is now.
    frames: BTreeMap<usize, (u64, u32)>,
}

impl State {
    pub(super) fn new(scenario: &Scenario) -> Self {
        Self {
            dice: Dice::new(scenario.seed, "ledger"),
            said: VecDeque::new(),
            aged: BTreeSet::new(),
            calm: false,
            over: false,
            frames: BTreeMap::new(),
        }
    }
}

impl World<'_> {
    pub(super) fn plan_money(&mut self, storm: (Micros, Micros)) {
        let Some(economy) = &self.scenario.money else { return };
        let (seed, nodes) = (self.scenario.seed, self.scenario.nodes);
        let devices: Vec<DeviceId> = self.computers.iter().map(|computer| computer.device).collect();
        for (at, wish) in load::canaries(economy.canaries, &devices, storm, &mut Dice::new(seed, "canaries")) {
            self.schedule.at(at, Event::Wish(self.wishes.len()));
            self.wishes.push(wish);
        }
        for (at, mishap) in money::mishaps(economy, nodes, storm, &mut Dice::new(seed, "mishaps")) {
            self.schedule.at(at, Event::Mishap(self.mishaps.len()));
            self.mishaps.push(mishap);
        }
    }

    pub(super) fn heard_limits(&self, money: Money) -> Money {
        match self.scenario.sabotage {
            Sabotage::UnheardLimits => Money { limits: Limits::default(), ..money },
            _ => money,
        }
    }

    pub(super) fn befalls(&mut self, mishap: &Mishap) -> Verdict {
        match *mishap {
            Mishap::Copy { node } => self.computers[node].copy(),
            Mishap::Restore { node } => {
                let old_sequences = self.scenario.money.is_some_and(|economy| economy.old_sequences);
                self.crash(node, true)?;
                if self.computers[node].restore(old_sequences) {
                    let device = self.computers[node].device;
                    self.books.forgot(device);
                    if old_sequences {
                        self.ledger.aged.insert(node);
                        self.checkers.sequences.restored(device);
                    }
                    let kept = self.computers[node].trusted().clone();
                    self.checkers.privacies.forget(device, &kept);
                }
                return self.start(node);
            }
            Mishap::Calendar { node, ms } => {
                // Whoever takes it for late settles early, with what there is.
                self.books.forgot(self.computers[node].device);
                self.computers[node].skew_ms = ms;
            }
            Mishap::Night { ms } => {
                if self.ledger.calm {
                    self.look_for_the_notary();
                }
                self.computers.iter_mut().for_each(|computer| computer.nights_ms += ms);
            }
            Mishap::Calm => {
                self.ledger.calm = true;
                self.computers.iter_mut().for_each(|computer| (computer.skew_ms, computer.seam) = (0, None));
                let stopped = self.computers[NOTARY].node.as_ref().and_then(p2p_protocol::Node::notary);
                if stopped.is_some_and(|(_, works)| !works) {
                    self.crash(NOTARY, true)?;
                    return self.start(NOTARY);
                }
            }
            Mishap::End => self.ledger.over = true,
        }
        Ok(())
    }

    /// Whoever waited out a ban, or was alone, tries the address of its configuration again.
    fn look_for_the_notary(&mut self) {
        let notary = self.computers[NOTARY].device;
        (1..self.computers.len()).for_each(|node| self.fabric.dial(node, notary, &mut self.schedule));
    }

    // ---- disks ----

    /// A process begins: some time later it knows what its disk has.
    pub(super) fn read_wallets_soon(&mut self, node: usize) {
        if self.scenario.money.is_none() {
            return;
        }
        let incarnation = self.computers[node].incarnation;
        let wait = self.ledger.dice.between(MS / 10, 300 * MS);
        self.schedule.after(wait, Event::Wallets { node, incarnation });
    }

    pub(super) fn opens_wallets(&mut self, node: usize, incarnation: u32) -> Verdict {
        if !self.reaches(node, incarnation, || Event::Wallets { node, incarnation }) {
            return Ok(());
        }
        if node == NOTARY {
            let notary = Box::new(self.replayed()?);
            self.feed(node, Input::Books { notary })?;
        }
        for (payer, lane) in self.lanes_of(node) {
            let told = self.computers[node].wallet.told(payer, lane, &self.network, &self.verifier())?;
            self.feed(node, told)?;
        }
        Ok(())
    }

    fn lanes_of(&self, node: usize) -> Vec<(Payer, LaneId)> {
        let computer = &self.computers[node];
        let device = computer.device;
        let mut lanes = vec![(Payer::Owner, LaneId { account: computer.account_id(), device })];
        if node == NOTARY {
            lanes.push((Payer::Issuer, LaneId { account: self.house.issuer(), device }));
        }
        lanes
    }

    /// The notary as its log has it.
    fn replayed(&self) -> Result<Notary, (&'static str, String)> {
        let mut notary = Notary::new(self.network.id, self.network.economy.clone());
        let scheme = self.computers[NOTARY].scheme();
        for (number, record) in self.computers[NOTARY].log.iter().enumerate() {
            let read = notary.replay(scheme, record);
            read.map_err(|why| ("log", format!("record {number} of the notary's log: {why}")))?;
        }
        Ok(notary)
    }

    /// The notary has something for its log.
    pub(super) fn write_record(&mut self, node: usize, record: Vec<u8>) -> Verdict {
        let books = self.computers[node].node.as_ref().and_then(p2p_protocol::Node::books);
        if node != NOTARY || !books.is_some_and(|notary| notary.ledger().balances()) {
            return Err(("balance", format!("credits came or went at node {node}")));
        }
        let computer = &mut self.computers[node];
        if computer.writing.replace(record).is_some() {
            return Err(("log", "two records are written at one time".to_owned()));
        }
        let (wait, incarnation) = (computer.disk_us, computer.incarnation);
        self.schedule.after(wait, Event::Written { incarnation });
        Ok(())
    }

    /// The disk comes to the record: it has it, or fails.
    pub(super) fn record_written(&mut self, incarnation: u32) -> Verdict {
        if !self.reaches(NOTARY, incarnation, || Event::Written { incarnation }) {
            return Ok(());
        }
        let seam = self.computers[NOTARY].seam;
        if seam == Some(Seam::BeforeCommit) {
            return self.crash(NOTARY, true);
        }
        let broken = self.scenario.money.map_or(0, |economy| economy.broken_permille);
        let fails = !self.ledger.calm && self.ledger.dice.permille(broken);
        // What a failing disk has in the end nobody knows.
        let landed = !fails || self.ledger.dice.permille(500);
        let record = self.computers[NOTARY].writing.take().filter(|_| landed);
        if let Some(record) = record.filter(|_| self.scenario.sabotage != Sabotage::UnwrittenRecords) {
            self.keep_record(record)?;
        }
        if seam == Some(Seam::AfterCommit) {
            return self.crash(NOTARY, true);
        }
        let wait = self.ledger.dice.between(1, 5 * MS);
        self.schedule.after(wait, Event::Recorded { incarnation, written: !fails });
        Ok(())
    }

    fn keep_record(&mut self, record: Vec<u8>) -> Verdict {
        self.books.recorded(&record)?;
        self.computers[NOTARY].log.push(record);
        Ok(())
    }

    pub(super) fn record_known(&mut self, incarnation: u32, written: bool) -> Verdict {
        if !self.reaches(NOTARY, incarnation, || Event::Recorded { incarnation, written }) {
            return Ok(());
        }
        if !written {
            // Whoever runs it sees that it stopped, and starts it again.
            self.report.broken += 1;
            let down = self.ledger.dice.between(MS, 20 * SECOND);
            let at = self.schedule.now();
            let crash = self.faults.len();
            self.faults.push(crate::faults::Fault::Crash { node: NOTARY, politely: true });
            self.faults.push(crate::faults::Fault::Start { node: NOTARY });
            self.schedule.at(at + down, Event::Fault(crash));
            self.schedule.at(at + down + SECOND, Event::Fault(crash + 1));
        }
        self.feed(NOTARY, Input::Recorded { written })
    }

    /// A process ends while the disk writes: the record is whole, or not there.
    pub(super) fn record_in_flight(&mut self, node: usize) -> Verdict {
        let Some(record) = self.computers[node].writing.take() else { return Ok(()) };
        let landed = self.ledger.dice.permille(500) && self.computers[node].seam != Some(Seam::BeforeCommit);
        if landed { self.keep_record(record) } else { Ok(()) }
    }

    pub(super) fn read_log(&mut self, request: u64, places: &[Place]) -> Verdict {
        let computer = &self.computers[NOTARY];
        let find = |place: &Place| {
            let record = computer.log.get(usize::try_from(place.record).ok()?)?;
            let mut all = certificate::of_record(&self.network.id, record).ok()?;
            let index = usize::try_from(place.index).ok()?;
            (index < all.len()).then(|| certificate::encode(&all.swap_remove(index).1))
        };
        let found: Option<Vec<Vec<u8>>> = places.iter().map(find).collect();
        let Some(mut certificates) = found else {
            return Err(("log", format!("the notary asks for {places:?} of its {} records", computer.log.len())));
        };
        let (wait, incarnation) = (computer.disk_us, computer.incarnation);
        if !self.ledger.calm && self.ledger.dice.permille(20) {
            certificates.clear();
        }
        self.schedule.after(wait, Event::Read { incarnation, request, certificates });
        Ok(())
    }

    // ---- what is said ----

    /// Work is given under a hold, or a voucher is signed.
    pub(super) fn promises(&mut self, node: usize, to: DeviceId, frame: &[u8]) {
        if self.scenario.money.is_none() {
            return;
        }
        let Ok(envelope) = read(frame) else { return };
        if let Some(Message::Assignment(assignment)) = &envelope.message
            && node == NOTARY
            && let (Ok(task), Ok(hold), Some(price)) = (
                TaskId::try_from(assignment.task.as_slice()),
                Hash::try_from(assignment.hold.as_slice()),
                Credits::from_micro(assignment.price),
            )
        {
            self.books.asked(task, hold, price);
        }
        if let Some(Message::Payment(payment)) = &envelope.message
            && let Some((hold, amount)) = amount_of(&payment.voucher)
        {
            let incarnations = (self.computers[node].incarnation, incarnation(&self.computers, &to));
            self.books.promised(hold, amount, incarnations);
            if self.house.stingy == Some(node) {
                self.books.withheld(hold);
            }
        }
    }

    /// A frame leaves, and now and then something old after it, as if it were new.
    pub(super) fn says(&mut self, node: usize, to: DeviceId, frame: &[u8]) -> Verdict {
        let envelope = read(frame)?;
        let unpaid = self.house.stingy == Some(node) || self.scenario.sabotage == Sabotage::LostPayments;
        if unpaid && matches!(envelope.message, Some(Message::Payment(_))) {
            return Ok(());
        }
        let second = self.schedule.now() / SECOND;
        let frames = self.ledger.frames.entry(node).or_default();
        *frames = if frames.0 == second { (second, frames.1 + 1) } else { (second, 1) };
        if frames.1 > FRAMES_A_SECOND {
            return Err(("chatter", format!("node {node} sends {} frames in a second", frames.1)));
        }
        let frame = self.spaced(node, frame.to_vec())?;
        self.fabric.send(node, to, frame, &mut self.schedule);
        let echoes = self.scenario.money.map_or(0, |economy| economy.echoes_permille);
        if echoes == 0 {
            return Ok(());
        }
        if let Some(message @ (Message::Payment(_) | Message::LedgerOrder(_))) = &envelope.message {
            self.ledger.said.push_back((node, to, message.clone()));
            if self.ledger.said.len() > REMEMBERED {
                self.ledger.said.pop_front();
            }
        }
        let greets = matches!(envelope.message, Some(Message::Hello(_)));
        if greets || self.ledger.calm || !self.ledger.dice.permille(echoes) {
            return Ok(());
        }
        let known: Vec<&Message> = self
            .ledger
            .said
            .iter()
            .filter(|(from, whom, _)| *from == node && *whom == to)
            .map(|(_, _, said)| said)
            .collect();
        if !known.is_empty() {
            let message = known[self.ledger.dice.index(known.len())].clone();
            let echo = p2p_protocol::wire::Envelope {
                sequence: envelope.sequence * 2 + 1,
                session: envelope.session / 2,
                message: Some(message),
                ..envelope
            };
            let echo = self.computers[node].sign(&self.network.id, &echo);
            self.fabric.send(node, to, echo, &mut self.schedule);
        }
        Ok(())
    }

    /// Numbers an envelope anew, with room between for what is said again.
    pub(super) fn spaced(&self, node: usize, frame: Vec<u8>) -> Result<Vec<u8>, (&'static str, String)> {
        if self.scenario.money.is_none_or(|economy| economy.echoes_permille == 0) {
            return Ok(frame);
        }
        let envelope = read(&frame)?;
        let envelope =
            p2p_protocol::wire::Envelope { sequence: envelope.sequence * 2, session: envelope.session / 2, ..envelope };
        Ok(self.computers[node].sign(&self.network.id, &envelope))
    }

    /// Whether somebody is blamed for what this world says in their name.
    pub(super) fn is_echo(&self, reason: &str) -> bool {
        // Connections that come and go bring more lists of addresses than are read.
        if self.scenario.money.is_some() && reason.contains("there are too many of them") {
            return true;
        }
        let echoes = self.scenario.money.is_some_and(|economy| economy.echoes_permille > 0);
        echoes && reason.contains(OLD_VOUCHER) && self.scenario.sabotage != Sabotage::NoExcuses
    }

    /// The notary refuses what could not be known to be wrong, and nothing else.
    #[expect(clippy::unused_self, reason = "reads as one of the world's rules")]
    pub(super) fn order_refused(&self, node: usize, what: &str, why: &str) -> Verdict {
        if EXPECTED.iter().any(|known| why.contains(known)) {
            return Ok(());
        }
        Err(("orders", format!("node {node} was refused {what}: {why}")))
    }

    // ---- what must be true ----

    pub(super) fn looks_at_wallets(&self, node: usize) -> Verdict {
        let now = self.computers[node].now(self.schedule.now());
        let Some(machine) = self.computers[node].node.as_ref() else { return Ok(()) };
        for payer in [Payer::Owner, Payer::Issuer] {
            let Some(balance) = machine.balance(payer, now) else { continue };
            let limit = self.house.limits[node].daily.filter(|_| payer == Payer::Owner);
            self.books.seen(&balance, now.wall, limit)?;
        }
        Ok(())
    }

    /// All is mended and time has passed: nothing is left open.
    pub(super) fn all_is_settled(&self) -> Verdict {
        if self.scenario.money.is_none() {
            return Ok(());
        }
        let now = self.schedule.now();
        let wall = self.computers[NOTARY].now(now).wall;
        let machine = self.computers[NOTARY].node.as_ref();
        let Some(notary) = machine.and_then(p2p_protocol::Node::books) else {
            return Err(("liveness", "the notary does not run".to_owned()));
        };
        if self.computers[NOTARY].writing.is_none() {
            let replayed = self.replayed()?;
            if replayed != *notary || replayed.ledger().root() != notary.ledger().root() {
                return Err(("log", "the log replays to another state".to_owned()));
            }
            self.books.agree(notary, wall)?;
        }
        let mut mute = BTreeSet::new();
        for (node, computer) in self.computers.iter().enumerate() {
            let Some(machine) = &computer.node else {
                return Err(("liveness", format!("node {node} does not run")));
            };
            for (payer, lane) in self.lanes_of(node) {
                let balance = machine.balance(payer, computer.now(now));
                let current = balance
                    .as_ref()
                    .is_some_and(|balance| balance.current && balance.orders == notary.places(&lane).len() as u64);
                if !current && self.ledger.aged.contains(&node) {
                    mute.insert(computer.device);
                } else if !current {
                    return Err(("statements", format!("node {node} does not know its own lane: {balance:?}")));
                }
            }
            self.looks_at_wallets(node)?;
        }
        self.books.all_ended(|device| mute.contains(device))?;
        self.books.all_paid(|device| incarnation(&self.computers, device))
    }
}
