//! Writes frames to one peer.

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::io::{AsyncWrite, AsyncWriteExt};
use p2p_types::{DeviceId, limits};
use tokio::sync::mpsc::{self, error::TrySendError};
use tokio::time::timeout;

use crate::SendError;
use crate::config::{OUTBOX_BYTES, WRITE_TIME};
use crate::counters::Counters;
use crate::direct::upload::{SLICE, UploadLimit};

/// Small frames that wait are written together, up to about this many bytes.
const TOGETHER: usize = 64 * 1024;

/// Frames that wait for one peer, bounded in number and bytes.
#[derive(Debug)]
pub(crate) struct Outbox {
    frames: mpsc::Sender<Vec<u8>>,
    bytes: Arc<AtomicUsize>,
}

/// The writer's end of an [`Outbox`].
#[derive(Debug)]
pub(crate) struct Frames {
    frames: mpsc::Receiver<Vec<u8>>,
    bytes: Arc<AtomicUsize>,
    limit: UploadLimit,
}

/// The outboxes of all peers that are up, and what they keep to together.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outboxes {
    all: Arc<Mutex<HashMap<DeviceId, Outbox>>>,
    pub(crate) limit: UploadLimit,
}

/// Why writing ended.
#[derive(Debug)]
pub(crate) enum WriteEnd {
    /// The outbox was taken away, or the connection is gone.
    Closed,
    /// The peer does not take what is written to it.
    Stalled,
}

pub(crate) fn outbox(limit: UploadLimit) -> (Outbox, Frames) {
    let (sender, receiver) = mpsc::channel(limits::OUTBOX_FRAMES);
    let bytes = Arc::new(AtomicUsize::new(0));
    (Outbox { frames: sender, bytes: bytes.clone() }, Frames { frames: receiver, bytes, limit })
}

impl Outbox {
    pub(crate) fn push(&self, frame: Vec<u8>) -> Result<(), SendError> {
        let length = frame.len();
        if self.bytes.fetch_add(length, Ordering::Relaxed) + length > OUTBOX_BYTES {
            self.bytes.fetch_sub(length, Ordering::Relaxed);
            return Err(SendError::Full);
        }
        self.frames.try_send(frame).map_err(|error| {
            self.bytes.fetch_sub(length, Ordering::Relaxed);
            match error {
                TrySendError::Full(_) => SendError::Full,
                TrySendError::Closed(_) => SendError::NotConnected,
            }
        })
    }
}

impl Outboxes {
    pub(crate) fn send(&self, to: &DeviceId, frame: Vec<u8>) -> Result<(), SendError> {
        if frame.is_empty() || frame.len() > limits::FRAME_BYTES {
            return Err(SendError::Length { bytes: frame.len() });
        }
        self.lock().get(to).ok_or(SendError::NotConnected)?.push(frame)
    }

    pub(crate) fn add(&self, device: DeviceId, outbox: Outbox) {
        self.lock().insert(device, outbox);
    }

    pub(crate) fn remove(&self, device: &DeviceId) {
        self.lock().remove(device);
    }

    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<DeviceId, Outbox>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Frames {
    /// The next frames, prefixed, appended to `out`: one, and what else waits and is small.
    async fn take(&mut self, out: &mut Vec<u8>, counters: &Counters) -> bool {
        let Some(mut frame) = self.frames.recv().await else {
            return false;
        };
        loop {
            self.bytes.fetch_sub(frame.len(), Ordering::Relaxed);
            counters.sent(frame.len());
            let prefix = u32::try_from(frame.len()).expect("checked when it was sent");
            out.extend_from_slice(&prefix.to_be_bytes());
            out.extend_from_slice(&frame);
            if out.len() >= TOGETHER {
                return true;
            }
            match self.frames.try_recv() {
                Ok(next) => frame = next,
                Err(_) => return true,
            }
        }
    }
}

/// Writes and flushes what comes, until the outbox or the connection is gone.
pub(crate) async fn write_frames(
    mut stream: impl AsyncWrite + Unpin,
    mut frames: Frames,
    counters: &Counters,
) -> WriteEnd {
    let mut out = Vec::new();
    while frames.take(&mut out, counters).await {
        for slice in out.chunks(SLICE) {
            frames.limit.pass(slice.len()).await;
            match timeout(WRITE_TIME, write(&mut stream, slice)).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return WriteEnd::Closed,
                Err(_) => return WriteEnd::Stalled,
            }
        }
        out.clear();
        if out.capacity() > 2 * TOGETHER {
            out = Vec::new();
        }
    }
    // The connection may be gone already, and then there is nothing to close.
    let _ = timeout(WRITE_TIME, stream.close()).await;
    WriteEnd::Closed
}

async fn write(stream: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes).await?;
    stream.flush().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outbox_is_bounded_in_frames_and_bytes() {
        let (small, _frames) = outbox(UploadLimit::default());
        let taken = (0..1000).filter(|_| small.push(vec![1]).is_ok()).count();
        assert_eq!(taken, limits::OUTBOX_FRAMES);
        assert_eq!(small.push(vec![1]), Err(SendError::Full));
        let (large, frames) = outbox(UploadLimit::default());
        let taken = (0..1000).filter(|_| large.push(vec![0; limits::FRAME_BYTES]).is_ok()).count();
        assert_eq!(taken, OUTBOX_BYTES / limits::FRAME_BYTES);
        drop(frames);
    }

    #[tokio::test]
    async fn what_was_written_makes_room_again() {
        let (outbox, frames) = outbox(UploadLimit::default());
        let mut stream = futures::io::Cursor::new(Vec::new());
        for _ in 0..OUTBOX_BYTES / limits::FRAME_BYTES {
            outbox.push(vec![9; limits::FRAME_BYTES]).expect("room");
        }
        let bytes = outbox.bytes.clone();
        drop(outbox);
        assert!(matches!(write_frames(&mut stream, frames, &Counters::default()).await, WriteEnd::Closed));
        assert_eq!(bytes.load(Ordering::Relaxed), 0);
        assert_eq!(stream.into_inner().len(), OUTBOX_BYTES + 4 * OUTBOX_BYTES / limits::FRAME_BYTES);
    }

    #[test]
    fn frames_of_a_wrong_length_are_refused_here() {
        let outboxes = Outboxes::default();
        let to = DeviceId([1; 32]);
        assert_eq!(outboxes.send(&to, vec![1]), Err(SendError::NotConnected));
        assert_eq!(outboxes.send(&to, vec![]), Err(SendError::Length { bytes: 0 }));
        let long = limits::FRAME_BYTES + 1;
        assert_eq!(outboxes.send(&to, vec![0; long]), Err(SendError::Length { bytes: long }));
    }
}
