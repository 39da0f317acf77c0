//! What `p2p-worker` runs.
