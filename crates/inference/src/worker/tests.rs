//! The worker's conversation over a pipe in memory, and its tokenizer against the reference.

use std::fs;
use std::path::{Path, PathBuf};

use p2p_types::{Output, TaskKind};

use super::engine::Engine;
use super::*;
use crate::unable::Cause;
use crate::wire::{ChunkOptions, Pace};

fn hello(protocol: u32, assets: &Path) -> Vec<u8> {
    let hello = Order::Hello { protocol, assets: assets.to_string_lossy().into_owned() };
    let close = Order::Close { memory: 0 };
    [encode(&hello).expect("short"), encode(&close).expect("short")].concat()
}

fn run(id: u64, kind: TaskKind, texts: &[&str]) -> Vec<u8> {
    let texts = texts.iter().map(|&text| text.to_owned()).collect();
    let chunk = ChunkOptions { tokens: 64, overlap: 8 };
    encode(&Order::Run { id, kind, texts, chunk, run_tokens: 256 }).expect("short")
}

/// What the worker says to these bytes, and how it ends.
fn converse(input: &[u8]) -> (Vec<Reply>, io::Result<()>) {
    let mut output = Vec::new();
    // The process of the tests stays open.
    let open = |assets, _| Ok((Closed { engine: Engine::new(assets), lacks: false }, Level::default()));
    let ended = serve(&mut &*input, &mut output, open);
    let mut said = output.as_slice();
    let mut replies = Vec::new();
    while let Some(reply) = read_blocking(&mut said).expect("whole frames") {
        if reply != (Reply::Closed { level: Level::default() }) {
            replies.push(reply);
        }
    }
    (replies, ended)
}

/// The folder that `cargo xtask models` filled.
fn assets() -> PathBuf {
    let named = std::env::var_os("P2P_AGENT_ASSETS").map(PathBuf::from);
    let me = std::env::current_exe().expect("a test has a program");
    named
        .or_else(|| me.ancestors().map(|folder| folder.join("assets")).find(|folder| folder.join("models").is_dir()))
        .expect("the assets are missing - this test needs the model - run `cargo xtask models`")
}

#[test]
fn noop_needs_nothing_and_the_end_of_input_is_the_end() {
    let nowhere = Path::new("/nowhere");
    let input = [hello(PROTOCOL, nowhere), run(1, TaskKind::Noop, &["", "a"]), run(2, TaskKind::Noop, &[])].concat();
    let (replies, ended) = converse(&input);
    ended.expect("a plain end");
    assert_eq!(replies[0], Reply::Hello { protocol: PROTOCOL });
    assert!(
        matches!(&replies[1], Reply::Done { id: 1, finished, .. } if *finished == [(0, Ok(Output::Nothing)), (1, Ok(Output::Nothing))])
    );
    assert!(matches!(&replies[2], Reply::Done { id: 2, finished, .. } if finished.is_empty()));
    assert!(
        !fs::read_to_string("/proc/self/maps").unwrap_or_default().contains("libonnxruntime"),
        "noop loaded the runtime"
    );
}

#[test]
fn another_version_is_answered_with_ours_and_no_more() {
    let input = [hello(PROTOCOL + 1, Path::new("/nowhere")), run(1, TaskKind::Noop, &["a"])].concat();
    let (replies, ended) = converse(&input);
    assert_eq!(replies, [Reply::Hello { protocol: PROTOCOL }]);
    assert!(ended.expect_err("refused").to_string().contains("version"));
}

#[test]
fn garbage_ends_the_worker_with_an_error() {
    let start = hello(PROTOCOL, Path::new("/nowhere"));
    for garbage in [
        vec![255; 64],
        [start.clone(), vec![200; 9]].concat(),
        run(1, TaskKind::Noop, &[]),
        [start.clone(), start].concat(),
    ] {
        converse(&garbage).1.expect_err("garbage");
    }
}

#[test]
fn missing_and_damaged_files_are_named_and_noop_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let input = [
        hello(PROTOCOL, folder.path()),
        run(1, TaskKind::Embed, &["a"]),
        run(2, TaskKind::Chunk, &["a"]),
        run(3, TaskKind::Noop, &["a"]),
    ]
    .concat();
    let (replies, ended) = converse(&input);
    ended.expect("a plain end");
    for reply in &replies[1..3] {
        assert!(matches!(reply, Reply::Unable { why, .. } if why.cause == Cause::Missing), "{reply:?}");
    }
    assert!(matches!(replies[3], Reply::Done { id: 3, .. }));

    let base = folder.path().join("models/minilm-l6-v2");
    fs::create_dir_all(&base).expect("made");
    fs::write(base.join("tokenizer.json"), b"{}").expect("written");
    let real = assets().join("models/minilm-l6-v2/manifest.json");
    fs::copy(real, base.join("manifest.json")).expect("copied");
    let (replies, _) = converse(&[hello(PROTOCOL, folder.path()), run(1, TaskKind::Chunk, &["a"])].concat());
    assert!(matches!(&replies[1], Reply::Unable { why, .. } if why.cause == Cause::Digest), "{replies:?}");
}

#[test]
fn impossible_chunks_are_refused_with_a_reason() {
    let order = Order::Run {
        id: 1,
        kind: TaskKind::Chunk,
        texts: vec!["a".into()],
        chunk: ChunkOptions { tokens: 8, overlap: 4 },
        run_tokens: 256,
    };
    let (replies, _) = converse(&[hello(PROTOCOL, &assets()), encode(&order).expect("short")].concat());
    let Reply::Unable { why, .. } = &replies[1] else { panic!("{replies:?}") };
    assert!(why.cause == Cause::Order && why.reason.contains("less than half"), "{why:?}");
}

#[test]
fn an_answer_too_long_for_a_frame_fails_its_texts_only() {
    let many = (0..3_000_000).map(|start| p2p_types::Chunk { start, end: start + 1, tokens: 1 }).collect();
    let mut output = Vec::new();
    let pace = Pace::default();
    answer(&mut output, Reply::Done { id: 5, finished: vec![(3, Ok(Output::Chunks(many)))], compute_us: 1, pace })
        .expect("answered");
    let reply = read_blocking(&mut output.as_slice()).expect("a frame");
    let expected = vec![(3, Err(TextFailure::TooLong))];
    assert_eq!(reply, Some(Reply::Done { id: 5, finished: expected, compute_us: 1, pace }));
}

#[test]
fn each_text_is_answered_once_and_before_the_next_is_begun() {
    let input = [hello(PROTOCOL, &assets()), run(1, TaskKind::Chunk, &["one", " ", "three"])].concat();
    let (replies, _) = converse(&input);
    let places: Vec<Vec<u32>> = replies[1..]
        .iter()
        .map(|reply| match reply {
            Reply::Progress { id: 1, finished } | Reply::Done { id: 1, finished, .. } => {
                finished.iter().map(|(place, _)| *place).collect()
            }
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(places, [[0], [1], [2]]);
    assert!(matches!(replies[3], Reply::Done { .. }), "{replies:?}");
}

#[test]
fn the_pace_is_of_the_model_alone() {
    let input = [
        hello(PROTOCOL, &assets()),
        run(1, TaskKind::Embed, &["one sentence", " ", "and another one"]),
        run(2, TaskKind::Chunk, &["one sentence"]),
        run(3, TaskKind::Embed, &["one sentence"]),
    ]
    .concat();
    let (replies, _) = converse(&input);
    let paces: Vec<(u64, bool)> = replies
        .iter()
        .filter_map(|reply| match reply {
            Reply::Done { pace, .. } => Some((pace.tokens, pace.cpu_us > 0)),
            _ => None,
        })
        .collect();
    // With the two that the tokenizer puts around each text.
    assert_eq!(paces, [(4 + 5, true), (0, false), (4, true)]);
}

#[derive(serde::Deserialize)]
struct Golden {
    texts: Vec<GoldenText>,
}

#[derive(serde::Deserialize)]
struct GoldenText {
    text: String,
    tokens: usize,
    ids: Option<Vec<i64>>,
    ids_blake3: Option<p2p_types::Hash>,
}

#[test]
fn token_ids_are_those_of_the_reference_tokenizer() {
    let golden: Golden = serde_json::from_str(include_str!("../../tests/worker/golden.json")).expect("a golden file");
    let json = fs::read(assets().join("models/minilm-l6-v2/tokenizer.json")).expect("a tokenizer");
    let tokens = tokens::Tokens::from_json(&json).expect("a tokenizer");
    assert!(golden.texts.len() > 10);
    for expected in golden.texts {
        let ids = tokens.ids(&expected.text).expect("ids");
        assert_eq!(ids.len(), expected.tokens, "{}", expected.text);
        if let Some(known) = expected.ids {
            assert_eq!(ids, known, "{}", expected.text);
        }
        if let Some(known) = expected.ids_blake3 {
            let bytes: Vec<u8> = ids.iter().flat_map(|id| id.to_le_bytes()).collect();
            assert_eq!(p2p_types::Hash::of(&bytes), known, "{}", expected.text);
        }
    }
}
