//! What daemon and worker say to each other over the worker's standard streams: frames of a
//! little-endian length (u32) and a postcard body. Both ends come from one build; the handshake
//! says so.

use std::io::{self, Read, Write};

use p2p_platform::sandbox::{Files, Level, Network};
use p2p_types::{Output, TaskKind, TextFailure};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt as _};

use crate::unable::Unable;

/// Changes whenever a message changes. The two hellos never do: they say that it has changed.
pub(crate) const PROTOCOL: u32 = 4;
/// Most tokens of one run of the model. More gain nothing and leave the processor's cache.
pub(crate) const RUN_TOKENS: u32 = 256;
/// Longest frame, in bytes: the texts of one part, or their embeddings, with room to spare.
pub(crate) const FRAME_BYTES: usize = 16 * 1024 * 1024;

/// How long texts are split: most tokens in a chunk, and how many it shares with the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ChunkOptions {
    pub tokens: u32,
    pub overlap: u32,
}

/// A text, by its place in the order, and its outcome. Each is said once.
pub(crate) type Finished = (u32, Result<Output, TextFailure>);

/// From the daemon.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Order {
    /// The first frame.
    Hello { protocol: u32, assets: String },
    Run {
        id: u64,
        kind: TaskKind,
        texts: Vec<String>,
        chunk: ChunkOptions,
        /// Most tokens of one run of the model; one text may have more.
        run_tokens: u32,
    },
    /// The second frame: the worker loads the runtime and closes its sandbox.
    Close {
        /// Memory it may take from then on, in bytes.
        memory: u64,
    },
}

/// What the base model did for an order, to tell how fast it is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Pace {
    /// That went through the model.
    pub(crate) tokens: u64,
    /// Processor time that it took, in microseconds, without loading anything.
    pub(crate) cpu_us: u64,
}

/// From the worker.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Reply {
    /// The answer to the first frame.
    Hello { protocol: u32 },
    /// These texts of the running order are done, and others are not yet.
    Progress { id: u64, finished: Vec<Finished> },
    /// These are the last: all texts are done.
    Done { id: u64, finished: Vec<Finished>, compute_us: u64, pace: Pace },
    /// Orders of this kind cannot be done here at all.
    Unable { id: u64, why: Unable },
    /// The process runs: once a second while an order is computed.
    Alive,
    /// The answer to the second frame: how far the sandbox is closed.
    Closed {
        #[serde(with = "LevelOnWire")]
        level: Level,
    },
}

/// [`Level`] belongs to a room that knows nothing of wires; these say how it travels.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Level")]
struct LevelOnWire {
    #[serde(with = "FilesOnWire")]
    files: Files,
    landlock: u8,
    #[serde(with = "NetworkOnWire")]
    network: Network,
    calls: bool,
    processes: bool,
    others: bool,
    code: bool,
    memory: Option<u64>,
    cpu_seconds: Option<u64>,
    open_files: Option<u64>,
    written: Option<u64>,
    private: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Files")]
enum FilesOnWire {
    Open,
    ReadOnly,
    Models,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Network")]
enum NetworkOnWire {
    Open,
    NoTcp,
    Closed,
}

/// One message as a frame.
pub(crate) fn encode<T: Serialize>(message: &T) -> io::Result<Vec<u8>> {
    let mut frame = postcard::to_extend(message, vec![0; 4]).map_err(io::Error::other)?;
    let length = frame.len() - 4;
    if length > FRAME_BYTES {
        return Err(io::Error::other(format!("a frame of {length} bytes is too long")));
    }
    let length = u32::try_from(length).map_err(io::Error::other)?;
    frame[..4].copy_from_slice(&length.to_le_bytes());
    Ok(frame)
}

/// Reads one message; `None` at the end of the stream.
pub(crate) async fn read<T: DeserializeOwned>(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<T>> {
    let length = match stream.read_u32_le().await {
        Ok(length) => checked(length)?,
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    postcard::from_bytes(&body).map(Some).map_err(io::Error::other)
}

/// The same for the worker, which waits for nothing else.
pub(crate) fn read_blocking<T: DeserializeOwned>(stream: &mut impl Read) -> io::Result<Option<T>> {
    let mut length = [0; 4];
    match stream.read_exact(&mut length) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let mut body = vec![0; checked(u32::from_le_bytes(length))?];
    stream.read_exact(&mut body)?;
    postcard::from_bytes(&body).map(Some).map_err(io::Error::other)
}

/// Writes one message and flushes it.
pub(crate) fn write_blocking<T: Serialize>(stream: &mut impl Write, message: &T) -> io::Result<()> {
    stream.write_all(&encode(message)?)?;
    stream.flush()
}

fn checked(length: u32) -> io::Result<usize> {
    let length = length as usize;
    if length > FRAME_BYTES {
        return Err(io::Error::other(format!("a frame of {length} bytes is announced; the stream is out of step")));
    }
    Ok(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_round_trip() {
        let order = Order::Run {
            id: 7,
            kind: TaskKind::Chunk,
            texts: vec!["déjà vu".into()],
            chunk: ChunkOptions { tokens: 64, overlap: 8 },
            run_tokens: 64,
        };
        let frame = encode(&order).expect("short");
        assert_eq!(read_blocking(&mut frame.as_slice()).expect("a frame"), Some(order));
        assert_eq!(read_blocking::<Order>(&mut [].as_slice()).expect("the end"), None);
        let level = Level { files: Files::Models, network: Network::NoTcp, memory: Some(1 << 30), ..Level::default() };
        let frame = encode(&Reply::Closed { level }).expect("short");
        assert_eq!(read_blocking(&mut frame.as_slice()).expect("a frame"), Some(Reply::Closed { level }));
    }

    /// Workers and daemons of other versions understand them.
    #[test]
    fn the_hellos_stay_as_they_are() {
        let hello = Order::Hello { protocol: 9, assets: "/a".into() };
        assert_eq!(encode(&hello).expect("short"), [5, 0, 0, 0, 0, 9, 2, b'/', b'a']);
        assert_eq!(encode(&Reply::Hello { protocol: 9 }).expect("short"), [2, 0, 0, 0, 0, 9]);
    }

    #[test]
    fn garbage_is_an_error_and_not_an_allocation() {
        assert!(read_blocking::<Order>(&mut [255; 64].as_slice()).is_err());
        assert!(read_blocking::<Order>(&mut [4, 0, 0, 0, 99, 99, 99, 99].as_slice()).is_err());
        assert!(read_blocking::<Order>(&mut [9, 0, 0, 0, 1].as_slice()).is_err());
    }
}
