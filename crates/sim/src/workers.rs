//! Workers that compute nothing, and answer what everybody else would.

use std::collections::BTreeMap;

use p2p_protocol::{TextOutcome, Work};
use p2p_types::{Chunk, Output, QuantizedVector, TaskKind, TextFailure};

use crate::Micros;

/// A text with this word in it ends the worker that reads it.
pub(crate) const POISON: &str = "poison";

/// The orders of one computer that its workers have.
#[derive(Debug, Default)]
pub(crate) struct Workers {
    /// What one text takes.
    pub(crate) text_us: Micros,
    /// They answer wrongly, which the checkers should find.
    pub(crate) lie: bool,
    running: BTreeMap<u64, Work>,
}

impl Workers {
    pub(crate) fn new(text_us: Micros) -> Self {
        Self { text_us, ..Self::default() }
    }

    /// All orders are gone, with the process that gave them.
    pub(crate) fn stop_all(&mut self) {
        self.running.clear();
    }

    /// Takes an order. Returns how long it takes.
    pub(crate) fn begin(&mut self, work: Work) -> Micros {
        let takes = self.text_us * work.texts.len() as u64;
        self.running.insert(work.work_id, work);
        takes
    }

    pub(crate) fn stop(&mut self, work_id: u64) {
        self.running.remove(&work_id);
    }

    /// Ends an order that was not stopped.
    pub(crate) fn finish(&mut self, work_id: u64) -> Option<(Work, Vec<TextOutcome>)> {
        let work = self.running.remove(&work_id)?;
        let mut outcomes: Vec<TextOutcome> = work.texts.iter().map(|text| answer(work.kind, text)).collect();
        if self.lie {
            outcomes.iter_mut().for_each(|outcome| *outcome = Ok(another(work.kind)));
        }
        Some((work, outcomes))
    }
}

/// The one right answer to `kind` of `text`.
pub(crate) fn answer(kind: TaskKind, text: &str) -> TextOutcome {
    if text.trim().is_empty() {
        return Err(TextFailure::Empty);
    }
    if text.contains(POISON) {
        return Err(TextFailure::WorkerLost);
    }
    let hash = blake3::hash(text.as_bytes());
    let bytes = hash.as_bytes();
    Ok(match kind {
        TaskKind::Sentiment => {
            let label = if bytes[0].is_multiple_of(2) { "positive" } else { "negative" };
            Output::Label { label: label.to_owned(), score_ppm: 500_000 + u32::from(bytes[1]) }
        }
        TaskKind::Embed => {
            let values = (0..384).map(|at| bytes[at % 32].cast_signed()).collect();
            Output::Embedding(QuantizedVector { scale: 0.01, values })
        }
        TaskKind::Chunk => {
            let end = u32::try_from(text.len()).unwrap_or(u32::MAX);
            Output::Chunks(vec![Chunk { start: 0, end, tokens: u32::from(bytes[0]) }])
        }
        TaskKind::Noop => Output::Nothing,
    })
}

/// An answer that is well formed and wrong.
fn another(kind: TaskKind) -> Output {
    match kind {
        TaskKind::Sentiment => Output::Label { label: "positive".to_owned(), score_ppm: 1 },
        TaskKind::Embed => Output::Embedding(QuantizedVector { scale: 0.02, values: vec![1; 384] }),
        TaskKind::Chunk => Output::Chunks(Vec::new()),
        TaskKind::Noop => Output::Nothing,
    }
}
