//! Every artefact, byte for byte. The vectors are made from fixed keys and times; they change only
//! on purpose, with `P2P_AGENT_UPDATE=1`, and never for a version that anybody runs.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use p2p_protocol::wire::{self, envelope::Message, outcome::Outcome};
use p2p_protocol::{
    Charter, ChunkSizes, InviteLink, Network, NetworkKind, certify, check_certificate, check_membership, found_network,
    input_hash, make_admission, make_membership, output_hash,
};
use p2p_types::{
    AccountId, Artefact, Chunk, DeviceId, Ed25519, Hash, NetworkId, Output, QuantizedVector, Scheme as _, SecretKey,
    Signed, TaskId, TaskKind, TextFailure, Timestamp,
};
use prost::Message as _;

const NOW: Timestamp = Timestamp(1_800_000_000_000);
const TASK: TaskId = TaskId([0x11; 16]);
const MODEL: Hash = Hash([0x22; 32]);

fn key(seed: u8) -> Ed25519 {
    Ed25519::new(&SecretKey::new([seed; 32]))
}

fn device() -> DeviceId {
    DeviceId(key(2).public_key())
}

fn other_device() -> DeviceId {
    DeviceId(key(3).public_key())
}

fn network(kind: NetworkKind) -> Network {
    let issuer = AccountId(key(9).public_key());
    let charter = Charter {
        name: "golden".into(),
        kind,
        members_trusted: true,
        unpaid: true,
        notary: device(),
        issuer,
        nonce: [7; 32],
    };
    found_network(&key(1), &charter, NOW).expect("a network")
}

fn home() -> NetworkId {
    network(NetworkKind::Open).id
}

/// Name and value, in the order of the file.
type Vectors = Vec<(String, String)>;

fn vectors() -> Vectors {
    let mut all = Vectors::new();
    let mut put = |name: &str, value: String| all.push((name.to_owned(), value));
    ids(&mut put);
    hashes(&mut put);
    for (name, message) in messages() {
        let envelope = envelope(message, name == "presence");
        put(&format!("envelope.{name}"), hex(Signed::new(&key(2), &home(), &envelope).as_bytes()));
    }
    for (name, outcome) in outcomes() {
        put(&format!("outcome.{name}"), hex(&outcome.encode_to_vec()));
    }
    kept(&mut put);
    all
}

fn ids(put: &mut impl FnMut(&str, String)) {
    put("device-id.text", device().to_string());
    put("account-id.text", AccountId(key(1).public_key()).to_string());
    put("hash.text", Hash::of(b"golden").to_string());
    put("network-id.text", home().to_string());
    put("network-id.short", home().short());
    put("task-id.text", TASK.to_string());
}

fn hashes(put: &mut impl FnMut(&str, String)) {
    let texts = ["a good day".to_owned(), String::new(), "é".to_owned()];
    put("hash.input", input_hash(TaskKind::Sentiment, ChunkSizes::default(), &texts).to_string());
    let sizes = ChunkSizes { tokens: 128, overlap: 16 };
    put("hash.input.chunk", input_hash(TaskKind::Chunk, sizes, &texts[..1]).to_string());
    let outputs = [
        Ok(Output::Embedding(vector())),
        Ok(Output::Label { label: "positive".to_owned(), score_ppm: 987_654 }),
        Ok(Output::Chunks(vec![Chunk { start: 0, end: 7, tokens: 3 }, Chunk { start: 5, end: 11, tokens: 4 }])),
        Ok(Output::Nothing),
        Err(TextFailure::Empty),
        Err(TextFailure::TooLong),
        Err(TextFailure::WorkerLost),
        Err(TextFailure::Deadline),
        Err(TextFailure::Model),
    ];
    put("hash.output", output_hash(&outputs).to_string());
    let founding = wire::Founding {
        founder: key(1).public_key().to_vec(),
        nonce: vec![7; 32],
        created_ms: NOW.0,
        kind: wire::NetworkKind::Open.into(),
    };
    put("founding", hex(&founding.encode_to_vec()));
}

fn vector() -> QuantizedVector {
    let floats: Vec<f32> = (0..384_u16).map(|at| f32::from(at) / 384.0 - 0.5).collect();
    QuantizedVector::from_floats(&floats).expect("finite")
}

fn outcomes() -> Vec<(&'static str, wire::Outcome)> {
    let QuantizedVector { scale, values } = vector();
    let values = values.into_iter().map(i8::cast_unsigned).collect();
    let named = [
        ("vector", Outcome::Embedding(wire::Vector { scale, values })),
        ("label", Outcome::Label(wire::Label { label: "positive".to_owned(), score_ppm: 987_654 })),
        ("chunks", Outcome::Chunks(wire::Chunks { bounds: vec![0, 7, 3, 5, 11, 4] })),
        ("nothing", Outcome::Nothing(wire::Nothing {})),
        ("failure", Outcome::Failure(wire::Failure::WorkerLost.into())),
    ];
    named.map(|(name, outcome)| (name, wire::Outcome { outcome: Some(outcome) })).into()
}

fn envelope(message: Message, published: bool) -> wire::Envelope {
    let hello = matches!(message, Message::Hello(_));
    wire::Envelope {
        network: home().0.to_vec(),
        recipient: if published { Vec::new() } else { other_device().0.to_vec() },
        topic: if published { p2p_protocol::PRESENCE_TOPIC.to_owned() } else { String::new() },
        sequence: 1001,
        sent_ms: NOW.0,
        expires_ms: NOW.0 + p2p_protocol::ENVELOPE_LIFE_MS,
        session: if published || hello { 0 } else { 2002 },
        message: Some(message),
    }
}

fn messages() -> Vec<(&'static str, Message)> {
    let task = TASK.0.to_vec();
    let kind = "sentiment".to_owned();
    let model = MODEL.0.to_vec();
    let presence = wire::Presence {
        capabilities: vec![wire::Capability { kind: kind.clone(), model: model.clone() }],
        slots: 2,
        busy: 1,
        accepting: true,
        addresses: vec!["/ip4/127.0.0.1/tcp/9000".to_owned()],
    };
    vec![
        (
            "hello",
            Message::Hello(wire::Hello {
                agent_version: "0.1.0".to_owned(),
                certificate: certify(&key(1), device(), NOW).into_bytes(),
                presence: Some(presence.clone()),
                membership: vec![1, 2, 3],
            }),
        ),
        (
            "peer-list",
            Message::PeerList(wire::PeerList {
                peers: vec![wire::PeerAddress {
                    device: device().0.to_vec(),
                    addresses: vec!["/ip4/127.0.0.1/udp/9000/quic-v1".to_owned()],
                }],
            }),
        ),
        (
            "announcement",
            Message::Announcement(wire::Announcement {
                task: task.clone(),
                kind: kind.clone(),
                model: model.clone(),
                texts: 3,
                bytes: 42,
                priority: 1,
            }),
        ),
        (
            "bid",
            Message::Bid(wire::Bid {
                task: task.clone(),
                kind: kind.clone(),
                model: model.clone(),
                slots: 2,
                queued: 1,
                text_us: 5000,
                valid_ms: 15_000,
                price: 1_500_000,
            }),
        ),
        ("ledger-order", Message::LedgerOrder(wire::LedgerOrder { order: vec![0x46; 3] })),
        (
            "ledger-refusal",
            Message::LedgerRefusal(wire::LedgerRefusal {
                order: vec![0x44; 32],
                why: wire::ledger_refusal::Why::Stale.into(),
                detail: "why".to_owned(),
            }),
        ),
        (
            "statement-request",
            Message::StatementRequest(wire::StatementRequest { account: vec![1; 32], device: vec![2; 32], from: 7 }),
        ),
        (
            "statement",
            Message::Statement(wire::Statement {
                account: vec![1; 32],
                device: vec![2; 32],
                from: 7,
                certificates: vec![vec![0x45; 3]],
                total: 8,
                epoch: 2,
                others: 5,
            }),
        ),
        ("payment", Message::Payment(wire::Payment { voucher: vec![0x47; 3] })),
        ("decline", Message::Decline(wire::Decline { task: task.clone(), reason: wire::Reason::Paused.into() })),
        (
            "assignment",
            Message::Assignment(wire::Assignment {
                task: task.clone(),
                part: 1,
                kind,
                model,
                texts: vec!["a good day".to_owned(), "é".to_owned()],
                chunk_tokens: 128,
                chunk_overlap: 16,
                priority: 2,
                timeout_ms: 60_000,
                price: 1_500_000,
                hold: vec![0x44; 32],
                certificate: vec![0x45; 3],
            }),
        ),
        ("progress", Message::Progress(wire::Progress { task: task.clone(), part: 1, done: 1, started: true })),
        (
            "task-result",
            Message::TaskResult(wire::TaskResult {
                task: task.clone(),
                part: 1,
                outcomes: outcomes().into_iter().skip(1).map(|(_, outcome)| outcome).collect(),
                receipt: vec![1, 2, 3],
            }),
        ),
        ("refusal", Message::Refusal(wire::Refusal { task: task.clone(), part: 1, reason: wire::Reason::Busy.into() })),
        ("cancel", Message::Cancel(wire::Cancel { task })),
        ("presence", Message::Presence(presence)),
    ]
}

fn receipt() -> wire::Receipt {
    wire::Receipt {
        task: TASK.0.to_vec(),
        part: 1,
        kind: "sentiment".to_owned(),
        requester: other_device().0.to_vec(),
        input: vec![0x33; 32],
        model: MODEL.0.to_vec(),
        output: vec![0x44; 32],
        received_ms: NOW.0,
        finished_ms: NOW.0 + 7,
        queued_us: 2000,
        compute_us: 5000,
        texts: 2,
    }
}

/// What is signed on its own.
fn kept(put: &mut impl FnMut(&str, String)) {
    put("receipt", hex(Signed::new(&key(2), &home(), &receipt()).as_bytes()));
    put("device-certificate", hex(certify(&key(1), device(), NOW).as_bytes()));
    put("network-file", hex(&network(NetworkKind::Open).signed));
    let closed = network(NetworkKind::Closed);
    put("network-file.closed", hex(&closed.signed));
    let admission = make_admission(&key(1), &closed.id, key(5).public_key(), NOW.plus_ms(1000));
    put("admission", hex(&admission));
    put("membership", hex(&make_membership(&key(5), &closed.id, guest(), admission, NOW)));
    put("invite", invite(NetworkKind::Open).to_text(&key(2)));
    put("invite.closed", invite(NetworkKind::Closed).to_text(&key(2)));
}

fn guest() -> AccountId {
    AccountId(key(9).public_key())
}

fn invite(kind: NetworkKind) -> InviteLink {
    let network = network(kind);
    let admission = (kind == NetworkKind::Closed).then(|| {
        (make_admission(&key(1), &network.id, key(5).public_key(), NOW.plus_ms(1000)), SecretKey::new([5; 32]))
    });
    InviteLink { network, addresses: vec!["/ip4/127.0.0.1/tcp/9000".to_owned()], expires: NOW.plus_ms(1000), admission }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hexadecimal")).collect()
}

fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/vectors.txt")
}

/// The vectors as they are committed.
fn committed() -> Vectors {
    let text = std::fs::read_to_string(file()).expect("the committed vectors");
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| line.split_once(" = ").map(|(name, value)| (name.to_owned(), value.to_owned())).expect(line))
        .collect()
}

fn committed_bytes(name: &str) -> Vec<u8> {
    let all = committed();
    unhex(&all.iter().find(|(known, _)| known == name).expect("a vector of this name").1)
}

#[test]
fn every_artefact_is_encoded_as_it_always_was() {
    let made = vectors();
    if std::env::var_os("P2P_AGENT_UPDATE").is_some() {
        let head = "# Golden vectors: see docs/formats.md. Bytes in hexadecimal, texts as they are.\n\
                    # Made from the keys whose 32 secret bytes are all 01 (account), 02 (device), 03 (another\n\
                    # device), 05 (admitted key), 09 (guest), at 1800000000000 ms.\n";
        let lines = made.iter().fold(head.to_owned(), |text, (name, value)| text + &format!("{name} = {value}\n"));
        std::fs::write(file(), lines).expect("the vectors can be written");
    }
    let committed = committed();
    for ((name, made), (known, value)) in made.iter().zip(&committed) {
        assert_eq!((name, made), (known, value), "the bytes of {name} changed");
    }
    assert_eq!(made.len(), committed.len());
}

#[test]
fn what_is_committed_reads_as_what_it_says() {
    for (name, message) in messages() {
        let bytes = committed_bytes(&format!("envelope.{name}"));
        let read = Signed::<wire::Envelope>::from_bytes(bytes).and_then(|signed| signed.verify(&key(8), &home()));
        let read = read.expect("a signed envelope");
        assert_eq!(read.signer(), device().0);
        assert_eq!(*read, envelope(message, name == "presence"), "{name}");
    }
    let read = Signed::<wire::Receipt>::from_bytes(committed_bytes("receipt"));
    assert_eq!(*read.and_then(|signed| signed.verify(&key(8), &home())).expect("a receipt"), receipt());
    let account = AccountId(key(1).public_key());
    assert_eq!(check_certificate(&committed_bytes("device-certificate"), &key(8), device()), Ok(account));
    let open = Network::from_bytes(&committed_bytes("network-file"), &key(8)).expect("a network file");
    assert_eq!(open, network(NetworkKind::Open));
    let closed = Network::from_bytes(&committed_bytes("network-file.closed"), &key(8)).expect("a network file");
    assert!(check_membership(&committed_bytes("membership"), &key(8), &closed, guest()).is_ok());
    for kind in [NetworkKind::Open, NetworkKind::Closed] {
        let name = if kind == NetworkKind::Open { "invite" } else { "invite.closed" };
        let link = committed().into_iter().find(|(known, _)| known == name).expect("an invite").1;
        assert_eq!(InviteLink::from_text(&link, &key(8), NOW).expect("an invite").network, network(kind));
    }
}

/// What a later version adds is ignored, and is covered by the signature all the same.
#[test]
fn unknown_fields_are_read_over_and_signed() {
    #[derive(Clone, PartialEq, prost::Message)]
    struct LaterReceipt {
        #[prost(bytes = "vec", tag = "1")]
        task: Vec<u8>,
        #[prost(string, tag = "1999")]
        mood: String,
    }
    impl Artefact for LaterReceipt {
        const NAME: &'static str = "receipt";
        const DOMAIN: &'static str = wire::Receipt::DOMAIN;
        const LIMIT: usize = wire::Receipt::LIMIT;
    }
    let later = LaterReceipt { task: TASK.0.to_vec(), mood: "fine".to_owned() };
    let mut bytes = Signed::new(&key(2), &home(), &later).into_bytes();
    let read =
        |bytes: &[u8]| Signed::<wire::Receipt>::from_bytes(bytes).and_then(|signed| signed.verify(&key(8), &home()));
    assert_eq!(read(&bytes).expect("a receipt").task, TASK.0);
    *bytes.last_mut().expect("not empty") ^= 1;
    assert!(read(&bytes).is_err());
}

/// A signature over one artefact must never be one over another: no domain begins with another.
#[test]
fn domains_cannot_be_confused() {
    let domains = domains();
    for (at, (name, domain, _)) in domains.iter().enumerate() {
        assert!(domain.starts_with("p2p-agent/") && domain.ends_with("/1"), "{name}");
        let others = domains.iter().enumerate().filter(|(other, _)| *other != at);
        assert!(others.into_iter().all(|(_, (_, other, _))| !other.starts_with(domain)), "{name}");
    }
}

fn domains() -> Vec<(&'static str, &'static str, usize)> {
    fn of<T: Artefact>() -> (&'static str, &'static str, usize) {
        (T::NAME, T::DOMAIN, T::LIMIT)
    }
    vec![
        of::<wire::Envelope>(),
        of::<wire::Receipt>(),
        of::<wire::DeviceCertificate>(),
        of::<wire::NetworkFile>(),
        of::<wire::Invite>(),
        of::<wire::Admission>(),
        of::<wire::Membership>(),
    ]
}

/// `docs/formats.md` names every vector, every domain and every limit.
#[test]
fn the_page_on_formats_is_true() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/formats.md");
    let page = std::fs::read_to_string(page).expect("docs/formats.md");
    for (name, _) in committed() {
        assert!(page.contains(&format!("`{name}`")), "the golden vector {name} is not on the page");
    }
    for (name, domain, limit) in domains() {
        let row = page.lines().find(|line| line.contains(&format!("`{domain}`")));
        let row = row.unwrap_or_else(|| panic!("{name}: no row has the domain {domain}"));
        assert!(row.contains(&format!(" {limit} ")), "{name}: the row does not say {limit}: {row}");
    }
    let proto = include_str!("../proto/p2p.proto");
    for message in proto.lines().filter_map(|line| line.strip_prefix("message ")) {
        let name = message.split_whitespace().next().expect("a name");
        assert!(page.contains(&format!("`{name}`")), "the message {name} is not on the page");
    }
}
