//! How fast this worker embeds, for `cargo xtask bench embed`.

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use p2p_platform::Assets;
use p2p_types::TaskKind;

use super::closed;
use super::engine::Outcome;
use crate::wire::{ChunkOptions, RUN_TOKENS};

/// Texts of one pass: those of the file, over and over. The rival's script does the same.
const TEXTS: usize = 2000;
/// How long is measured at least, in whole passes over the texts.
const MEASURED: Duration = Duration::from_secs(3);

/// Embeds the lines of `file` and prints one JSON document.
pub(super) fn run(file: &Path) -> Result<(), String> {
    let content = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let lines = content.lines().filter(|line| !line.trim().is_empty());
    let texts: Vec<String> = lines.cycle().take(TEXTS).map(str::to_owned).collect();
    let assets = Assets::find().ok_or("the assets were not found; set P2P_AGENT_ASSETS")?;
    // As fast as it is at work: closed.
    let (mut closed, _) = closed::close(assets.root, closed::MEMORY, closed::TO_A_FILE);
    let engine = &mut closed.engine;
    let mut pass = || {
        let mut failed = false;
        let mut look = |outcomes: Vec<(usize, Outcome)>| {
            failed |= outcomes.iter().any(|(_, outcome)| outcome.is_err());
            Ok(())
        };
        let computed = engine.compute(TaskKind::Embed, &texts, ChunkOptions::default(), RUN_TOKENS as usize, &mut look);
        computed.map_err(|error| error.to_string())?.map_err(|why| why.reason)?;
        if failed { Err("a text could not be embedded".to_owned()) } else { Ok(()) }
    };
    pass()?;
    let begun = Instant::now();
    let mut passes = 0_u32;
    while begun.elapsed() < MEASURED {
        pass()?;
        passes += 1;
    }
    let seconds = begun.elapsed().as_secs_f64();
    let tokens = engine.count_tokens(&texts)?;
    let speed = f64::from(passes) * f64::from(super::count(tokens)) / seconds;
    let document = serde_json::json!({ "tokens_per_second": speed, "tokens": tokens, "texts": texts.len() });
    writeln!(io::stdout(), "{document}").map_err(|error| error.to_string())
}
