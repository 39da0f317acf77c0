//! Envelopes: who says it to whom, in which network, until when.

use p2p_types::{DeviceId, NetworkId, Scheme, SignError, Signed, Timestamp, Verified};
use thiserror::Error;

use crate::wire;

/// How long an envelope is worth reading.
pub const ENVELOPE_LIFE_MS: u64 = 60_000;
/// How far two honest calendars may differ.
pub const CLOCK_SKEW_MS: u64 = 120_000;

/// Why an envelope was not read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refused {
    #[error(transparent)]
    Sign(#[from] SignError),
    #[error("it belongs to another network")]
    OtherNetwork,
    #[error("it was signed by {signer} but came from {sender}")]
    NotTheSender { signer: DeviceId, sender: DeviceId },
    #[error("it is addressed to somebody else")]
    Misaddressed,
    #[error("it expired {ms} ms ago by this computer's clock; one of the two clocks is wrong, or it was held back")]
    Expired { ms: u64 },
    #[error("it was sent {ms} ms in the future by this computer's clock; one of the two clocks is wrong")]
    FromTheFuture { ms: u64 },
    #[error("it claims to be worth reading for longer than {ENVELOPE_LIFE_MS} ms")]
    LivesTooLong,
    #[error("it was seen before")]
    Replayed,
    #[error("it belongs to an earlier connection")]
    EarlierConnection,
    #[error("there are too many of them")]
    TooMany,
    #[error("it says nothing that this version knows")]
    Empty,
    #[error("{0}")]
    Malformed(&'static str),
}

impl Refused {
    /// Whether an honest node with a wrong clock, a newer version or a lost race could have sent
    /// it. A few of those are forgiven.
    #[must_use]
    pub const fn may_be_honest(&self) -> bool {
        matches!(
            self,
            Self::Expired { .. }
                | Self::FromTheFuture { .. }
                | Self::Replayed
                | Self::EarlierConnection
                | Self::TooMany
                | Self::Empty
        )
    }
}

/// Who an envelope must be for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum For<'a> {
    Device(DeviceId),
    Topic(&'a str),
}

/// Reads an envelope that came from outside: size, signature, network, recipient and time, in
/// this order of cost and blame. Whether it was seen before is the caller's to know.
pub(crate) fn open(
    bytes: Vec<u8>,
    scheme: &dyn Scheme,
    network: &NetworkId,
    meant_for: For<'_>,
    now: Timestamp,
) -> Result<Verified<wire::Envelope>, Refused> {
    let signed = Signed::<wire::Envelope>::from_bytes(bytes)?;
    let envelope = signed.verify(scheme, network).map_err(|error| match signed.peek() {
        // The network is part of what is signed, so a stranger's honest envelope fails here too.
        Ok(claimed) if claimed.network != network.0 => Refused::OtherNetwork,
        _ => error.into(),
    })?;
    if envelope.network != network.0 {
        return Err(Refused::OtherNetwork);
    }
    let addressed = match meant_for {
        For::Device(device) => envelope.recipient == device.0 && envelope.topic.is_empty(),
        For::Topic(topic) => envelope.topic == topic && envelope.recipient.is_empty(),
    };
    if !addressed {
        return Err(Refused::Misaddressed);
    }
    let (sent, expires) = (Timestamp(envelope.sent_ms), Timestamp(envelope.expires_ms));
    if expires.since(sent) > ENVELOPE_LIFE_MS || expires < sent {
        return Err(Refused::LivesTooLong);
    }
    if now > expires.plus_ms(CLOCK_SKEW_MS) {
        return Err(Refused::Expired { ms: now.since(expires) });
    }
    if sent > now.plus_ms(CLOCK_SKEW_MS) {
        return Err(Refused::FromTheFuture { ms: sent.since(now) });
    }
    Ok(envelope)
}

#[cfg(test)]
mod tests {
    use p2p_types::{Ed25519, SecretKey};

    use super::*;

    const HOME: NetworkId = NetworkId([1; 32]);
    const NOW: Timestamp = Timestamp(1_800_000_000_000);

    fn scheme() -> Ed25519 {
        Ed25519::new(&SecretKey::new([3; 32]))
    }

    fn me() -> DeviceId {
        DeviceId([9; 32])
    }

    fn envelope() -> wire::Envelope {
        wire::Envelope {
            network: HOME.0.to_vec(),
            recipient: me().0.to_vec(),
            sequence: 1,
            sent_ms: NOW.0,
            expires_ms: NOW.0 + ENVELOPE_LIFE_MS,
            message: Some(wire::envelope::Message::Cancel(wire::Cancel { task: vec![0; 16] })),
            ..wire::Envelope::default()
        }
    }

    fn read(envelope: &wire::Envelope, now: Timestamp) -> Result<Verified<wire::Envelope>, Refused> {
        let network = NetworkId(envelope.network.as_slice().try_into().expect("32 bytes"));
        let bytes = Signed::new(&scheme(), &network, envelope).into_bytes();
        open(bytes, &scheme(), &HOME, For::Device(me()), now)
    }

    #[test]
    fn an_honest_envelope_is_read() {
        assert_eq!(read(&envelope(), NOW).expect("honest").signer(), scheme().public_key());
    }

    #[test]
    fn each_dishonest_one_is_refused_by_name() {
        let other_network = wire::Envelope { network: vec![2; 32], ..envelope() };
        assert_eq!(read(&other_network, NOW), Err(Refused::OtherNetwork));
        let misaddressed = wire::Envelope { recipient: vec![8; 32], ..envelope() };
        assert_eq!(read(&misaddressed, NOW), Err(Refused::Misaddressed));
        let both = wire::Envelope { topic: "presence".into(), ..envelope() };
        assert_eq!(read(&both, NOW), Err(Refused::Misaddressed));
        let endless = wire::Envelope { expires_ms: u64::MAX, ..envelope() };
        assert_eq!(read(&endless, NOW), Err(Refused::LivesTooLong));
        let late = NOW.plus_ms(ENVELOPE_LIFE_MS + CLOCK_SKEW_MS + 1);
        assert!(matches!(read(&envelope(), late), Err(Refused::Expired { .. })));
        let early = Timestamp(NOW.0 - CLOCK_SKEW_MS - 1);
        assert_eq!(read(&envelope(), early), Err(Refused::FromTheFuture { ms: CLOCK_SKEW_MS + 1 }));
    }

    #[test]
    fn forged_and_cut_ones_are_refused() {
        let mut bytes = Signed::new(&scheme(), &HOME, &envelope()).into_bytes();
        let last = bytes.len() - 1;
        let forged = {
            let mut forged = bytes.clone();
            forged[last] ^= 1;
            open(forged, &scheme(), &HOME, For::Device(me()), NOW)
        };
        assert!(matches!(forged, Err(Refused::Sign(_) | Refused::OtherNetwork)));
        bytes.truncate(60);
        assert_eq!(open(bytes, &scheme(), &HOME, For::Device(me()), NOW), Err(Refused::Sign(SignError::TooShort)));
    }
}
