//! The messages as they are encoded, and what is signed about each. See `proto/ledger.proto`.

#![allow(missing_debug_implementations, unreachable_pub, clippy::all, clippy::pedantic)]

use p2p_types::Artefact;

include!(concat!(env!("OUT_DIR"), "/p2p.ledger.v1.rs"));

macro_rules! artefacts {
    ($($message:ident, $name:literal, $domain:literal, $limit:expr;)*) => {$(
        impl Artefact for $message {
            const NAME: &'static str = $name;
            const DOMAIN: &'static str = $domain;
            const LIMIT: usize = $limit;
        }
    )*};
}

artefacts! {
    LaneOpening, "lane opening", "p2p-agent/lane-opening/1", 256;
    Order, "order", "p2p-agent/order/1", 1024;
    Voucher, "voucher", "p2p-agent/voucher/1", 256;
    Vote, "vote", "p2p-agent/vote/1", 320;
    Checkpoint, "checkpoint", "p2p-agent/checkpoint/1", 512;
}
