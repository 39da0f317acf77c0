//! Reads the frames of one peer.

use futures::io::{AsyncRead, AsyncReadExt};
use p2p_types::{DeviceId, limits};
use thiserror::Error;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use crate::NetEvent;
use crate::config::FRAME_TIME;
use crate::counters::Counters;

/// Length of what stands before each frame: its length, big-endian.
pub(crate) const PREFIX: usize = 4;
const READ: usize = 16 * 1024;
/// What a buffer that grew for one long frame is given back above.
const KEPT: usize = 64 * 1024;

/// Why reading ended.
#[derive(Debug)]
pub(crate) enum ReadEnd {
    /// The other side closed its stream, or the connection is gone.
    Closed,
    /// The other side broke the rules.
    Fault(Fault),
    /// Nobody takes events any more: this node is shutting down.
    Unheard,
}

/// A rule of the stream that was broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum Fault {
    #[error("it announced a frame of {bytes} bytes, at most {limit} are allowed", limit = limits::FRAME_BYTES)]
    Oversized { bytes: usize },
    #[error("it sent an empty frame")]
    Empty,
    #[error("it began a frame and did not finish it within {} s", FRAME_TIME.as_secs())]
    Slow,
}

/// Hands each frame of `stream` on until it ends. Waits when events are not taken, and so makes
/// the peer wait.
pub(crate) async fn read_frames(
    mut stream: impl AsyncRead + Unpin,
    from: DeviceId,
    events: &mpsc::Sender<NetEvent>,
    counters: &Counters,
) -> ReadEnd {
    let mut chunk = vec![0; READ];
    let mut buffer = Vec::new();
    let mut started = Instant::now();
    loop {
        let was_empty = buffer.is_empty();
        let read = if was_empty {
            stream.read(&mut chunk).await
        } else {
            match timeout_at(started + FRAME_TIME, stream.read(&mut chunk)).await {
                Ok(read) => read,
                Err(_) => return ReadEnd::Fault(Fault::Slow),
            }
        };
        let Ok(length @ 1..) = read else {
            return ReadEnd::Closed;
        };
        buffer.extend_from_slice(&chunk[..length]);
        if was_empty {
            started = Instant::now();
        }
        let mut taken = 0;
        loop {
            let frame = match next_frame(&buffer[taken..]) {
                Ok(Some(frame)) => frame,
                Ok(None) => break,
                Err(fault) => return ReadEnd::Fault(fault),
            };
            taken += PREFIX + frame.len();
            counters.received(frame.len());
            if events.send(NetEvent::Received { from, frame: frame.to_vec() }).await.is_err() {
                return ReadEnd::Unheard;
            }
            started = Instant::now();
        }
        buffer.drain(..taken);
        if buffer.is_empty() && buffer.capacity() > KEPT {
            buffer = Vec::new();
        }
    }
}

/// The first frame in `bytes`, once all of it is there. Its length is judged as soon as it is
/// known.
fn next_frame(bytes: &[u8]) -> Result<Option<&[u8]>, Fault> {
    let Some((prefix, rest)) = bytes.split_first_chunk::<PREFIX>() else {
        return Ok(None);
    };
    match u32::from_be_bytes(*prefix) as usize {
        0 => Err(Fault::Empty),
        length if length > limits::FRAME_BYTES => Err(Fault::Oversized { bytes: length }),
        length => Ok(rest.get(..length)),
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::time::Duration;

    use futures::TryStreamExt;
    use futures::io::Cursor;

    use super::*;

    const FROM: DeviceId = DeviceId([1; 32]);

    async fn read(bytes: Vec<u8>) -> (Vec<Vec<u8>>, ReadEnd) {
        let (sender, mut receiver) = mpsc::channel(64);
        let end = read_frames(Cursor::new(bytes), FROM, &sender, &Counters::default()).await;
        drop(sender);
        let mut frames = Vec::new();
        while let Some(NetEvent::Received { frame, .. }) = receiver.recv().await {
            frames.push(frame);
        }
        (frames, end)
    }

    fn framed(frame: &[u8]) -> Vec<u8> {
        [&u32::try_from(frame.len()).expect("short").to_be_bytes(), frame].concat()
    }

    #[tokio::test]
    async fn frames_of_all_lengths_come_out_as_they_went_in() {
        let frames: Vec<Vec<u8>> =
            [1, 2, READ - PREFIX, READ, READ + 1, limits::FRAME_BYTES].map(|length| vec![7; length]).to_vec();
        let bytes = frames.iter().flat_map(|frame| framed(frame)).collect();
        let (read, end) = read(bytes).await;
        assert!(read == frames && matches!(end, ReadEnd::Closed), "{end:?}");
    }

    #[tokio::test]
    async fn wrong_lengths_are_faults_before_their_bytes_arrive() {
        let good = framed(b"good");
        let (frames, end) = read([good.clone(), 0_u32.to_be_bytes().to_vec()].concat()).await;
        assert!(frames == [b"good"] && matches!(end, ReadEnd::Fault(Fault::Empty)), "{end:?}");
        let long = u32::try_from(limits::FRAME_BYTES + 1).expect("fits").to_be_bytes().to_vec();
        let (_, end) = read([good, long].concat()).await;
        assert!(
            matches!(end, ReadEnd::Fault(Fault::Oversized { bytes }) if bytes == limits::FRAME_BYTES + 1),
            "{end:?}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_frame_that_trickles_is_a_fault_and_a_quiet_peer_is_not() {
        let (theirs, ours) = futures::channel::mpsc::unbounded::<io::Result<Vec<u8>>>();
        let (sender, mut receiver) = mpsc::channel(64);
        let reading =
            tokio::spawn(async move { read_frames(ours.into_async_read(), FROM, &sender, &Counters::default()).await });
        tokio::time::sleep(FRAME_TIME * 100).await;
        theirs.unbounded_send(Ok(framed(b"first"))).expect("it reads");
        assert!(receiver.recv().await.is_some());
        let begun = Instant::now();
        theirs.unbounded_send(Ok(1000_u32.to_be_bytes().to_vec())).expect("it reads");
        while theirs.unbounded_send(Ok(b"x".to_vec())).is_ok() {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        let end = reading.await.expect("it ran");
        assert!(matches!(end, ReadEnd::Fault(Fault::Slow)), "{end:?}");
        assert!((FRAME_TIME..FRAME_TIME * 2).contains(&begun.elapsed()));
    }
}
