//! What the owner and the workers say: pauses, trust, abilities, finished work; and what of it
//! the network is told.

use std::collections::BTreeMap;

use p2p_types::{DeviceId, Hash, Now, TaskKind, Timestamp};

use super::Node;
use crate::io::{Durable, Output};
use crate::outcome::TextOutcome;
use crate::pay::Pay;
use crate::peers::PRESENCE_TOPIC;
use crate::provider::{self, Ability};
use crate::wire::{self, Reason, envelope::Message};
use crate::work::Owner;

impl Node {
    pub(super) fn pause(&mut self, now: Now, until: Option<Timestamp>) {
        self.provider.gate.paused = true;
        self.paused_until = until;
        self.post.persist(Durable::Paused { paused: true, until });
        self.provider.release_all(now, Reason::Paused, &mut self.queue, &mut self.post, self.pay.as_mut());
        self.tell_presence_soon(now);
    }

    pub(super) fn resume(&mut self, now: Now) {
        self.provider.gate.paused = false;
        self.paused_until = None;
        self.post.persist(Durable::Paused { paused: false, until: None });
        self.tell_presence_soon(now);
    }

    /// What the owner's rules say now.
    pub(super) fn rules(&mut self, now: Now, guests: bool, own_work: bool, duties: bool) {
        self.look_for_welcome(now);
        self.provider.gate.set_rules(guests, own_work);
        self.queue.hold(!own_work);
        self.telling.rest(!duties);
        if !guests {
            self.provider.release_all(now, Reason::Paused, &mut self.queue, &mut self.post, self.pay.as_mut());
        }
        self.tell_presence_soon(now);
    }

    /// Whether the welcome check is still to come, and from whom.
    pub(super) fn look_for_welcome(&mut self, now: Now) {
        let from = self.pay.as_ref().filter(|pay| pay.is_newcomer()).map(Pay::notary);
        let open = self.provider.gate.is_open();
        self.provider.gate.set_welcome(from.filter(|notary| *notary != self.post.me));
        if self.provider.gate.is_open() != open {
            self.tell_presence_soon(now);
        }
    }

    pub(super) fn trust(&mut self, now: Now, device: DeviceId, trusted: bool) {
        self.peers.set_trust(device, trusted);
        self.post.persist(Durable::Trust { device, trusted });
        self.with_requester(now, |requester, around| {
            if !trusted {
                requester.distrusted(now, device, around);
            }
            requester.advance_all(now, around);
        });
        self.post.emit(Output::NodeChanged);
    }

    pub(super) fn able(&mut self, now: Now, kinds: BTreeMap<TaskKind, Hash>, slots: u32) {
        let kinds = if slots == 0 { BTreeMap::new() } else { kinds };
        let ability = Ability { kinds, slots };
        self.provider.set_ability(now, ability, &mut self.queue, &mut self.post, self.pay.as_mut());
        self.queue.set_slots(slots);
        self.with_requester(now, |requester, around| requester.advance_all(now, around));
        self.tell_presence_soon(now);
    }

    pub(super) fn start_work(&mut self, now: Now) {
        while let Some(job) = self.queue.start_next() {
            let (owner, mut work) = (job.owner, job.work.clone());
            match owner {
                Owner::Guest { .. } => {
                    work.timeout_ms = job.left_ms(now);
                    provider::tell_start(now, job, &mut self.post);
                }
                // What waited with its task's time running may take what is left of that.
                Owner::Mine { task, .. } => {
                    work.timeout_ms = self.requester.order_ms(now, &task).unwrap_or(work.timeout_ms);
                }
            }
            self.post.emit(Output::Run(work));
            if let Owner::Mine { task, .. } = owner {
                self.with_requester(now, |requester, around| requester.started_here(now, task, around));
            }
            self.post.emit(Output::NodeChanged);
        }
    }

    pub(super) fn work_done(&mut self, now: Now, work_id: u64, outcomes: Vec<TextOutcome>, compute_us: u64) {
        let Some(job) = self.queue.take(work_id) else { return };
        match job.owner {
            Owner::Mine { task, part } => {
                self.with_requester(now, |requester, around| requester.done_here(now, task, part, outcomes, around));
            }
            Owner::Guest { .. } => {
                self.provider.done(now, &job, outcomes, compute_us, &mut self.post, self.pay.as_mut());
            }
        }
        self.post.emit(Output::NodeChanged);
    }

    /// The workers cannot start: nothing is offered any more until somebody says otherwise.
    pub(super) fn work_unavailable(&mut self, now: Now, work_id: u64, reason: &str) {
        if let Some(job) = self.queue.take(work_id) {
            match job.owner {
                Owner::Mine { task, part } => self.with_requester(now, |requester, around| {
                    requester.unavailable_here(now, task, part, reason, around);
                }),
                Owner::Guest { .. } => {
                    provider::refuse(now, &job, Reason::CannotCompute, &mut self.post, self.pay.as_mut());
                }
            }
        }
        self.provider.ability.kinds.clear();
        self.provider.release_all(now, Reason::CannotCompute, &mut self.queue, &mut self.post, self.pay.as_mut());
        self.tell_presence_soon(now);
    }

    pub(super) fn presence(&self) -> wire::Presence {
        let ability = &self.provider.ability;
        let capability = |(kind, model): (&TaskKind, &Hash)| wire::Capability {
            kind: kind.as_str().to_owned(),
            model: model.0.to_vec(),
        };
        wire::Presence {
            capabilities: ability.kinds.iter().map(capability).collect(),
            slots: ability.slots,
            busy: u32::try_from(self.queue.len()).unwrap_or(u32::MAX),
            accepting: self.provider.accepting(),
            addresses: self.addresses.clone(),
        }
    }

    pub(super) fn tell_presence_soon(&mut self, now: Now) {
        self.post.emit(Output::NodeChanged);
        if self.config.network.is_some() {
            self.telling.soon(now);
        }
    }

    pub(super) fn tell_presence(&mut self, now: Now) {
        self.telling.told(now);
        let presence = self.presence();
        self.post.publish(now, PRESENCE_TOPIC, Message::Presence(presence));
    }
}
