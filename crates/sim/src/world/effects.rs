//! Carrying out what a machine wants, in order, as the engine of a real node does: durable before
//! visible.

use p2p_protocol::{Durable, Input, Output, Payer, State, TaskRequest, input_hash};
use p2p_types::TaskId;

use super::{Event, World};
use crate::checkers::{Checkers, Verdict};
use crate::computer::{Held, Seam};
use crate::scenario::Sabotage;

/// What honest nodes may think of each other now and then.
const FORGIVABLE: &[&str] = &[
    "it was seen before",
    "it belongs to an earlier connection",
    "it did not say hello in time",
    "one of the two clocks",
];

impl World<'_> {
    /// One mutation of one machine, and all that follows from it.
    pub(super) fn feed(&mut self, node: usize, input: Input) -> Verdict {
        self.note(node, &input);
        let now = self.computers[node].now(self.schedule.now());
        if let Some(machine) = self.computers[node].node.as_mut() {
            machine.handle(now, input);
        }
        self.perform(node)
    }

    pub(super) fn submit(&mut self, node: usize, request: TaskRequest) -> Verdict {
        self.trace.update(b"s").update(&self.schedule.now().to_le_bytes()).update(&request.id.0);
        let now = self.computers[node].now(self.schedule.now());
        let Some(machine) = self.computers[node].node.as_mut() else { return Ok(()) };
        if let Err(rejection) = machine.submit(now, request) {
            return Err(("load", format!("a good task was refused: {rejection}")));
        }
        self.perform(node)
    }

    fn note(&mut self, node: usize, input: &Input) {
        let (tag, detail) = match input {
            Input::PeerUp { .. } => (b'u', 0),
            Input::PeerDown { .. } => (b'd', 0),
            Input::Received { frame, .. } => (b'r', frame.len() as u64),
            Input::Published { id, .. } => (b'p', *id),
            Input::Tick => (b't', 0),
            Input::WorkDone { work_id, .. } => (b'w', *work_id),
            _ => (b'o', 0),
        };
        self.trace.update(&[tag]).update(&self.schedule.now().to_le_bytes());
        self.trace.update(&node.to_le_bytes()).update(&detail.to_le_bytes());
    }

    fn perform(&mut self, node: usize) -> Verdict {
        let device = self.computers[node].device;
        let mut batch = Vec::new();
        let mut ended = Vec::new();
        let mut wallet_changed = false;
        while let Some(output) = self.computers[node].node.as_mut().and_then(p2p_protocol::Node::poll_output) {
            match output {
                Output::Persist(durable) => {
                    if let Durable::Task { task, finished: true } = durable {
                        ended.push(task);
                    }
                    batch.push(durable);
                }
                Output::Send { to, frame } => {
                    self.checkers.sent(device, to, &frame)?;
                    self.promises(node, to, &frame);
                    self.write(node, &mut batch);
                    self.leave_or_wait(node, Held::Send { to, frame })?;
                }
                Output::Publish { message } => {
                    self.checkers.published(&message)?;
                    self.write(node, &mut batch);
                    self.leave_or_wait(node, Held::Publish { message })?;
                }
                Output::Judge { id, accept } => self.fabric.judge(node, id, accept, &mut self.schedule),
                Output::Dial { device, .. } => self.fabric.dial(node, device, &mut self.schedule),
                Output::Disconnect { device, ban_ms } => {
                    self.fabric.disconnect(node, device, ban_ms, &mut self.schedule);
                }
                Output::Run(work) => {
                    let incarnation = self.computers[node].incarnation;
                    let work_id = work.work_id;
                    let takes = self.computers[node].workers.begin(work);
                    self.schedule.after(takes, Event::Done { node, incarnation, work_id });
                }
                Output::Stop { work_id } => self.computers[node].workers.stop(work_id),
                Output::TaskChanged { .. } | Output::NodeChanged => {}
                Output::Record { record } => self.write_record(node, record)?,
                Output::ReadLog { request, places } => self.read_log(request, &places)?,
                Output::WalletChanged => wallet_changed = true,
                Output::OrderRefused { what, why } => self.order_refused(node, what, &why)?,
                Output::Misbehaved { device, reason } => {
                    let excused = FORGIVABLE.iter().any(|known| reason.contains(known));
                    if !excused && !self.is_echo(&reason) {
                        return Err(("honesty", format!("node {node} blames {device}, who is honest: {reason}")));
                    }
                }
            }
        }
        self.write(node, &mut batch);
        ended.into_iter().try_for_each(|task| self.task_ended(node, task))?;
        if wallet_changed {
            self.looks_at_wallets(node)?;
        }
        // Counting takes time, and what grows without end is still there a little later.
        if self.report.events.is_multiple_of(32)
            && let Some(machine) = &self.computers[node].node
        {
            Checkers::queues(machine)?;
        }
        self.arm(node);
        Ok(())
    }

    /// Sends a batch to the disk; where it must be there first, what follows waits for it.
    fn write(&mut self, node: usize, batch: &mut Vec<Durable>) {
        if batch.is_empty() {
            return;
        }
        let computer = &mut self.computers[node];
        let barrier = batch.iter().any(Durable::before_sends);
        let token = computer.write(std::mem::take(batch));
        if barrier {
            computer.held.push_back(Held::UntilCommitted(token));
        }
        let (wait, incarnation) = (computer.disk_us, computer.incarnation);
        self.schedule.after(wait, Event::Committed { node, incarnation, token });
    }

    fn leave_or_wait(&mut self, node: usize, held: Held) -> Verdict {
        if self.computers[node].held.is_empty() {
            return self.leave(node, held);
        }
        self.computers[node].held.push_back(held);
        Ok(())
    }

    fn leave(&mut self, node: usize, held: Held) -> Verdict {
        let device = self.computers[node].device;
        let (Held::Send { frame: bytes, .. } | Held::Publish { message: bytes }) = &held else { return Ok(()) };
        self.checkers.left(device, bytes)?;
        self.report.messages += 1;
        self.trace.update(blake3::hash(bytes).as_bytes());
        match held {
            Held::Send { to, frame } if self.scenario.money.is_some() => self.says(node, to, &frame)?,
            Held::Send { to, frame } => {
                if !(self.scenario.sabotage == Sabotage::LostResults && Checkers::is_result(&frame)) {
                    self.fabric.send(node, to, frame, &mut self.schedule);
                }
            }
            Held::Publish { message } => {
                let message = self.spaced(node, message)?;
                self.fabric.publish(node, message, &mut self.schedule);
            }
            Held::UntilCommitted(_) => {}
        }
        Ok(())
    }

    /// The disk has written a batch, or the computer crashes in that moment.
    pub(super) fn committed(&mut self, node: usize, incarnation: u32, token: u64) -> Verdict {
        if !self.reaches(node, incarnation, || Event::Committed { node, incarnation, token }) {
            return Ok(());
        }
        let computer = &mut self.computers[node];
        let waited_for =
            computer.held.iter().any(|held| matches!(held, Held::UntilCommitted(known) if *known == token));
        let seam = computer.seam.filter(|_| waited_for || computer.writes_money(token));
        if seam == Some(Seam::BeforeCommit) {
            return self.crash(node, true);
        }
        let vouchers = computer.vouchers_of(token);
        computer.committed(token)?;
        vouchers.into_iter().for_each(|(hold, amount)| self.books.kept(hold, amount));
        if seam == Some(Seam::AfterCommit) {
            return self.crash(node, true);
        }
        while let Some(held) = self.computers[node].held.pop_front() {
            match held {
                Held::UntilCommitted(later) if later > token => {
                    self.computers[node].held.push_front(held);
                    break;
                }
                held => self.leave(node, held)?,
            }
        }
        Ok(())
    }

    pub(super) fn work_done(&mut self, node: usize, incarnation: u32, work_id: u64) -> Verdict {
        if !self.reaches(node, incarnation, || Event::Done { node, incarnation, work_id }) {
            return Ok(());
        }
        let computer = &mut self.computers[node];
        let Some((work, outcomes)) = computer.workers.finish(work_id) else { return Ok(()) };
        let compute_us = computer.workers.text_us * work.texts.len() as u64;
        let device = computer.device;
        self.checkers.outcomes.computed(device, input_hash(work.kind, work.chunk, &work.texts));
        self.feed(node, Input::WorkDone { work_id, outcomes, queued_us: 0, compute_us })
    }

    fn task_ended(&mut self, node: usize, id: TaskId) -> Verdict {
        let device = self.computers[node].device;
        let verifier = self.verifier();
        let Some(task) = self.computers[node].node.as_ref().and_then(|machine| machine.task(&id)) else {
            return Err(("liveness", format!("task {id} ended and is not there")));
        };
        let Some(asked) = self.checkers.asked.get_mut(&id) else {
            return Err(("liveness", format!("task {id} ended and was never asked for")));
        };
        if asked.over {
            return Err(("liveness", format!("task {id} ended twice")));
        }
        asked.over = true;
        self.open_tasks -= 1;
        if task.payer == Payer::Issuer && task.state == State::Done {
            let payee =
                task.providers.first().map_or(0, |device| crate::computer::incarnation(&self.computers, device));
            self.books.answered(id, (self.computers[node].incarnation, payee));
        }
        self.report.ended_us = self.schedule.now();
        debug_assert!(!matches!(task.state, State::Searching | State::Assigned | State::Computing));
        self.checkers.outcomes.ended(device, task, &self.checkers.asked[&id], &self.network, &verifier)
    }

    /// Sees to it that the machine is ticked when it wants to be.
    pub(super) fn arm(&mut self, node: usize) {
        let now = self.schedule.now();
        let computer = &mut self.computers[node];
        let Some(due) = computer.due(now) else { return };
        let due = due.0.max(now);
        if computer.tick_at.is_none_or(|at| due < at) {
            computer.tick_at = Some(due);
            let incarnation = computer.incarnation;
            self.schedule.at(due, Event::Tick { node, incarnation });
        }
    }
}
