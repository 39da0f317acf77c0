//! Our side of `cargo xtask bench ledger`: one notary, signed orders in, certificates out, each on disk
//! before its certificate is made. And what a payee does with vouchers.

use std::path::Path;
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use p2p_ledger::wire::{self, order::Body};
use p2p_ledger::{
    Amounts, Answer, Committee, Earning, LaneId, Notary, Parameters, Paying, Voucher, VoucherRefused, certificate,
};
use p2p_store::Journal;
use p2p_types::{AccountId, Credits, DeviceId, Ed25519, Hash, NetworkId, Scheme, SecretKey, Signed, TaskId, Timestamp};
use prost::Message as _;
use serde_json::{Value, json};

const NETWORK: NetworkId = NetworkId([9; 32]);
const NOW: Timestamp = Timestamp(1_800_000_000_000);
const LANES: usize = 256;
/// Orders of one batch: the notary writes once for all of them.
const BATCH: usize = 1024;
const SINGLE_PAYMENTS: usize = 500;
const VOUCHERS: usize = 16_384;
/// Vouchers that are checked together.
const VOUCHER_BATCH: usize = 256;

/// One device of an owner, and how many orders it gave.
struct Payer {
    account: Ed25519,
    device: Ed25519,
    next: u64,
}

impl Payer {
    fn new(number: usize) -> Self {
        let key = |kind: &str| Ed25519::new(&SecretKey::new(Hash::of(format!("{kind} {number}").as_bytes()).0));
        Self { account: key("account"), device: key("device"), next: 0 }
    }

    fn lane(&self) -> LaneId {
        LaneId { account: AccountId(self.account.public_key()), device: DeviceId(self.device.public_key()) }
    }

    fn order(&mut self, body: Body) -> Signed<wire::Order> {
        let lane = Some(self.lane().to_wire());
        let order = wire::Order { lane, epoch: 0, sequence: self.next, expires_ms: NOW.0 + 60_000, body: Some(body) };
        self.next += 1;
        Signed::new(&self.device, &NETWORK, &order)
    }

    fn pay(&mut self, payee: &LaneId) -> Signed<wire::Order> {
        let one = Credits::from_micro(1).expect("small");
        self.order(Body::Transfer(wire::Transfer {
            payee: Some(payee.to_wire()),
            amounts: Some(Amounts::earned(one).to_wire()),
            purpose: wire::Purpose::Gift.into(),
        }))
    }
}

/// A notary with its log, and payers who have credits.
struct Bank {
    key: Ed25519,
    parameters: Parameters,
    notary: Notary,
    journal: Journal,
    payers: Vec<Payer>,
}

pub(crate) fn measure(folder: &Path, orders: usize) -> Result<Value> {
    let path = folder.join("ledger.log");
    let mut bank = Bank::open(&path)?;
    let per_second = bank.throughput(orders)?;
    let (p50, p99) = bank.payments()?;
    let balance = bank.balances();

    // What was measured is worth nothing if the sums are wrong or the log says something else.
    ensure!(bank.notary.ledger().balances(), "credits came or went");
    let Bank { key, parameters, notary, journal, .. } = bank;
    let bytes = journal.len();
    drop(journal);
    let mut again = Notary::new(NETWORK, parameters);
    for record in Journal::open(&path)?.1.records {
        again.replay(&key, &record)?;
    }
    ensure!(again.ledger().root() == notary.ledger().root(), "the log replays to another state");

    Ok(json!({
        "transfers": orders,
        "transfers_per_second": per_second,
        "bytes_per_transfer": bytes / orders as u64,
        "payment_p50_us": p50,
        "payment_p99_us": p99,
        "balance_p99_us": balance,
        "vouchers_per_second": vouchers()?,
    }))
}

impl Bank {
    fn open(path: &Path) -> Result<Self> {
        let (founder, mut issuer) = (Payer::new(1_000_000), Payer::new(1_000_001));
        let key = founder.device.clone();
        let account = |payer: &Payer| payer.lane().account;
        let mut parameters = Parameters::new(account(&founder), account(&issuer));
        parameters.canary_budget = Credits::whole(1_000_000);
        let notary = Notary::new(NETWORK, parameters.clone());
        let (journal, _) = Journal::open(path)?;
        let payers: Vec<Payer> = (0..LANES).map(Payer::new).collect();
        let mut bank = Self { key, parameters, notary, journal, payers };

        let opening = |payer: &mut Payer| {
            let opening = wire::LaneOpening { device: payer.device.public_key().to_vec(), issued_ms: NOW.0 };
            let opening = Signed::new(&payer.account, &NETWORK, &opening).into_bytes();
            payer.order(Body::Open(wire::Open { opening }))
        };
        let mut orders = vec![opening(&mut issuer)];
        let (rule, amount) = (wire::Rule::Budget.into(), bank.parameters.canary_budget.micro());
        orders.push(issuer.order(Body::Claim(wire::Claim { rule, day: 0, amount })));
        orders.extend(bank.payers.iter_mut().map(opening));
        bank.carry_out(orders)?;
        // Everybody earns something: a hold of the issuer's, settled at once.
        for place in 0..LANES {
            let payee = bank.payers[place].lane();
            let ceiling = Some(Amounts::earned(Credits::whole(1000)).to_wire());
            let hold = wire::Hold { payee: Some(payee.to_wire()), ceiling, expires_ms: NOW.0 + 60_000 };
            let hold = bank.carry_out(vec![issuer.order(Body::Hold(hold))])?;
            let mut paying = Paying::new(hold, issuer.lane().device, Credits::whole(1000));
            let voucher = paying.pay(TaskId([0; 16]), Credits::whole(1000)).context("the hold bears it")?;
            let voucher = Signed::new(&issuer.device, &NETWORK, &voucher).into_bytes();
            let settle = bank.payers[place].order(Body::Settle(wire::Settle { voucher }));
            bank.carry_out(vec![settle])?;
        }
        Ok(bank)
    }

    /// Gives the id of the last order.
    fn carry_out(&mut self, orders: Vec<Signed<wire::Order>>) -> Result<Hash> {
        let judged = self.notary.judge(&self.key, NOW, orders);
        self.journal.append(&judged.record.context("something changed")?)?;
        match judged.answers.into_iter().map(certified).next_back() {
            Some(last) => last.map(|(id, _)| id),
            None => bail!("no order"),
        }
    }

    /// Certified, durable transfers a second: signatures are checked, orders judged, and records written
    /// by a thread each.
    fn throughput(&mut self, orders: usize) -> Result<f64> {
        let lanes: Vec<LaneId> = self.payers.iter().map(Payer::lane).collect();
        let mut incoming: Vec<Vec<u8>> = Vec::with_capacity(orders);
        for number in 0..orders {
            let payee = lanes[(number * 7 + 1) % LANES];
            let payer = number % LANES;
            let payee = if lanes[payer] == payee { lanes[(payer + 1) % LANES] } else { payee };
            incoming.push(self.payers[payer].pay(&payee).into_bytes());
        }

        let begun = Instant::now();
        let (key, notary, journal) = (&self.key, &mut self.notary, &mut self.journal);
        let certificates = thread::scope(|scope| -> Result<usize> {
            let (to_judge, verified) = sync_channel(4);
            let (to_write, judged) = sync_channel(4);
            scope.spawn(move || {
                for batch in incoming.chunks(BATCH) {
                    let batch = batch.iter().map(|bytes| Signed::from_bytes(bytes.clone()).expect("of our making"));
                    if to_judge.send(Signed::verify_each(key, &NETWORK, batch.collect())).is_err() {
                        return;
                    }
                }
            });
            let writer = scope.spawn(move || -> Result<usize> {
                let mut certificates = 0;
                while let Ok(judged) = judged.recv() {
                    let judged: p2p_ledger::Judged = judged;
                    journal.append(&judged.record.context("something changed")?)?;
                    for answer in judged.answers {
                        let (_, certificate) = certified(answer)?;
                        certificates += usize::from(!certificate.encode_to_vec().is_empty());
                    }
                }
                Ok(certificates)
            });
            for batch in verified {
                if to_write.send(notary.judge_verified(key, NOW, batch)).is_err() {
                    break;
                }
            }
            drop(to_write);
            writer.join().map_err(|_| anyhow::anyhow!("the writer panicked"))?
        })?;
        let seconds = begun.elapsed().as_secs_f64();
        ensure!(certificates == orders, "{certificates} of {orders} were certified");
        Ok(orders as f64 / seconds)
    }

    /// Microseconds of one payment at a time, from signing to a certificate that the payer checked:
    /// median and 99th percentile.
    fn payments(&mut self) -> Result<(f64, f64)> {
        let committee = Committee::new(vec![DeviceId(self.key.public_key())]);
        let payee = self.payers[1].lane();
        let mut times = Vec::with_capacity(SINGLE_PAYMENTS);
        for _ in 0..SINGLE_PAYMENTS {
            let begun = Instant::now();
            let order = self.payers[0].pay(&payee);
            let judged = self.notary.judge(&self.key, NOW, vec![order]);
            self.journal.append(&judged.record.context("something changed")?)?;
            let (_, certificate) = certified(judged.answers.into_iter().next().context("one answer")?)?;
            certificate::verify(&self.key, &NETWORK, &committee, &certificate)?;
            times.push(begun.elapsed().as_secs_f64() * 1e6);
        }
        times.sort_by(f64::total_cmp);
        Ok((times[times.len() / 2], times[times.len() * 99 / 100]))
    }

    /// Microseconds of looking up a balance, 99th percentile.
    fn balances(&self) -> f64 {
        let mut sum = Credits::ZERO;
        let mut times = Vec::new();
        for _ in 0..40 {
            for payer in &self.payers {
                let begun = Instant::now();
                let lane = self.notary.ledger().lane(&payer.lane());
                sum = [sum, lane.map_or(Credits::ZERO, |lane| lane.spendable(0).total())].into_iter().sum();
                times.push(begun.elapsed().as_secs_f64() * 1e6);
            }
        }
        assert!(!sum.is_zero(), "somebody has something");
        times.sort_by(f64::total_cmp);
        times[times.len() * 99 / 100]
    }
}

/// Vouchers a second that a payee checks and takes, on one core.
fn vouchers() -> Result<f64> {
    let payers: Vec<Payer> = (0..64).map(Payer::new).collect();
    let hold = |payer: usize| Hash::of(&[payer as u8]);
    let ceiling = Credits::whole(1000);
    let mut paying: Vec<Paying> =
        (0..payers.len()).map(|payer| Paying::new(hold(payer), payers[payer].lane().device, ceiling)).collect();
    let earning = |payer: usize| Earning::new(hold(payer), payers[payer].lane().device, ceiling, NOW.plus_ms(1), 0);
    let mut earning: Vec<Earning> = (0..payers.len()).map(earning).collect();
    let mut incoming = Vec::with_capacity(VOUCHERS);
    for number in 0..VOUCHERS {
        let payer = number % payers.len();
        let voucher = paying[payer].pay(TaskId([0; 16]), Credits::from_micro(1000).expect("small"));
        let voucher = voucher.context("the hold bears it")?;
        incoming.push(Signed::new(&payers[payer].device, &NETWORK, &voucher).into_bytes());
    }
    let scheme = &payers[0].device;
    let begun = Instant::now();
    for (batch, vouchers) in incoming.chunks(VOUCHER_BATCH).enumerate() {
        let signed = vouchers.iter().map(|bytes| Signed::<wire::Voucher>::from_bytes(bytes.clone()));
        let signed = signed.collect::<Result<Vec<_>, _>>()?;
        for (place, voucher) in Signed::verify_each(scheme, &NETWORK, signed).into_iter().enumerate() {
            let payer = (batch * VOUCHER_BATCH + place) % payers.len();
            let taken: Result<(), VoucherRefused> = earning[payer].take(NOW, &Voucher::read(&voucher?)?);
            taken?;
        }
    }
    Ok(VOUCHERS as f64 / begun.elapsed().as_secs_f64())
}

fn certified(answer: Answer) -> Result<(Hash, wire::Certificate)> {
    match answer {
        Answer::Certified { id, certificate, .. } => Ok((id, certificate)),
        other => bail!("an order was not carried out: {other:?}"),
    }
}
