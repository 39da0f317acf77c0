//! What a computer's disk has of credits: the orders in its lanes and vouchers that are not settled.

use std::collections::BTreeMap;

use p2p_ledger::{Committee, LaneId, Statement, certificate};
use p2p_protocol::{Entry, Input, KeptVoucher, Network, Payer};
use p2p_types::Hash;

use crate::checkers::Verdict;
use crate::scheme::KeyedHash;

#[derive(Debug, Clone, Default)]
pub(crate) struct Wallet {
    /// Each with its certificate, in their order.
    entries: BTreeMap<LaneId, Vec<(Entry, Vec<u8>)>>,
    vouchers: BTreeMap<Hash, Vec<u8>>,
}

impl Wallet {
    /// An order in a lane of this computer. They follow each other without gaps.
    pub(crate) fn keep(&mut self, entry: Entry, certificate: Vec<u8>) -> Verdict {
        let lane = self.entries.entry(entry.lane).or_default();
        match usize::try_from(entry.number).ok().map(|number| (number, lane.get(number))) {
            Some((_, Some((known, _)))) if *known == entry => Ok(()),
            Some((number, None)) if number == lane.len() => {
                lane.push((entry, certificate));
                Ok(())
            }
            _ => Err(("wallet", format!("order {} of {} comes after {}", entry.number, entry.lane, lane.len()))),
        }
    }

    pub(crate) fn keep_voucher(&mut self, hold: Hash, signed: Vec<u8>) {
        self.vouchers.insert(hold, signed);
    }

    pub(crate) fn forget_voucher(&mut self, hold: &Hash) {
        self.vouchers.remove(hold);
    }

    /// What a new process is told of a lane. All of it comes from the certificates.
    pub(crate) fn told(
        &self,
        payer: Payer,
        lane: LaneId,
        network: &Network,
        scheme: &KeyedHash,
    ) -> Result<Input, (&'static str, String)> {
        let committee = Committee::new(network.committee.clone());
        let mut statement = Statement::new(lane, network.economy.clone());
        let mut entries = Vec::new();
        for (kept, certificate) in self.entries.get(&lane).map(Vec::as_slice).unwrap_or_default() {
            let wrong = |why: String| ("wallet", format!("order {} of {lane}: {why}", kept.number));
            let read = certificate::decode(certificate).map_err(|error| wrong(error.to_string()))?;
            let order = certificate::verify(scheme, &network.id, &committee, &read);
            let order = order.map_err(|error| wrong(error.to_string()))?;
            let at = certificate::voted_at(&read).unwrap_or_default();
            let movements = statement.take(at, &order).map_err(|error| wrong(error.to_string()))?;
            let entry = Entry { lane, number: kept.number, at, order, movements };
            if entry != *kept {
                return Err(wrong("its certificate says otherwise".to_owned()));
            }
            entries.push(entry);
        }
        let kept = self.vouchers.iter().filter(|_| payer == Payer::Owner);
        let kept = kept.map(|(hold, signed)| KeptVoucher { hold: *hold, signed: signed.clone() }).collect();
        Ok(Input::Wallet { payer, statement: Box::new(statement), entries, kept })
    }
}
