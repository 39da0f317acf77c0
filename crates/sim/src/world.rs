//! The loop: takes what happens next, feeds it to whom it concerns, performs what the machine
//! wants, and lets the checkers look.

mod effects;
mod ledger;

use p2p_protocol::{Input, Money, Network};
use p2p_types::Scheme as _;

use crate::checkers::{Asked, Books, Checkers, Verdict, Violation};
use crate::computer::Computer;
use crate::dice::Dice;
use crate::fabric::{Fabric, Motion, PortEvent};
use crate::faults::{self, Fault};
use crate::load::{self, Wish};
use crate::money::{self, Economy, House, Mishap, NOTARY};
use crate::scenario::{Report, Sabotage, Scenario};
use crate::scheme::KeyedHash;
use crate::{MS, Micros, SECOND, Schedule};

/// Machines that are ticked more often than this in a second would keep a real computer awake.
const TICKS_A_SECOND: u32 = 3000;
/// How long after the last wish all must be over.
const PATIENCE_US: Micros = 300 * SECOND;

/// All that can happen.
#[derive(Debug)]
pub(crate) enum Event {
    Port(Motion),
    Hear {
        node: usize,
        incarnation: u32,
        what: PortEvent,
    },
    Tick {
        node: usize,
        incarnation: u32,
    },
    Done {
        node: usize,
        incarnation: u32,
        work_id: u64,
    },
    Committed {
        node: usize,
        incarnation: u32,
        token: u64,
    },
    Start {
        node: usize,
    },
    Fault(usize),
    Wish(usize),
    Mishap(usize),
    /// The disk has read what it has of credits.
    Wallets {
        node: usize,
        incarnation: u32,
    },
    /// The notary's disk has a record, or what becomes of it is known.
    Written {
        incarnation: u32,
    },
    Recorded {
        incarnation: u32,
        written: bool,
    },
    Read {
        incarnation: u32,
        request: u64,
        certificates: Vec<Vec<u8>>,
    },
}

impl From<Motion> for Event {
    fn from(motion: Motion) -> Self {
        Self::Port(motion)
    }
}

#[derive(Debug)]
pub(crate) struct World<'a> {
    scenario: &'a Scenario,
    schedule: Schedule<Event>,
    fabric: Fabric,
    computers: Vec<Computer>,
    /// What happened to sleeping computers.
    asleep: Vec<Vec<Event>>,
    network: Network,
    house: House,
    books: Books,
    ledger: ledger::State,
    mishaps: Vec<Mishap>,
    faults: Vec<Fault>,
    wishes: Vec<Wish>,
    wishes_left: usize,
    open_tasks: usize,
    checkers: Checkers,
    trace: blake3::Hasher,
    report: Report,
}

impl<'a> World<'a> {
    pub(crate) fn new(scenario: &'a Scenario) -> Self {
        let economy = scenario.money.unwrap_or(Economy { unpaid: true, ..Economy::calm() });
        let mut computers = money::computers(scenario.seed, &economy, scenario.nodes);
        let (founder, notary) = (&computers[NOTARY].account, computers[NOTARY].device);
        let house = House::found(scenario.seed, &economy, founder, notary, scenario.nodes);
        let mut checkers = Checkers::default();
        let mut fabric = Fabric::new(scenario.seed, scenario.links);
        let mut dice = Dice::new(scenario.seed, "computers");
        for number in 0..scenario.nodes {
            let mut bootstrap: Vec<usize> =
                (0..3).map(|_| dice.index(scenario.nodes)).filter(|peer| *peer != number).collect();
            // Whoever was invited knows who invited.
            bootstrap.extend((scenario.money.is_some() && number != NOTARY).then_some(NOTARY));
            fabric.add(computers[number].device, bootstrap);
            for _ in 0..scenario.nodes.min(8) {
                let whom = computers[dice.index(scenario.nodes)].device;
                computers[number].trusts_at_first(whom);
                checkers.privacies.trust(computers[number].device, whom, true);
            }
            let computer = &mut computers[number];
            computer.workers.text_us = dice.between(MS / 2, 20 * MS);
            computer.workers.lie = scenario.sabotage == Sabotage::LyingWorkers;
            computer.forgets_sequences = scenario.sabotage == Sabotage::ForgetSequences;
            computer.slots = u32::try_from(dice.between(1, 3)).expect("few");
            computer.disk_us = dice.between(MS / 10, 5 * MS);
            if dice.permille(scenario.faults.skewed_permille) {
                let skew = i64::try_from(dice.below(100_000)).expect("small") - 50_000;
                computer.skew_ms = skew;
            }
        }
        let mut world = Self {
            scenario,
            schedule: Schedule::default(),
            fabric,
            asleep: computers.iter().map(|_| Vec::new()).collect(),
            computers,
            network: house.network.clone(),
            books: Books::new(&house.network, KeyedHash::new([1; 32])),
            ledger: ledger::State::new(scenario),
            house,
            mishaps: Vec::new(),
            faults: Vec::new(),
            wishes: Vec::new(),
            wishes_left: 0,
            open_tasks: 0,
            checkers,
            trace: blake3::Hasher::new(),
            report: Report::default(),
        };
        world.plan();
        world
    }

    /// Puts everything that comes from outside into the schedule.
    fn plan(&mut self) {
        let scenario = self.scenario;
        let storm = (scenario.calm_us, scenario.calm_us + scenario.storm_us);
        let mut dice = Dice::new(scenario.seed, "starts");
        for node in 0..scenario.nodes {
            self.schedule.at(dice.below(2 * SECOND), Event::Start { node });
        }
        for (at, fault) in
            faults::plan(&scenario.faults, scenario.nodes, storm, &mut Dice::new(scenario.seed, "faults"))
        {
            self.schedule.at(at, Event::Fault(self.faults.len()));
            self.faults.push(fault);
        }
        for (at, wish) in load::plan(&scenario.load, scenario.nodes, storm, &mut Dice::new(scenario.seed, "load")) {
            self.schedule.at(at, Event::Wish(self.wishes.len()));
            self.wishes.push(wish);
        }
        self.plan_money(storm);
        self.wishes_left = self.wishes.len();
    }

    pub(crate) fn run(mut self) -> Result<Report, Violation> {
        let mut end = Micros::MAX;
        while let Some((_, event)) = self.schedule.next(end) {
            self.report.events += 1;
            let verdict = self.happens(event);
            self.judge(verdict)?;
            if self.ledger.over {
                break;
            }
            if self.wishes_left == 0 && self.scenario.money.is_none() {
                if self.open_tasks == 0 {
                    break;
                }
                end = end.min(self.schedule.now() + PATIENCE_US);
            }
        }
        let settled = self.all_is_settled();
        self.judge(self.checkers.ended())?;
        self.judge(settled)?;
        let (orders, settled) = self.books.counts();
        let (outcomes, confided) = (&self.checkers.outcomes, self.checkers.privacies.confided);
        let trace = self.trace.finalize().to_hex().to_string();
        Ok(Report {
            done: outcomes.done,
            partial: outcomes.partial,
            failed: outcomes.failed,
            cancelled: outcomes.cancelled,
            crossed: outcomes.crossed,
            canaries: outcomes.canaries,
            orders,
            settled,
            confided,
            trace,
            ..self.report
        })
    }

    fn judge(&self, verdict: Verdict) -> Result<(), Violation> {
        verdict.map_err(|(checker, detail)| Violation {
            seed: self.scenario.seed,
            scenario: self.scenario.name,
            at_us: self.schedule.now(),
            checker,
            detail,
        })
    }

    fn happens(&mut self, event: Event) -> Verdict {
        match event {
            Event::Port(motion) => {
                for (node, what) in self.fabric.handle(motion, &mut self.schedule) {
                    let incarnation = self.computers[node].incarnation;
                    self.hears(node, incarnation, what)?;
                }
                Ok(())
            }
            Event::Hear { node, incarnation, what } => self.hears(node, incarnation, what),
            Event::Tick { node, incarnation } => self.ticks(node, incarnation),
            Event::Done { node, incarnation, work_id } => self.work_done(node, incarnation, work_id),
            Event::Committed { node, incarnation, token } => self.committed(node, incarnation, token),
            Event::Start { node } => self.start(node),
            Event::Fault(number) => self.goes_wrong(&self.faults[number].clone()),
            Event::Wish(number) => {
                self.wishes_left -= 1;
                self.is_wished(self.wishes[number].clone())
            }
            Event::Mishap(number) => self.befalls(&self.mishaps[number].clone()),
            Event::Wallets { node, incarnation } => self.opens_wallets(node, incarnation),
            Event::Written { incarnation } => self.record_written(incarnation),
            Event::Recorded { incarnation, written } => self.record_known(incarnation, written),
            Event::Read { incarnation, request, certificates } => {
                let event = || Event::Read { incarnation, request, certificates: certificates.clone() };
                if !self.reaches(NOTARY, incarnation, event) {
                    return Ok(());
                }
                self.feed(NOTARY, Input::LogRead { request, certificates })
            }
        }
    }

    /// Whether `event` is for a process that runs and is awake; where it sleeps, it is kept.
    fn reaches(&mut self, node: usize, incarnation: u32, event: impl FnOnce() -> Event) -> bool {
        let computer = &self.computers[node];
        if computer.node.is_none() || computer.incarnation != incarnation {
            return false;
        }
        if !computer.awake {
            self.asleep[node].push(event());
            return false;
        }
        true
    }

    fn hears(&mut self, node: usize, incarnation: u32, what: PortEvent) -> Verdict {
        if !self.reaches(node, incarnation, || Event::Hear { node, incarnation, what: what.clone() }) {
            return Ok(());
        }
        let input = match what {
            PortEvent::PeerUp { peer } => {
                Input::PeerUp { device: peer, addresses: vec![format!("/sim/{peer}")], protocols: Vec::new() }
            }
            PortEvent::PeerDown { peer } => Input::PeerDown { device: peer },
            PortEvent::Received { from, frame } => Input::Received { from, frame },
            PortEvent::Published { id, message } => Input::Published { id, message },
            PortEvent::Latency { peer, rtt_us } => Input::Latency { device: peer, rtt_us },
            PortEvent::Providers { .. } => return Ok(()),
        };
        self.feed(node, input)
    }

    fn ticks(&mut self, node: usize, incarnation: u32) -> Verdict {
        if !self.reaches(node, incarnation, || Event::Tick { node, incarnation }) {
            return Ok(());
        }
        let now = self.schedule.now();
        let computer = &mut self.computers[node];
        if computer.tick_at.is_none_or(|at| at > now) {
            return Ok(());
        }
        computer.tick_at = None;
        let due = computer.due(now);
        if due.is_some_and(|due| due.0 <= now) {
            self.report.ticks += 1;
            let second = now / SECOND;
            computer.ticks = if computer.ticks.0 == second { (second, computer.ticks.1 + 1) } else { (second, 1) };
            if computer.ticks.1 > TICKS_A_SECOND {
                return Err(("ticks", format!("node {node} is ticked {} times in a second", computer.ticks.1)));
            }
            self.feed(node, Input::Tick)?;
            let due = self.computers[node].due(now);
            if due.is_some_and(|due| due.0 <= now) {
                return Err(("ticks", format!("node {node} would tick for ever")));
            }
        }
        self.arm(node);
        Ok(())
    }

    fn start(&mut self, node: usize) -> Verdict {
        if self.computers[node].node.is_some() {
            return Ok(());
        }
        self.asleep[node].clear();
        let device = self.computers[node].device;
        let money = match self.scenario.money {
            Some(_) => self.house.money(node, device, &self.computers[node].account),
            None => Money::default(),
        };
        let money = self.heard_limits(money);
        self.computers[node].boot(&self.network, money);
        self.read_wallets_soon(node);
        for known in self.computers[node].known() {
            self.fabric.dial(node, known, &mut self.schedule);
        }
        self.fabric.start(node, &mut self.schedule);
        self.feed(node, Input::Listening { addresses: vec![format!("/sim/{device}")] })?;
        let slots = self.computers[node].slots;
        self.feed(node, Input::Able { kinds: Computer::kinds(), slots })
    }

    fn crash(&mut self, node: usize, politely: bool) -> Verdict {
        if self.computers[node].node.is_none() {
            return Ok(());
        }
        self.record_in_flight(node)?;
        let computer = &mut self.computers[node];
        computer.crash();
        self.report.crashes += 1;
        self.fabric.stop(node, politely, &mut self.schedule);
        self.trace.update(b"x").update(&node.to_le_bytes());
        for asked in self.checkers.asked.values_mut().filter(|asked| asked.node == node && !asked.over) {
            asked.over = true;
            self.report.lost += 1;
            self.open_tasks -= 1;
        }
        // An owner's word that did not reach the disk was not acknowledged, either.
        let (device, kept) = (computer.device, computer.trusted().clone());
        self.checkers.privacies.forget(device, &kept);
        Ok(())
    }

    fn goes_wrong(&mut self, fault: &Fault) -> Verdict {
        match *fault {
            Fault::Crash { node, politely } => return self.crash(node, politely),
            Fault::Seam { node, seam } => self.computers[node].seam = Some(seam),
            Fault::Start { node } => return self.start(node),
            Fault::Partition { ref groups } => self.fabric.partition(groups, &mut self.schedule),
            Fault::Heal => self.fabric.heal(&mut self.schedule),
            Fault::Sever { one, other } => self.fabric.sever(one, other, &mut self.schedule),
            Fault::Sleep { node } => {
                if self.computers[node].node.is_some() {
                    self.computers[node].awake = false;
                    self.fabric.sleep(node, &mut self.schedule);
                }
            }
            Fault::Wake { node } => {
                if self.computers[node].node.is_some() && !self.computers[node].awake {
                    self.computers[node].awake = true;
                    self.fabric.wake(node, &mut self.schedule);
                    for event in std::mem::take(&mut self.asleep[node]) {
                        self.schedule.after(0, event);
                    }
                }
            }
        }
        Ok(())
    }

    fn is_wished(&mut self, wish: Wish) -> Verdict {
        let node = match wish {
            Wish::Submit { node, .. }
            | Wish::Cancel { node, .. }
            | Wish::Pause { node }
            | Wish::Resume { node }
            | Wish::Trust { node, .. } => node,
        };
        if self.computers[node].node.is_none() || !self.computers[node].awake {
            return Ok(());
        }
        match wish {
            Wish::Submit { node, request, must_succeed } => {
                let asked = Asked { node, request: (*request).clone(), must_succeed, over: false };
                self.checkers.asked.insert(request.id, asked);
                self.open_tasks += 1;
                self.submit(node, *request)
            }
            Wish::Cancel { node, task } => self.feed(node, Input::Cancel { task }),
            Wish::Pause { node } => self.feed(node, Input::Pause { until: None }),
            Wish::Resume { node } => self.feed(node, Input::Resume),
            Wish::Trust { node, whom, trusted } => {
                let (owner, whom) = (self.computers[node].device, self.computers[whom].device);
                self.checkers.privacies.trust(owner, whom, trusted);
                if self.scenario.sabotage == Sabotage::UnheardDistrust && !trusted {
                    return Ok(());
                }
                self.feed(node, Input::Trust { device: whom, trusted })
            }
        }
    }

    /// The verifier of everything that was signed here.
    fn verifier(&self) -> KeyedHash {
        KeyedHash::new(KeyedHash::new([1; 32]).public_key())
    }
}
