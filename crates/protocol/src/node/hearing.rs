//! What other nodes say: connections, hellos, presence, addresses, and what is not believed.

use p2p_types::{Credits, DeviceId, Now, TaskId, Verified, limits};

use super::Node;
use crate::envelope::{For, Refused, open};
use crate::identity::check_certificate;
use crate::io::{Durable, Output};
use crate::membership::check_membership;
use crate::pay::Guest;
use crate::peers::{AWAY_MS, PRESENCE_TOPIC, apply_presence, clean_addresses, clean_version};
use crate::wire::{self, envelope::Message};

/// How often a node with too many peers lets one go.
const CROWD_CHECK_MS: u64 = 1000;
/// Names of protocols that are kept of one peer.
const PROTOCOLS: usize = 32;

impl Node {
    pub(super) fn peer_up(&mut self, now: Now, device: DeviceId, addresses: &[String], mut protocols: Vec<String>) {
        let hello = wire::Hello {
            agent_version: self.config.agent_version.clone(),
            certificate: self.config.certificate.clone(),
            presence: Some(self.presence()),
            membership: self.config.membership.clone(),
        };
        self.post.end_session(&device);
        let our_hello = self.post.send(now, device, Message::Hello(hello));
        let peer = self.peers.come(device, now, our_hello);
        protocols.truncate(PROTOCOLS);
        peer.protocols = protocols;
        peer.told_addresses(clean_addresses(addresses));
        self.telling.newcomer(now);
        self.post.emit(Output::NodeChanged);
    }

    pub(super) fn peer_down(&mut self, now: Now, device: DeviceId) {
        self.peers.go(&device);
        self.post.end_session(&device);
        self.provider.forget(device, None, &mut self.queue, &mut self.post, self.pay.as_mut());
        if let Some(pay) = &mut self.pay {
            pay.lost(device);
        }
        self.with_requester(now, |requester, around| requester.peer_down(now, device, around));
        self.post.emit(Output::NodeChanged);
    }

    pub(super) fn latency(&mut self, device: &DeviceId, rtt_us: u64) {
        if let Some(peer) = self.peers.get_mut(device) {
            let smooth = |old: u64| old.saturating_mul(3).saturating_add(rtt_us) / 4;
            peer.rtt_us = Some(peer.rtt_us.map_or(rtt_us, smooth));
            self.post.emit(Output::NodeChanged);
        }
    }

    pub(super) fn received(&mut self, now: Now, from: DeviceId, frame: Vec<u8>) -> Result<(), Refused> {
        match self.peers.get_mut(&from) {
            Some(peer) if peer.connected && !peer.leaving => {
                if !peer.may_send_frame(now) {
                    return Err(Refused::TooMany);
                }
            }
            // The last words of a connection that is over, or that ends.
            _ => return Ok(()),
        }
        let envelope = open(frame, &*self.post.scheme, &self.post.network, For::Device(self.post.me), now.wall)?;
        let signer = DeviceId(envelope.signer());
        if signer != from {
            return Err(Refused::NotTheSender { signer, sender: from });
        }
        let peer = self.peers.entry(from, now);
        if envelope.sequence <= peer.direct_sequence {
            return Err(Refused::Replayed);
        }
        peer.direct_sequence = envelope.sequence;
        let (greeted, our_hello) = (peer.greeted, peer.our_hello);
        let (sequence, session) = (envelope.sequence, envelope.session);
        match Verified::into_inner(envelope).message.ok_or(Refused::Empty)? {
            // The other side may have lost its first one; ours stands.
            Message::Hello(_) if greeted => Ok(()),
            Message::Hello(hello) => self.greeted(now, from, sequence, &hello),
            _ if !greeted => Err(Refused::Malformed("it spoke before its hello was accepted")),
            _ if session != our_hello => Err(Refused::EarlierConnection),
            message => self.heard(now, from, message),
        }
    }

    fn greeted(&mut self, now: Now, from: DeviceId, sequence: u64, hello: &wire::Hello) -> Result<(), Refused> {
        let account = check_certificate(&hello.certificate, &*self.post.scheme, from)?;
        if let Some(network) = &self.config.network {
            check_membership(&hello.membership, &*self.post.scheme, network, account).map_err(Refused::Malformed)?;
        }
        let peer = self.peers.entry(from, now);
        peer.account = Some(account);
        peer.agent_version = Some(clean_version(&hello.agent_version));
        peer.greeted = true;
        // One lane for both: what it published before this hello is older than the hello.
        peer.topic_sequence = peer.topic_sequence.max(sequence);
        if let Some(presence) = &hello.presence {
            apply_presence(peer, presence);
        }
        let addresses = peer.addresses.clone();
        self.post.begin_session(from, sequence);
        if let Some(pay) = &mut self.pay {
            pay.met(now, from, &mut self.post);
        }
        if !addresses.is_empty() {
            self.post.persist(Durable::Peer { device: from, addresses });
        }
        let list = self.peers.list_for(&from);
        if !list.peers.is_empty() {
            self.post.send(now, from, Message::PeerList(list));
        }
        if self.crowd_check.is_none() && self.peers.is_crowded() {
            self.crowd_check = Some(now.mono.plus_ms(CROWD_CHECK_MS));
        }
        self.with_requester(now, |requester, around| requester.advance_all(now, around));
        self.post.emit(Output::NodeChanged);
        Ok(())
    }

    /// Lets one go where the house is full: it knows others by now.
    pub(super) fn keep_room(&mut self, now: Now) {
        if self.crowd_check.is_none_or(|due| due > now.mono) {
            return;
        }
        let guest_of = |device: &DeviceId| self.queue.guests().any(|(_, job)| job.is_of(device));
        let busy = |device: &DeviceId| self.requester.is_held_by(device) || guest_of(device);
        if let Some(device) = self.peers.to_let_go(now, busy) {
            self.show_out(device, Some(AWAY_MS));
        }
        self.crowd_check = self.peers.is_crowded().then(|| now.mono.plus_ms(CROWD_CHECK_MS));
    }

    fn heard(&mut self, now: Now, from: DeviceId, message: Message) -> Result<(), Refused> {
        match message {
            Message::PeerList(list) => self.peer_list(now, from, &list)?,
            Message::Announcement(announcement) => {
                self.look_for_welcome(now);
                let price =
                    |kind, texts, bytes| self.pay.as_ref().map_or(Credits::ZERO, |pay| pay.price(kind, texts, bytes));
                self.provider.announced(now, from, &announcement, &self.queue, &mut self.post, price);
            }
            Message::Assignment(assignment) => {
                let account = self.peers.get(&from).and_then(|peer| peer.account);
                let payer = Guest { device: from, account };
                self.provider.assigned(now, payer, assignment, &mut self.queue, &mut self.post, self.pay.as_mut());
                self.post.emit(Output::NodeChanged);
            }
            Message::Cancel(cancel) => {
                let task =
                    TaskId::try_from(cancel.task.as_slice()).map_err(|_| Refused::Malformed("it names no task"))?;
                self.provider.forget(from, Some(task), &mut self.queue, &mut self.post, self.pay.as_mut());
                self.post.emit(Output::NodeChanged);
            }
            Message::Bid(bid) => self.with_requester(now, |requester, around| requester.bid(now, from, &bid, around)),
            Message::Decline(decline) => {
                self.with_requester(now, |requester, around| requester.declined(now, from, &decline, around));
            }
            Message::Progress(progress) => {
                self.with_requester(now, |requester, around| requester.progress(now, from, &progress, around));
            }
            Message::Refusal(refusal) => {
                self.with_requester(now, |requester, around| requester.refused(now, from, &refusal, around));
            }
            Message::TaskResult(result) => {
                self.with_requester(now, |requester, around| requester.answered(now, from, result, around))
                    .map_err(Refused::Malformed)?;
            }
            Message::LedgerOrder(_)
            | Message::LedgerRefusal(_)
            | Message::StatementRequest(_)
            | Message::Statement(_)
            | Message::Payment(_) => {
                if let Some(pay) = &mut self.pay {
                    let heard = pay.heard(now, from, message, &self.peers, &mut self.post);
                    heard.map_err(Refused::Malformed)?;
                }
            }
            Message::Presence(_) => return Err(Refused::Malformed("presence belongs to its topic")),
            Message::Hello(_) => return Err(Refused::Malformed("one hello is enough")),
        }
        Ok(())
    }

    /// Addresses from others: worth a call, not worth trust.
    fn peer_list(&mut self, now: Now, from: DeviceId, list: &wire::PeerList) -> Result<(), Refused> {
        if !self.peers.entry(from, now).may_send_list(now) {
            return Err(Refused::TooMany);
        }
        for entry in list.peers.iter().take(limits::PEER_LIST) {
            let Ok(device) = DeviceId::try_from(entry.device.as_slice()) else { continue };
            if device == self.post.me {
                continue;
            }
            let addresses = clean_addresses(&entry.addresses);
            self.peers.entry(device, now).rumoured_addresses(addresses);
            self.dial_if_wanted(now, device);
        }
        Ok(())
    }

    fn dial_if_wanted(&mut self, now: Now, device: DeviceId) {
        if self.peers.should_dial(device, now)
            && let Some(peer) = self.peers.get(&device)
        {
            self.post.emit(Output::Dial { device, addresses: peer.worth_a_dial() });
        }
    }

    pub(super) fn published(&mut self, now: Now, id: u64, message: Vec<u8>) {
        match self.heard_presence(now, message) {
            Ok(()) => self.post.emit(Output::Judge { id, accept: true }),
            // Late, early or out of order: no fault of whoever passed it on.
            Err(refused) if refused.may_be_honest() => {}
            Err(_) => self.post.emit(Output::Judge { id, accept: false }),
        }
    }

    fn heard_presence(&mut self, now: Now, message: Vec<u8>) -> Result<(), Refused> {
        if message.len() > limits::PUBLISHED_BYTES {
            return Err(Refused::Malformed("it is longer than a published message may be"));
        }
        let envelope = open(message, &*self.post.scheme, &self.post.network, For::Topic(PRESENCE_TOPIC), now.wall)?;
        let device = DeviceId(envelope.signer());
        if device == self.post.me {
            return Err(Refused::Replayed);
        }
        let Some(Message::Presence(presence)) = &envelope.message else { return Err(Refused::Empty) };
        let peer = self.peers.entry(device, now);
        if envelope.sequence <= peer.topic_sequence {
            return Err(Refused::Replayed);
        }
        if !peer.may_tell_presence(now) {
            return Err(Refused::TooMany);
        }
        peer.topic_sequence = envelope.sequence;
        apply_presence(peer, presence);
        self.dial_if_wanted(now, device);
        self.with_requester(now, |requester, around| requester.advance_all(now, around));
        self.post.emit(Output::NodeChanged);
        Ok(())
    }

    pub(super) fn blame(&mut self, now: Now, from: DeviceId, refused: &Refused) {
        self.post.emit(Output::Misbehaved { device: from, reason: refused.to_string() });
        if let Some(farewell) = self.peers.blame(now, &from, refused.may_be_honest()) {
            self.show_out(from, farewell.ban_ms);
        }
    }

    /// Ends a connection. Until it is down nothing of it is read, and nothing is given to it.
    pub(super) fn show_out(&mut self, device: DeviceId, ban_ms: Option<u64>) {
        if let Some(peer) = self.peers.get_mut(&device) {
            peer.leaving = true;
        }
        self.post.emit(Output::Disconnect { device, ban_ms });
    }
}
