//! Messages that wait until something is on disk, in order: durable before visible.

use std::collections::VecDeque;

use p2p_store::Record;
use p2p_types::{DeviceId, Monotonic};

/// Bytes of messages that wait; more are dropped, as a full outbox drops them.
const HELD_BYTES: usize = 32 * 1024 * 1024;
/// A batch that could not be written is tried again after this time.
const RETRY_MS: u64 = 1000;

/// Something that leaves this computer.
#[derive(Debug)]
pub(super) enum Message {
    Direct { to: DeviceId, frame: Vec<u8> },
    Published { message: Vec<u8> },
}

impl Message {
    const fn bytes(&self) -> usize {
        match self {
            Self::Direct { frame, .. } => frame.len(),
            Self::Published { message } => message.len(),
        }
    }
}

/// A batch that must be on disk before the messages behind it leave.
#[derive(Debug)]
struct Barrier {
    /// Under which the store will tell of it; `None` while it is to be written again.
    token: Option<u64>,
    batch: Vec<Record>,
    behind: VecDeque<Message>,
}

#[derive(Debug, Default)]
pub(super) struct Held {
    barriers: VecDeque<Barrier>,
    bytes: usize,
    retry_at: Option<Monotonic>,
}

impl Held {
    pub(super) fn is_empty(&self) -> bool {
        self.barriers.is_empty()
    }

    /// When the first batch is to be written again.
    pub(super) const fn retry_at(&self) -> Option<Monotonic> {
        self.retry_at
    }

    pub(super) fn wait_for(&mut self, token: Option<u64>, batch: Vec<Record>) {
        self.barriers.push_back(Barrier { token, batch, behind: VecDeque::new() });
    }

    /// `false` where there is no room any more.
    pub(super) fn push(&mut self, message: Message) -> bool {
        let Some(last) = self.barriers.back_mut() else { return false };
        if self.bytes + message.bytes() > HELD_BYTES {
            return false;
        }
        self.bytes += message.bytes();
        last.behind.push_back(message);
        true
    }

    /// The batch of `token` is on disk: what may leave now, in order.
    pub(super) fn committed(&mut self, token: u64) -> Vec<Message> {
        if let Some(barrier) = self.barriers.iter_mut().find(|barrier| barrier.token == Some(token)) {
            barrier.batch.clear();
        }
        let mut free = Vec::new();
        while self.barriers.front().is_some_and(|barrier| barrier.batch.is_empty()) {
            free.extend(self.barriers.pop_front().into_iter().flat_map(|barrier| barrier.behind));
        }
        self.bytes -= free.iter().map(Message::bytes).sum::<usize>();
        // The next in line may have failed before.
        if self.barriers.front().is_none_or(|barrier| barrier.token.is_some()) {
            self.retry_at = None;
        }
        free
    }

    /// The batch of `token` could not be written.
    pub(super) fn failed(&mut self, token: u64, now: Monotonic) {
        if let Some(barrier) = self.barriers.iter_mut().find(|barrier| barrier.token == Some(token)) {
            barrier.token = None;
            self.retry_later(now);
        }
    }

    pub(super) fn retry_later(&mut self, now: Monotonic) {
        self.retry_at = Some(now.plus_ms(RETRY_MS));
    }

    /// What to write again: all that is not on its way, so that one answer frees all of it.
    pub(super) fn first_batch(&self) -> Option<Vec<Record>> {
        let waiting = self.barriers.iter().find(|barrier| barrier.token.is_none())?;
        Some(waiting.batch.clone())
    }

    /// It was given to the store again, under `token`, where that took it.
    pub(super) fn written_again(&mut self, token: Option<u64>, now: Monotonic) {
        if let Some(barrier) = self.barriers.iter_mut().find(|barrier| barrier.token.is_none()) {
            barrier.token = token;
        }
        let more = self.barriers.iter().any(|barrier| barrier.token.is_none());
        self.retry_at = more.then(|| if token.is_some() { now } else { now.plus_ms(RETRY_MS) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(number: u8) -> Message {
        Message::Published { message: vec![number; 4] }
    }

    fn batch() -> Vec<Record> {
        vec![Record::Sequence { lane: "test", reserved: 1 }]
    }

    fn numbers(messages: Vec<Message>) -> Vec<u8> {
        let first = |message| match message {
            Message::Published { message } => message[0],
            Message::Direct { frame, .. } => frame[0],
        };
        messages.into_iter().map(first).collect()
    }

    #[test]
    fn nothing_leaves_before_its_batch_and_all_of_it_in_order() {
        let mut held = Held::default();
        held.wait_for(Some(1), batch());
        assert!(held.push(message(1)) && held.push(message(2)));
        held.wait_for(Some(2), batch());
        assert!(held.push(message(3)));
        assert!(numbers(held.committed(2)).is_empty(), "the first batch is not there yet");
        assert_eq!(numbers(held.committed(1)), [1, 2, 3]);
        assert!(held.is_empty() && held.bytes == 0);
    }

    #[test]
    fn a_batch_that_failed_is_written_again_and_holds_what_is_behind_it() {
        let mut held = Held::default();
        held.wait_for(None, batch());
        held.retry_later(Monotonic(0));
        assert!(held.push(message(1)));
        assert_eq!(held.retry_at(), Some(Monotonic(0).plus_ms(RETRY_MS)));
        assert_eq!(held.first_batch(), Some(batch()));
        held.written_again(Some(5), Monotonic(9));
        assert_eq!((held.retry_at(), numbers(held.committed(4))), (None, vec![]));
        held.failed(5, Monotonic(9));
        assert!(held.retry_at().is_some());
        held.written_again(Some(6), Monotonic(10));
        assert_eq!(numbers(held.committed(6)), [1]);
    }

    #[test]
    fn what_finds_no_room_is_dropped() {
        let mut held = Held::default();
        held.wait_for(Some(1), batch());
        assert!(held.push(Message::Published { message: vec![0; HELD_BYTES] }));
        assert!(!held.push(message(1)));
    }
}
