//! What a finished task says is right, and whoever computed it signed for it.

use std::collections::BTreeSet;

use p2p_protocol::wire;
use p2p_protocol::{CheckedReceipt, Network, Payer, State, Task, input_hash, output_hash};
use p2p_types::{DeviceId, Hash, Scheme, Signed, TextFailure};

use super::{Asked, Verdict};
use crate::workers::answer;

#[derive(Debug, Default)]
pub(crate) struct Outcomes {
    /// Which computer's workers finished which input: the truth.
    computed: BTreeSet<(DeviceId, Hash)>,
    pub(crate) done: u64,
    pub(crate) partial: u64,
    pub(crate) failed: u64,
    pub(crate) cancelled: u64,
    /// Canaries that were done.
    pub(crate) canaries: u64,
    /// Texts that others computed.
    pub(crate) crossed: u64,
}

impl Outcomes {
    pub(crate) fn computed(&mut self, device: DeviceId, input: Hash) {
        self.computed.insert((device, input));
    }

    /// A task ended.
    pub(crate) fn ended(
        &mut self,
        owner: DeviceId,
        task: &Task,
        asked: &Asked,
        network: &Network,
        scheme: &dyn Scheme,
    ) -> Verdict {
        let count = match task.state {
            State::Done => &mut self.done,
            State::Partial => &mut self.partial,
            State::Failed => &mut self.failed,
            _ => &mut self.cancelled,
        };
        *count += 1;
        self.canaries += u64::from(task.payer == Payer::Issuer && task.state == State::Done);
        results_are_right(task, asked)?;
        if asked.must_succeed && task.state != State::Done {
            return Err(("liveness", format!("after the storm, {}", story(task))));
        }
        for receipt in &task.receipts {
            self.receipt_is_valid(owner, receipt, asked, network, scheme)?;
        }
        // Each good text that this computer did not compute stands in a receipt.
        let by_others = !task.providers.contains(&owner);
        for (at, result) in task.results.iter().enumerate().filter(|_| by_others) {
            let at = u32::try_from(at).unwrap_or(u32::MAX);
            let covers =
                |receipt: &CheckedReceipt| (receipt.first_text..receipt.first_text + receipt.texts).contains(&at);
            if matches!(result, Some(Ok(_))) {
                self.crossed += 1;
                if !task.receipts.iter().any(covers) {
                    return Err(("receipts", format!("nobody signed for text {at} of task {}", task.id)));
                }
            }
        }
        Ok(())
    }

    fn receipt_is_valid(
        &self,
        owner: DeviceId,
        receipt: &CheckedReceipt,
        asked: &Asked,
        network: &Network,
        scheme: &dyn Scheme,
    ) -> Verdict {
        let wrong = |what: &str| Err(("receipts", format!("task {}: {what}", asked.request.id)));
        let signed = Signed::<wire::Receipt>::from_bytes(receipt.signed.clone());
        let Ok(read) = signed.and_then(|signed| signed.verify(scheme, &network.id)) else {
            return wrong("a receipt is not signed");
        };
        let range = receipt.first_text as usize..(receipt.first_text + receipt.texts) as usize;
        let Some(texts) = asked.request.texts.get(range) else { return wrong("a receipt covers texts that are none") };
        let input = input_hash(asked.request.kind, asked.request.chunk, texts);
        let outputs: Vec<_> = texts.iter().map(|text| answer(asked.request.kind, text)).collect();
        let claims = [
            (read.signer() == receipt.provider.0, "somebody else signed a receipt"),
            (read.requester == owner.0, "a receipt names another requester"),
            (read.task == asked.request.id.0, "a receipt names another task"),
            (read.input == input.0, "a receipt names another input"),
            (read.output == output_hash(&outputs).0, "a receipt names a wrong output"),
            (self.computed.contains(&(receipt.provider, input)), "its signer did not compute it"),
        ];
        claims.iter().find(|(holds, _)| !holds).map_or(Ok(()), |(_, what)| wrong(what))
    }
}

/// One result each, in order, and each the right one or a failure.
fn results_are_right(task: &Task, asked: &Asked) -> Verdict {
    let request = &asked.request;
    let wrong = |what: String| Err(("results", format!("task {}: {what}", request.id)));
    if task.results.len() != request.texts.len() {
        return wrong(format!("{} results for {} texts", task.results.len(), request.texts.len()));
    }
    for (at, (result, text)) in task.results.iter().zip(&request.texts).enumerate() {
        match result {
            None => return wrong(format!("text {at} has no result")),
            Some(Ok(output)) if Ok(output) != answer(request.kind, text).as_ref() => {
                return wrong(format!("the result of text {at} is wrong"));
            }
            Some(Err(TextFailure::Empty)) if !text.trim().is_empty() => {
                return wrong(format!("text {at} is not empty"));
            }
            Some(_) => {}
        }
    }
    let good = task.results.iter().flatten().filter(|result| result.is_ok()).count();
    match task.state {
        State::Done if good < request.texts.len() => wrong("it is done, and texts of it failed".to_owned()),
        State::Failed if good > 0 => wrong("it failed, and texts of it are done".to_owned()),
        _ => Ok(()),
    }
}

fn story(task: &Task) -> String {
    let stages: Vec<_> = task.stages.iter().map(|record| format!("{:?} {}", record.stage, record.detail)).collect();
    format!("task {} ended {:?}: {} ({:?})", task.id, task.state, stages.join("; "), task.why_failed)
}
