use p2p_ledger::LaneId;
use p2p_types::{AccountId, Hash, NetworkId};

use super::*;

const NETWORK: NetworkId = NetworkId([1; 32]);
const OTHER: NetworkId = NetworkId([2; 32]);
const DAY: u64 = 24 * 60 * 60 * 1000;

const fn lane(device: u8) -> LaneId {
    LaneId { account: AccountId([9; 32]), device: DeviceId([device; 32]) }
}

fn entry(network: NetworkId, device: u8, number: u64, certificate: &[u8]) -> Record {
    Record::Entry { network, lane: lane(device), number, certificate: certificate.to_vec() }
}

fn row(network: NetworkId, number: u64, id: &str, at: u64, sums: Sums) -> Record {
    Record::Row { network, number, id: id.to_owned(), at: Timestamp(at), document: id.into(), sums }
}

#[test]
fn entries_come_back_in_their_order_and_by_lane_and_network() {
    let (_folder, path) = folder();
    let mut node = Node::open(&path);
    node.keep(vec![entry(NETWORK, 1, 10, b"ten"), entry(NETWORK, 1, 2, b"two"), entry(NETWORK, 2, 0, b"other lane")]);
    node.keep(vec![entry(OTHER, 1, 0, b"other network"), entry(NETWORK, 1, 2, b"two again")]);
    assert_eq!(node.store.entries(NETWORK, lane(1)).expect("read"), [b"two again".to_vec(), b"ten".to_vec()]);
    assert_eq!(node.store.entries(OTHER, lane(2)).expect("read"), Vec::<Vec<u8>>::new());
}

#[test]
fn a_row_is_kept_once_and_its_day_counts_it_once() {
    let (_folder, path) = folder();
    let mut node = Node::open(&path);
    let earned = |earned| Sums { earned, tasks_done: 1, ..Sums::default() };
    let back = Sums { spent: -3, ..Sums::default() };
    node.keep(vec![
        row(NETWORK, 1, "a", DAY, earned(5)),
        row(NETWORK, 2, "b", 2 * DAY - 1, back),
        row(NETWORK, 3, "c", 2 * DAY, earned(7)),
        row(NETWORK, 4, "a", 3 * DAY, earned(100)),
        row(OTHER, 5, "a", DAY, earned(1000)),
    ]);
    let rows = wait(node.store.rows(NETWORK, None, 2));
    assert_eq!(rows.iter().map(|row| row.number).collect::<Vec<_>>(), [3, 2]);
    assert_eq!(wait(node.store.rows(NETWORK, Some(2), 9)), [StoredRow { number: 1, document: b"a".to_vec() }]);
    let first = Sums { earned: 5, spent: -3, tasks_done: 1, ..Sums::default() };
    assert_eq!(wait(node.store.sums(NETWORK, Timestamp(0))), [(1, first), (2, earned(7))]);
    assert_eq!(wait(node.store.sums(NETWORK, Timestamp(2 * DAY))), [(2, earned(7))]);
    assert_eq!(node.store.count_rows(NETWORK).expect("read"), 3);
    assert_eq!(node.store.next_row().expect("read"), 6);
    assert_eq!(node.store.all_rows(NETWORK).expect("read"), [b"a".to_vec(), b"b".to_vec(), b"c".to_vec()]);
}

#[test]
fn vouchers_and_notes_are_replaced_and_vouchers_end() {
    let (_folder, path) = folder();
    let mut node = Node::open(&path);
    let voucher =
        |hold: u8, signed: &[u8]| Record::Voucher { network: NETWORK, hold: Hash([hold; 32]), signed: signed.into() };
    node.keep(vec![voucher(1, b"old"), voucher(2, b"kept"), voucher(1, b"new")]);
    node.keep(vec![Record::VoucherDone { network: NETWORK, hold: Hash([1; 32]) }]);
    assert_eq!(node.store.vouchers(NETWORK).expect("read"), [(Hash([2; 32]), b"kept".to_vec())]);
    for document in [b"one".to_vec(), b"two".to_vec()] {
        node.keep(vec![Record::Note { network: NETWORK, name: "mark", document }]);
    }
    assert_eq!(node.store.note(NETWORK, "mark").expect("read"), Some(b"two".to_vec()));
    assert_eq!(node.store.note(OTHER, "mark").expect("read"), None);
    assert_eq!(voucher(1, b"").durability(), Durability::Power, "nobody else keeps it");
}
