//! Carrying out what the machine wants, in order: durable before visible.

use p2p_inference::{ChunkOptions, WorkOrder};
use p2p_protocol::{Durable, Output, Work};
use p2p_store::{Committed, Record};
use p2p_types::{DeviceId, TaskId};
use std::time::Duration;
use tracing::{debug, warn};

use super::Engine;
use crate::clock::now;
use crate::view;

/// The lane of this device's envelopes in the store.
pub(crate) const SEQUENCE_LANE: &str = "envelopes";
/// A finished task's document is kept up to this size; beyond it, without its results.
const DOCUMENT_BYTES: usize = 8 * 1024 * 1024;

/// An output that waits, or what it waits for.
#[derive(Debug)]
pub(super) enum Held {
    /// The commit with this token.
    UntilCommitted(u64),
    Send {
        to: DeviceId,
        frame: Vec<u8>,
    },
    Publish {
        message: Vec<u8>,
    },
}

impl Engine<'_> {
    /// Drains the machine.
    pub(super) fn perform(&mut self) {
        let mut records = Vec::new();
        let mut barrier = false;
        while let Some(output) = self.parts.node.poll_output() {
            match output {
                Output::Persist(durable) => {
                    barrier |= durable.before_sends();
                    records.extend(self.record(durable));
                }
                Output::Send { to, frame } => {
                    self.flush(&mut records, &mut barrier);
                    self.send_or_hold(Held::Send { to, frame });
                }
                Output::Publish { message } => {
                    self.flush(&mut records, &mut barrier);
                    self.send_or_hold(Held::Publish { message });
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
                Output::Run(work) => self.sources.pool.run(order(work)),
                Output::Stop { work_id } => self.sources.pool.stop(work_id),
                Output::TaskChanged { task } => {
                    self.changed_tasks.insert(task);
                }
                Output::NodeChanged => self.node_changed = true,
                Output::Misbehaved { device, reason } => {
                    self.counters.misbehaved += 1;
                    warn!(%device, reason, "refused a message");
                }
            }
        }
        self.flush(&mut records, &mut barrier);
    }

    /// Sends a batch to the disk; where it must be there first, what follows waits for it.
    fn flush(&mut self, records: &mut Vec<Record>, barrier: &mut bool) {
        if records.is_empty() {
            return;
        }
        let token = self.next_token;
        self.next_token += 1;
        let batch = std::mem::take(records);
        if self.parts.store.commit(token, batch).is_err() {
            self.lost_write("the disk does not keep up");
            if !std::mem::take(barrier) {
                return;
            }
        }
        if std::mem::take(barrier) {
            self.held.push_back(Held::UntilCommitted(token));
        }
    }

    fn send_or_hold(&mut self, output: Held) {
        if self.held.is_empty() {
            self.send(output);
        } else {
            self.held.push_back(output);
        }
    }

    fn send(&mut self, output: Held) {
        let Some(net) = &self.parts.net else { return };
        match output {
            Held::Send { to, frame } => {
                if let Err(error) = net.send(to, frame) {
                    // The machine learns of a lost peer by itself; a full outbox ends in a retry.
                    debug!(device = %to, %error, "not sent");
                    self.counters.sends_failed += 1;
                }
            }
            Held::Publish { message } => net.publish(p2p_protocol::PRESENCE_TOPIC, message),
            Held::UntilCommitted(_) => {}
        }
    }

    pub(super) fn on_committed(&mut self, committed: Committed) {
        let kept = match committed.result {
            Ok(()) => {
                if self.storage_trouble.take().is_some() {
                    self.node_changed = true;
                }
                true
            }
            Err(error) => {
                self.lost_write(&error.to_string());
                false
            }
        };
        let waited = matches!(self.held.front(), Some(Held::UntilCommitted(token)) if *token <= committed.token);
        if !waited {
            return;
        }
        self.held.pop_front();
        while let Some(output) = self.held.pop_front() {
            match output {
                Held::UntilCommitted(token) if token > committed.token => {
                    self.held.push_front(output);
                    break;
                }
                Held::UntilCommitted(_) => {}
                // What could not be recorded does not leave.
                Held::Send { .. } | Held::Publish { .. } if !kept => {}
                Held::Send { .. } | Held::Publish { .. } => self.send(output),
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

    fn record(&mut self, durable: Durable) -> Option<Record> {
        let at = now().wall;
        Some(match durable {
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
        let mut document = view::task(self.parts.node.task(&id)?);
        if finished {
            let counter = if document.results.iter().flatten().any(is_result) {
                &mut self.counters.tasks_done
            } else {
                &mut self.counters.tasks_failed
            };
            *counter += 1;
        }
        let mut bytes = serde_json::to_vec(&document).ok()?;
        if bytes.len() > DOCUMENT_BYTES {
            document.results.clear();
            bytes = serde_json::to_vec(&document).ok()?;
        }
        let submitted = p2p_types::Timestamp(document.submitted_ms);
        Some(Record::Task { id, submitted, finished, document: bytes })
    }
}

const fn is_result(result: &p2p_control::api::TaskResult) -> bool {
    !matches!(result, p2p_control::api::TaskResult::Error { .. })
}

fn order(work: Work) -> WorkOrder {
    WorkOrder {
        work_id: work.work_id,
        kind: work.kind,
        texts: work.texts,
        chunk: ChunkOptions { tokens: work.chunk.tokens, overlap: work.chunk.overlap },
        timeout: Duration::from_millis(work.timeout_ms),
    }
}
