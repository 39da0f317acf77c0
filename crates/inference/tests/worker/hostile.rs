//! Models that nobody should load, in the real sandbox: alone, and under the pool.

mod corpus;
mod onnx;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use p2p_inference::{ChunkOptions, PoolConfig, WorkOrder};
use p2p_platform::sandbox::{Files, Network};
use p2p_types::{Hash, Output, TaskKind, limits};
use serde_json::Value;

use crate::support::{Bench, assets, config, order, texts, worker};
use crate::trouble::copy_of_assets;

/// A worker that is not done by then is killed, as the pool kills one that is late.
const PATIENCE: Duration = Duration::from_secs(5);
/// Most memory of a worker: see `pool::process`. Programs and libraries come on top.
const MEMORY: u64 = (512 + 128) << 20;

/// What became of a probe.
#[derive(Debug, PartialEq)]
enum End {
    Ran(Value),
    Refused(Value),
    /// By itself: a crash, or a limit.
    Died,
    Killed,
}

fn probe(file: &Path) -> (End, Duration) {
    let begun = Instant::now();
    let mut child = Command::new(worker())
        .arg("--probe")
        .arg(file)
        .env("P2P_AGENT_ASSETS", assets())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the worker starts");
    let status = loop {
        match child.try_wait().expect("a child") {
            Some(status) => break status,
            None if begun.elapsed() > PATIENCE => {
                child.kill().expect("it ran");
                child.wait().expect("it ended");
                return (End::Killed, begun.elapsed());
            }
            None => std::thread::sleep(Duration::from_millis(2)),
        }
    };
    let took = begun.elapsed();
    let mut said = String::new();
    std::io::Read::read_to_string(&mut child.stdout.take().expect("piped"), &mut said).expect("text");
    let document = serde_json::from_str::<Value>(&said).ok().filter(|_| status.success());
    let end = match document {
        None => End::Died,
        Some(document) if document.get("values").is_some() => End::Ran(document),
        Some(document) => End::Refused(document),
    };
    (end, took)
}

/// A folder with models and, beside it, what they must not read.
fn stage() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let models = folder.path().join("models");
    fs::create_dir(&models).expect("made");
    let secret: Vec<u8> = [corpus::SECRET; 4].iter().flat_map(|value| value.to_le_bytes()).collect();
    fs::write(folder.path().join("secret"), secret).expect("written");
    fs::write(models.join("beside"), [0; 16]).expect("written");
    std::os::unix::fs::symlink("../secret", models.join("link")).expect("linked");
    std::os::unix::fs::symlink("..", models.join("links")).expect("linked");
    folder
}

#[test]
fn hostile_models_harm_nobody_but_their_worker() {
    let folder = stage();
    let models = folder.path().join("models");
    let file = models.join("good.onnx");
    fs::write(&file, onnx::good()).expect("written");
    let (End::Ran(good), _) = probe(&file) else { panic!("the good model does not run") };
    assert_eq!(good["values"], serde_json::json!([1.0, 2.0, 3.0, 4.0]));
    assert_eq!(good["whole"], true, "{good}");

    let corpus = corpus::files(&folder.path().join("secret"));
    let (mut ran, mut refused, mut died, mut killed) = (0, 0, Vec::new(), Vec::new());
    let mut escapes = Vec::new();
    let mut rejections = Vec::new();
    let mut peak = 0;
    let mut short_of_memory = Vec::new();
    for (name, bytes) in &corpus {
        let file = models.join(format!("{name}.onnx"));
        fs::write(&file, bytes).expect("written");
        let (end, took) = probe(&file);
        let used = p2p_platform::process::peak_of_children().expect("this system says");
        if used > peak + (8 << 20) {
            println!("{name}: a new peak, {} MiB", used >> 20);
        }
        peak = peak.max(used);
        match end {
            End::Ran(said) => {
                ran += 1;
                println!("{name}: ran: {}", said["values"]);
                let secret = |value: &Value| value.as_f64() == Some(corpus::SECRET.into());
                if said["values"].as_array().is_some_and(|values| values.iter().any(secret)) {
                    escapes.push(name);
                }
            }
            End::Refused(said) => {
                refused += 1;
                if said["error"].as_str().is_some_and(|error| error.contains("bad_alloc") || error.contains("allocate"))
                {
                    short_of_memory.push(name.as_str());
                }
                println!("{name}: refused: {}", said["error"]);
                let load = said["load_ms"].as_f64().unwrap_or(0.0);
                rejections.push((load, took, name));
            }
            End::Died => died.push(name),
            End::Killed => killed.push(name),
        }
        fs::remove_file(&file).expect("still there");
    }
    // A folder in a model's place.
    fs::create_dir(models.join("folder.onnx")).expect("made");
    assert!(!matches!(probe(&models.join("folder.onnx")).0, End::Ran(_)));

    rejections.sort_by(|a, b| a.0.total_cmp(&b.0));
    let percentile = |part: usize| rejections[(rejections.len() * part / 100).min(rejections.len() - 1)];
    println!(
        "{} files: {ran} ran, {refused} refused, {} died alone {died:?}, {} killed late {killed:?}; escapes {}; peak {} MiB",
        corpus.len() + 1,
        died.len(),
        killed.len(),
        escapes.len(),
        peak >> 20
    );
    println!(
        "time to reject: p50 {:.1} ms, p99 {:?}, all processes included {:?}",
        percentile(50).0,
        percentile(99),
        rejections.iter().map(|each| each.1).max()
    );
    assert!(corpus.len() >= 60);
    assert!(escapes.is_empty(), "{escapes:?}");
    assert!(peak <= MEMORY, "{} MiB", peak >> 20);
    assert_eq!(ran + refused + died.len() + killed.len(), corpus.len());
    println!("refused for want of memory: {short_of_memory:?}");
    for bomb in ["fill_1_gib", "sparse_1_gib"] {
        assert!(short_of_memory.contains(&bomb), "{bomb} goes off, and there is no room for it");
    }
    // Nothing was written, and what stood there is as it was.
    let names: Vec<_> =
        fs::read_dir(folder.path()).expect("a folder").flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(names.len(), 2, "{names:?}");
    assert_eq!(fs::read_dir(&models).expect("a folder").count(), 5);
}

/// The same files where the base model should be, with a manifest that says so.
#[tokio::test]
async fn the_pool_survives_every_hostile_model() {
    let folder = tempfile::tempdir().expect("a folder");
    copy_of_assets(folder.path());
    let base = folder.path().join("models/minilm-l6-v2");
    let manifest = fs::read(base.join("manifest.json")).expect("a manifest");
    let manifest: Value = serde_json::from_slice(&manifest).expect("JSON");
    let mut corpus = corpus::files(&folder.path().join("secret"));
    // A tokenizer is loaded each time: every third of the common ones will do.
    let mut common = 0;
    corpus.retain(|(name, _)| {
        let rare =
            ["gib", "twice", "forever", "divides_least", "outside_absolute"].iter().any(|word| name.contains(word));
        common += usize::from(!rare);
        rare || common % 3 == 0
    });
    let mut survived = 0;
    for (name, bytes) in &corpus {
        let mut manifest = manifest.clone();
        manifest["files"]["model.onnx"] = Hash::of(bytes).to_string().into();
        fs::write(base.join("manifest.json"), manifest.to_string()).expect("written");
        fs::write(base.join("model.onnx"), bytes).expect("written");
        let mut bench = Bench::with(PoolConfig { assets: folder.path().to_owned(), ..config() });
        let hostile = WorkOrder { timeout: PATIENCE, ..order(TaskKind::Embed, &texts(&["a"])) };
        bench.give(hostile);
        let answered = format!("{:?}", bench.end().await);
        assert!(!answered.contains("Embedding"), "{name}: {answered}");
        // The next order is done, by this worker or by another.
        assert_eq!(bench.outcomes(order(TaskKind::Noop, &texts(&["b"]))).await, [Ok(Output::Nothing)], "{name}");
        survived += 1;
    }
    println!("the pool survived {survived} of {} hostile models", corpus.len());
    let peak = p2p_platform::process::peak_of_children().expect("this system says");
    println!("peak of its workers: {} MiB", peak >> 20);
    assert!(peak <= MEMORY, "{} MiB", peak >> 20);
}

/// The worker that the pool runs, seen from outside and by its own word.
#[tokio::test]
async fn a_worker_of_the_pool_is_closed() {
    let mut bench = Bench::new();
    assert_eq!(bench.pool.sandbox(), None, "no worker yet");
    assert!(bench.outcomes(order(TaskKind::Embed, &texts(&["a"]))).await[0].is_ok());
    let level = bench.pool.sandbox().expect("a worker said");
    println!("{level}");
    assert!(level.is_whole() && level.files == Files::Models && level.network == Network::Closed, "{level}");
    // What it may have leaves room for the largest orders there are.
    let long = "unfathomable river ".repeat(limits::TEXT_BYTES / 19);
    assert!(bench.outcomes(order(TaskKind::Embed, &vec![long; 40])).await.iter().all(Result::is_ok));
    let longest = "the river takes ".repeat(limits::CHUNKED_TEXT_BYTES / 16);
    let split = WorkOrder { chunk: ChunkOptions { tokens: 512, overlap: 0 }, ..order(TaskKind::Chunk, &[longest]) };
    assert!(bench.outcomes(split).await[0].is_ok());
    let pid = crate::support::workers()[0];
    let told = |file: &str| fs::read_to_string(format!("/proc/{pid}/{file}")).expect("it runs");
    let status = told("status");
    for line in ["NoNewPrivs:\t1", "Seccomp:\t2", "Seccomp_filters:\t2", "Threads:\t2"] {
        assert!(status.contains(line), "{line} is not in {status}");
    }
    // Both threads, the pulse's too.
    for thread in fs::read_dir(format!("/proc/{pid}/task")).expect("threads").flatten() {
        let status = fs::read_to_string(thread.path().join("status")).expect("it runs");
        assert!(status.contains("Seccomp_filters:\t2"), "{status}");
    }
    let peak =
        status.lines().find_map(|line| line.strip_prefix("VmPeak:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    let (peak, most) = (peak.expect("a peak") << 10, level.memory.expect("a limit"));
    println!("address space at most {} MiB of {}", peak >> 20, most >> 20);
    assert!(peak * 5 <= most * 4, "{} of {} MiB", peak >> 20, most >> 20);
    let limits = told("limits");
    for (name, most) in [("Max core file size", "0"), ("Max file size", "0"), ("Max open files", "32")] {
        let line = limits.lines().find(|line| line.starts_with(name)).expect(name);
        let numbers: Vec<&str> = line[name.len()..].split_whitespace().collect();
        assert_eq!(numbers[..2], [most, most], "{line}");
    }
    let space = limits.lines().find(|line| line.starts_with("Max address space")).expect("a limit");
    assert!(space.contains(&level.memory.expect("a limit").to_string()), "{space}");
}

/// Nothing of a runtime's own is in the user's folders, and it asks nobody on the network: there
/// is no thread of its own that could.
#[test]
fn the_runtime_reports_nothing() {
    let home = tempfile::tempdir().expect("a folder");
    let file = home.path().join("good.onnx");
    fs::write(&file, onnx::good()).expect("written");
    let said = Command::new(worker())
        .arg("--probe")
        .arg(&file)
        .env("P2P_AGENT_ASSETS", assets())
        .env("HOME", home.path())
        .env("XDG_CACHE_HOME", home.path().join("cache"))
        .output()
        .expect("the worker starts");
    let said: Value = serde_json::from_slice(&said.stdout).expect("JSON");
    assert_eq!(said["whole"], true, "it had one thread when it closed: {said}");
    let names: Vec<_> = fs::read_dir(home.path()).expect("a folder").flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(names, ["good.onnx"]);
}
