//! Every artefact about credits, byte for byte. The vectors are made from fixed keys and times; they
//! change only on purpose, with `P2P_AGENT_UPDATE=1`, and never for a version that anybody runs.

use std::path::{Path, PathBuf};

use p2p_ledger::wire::{self, order::Body};
use p2p_ledger::{Amounts, Answer, Judged, LaneId, Notary, Parameters, log};
use p2p_types::{AccountId, Artefact, Credits, DeviceId, Ed25519, Hash, NetworkId, Scheme as _, SecretKey, Signed};
use p2p_types::{TaskId, Timestamp};
use prost::Message as _;

const NOW: Timestamp = Timestamp(1_800_000_000_000);
const NETWORK: NetworkId = NetworkId([0x33; 32]);

fn key(seed: u8) -> Ed25519 {
    Ed25519::new(&SecretKey::new([seed; 32]))
}

/// The lane of account 01 and device 02, and of account 05 and device 03.
fn lane(account: u8, device: u8) -> LaneId {
    LaneId { account: AccountId(key(account).public_key()), device: DeviceId(key(device).public_key()) }
}

fn payer() -> LaneId {
    lane(1, 2)
}

fn payee() -> LaneId {
    lane(5, 3)
}

fn amounts() -> wire::Amounts {
    let part = |micro| Credits::from_micro(micro).expect("small");
    Amounts { earned: part(1_500_000), granted: part(250_000), free: part(1) }.to_wire()
}

fn opening(account: u8, device: u8) -> Vec<u8> {
    let opening = wire::LaneOpening { device: key(device).public_key().to_vec(), issued_ms: NOW.0 };
    Signed::new(&key(account), &NETWORK, &opening).into_bytes()
}

fn voucher() -> Vec<u8> {
    let voucher = wire::Voucher { hold: vec![0x44; 32], number: 3, amount: 1_250_000, task: vec![0x11; 16] };
    Signed::new(&key(2), &NETWORK, &voucher).into_bytes()
}

fn order(lane: LaneId, device: u8, sequence: u64, body: Body) -> Signed<wire::Order> {
    let order =
        wire::Order { lane: Some(lane.to_wire()), epoch: 0, sequence, expires_ms: NOW.0 + 60_000, body: Some(body) };
    Signed::new(&key(device), &NETWORK, &order)
}

fn bodies() -> Vec<(&'static str, Body)> {
    let payee = Some(payee().to_wire());
    let transfer = |purpose: wire::Purpose| wire::Transfer {
        payee: payee.clone(),
        amounts: Some(amounts()),
        purpose: purpose.into(),
    };
    let hold = wire::Hold { payee: payee.clone(), ceiling: Some(amounts()), expires_ms: NOW.0 + 3_600_000 };
    let claim = wire::Claim { rule: wire::Rule::Ramp.into(), day: 20_833, amount: 30_000_000 };
    vec![
        ("open", Body::Open(wire::Open { opening: opening(1, 2) })),
        ("transfer", Body::Transfer(transfer(wire::Purpose::Gift))),
        ("hold", Body::Hold(hold)),
        ("settle", Body::Settle(wire::Settle { voucher: voucher() })),
        ("release", Body::Release(wire::Release { hold: vec![0x44; 32] })),
        ("claim", Body::Claim(claim)),
    ]
}

/// A notary whose first batch opens both lanes.
fn first_batch() -> (Notary, Judged) {
    let parameters = Parameters::new(AccountId([0x55; 32]), AccountId([0x66; 32]));
    let mut notary = Notary::new(NETWORK, parameters);
    let open =
        |lane, account, device| order(lane, device, 0, Body::Open(wire::Open { opening: opening(account, device) }));
    let judged = notary.judge(&key(7), NOW, vec![open(payer(), 1, 2), open(payee(), 5, 3)]);
    (notary, judged)
}

fn vectors() -> Vec<(String, String)> {
    let mut all = Vec::new();
    let mut put = |name: &str, value: String| all.push((name.to_owned(), value));
    put("lane-opening", hex(&opening(1, 2)));
    put("voucher", hex(&voucher()));
    for (name, body) in bodies() {
        let order = order(payer(), 2, 7, body);
        put(&format!("order.{name}"), hex(order.as_bytes()));
        if name == "transfer" {
            put("order-id", p2p_ledger::id(&NETWORK, &order).to_string());
        }
    }
    put("parameters", Parameters::new(AccountId([0x55; 32]), AccountId([0x66; 32])).hash().to_string());

    let (mut notary, judged) = first_batch();
    let Some(Answer::Certified { certificate, .. }) = judged.answers.get(1) else { panic!("{judged:?}") };
    put("vote", hex(&certificate.votes[0].vote));
    put("certificate", hex(&certificate.encode_to_vec()));
    let batch = judged.record.expect("both were carried out");
    put("record.batch", hex(&batch));
    put("state-root", notary.ledger().root().to_string());
    let checkpoint = notary.end_epoch(&key(7), NOW);
    put("record.checkpoint", hex(&checkpoint));
    put("log-record", hex(&log::frame(0, b"content").expect("short")));
    all
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/vectors.txt")
}

fn committed() -> Vec<(String, String)> {
    let text = std::fs::read_to_string(file()).expect("the vectors");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_once(" = ")).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

#[test]
fn every_artefact_is_encoded_as_it_always_was() {
    let made = vectors();
    if std::env::var_os("P2P_AGENT_UPDATE").is_some() {
        let head = "# Golden vectors: see docs/formats.md. Bytes in hexadecimal, texts as they are.\n\
                    # Made from the keys whose 32 secret bytes are all 01 and 05 (accounts), 02 and 03 (their\n\
                    # devices), 07 (the notary), at 1800000000000 ms.\n";
        let lines: String = made.iter().map(|(name, value)| format!("{name} = {value}\n")).collect();
        std::fs::write(file(), format!("{head}{lines}")).expect("the vectors can be written");
    }
    assert_eq!(made, committed());
}

#[test]
fn an_order_has_one_id_however_it_is_signed() {
    let one = order(payer(), 2, 7, bodies().remove(1).1);
    let mut other = one.as_bytes().to_vec();
    other[40] ^= 1;
    let other = Signed::from_bytes(other).expect("of the right size");
    assert_eq!(p2p_ledger::id(&NETWORK, &one), p2p_ledger::id(&NETWORK, &other));
    assert_ne!(p2p_ledger::id(&NETWORK, &one), p2p_ledger::id(&NetworkId([0x34; 32]), &one));
    assert_ne!(TaskId([0; 16]).0[..], Hash([0; 32]).0[..]);
}

/// `docs/formats.md` names every vector, every domain with its limit, and every message; and no domain
/// on it is the beginning of another.
#[test]
fn the_page_on_formats_is_true() {
    fn of<T: Artefact>() -> (&'static str, usize) {
        (T::DOMAIN, T::LIMIT)
    }
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/formats.md");
    let page = std::fs::read_to_string(page).expect("docs/formats.md");
    for (name, _) in committed() {
        assert!(page.contains(&format!("`{name}`")), "the golden vector {name} is not on the page");
    }
    for (domain, limit) in [
        of::<wire::LaneOpening>(),
        of::<wire::Order>(),
        of::<wire::Voucher>(),
        of::<wire::Vote>(),
        of::<wire::Checkpoint>(),
    ] {
        let row = page.lines().find(|line| line.contains(&format!("`{domain}`")));
        let row = row.unwrap_or_else(|| panic!("no row has the domain {domain}"));
        assert!(row.contains(&format!(" {limit} ")), "the row does not say {limit}: {row}");
    }
    let messages = include_str!("../proto/ledger.proto").lines().filter_map(|line| line.strip_prefix("message "));
    for name in messages.filter_map(|line| line.split_whitespace().next()) {
        assert!(page.contains(&format!("`{name}`")), "the message {name} is not on the page");
    }
    let domains: Vec<&str> =
        page.split('`').filter(|word| word.starts_with("p2p-agent/") && word.ends_with("/1")).collect();
    for one in &domains {
        let begins = domains.iter().find(|other| *other != one && other.starts_with(*one));
        assert_eq!(begins, None, "{one} is the beginning of another domain");
    }
}
