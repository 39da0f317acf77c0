//! A receipt: what a provider signs for a finished part, and how a requester checks it.

use p2p_types::{DeviceId, Hash, NetworkId, Scheme, Signed, TaskId, TaskKind, Timestamp};

use crate::envelope::CLOCK_SKEW_MS;
use crate::wire;

/// How much longer than the requester's clock a provider's may say that a part took.
const TIMING_SLACK_US: u64 = 1_000_000;

/// A receipt whose signature and claims were checked against what was asked and answered.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedReceipt {
    pub task: TaskId,
    pub part: u32,
    pub first_text: u32,
    pub texts: u32,
    pub provider: DeviceId,
    pub requester: DeviceId,
    pub input: Hash,
    pub model: Hash,
    pub output: Hash,
    pub received: Timestamp,
    pub finished: Timestamp,
    pub queued_us: u64,
    pub compute_us: u64,
    /// The bytes that were signed.
    pub signed: Vec<u8>,
}

/// What a receipt must say to be one for this part.
#[derive(Debug, Clone)]
pub(crate) struct Expected {
    pub task: TaskId,
    pub part: u32,
    pub first_text: u32,
    pub texts: u32,
    pub kind: TaskKind,
    pub provider: DeviceId,
    pub requester: DeviceId,
    pub input: Hash,
    pub model: Hash,
    pub output: Hash,
    /// From the assignment to the answer.
    pub elapsed_us: u64,
    pub now: Timestamp,
}

/// Checks a receipt against what was asked and what came back.
///
/// # Errors
/// The first claim that does not hold, in words.
pub(crate) fn check(
    bytes: &[u8],
    scheme: &dyn Scheme,
    network: &NetworkId,
    expected: &Expected,
) -> Result<CheckedReceipt, &'static str> {
    let receipt = Signed::<wire::Receipt>::from_bytes(bytes)
        .and_then(|signed| signed.verify(scheme, network))
        .map_err(|_| "the receipt is not signed as it should be")?;
    let claims = [
        (receipt.signer() == expected.provider.0, "the receipt was signed by somebody else"),
        (receipt.task == expected.task.0 && receipt.part == expected.part, "the receipt is for another part"),
        (receipt.kind == expected.kind.as_str(), "the receipt is for another kind of task"),
        (receipt.requester == expected.requester.0, "the receipt is for another requester"),
        (receipt.input == expected.input.0, "the receipt is for another input"),
        (receipt.model == expected.model.0, "the receipt names another model"),
        (receipt.output == expected.output.0, "the receipt does not fit the answer"),
        (receipt.texts == expected.texts, "the receipt counts other texts"),
        (
            receipt.queued_us.saturating_add(receipt.compute_us) <= expected.elapsed_us.saturating_add(TIMING_SLACK_US),
            "the receipt claims more time than has passed",
        ),
        (
            receipt.received_ms <= receipt.finished_ms
                && Timestamp(receipt.finished_ms) <= expected.now.plus_ms(CLOCK_SKEW_MS),
            "the receipt claims times that cannot be",
        ),
    ];
    if let Some((_, why)) = claims.iter().find(|(holds, _)| !holds) {
        return Err(why);
    }
    Ok(CheckedReceipt {
        task: expected.task,
        part: expected.part,
        first_text: expected.first_text,
        texts: expected.texts,
        provider: expected.provider,
        requester: expected.requester,
        input: expected.input,
        model: expected.model,
        output: expected.output,
        received: Timestamp(receipt.received_ms),
        finished: Timestamp(receipt.finished_ms),
        queued_us: receipt.queued_us,
        compute_us: receipt.compute_us,
        signed: bytes.to_vec(),
    })
}
