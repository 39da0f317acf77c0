//! Everything a peer or a client can fill has a limit, and it is written here.

/// Longest direct frame between two nodes, signed envelope included.
pub const FRAME_BYTES: usize = 1024 * 1024;
/// Longest message published to a topic.
pub const PUBLISHED_BYTES: usize = 16 * 1024;
/// Texts in one task.
pub const TASK_TEXTS: usize = 2000;
/// Bytes of all the texts of one task.
pub const TASK_BYTES: usize = 8 * 1024 * 1024;
/// Bytes of one text of a kind that reads its first tokens only (embed, sentiment, noop).
pub const TEXT_BYTES: usize = 64 * 1024;
/// Bytes of one text to be split into chunks.
pub const CHUNKED_TEXT_BYTES: usize = 512 * 1024;
/// Texts in one subtask.
pub const SUBTASK_TEXTS: usize = 32;
/// Bytes of the texts of one subtask, unless a single text is longer.
pub const SUBTASK_BYTES: usize = 128 * 1024;
/// Chunks one text may become.
pub const CHUNKS_PER_TEXT: usize = 8192;
/// Tasks of this owner that are not finished.
pub const OPEN_TASKS: usize = 256;
/// Bytes of the texts of all of them together.
pub const OPEN_BYTES: usize = 64 * 1024 * 1024;
/// Finished tasks that stay in memory; the others are read from disk when somebody looks.
pub const SHOWN_TASKS: usize = 32;
/// Results of all of them together, but the newest task's.
pub const SHOWN_RESULTS: usize = 20_000;
/// Subtasks of others, waiting or running here.
pub const GUEST_QUEUE: usize = 64;
/// Subtasks of one other node here, beyond one for each worker.
pub const GUEST_AHEAD: usize = 4;
/// Offers to others that stand at one time.
pub const STANDING_OFFERS: usize = 256;
/// Nodes connected at one time.
pub const PEERS: usize = 64;
/// Nodes remembered though not connected.
pub const KNOWN_PEERS: usize = 1024;
/// Entries of one peer list.
pub const PEER_LIST: usize = 32;
/// Addresses kept of one node.
pub const ADDRESSES_PER_PEER: usize = 8;
/// Providers that hear of one task at first.
pub const ANNOUNCED_TO: usize = 16;
/// Direct frames that one peer may send at once, and how many more each second.
pub const FRAME_BURST: u64 = 4096;
pub const FRAMES_PER_SECOND: u64 = 10_000;
/// Frames waiting for one peer.
pub const OUTBOX_FRAMES: usize = 256;
/// Bytes of the HTTP body of one control call: a task's texts, escaped.
pub const CONTROL_BODY_BYTES: usize = 20 * 1024 * 1024;
