//! The post office of the machine: numbers, signs and queues what goes out.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use p2p_types::{DeviceId, NetworkId, Now, Scheme, Signed};

use crate::envelope::ENVELOPE_LIFE_MS;
use crate::io::{Durable, Output};
use crate::wire::{self, envelope::Message};

/// Sequence numbers are reserved on disk in blocks, so that few messages wait for it.
const SEQUENCE_BLOCK: u64 = 1000;

#[derive(Debug)]
pub(crate) struct Post {
    pub(crate) scheme: Arc<dyn Scheme>,
    pub(crate) me: DeviceId,
    pub(crate) network: NetworkId,
    sequence: u64,
    reserved: u64,
    /// Of each peer that greeted: the sequence of its hello, which our messages to it name.
    sessions: BTreeMap<DeviceId, u64>,
    queue: VecDeque<Output>,
}

impl Post {
    pub(crate) fn new(scheme: Arc<dyn Scheme>, network: NetworkId, used: u64) -> Self {
        let me = DeviceId(scheme.public_key());
        Self { scheme, me, network, sequence: used, reserved: used, sessions: BTreeMap::new(), queue: VecDeque::new() }
    }

    pub(crate) fn emit(&mut self, output: Output) {
        self.queue.push_back(output);
    }

    pub(crate) fn persist(&mut self, durable: Durable) {
        self.emit(Output::Persist(durable));
    }

    pub(crate) fn poll(&mut self) -> Option<Output> {
        self.queue.pop_front()
    }

    /// Messages to `device` belong to the connection that it began with this hello.
    pub(crate) fn begin_session(&mut self, device: DeviceId, hello: u64) {
        self.sessions.insert(device, hello);
    }

    pub(crate) fn end_session(&mut self, device: &DeviceId) {
        self.sessions.remove(device);
    }

    /// Returns the sequence that the message got.
    pub(crate) fn send(&mut self, now: Now, to: DeviceId, message: Message) -> u64 {
        let session = self.sessions.get(&to).copied().unwrap_or_default();
        let envelope = wire::Envelope { recipient: to.0.to_vec(), session, ..self.envelope(now, message) };
        let frame = self.sign(&envelope);
        self.emit(Output::Send { to, frame });
        envelope.sequence
    }

    pub(crate) fn publish(&mut self, now: Now, topic: &str, message: Message) {
        let envelope = wire::Envelope { topic: topic.to_owned(), ..self.envelope(now, message) };
        let message = self.sign(&envelope);
        self.emit(Output::Publish { message });
    }

    fn envelope(&mut self, now: Now, message: Message) -> wire::Envelope {
        self.sequence += 1;
        if self.sequence > self.reserved {
            self.reserved = self.sequence + SEQUENCE_BLOCK;
            self.persist(Durable::Sequence { reserved: self.reserved });
        }
        wire::Envelope {
            network: self.network.0.to_vec(),
            sequence: self.sequence,
            sent_ms: now.wall.0,
            expires_ms: now.wall.plus_ms(ENVELOPE_LIFE_MS).0,
            message: Some(message),
            ..wire::Envelope::default()
        }
    }

    fn sign(&self, envelope: &wire::Envelope) -> Vec<u8> {
        Signed::new(&*self.scheme, &self.network, envelope).into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use p2p_types::{Ed25519, SecretKey};

    use super::*;

    /// A number that may have been used before a crash is never used again.
    #[test]
    fn numbers_are_reserved_on_disk_before_they_are_used() {
        let scheme: Arc<dyn Scheme> = Arc::new(Ed25519::new(&SecretKey::new([1; 32])));
        let mut post = Post::new(scheme, NetworkId([1; 32]), 41);
        let mut reserved = 41;
        for _ in 0..2500 {
            post.send(Now::default(), DeviceId([2; 32]), Message::Cancel(wire::Cancel { task: vec![0; 16] }));
            while let Some(output) = post.poll() {
                match output {
                    Output::Persist(Durable::Sequence { reserved: block }) => reserved = block,
                    Output::Send { frame, .. } => {
                        let signed = Signed::<wire::Envelope>::from_bytes(frame).expect("well formed");
                        let sequence = signed.peek().expect("an envelope").sequence;
                        assert!(sequence > 41 && sequence <= reserved);
                    }
                    other => panic!("unexpected {other:?}"),
                }
            }
        }
        assert!(reserved < 41 + 2500 + 2 * SEQUENCE_BLOCK);
    }
}
