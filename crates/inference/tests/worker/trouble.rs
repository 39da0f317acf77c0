//! Programs that are no worker of ours, and assets that are not as they should be.

use std::fs;
use std::path::Path;

use p2p_inference::{Cause, PoolConfig, Unable};
use p2p_types::{Output, TaskKind};

use crate::support::{Bench, GREETING, assets, config, order, script, texts};

fn one() -> p2p_inference::WorkOrder {
    order(TaskKind::Embed, &texts(&["a"]))
}

async fn said_with_script(body: &str) -> Unable {
    let folder = tempfile::tempdir().expect("a folder");
    let mut bench = Bench::with(PoolConfig { worker: script(folder.path(), body), ..config() });
    bench.unavailable(one()).await
}

#[tokio::test]
async fn what_is_no_worker_is_refused_with_a_reason() {
    for (body, said, expected) in [
        ("exit 7", "ended as it started", Cause::Process),
        ("echo hello, who is there?; cat >/dev/null", "cannot be understood", Cause::Unusable),
        // A hello of version 99: three bytes, variant 0, 99.
        (r"printf '\002\000\000\000\000\143'; cat >/dev/null", "another version", Cause::Unusable),
        // Another message in the place of the hello: variant 1.
        (r"printf '\003\000\000\000\001\001\000'; cat >/dev/null", "started", Cause::Process),
    ] {
        let Unable { cause, reason } = said_with_script(body).await;
        assert_eq!(cause, expected, "{reason}");
        assert!(reason.contains(said), "{body}: {reason}");
        assert_eq!(reason.matches(" - ").count(), 2, "{reason}");
    }
    let mut bench = Bench::with(PoolConfig { worker: "/nowhere/p2p-worker".into(), ..config() });
    let Unable { cause, reason } = bench.unavailable(one()).await;
    assert!(cause == Cause::Missing && reason.contains("/nowhere/p2p-worker"), "{cause:?} {reason}");
}

#[tokio::test]
async fn garbage_after_the_hello_costs_the_text_and_nothing_else() {
    let folder = tempfile::tempdir().expect("a folder");
    // A proper hello, then bytes without sense.
    let body = format!("printf '{GREETING}'; head -c 4000 /dev/urandom; cat >/dev/null");
    let mut bench = Bench::with(PoolConfig { worker: script(folder.path(), &body), ..config() });
    let outcomes = bench.outcomes(one()).await;
    assert_eq!(outcomes, [Err(p2p_types::TextFailure::WorkerLost)]);
}

/// The real assets, so that one can be replaced. Models are copied: a worker does not follow links
/// out of their folders.
pub(crate) fn copy_of_assets(to: &Path) {
    for folder in ["runtime", "models/minilm-l6-v2", "models/sentiment-head"] {
        fs::create_dir_all(to.join(folder)).expect("made");
        for entry in fs::read_dir(assets().join(folder)).expect("a folder").flatten() {
            let copy = to.join(folder).join(entry.file_name());
            if folder == "runtime" {
                std::os::unix::fs::symlink(entry.path(), copy).expect("linked");
            } else {
                fs::copy(entry.path(), copy).expect("copied");
            }
        }
    }
}

async fn said_of(change: impl FnOnce(&Path)) -> (Unable, Bench, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    copy_of_assets(folder.path());
    change(folder.path());
    let mut bench = Bench::with(PoolConfig { assets: folder.path().to_owned(), ..config() });
    let why = bench.unavailable(order(TaskKind::Sentiment, &texts(&["a"]))).await;
    assert!(why.reason.contains(" - "), "{why:?}");
    (why, bench, folder)
}

fn replace(path: &Path, bytes: &[u8]) {
    fs::remove_file(path).expect("it was linked");
    fs::write(path, bytes).expect("written");
}

#[tokio::test]
async fn a_file_with_another_digest_is_not_loaded() {
    for name in ["minilm-l6-v2/model.onnx", "minilm-l6-v2/tokenizer.json", "sentiment-head/head.safetensors"] {
        let (why, mut bench, _folder) = said_of(|root| {
            let path = root.join("models").join(name);
            let mut bytes = fs::read(&path).expect("linked");
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            replace(&path, &bytes);
        })
        .await;
        assert!(why.cause == Cause::Digest && why.reason.contains(name), "{why:?}");
        // The worker lives on for what needs no model.
        assert_eq!(bench.outcomes(order(TaskKind::Noop, &texts(&["a"]))).await, [Ok(Output::Nothing)]);
    }
}

#[tokio::test]
async fn a_missing_or_foreign_runtime_is_named_and_mended_without_a_restart() {
    let library = p2p_platform::Assets { root: assets() }.runtime();
    let name = library.file_name().expect("a file").to_owned();
    let (why, mut bench, folder) =
        said_of(|root| fs::remove_file(root.join("runtime").join(&name)).expect("linked")).await;
    assert!(why.cause == Cause::Missing && why.reason.contains("is missing"), "{why:?}");
    std::os::unix::fs::symlink(&library, folder.path().join("runtime").join(&name)).expect("linked");
    assert!(bench.outcomes(order(TaskKind::Sentiment, &texts(&["a"]))).await[0].is_ok());

    let (why, ..) = said_of(|root| replace(&root.join("runtime").join(&name), b"no library")).await;
    assert!(why.cause == Cause::Unusable && why.reason.contains("cannot be loaded"), "{why:?}");
}
