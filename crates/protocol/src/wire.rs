//! The messages as they are encoded, and what is signed about each. See `proto/p2p.proto`.

#![allow(missing_debug_implementations, unreachable_pub, clippy::all, clippy::pedantic)]

use p2p_types::{Artefact, limits};

include!(concat!(env!("OUT_DIR"), "/p2p.v1.rs"));

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
    Envelope, "envelope", "p2p-agent/envelope/1", limits::FRAME_BYTES;
    Receipt, "receipt", "p2p-agent/receipt/1", 1024;
    DeviceCertificate, "device certificate", "p2p-agent/device-certificate/1", 512;
    NetworkFile, "network file", "p2p-agent/network-file/1", 16 * 1024;
    Invite, "invite", "p2p-agent/invite/1", 20 * 1024;
    Admission, "admission", "p2p-agent/admission/1", 512;
    Membership, "membership", "p2p-agent/membership/1", 1024;
}
