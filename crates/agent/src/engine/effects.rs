//! Carrying out what the machine wants, in order: durable before visible.

use std::time::Duration;

use p2p_control::api::{ErrorCode, Problem};
use p2p_inference::{ChunkOptions, WorkOrder};
use p2p_protocol::{Durable, Output, Payer, Work};
use p2p_store::{Committed, Record};
use p2p_types::TaskId;
use tokio::time::timeout;
use tracing::{debug, warn};

use super::Engine;
use super::held::Message;
use crate::clock::now;
use crate::document::Document;

/// The lane of this device's envelopes in the store.
pub(crate) const SEQUENCE_LANE: &str = "envelopes";
/// Why a batch was not even queued.
pub(super) const DISK_BEHIND: &str = "the disk does not keep up";
/// How long the end of a run waits for each answer of the disk.
const SETTLING: Duration = Duration::from_secs(2);

impl Engine<'_> {
    /// Drains the machine.
    pub(super) fn perform(&mut self) {
        let mut records = Vec::new();
        let mut barrier = false;
        while let Some(output) = self.parts.node.poll_output() {
            match output {
                Output::Persist(durable) => {
                    barrier |= durable.before_sends();
                    records.extend(self.records(durable));
                }
                Output::Send { to, frame } => {
                    self.flush(&mut records, &mut barrier);
                    self.send_or_hold(Message::Direct { to, frame });
                }
                Output::Publish { message } => {
                    self.flush(&mut records, &mut barrier);
                    self.send_or_hold(Message::Published { message });
                }
                Output::Judge { id, accept } => {
                    if let (Some(net), Some(published)) = (&self.parts.net, self.published.remove(&id)) {
                        net.judge(published, accept);
                    }
                }
                Output::Dial { device, addresses } => {
                    if let Some(net) = &self.parts.net {
                        net.dial(Some(device), addresses);
                    }
                }
                Output::Disconnect { device, ban_ms } => {
                    if let Some(net) = &self.parts.net {
                        net.disconnect(device, ban_ms);
                    }
                }
                Output::Run(work) => self.run_work(work),
                Output::Stop { work_id } => {
                    let work_id = work_id + self.work_base;
                    self.running.remove(&work_id);
                    self.sources.rules.set_busy(!self.running.is_empty());
                    self.sources.pool.stop(work_id);
                    self.work_stopped();
                }
                Output::TaskChanged { task } => {
                    if self.is_owners(&task) {
                        self.changed_tasks.insert(task);
                    } else {
                        self.canaries_due = true;
                    }
                }
                Output::NodeChanged => {
                    self.node_changed = true;
                    self.canaries_due |= self.canaries.is_some();
                }
                Output::Record { record } => self.append_record(record),
                Output::ReadLog { request, places } => self.read_log(request, places),
                Output::WalletChanged => {
                    self.purse.changed = true;
                    self.canaries_due |= self.canaries.is_some();
                }
                Output::OrderRefused { what, why } => warn!(what, why, "the notary refused"),
                Output::Misbehaved { device, reason } => {
                    self.counters.misbehaved += 1;
                    warn!(%device, reason, "refused a message");
                }
            }
        }
        self.flush(&mut records, &mut barrier);
    }

    fn run_work(&mut self, work: Work) {
        self.work_begins();
        let work_id = work.work_id + self.work_base;
        self.sources.numbers.work = self.sources.numbers.work.max(work_id);
        self.running.insert(work_id);
        self.sources.rules.set_busy(true);
        // What is let in against the rules for guests is the welcome check, which the owner asked for.
        let guests = self.sources.rules.verdict(p2p_scheduler::Class::Guest).runs();
        self.sources.pool.run(WorkOrder {
            work_id,
            class: match work.class {
                p2p_protocol::Class::Guest if guests => p2p_inference::Class::Guest,
                p2p_protocol::Class::Guest | p2p_protocol::Class::Mine => p2p_inference::Class::Mine,
            },
            kind: work.kind,
            texts: work.texts,
            chunk: ChunkOptions { tokens: work.chunk.tokens, overlap: work.chunk.overlap },
            timeout: Duration::from_millis(work.timeout_ms),
        });
    }

    /// Sends a batch to the disk; where it must be there first, what follows waits for it.
    fn flush(&mut self, records: &mut Vec<Record>, barrier: &mut bool) {
        if records.is_empty() {
            return;
        }
        let batch = std::mem::take(records);
        if std::mem::take(barrier) {
            let token = self.commit(batch.clone());
            self.held.wait_for(token, batch);
            if token.is_none() {
                self.held.retry_later(now().mono);
            }
        } else {
            self.commit(batch);
        }
    }

    /// The token under which the batch will be told of; `None` where the store did not take it.
    pub(super) fn commit(&mut self, batch: Vec<Record>) -> Option<u64> {
        self.sources.numbers.token += 1;
        let token = self.sources.numbers.token;
        match self.parts.store.commit(token, batch) {
            Ok(()) => Some(token),
            Err(_) => {
                self.not_taken = token;
                self.lost_write(DISK_BEHIND);
                None
            }
        }
    }

    /// The disk failed under what others wait for: once more.
    pub(super) fn write_again(&mut self) {
        let Some(batch) = self.held.first_batch() else { return };
        let token = self.commit(batch);
        self.held.written_again(token, now().mono);
    }

    fn send_or_hold(&mut self, message: Message) {
        if self.held.is_empty() {
            self.send(message);
        } else if !self.held.push(message) {
            self.counters.sends_failed += 1;
        }
    }

    fn send(&mut self, message: Message) {
        let Some(net) = &self.parts.net else { return };
        match message {
            Message::Direct { to, frame } => {
                if let Err(error) = net.send(to, frame) {
                    // The machine learns of a lost peer by itself; a full outbox ends in a retry.
                    debug!(device = %to, %error, "not sent");
                    self.counters.sends_failed += 1;
                }
            }
            Message::Published { message } => net.publish(p2p_protocol::PRESENCE_TOPIC, message),
        }
    }

    pub(super) fn on_committed(&mut self, committed: Committed) {
        match committed.result {
            Ok(()) => {
                if self.storage_trouble.take().is_some() {
                    self.node_changed = true;
                }
                for message in self.held.committed(committed.token) {
                    self.send(message);
                }
                for kept in self.written.ended(committed.token, true) {
                    self.confirm(kept);
                }
                self.canaries_committed(committed.token, true);
            }
            Err(error) => {
                let why = crate::problem::why(&error);
                self.lost_write(&why);
                self.held.failed(committed.token, now().mono);
                for kept in self.written.ended(committed.token, false) {
                    kept.deny(&why);
                }
                self.canaries_committed(committed.token, false);
            }
        }
    }

    /// Waits until everything that was given to the store is on disk, or cannot get there.
    pub(super) async fn settle_disk(&mut self) {
        let Some(last) = self.commit(Vec::new()) else { return };
        while let Ok(Some(committed)) = timeout(SETTLING, self.sources.committed.recv()).await {
            let token = committed.token;
            self.on_committed(committed);
            if token == last {
                return;
            }
        }
    }

    fn lost_write(&mut self, why: &str) {
        if self.storage_trouble.is_none() {
            warn!(why, "nothing could be written");
            self.node_changed = true;
        }
        self.storage_trouble = Some(why.to_owned());
    }

    /// Canaries are the network's tasks, not the owner's: they are in no list of his.
    fn is_owners(&self, task: &TaskId) -> bool {
        self.parts.node.task(task).is_none_or(|task| task.payer == Payer::Owner)
    }

    fn records(&mut self, durable: Durable) -> Vec<Record> {
        match durable {
            Durable::Entry { entry, certificate } => self.entry_records(&entry, certificate),
            Durable::Task { task, .. } | Durable::Departure { task, .. } if !self.is_owners(&task) => Vec::new(),
            durable => self.record(durable).into_iter().collect(),
        }
    }

    fn record(&mut self, durable: Durable) -> Option<Record> {
        let at = now().wall;
        let scope = self.parts.lanes.as_ref().map(|lanes| lanes.scope);
        Some(match durable {
            // Told apart before.
            Durable::Entry { .. } => return None,
            Durable::Voucher { hold, signed } => Record::Voucher { network: scope?, hold, signed },
            Durable::VoucherDone { hold } => Record::VoucherDone { network: scope?, hold },
            Durable::Task { task, finished } => return self.task_record(task, finished),
            Durable::Receipt { task, part, provider, signed } => {
                Record::Receipt { task, subtask: part, provider, signed, at }
            }
            Durable::GuestReceipt { task, part, requester, signed } => {
                Record::GuestReceipt { task, subtask: part, requester, signed, at }
            }
            Durable::Departure { to, task, kind, privacy, texts, bytes } => {
                Record::Departure { at, to, task, kind, privacy, texts, bytes }
            }
            Durable::Trust { device, trusted } => Record::Trust { device, trusted, at },
            Durable::Peer { device, addresses } => Record::Peer { device, addresses, seen: at },
            Durable::Paused { paused, until } => Record::Paused { until: paused.then_some(until) },
            Durable::Sequence { reserved } => Record::Sequence { lane: SEQUENCE_LANE, reserved },
        })
    }

    fn task_record(&mut self, id: TaskId, finished: bool) -> Option<Record> {
        let task = self.parts.node.task(&id)?;
        if finished {
            let counter = if task.results.iter().flatten().any(Result::is_ok) {
                &mut self.counters.tasks_done
            } else {
                &mut self.counters.tasks_failed
            };
            *counter += 1;
        }
        let document = Document::of(task).to_bytes()?;
        Some(Record::Task { id, submitted: task.submitted, finished, document })
    }
}

/// The owner's word is heeded by this process, and the next one will not know of it.
pub(super) fn not_written(why: &str) -> Problem {
    let why = format!("it holds until the daemon ends, and is not on disk: {why}");
    Problem::new(ErrorCode::Storage, why).with_hint("Check the disk's room and rights, then say it again")
}
