//! What is done to texts, kind by kind, with what has been loaded so far.

use std::io;
use std::iter;
use std::path::PathBuf;
use std::sync::Arc;

use ort::environment::Environment;
use p2p_platform::Assets;
use p2p_platform::process::own_cpu_time;
use p2p_types::{Output, QuantizedVector, TaskKind, TextFailure, limits};

use super::batch::batches;
use super::chunk;
use super::head::Head;
use super::log;
use super::model::{self, DIMENSIONS, Model};
use super::tokens::Tokens;
use crate::assets::{BASE, Manifest, SENTIMENT_HEAD};
use crate::unable::{Cause, Unable};
use crate::wire::{ChunkOptions, Pace};

pub(super) type Outcome = Result<Output, TextFailure>;
/// Told the outcomes of texts, by their places, as they are known and each once; an error ends the
/// work.
pub(super) type Tell<'a> = &'a mut dyn FnMut(Vec<(usize, Outcome)>) -> io::Result<()>;

/// Tokenizer, model and head, each loaded when it is first needed. What could not be loaded is
/// tried again by the next order: somebody may have mended it.
#[derive(Debug)]
pub(super) struct Engine {
    assets: Assets,
    runtime: Option<Arc<Environment>>,
    tokens: Option<Tokens>,
    model: Option<Model>,
    sentiment: Option<Head>,
    pace: Pace,
}

impl Engine {
    pub(super) fn new(assets: PathBuf) -> Self {
        Self {
            assets: Assets { root: assets },
            runtime: None,
            tokens: None,
            model: None,
            sentiment: None,
            pace: Pace::default(),
        }
    }

    /// Tells an outcome for each text, with at most so many tokens in one run of the model; or gives the reason why this kind cannot be computed here.
    ///
    /// # Errors
    /// Those of `tell`.
    pub(super) fn compute(
        &mut self,
        kind: TaskKind,
        texts: &[String],
        options: ChunkOptions,
        run_tokens: usize,
        tell: Tell<'_>,
    ) -> io::Result<Result<(), Unable>> {
        let ready = match kind {
            TaskKind::Noop => Ok(()),
            TaskKind::Chunk => {
                let possible = chunk::check(options).map_err(|reason| Unable::new(Cause::Order, reason));
                possible.and_then(|()| self.load_tokens())
            }
            TaskKind::Embed => self.load_tokens().and_then(|()| self.load_model()),
            TaskKind::Sentiment => {
                self.load_tokens().and_then(|()| self.load_model()).and_then(|()| self.load_sentiment())
            }
        };
        if let Err(why) = ready {
            return Ok(Err(why));
        }
        match kind {
            TaskKind::Noop => {
                let outcomes = texts.iter().map(|text| fits(text, kind).map(|()| Output::Nothing));
                tell(outcomes.enumerate().collect())
            }
            TaskKind::Chunk => self.chunks(texts, options, tell),
            TaskKind::Embed => self.over_embeddings(texts, kind, run_tokens, tell, |_, embedding| {
                QuantizedVector::from_floats(embedding).map(Output::Embedding)
            }),
            TaskKind::Sentiment => self.over_embeddings(texts, kind, run_tokens, tell, |head, embedding| {
                let (label, score_ppm) = head?.label(embedding)?;
                Some(Output::Label { label: label.to_owned(), score_ppm })
            }),
        }
        .map(Ok)
    }

    fn chunks(&self, texts: &[String], options: ChunkOptions, tell: Tell<'_>) -> io::Result<()> {
        for (place, text) in texts.iter().enumerate() {
            let spans = fits(text, TaskKind::Chunk).and_then(|()| {
                let tokens = self.tokens.as_ref().ok_or(TextFailure::Model)?;
                tokens.spans(text).map_err(unusable)
            });
            let outcome = match spans {
                // Characters that are none to the tokenizer, such as controls.
                Ok(spans) if spans.is_empty() => Err(TextFailure::Empty),
                Ok(spans) => chunk::split(text, &spans, options).map(Output::Chunks),
                Err(failure) => Err(failure),
            };
            tell(vec![(place, outcome)])?;
        }
        Ok(())
    }

    /// Embeds the texts batch by batch and makes of each embedding what `make` makes of it.
    fn over_embeddings(
        &mut self,
        texts: &[String],
        kind: TaskKind,
        run_tokens: usize,
        tell: Tell<'_>,
        make: impl Fn(Option<&Head>, &[f32]) -> Option<Output>,
    ) -> io::Result<()> {
        let begun = own_cpu_time();
        let Self { tokens: Some(tokens), model: Some(model), sentiment, pace, .. } = self else {
            return tell((0..texts.len()).map(|place| (place, Err(TextFailure::Model))).collect());
        };
        let mut failed = Vec::new();
        let mut ids = Vec::with_capacity(texts.len());
        let mut wanted = Vec::with_capacity(texts.len());
        for (place, text) in texts.iter().enumerate() {
            match fits(text, kind).and_then(|()| tokens.ids(text).map_err(unusable)) {
                Ok(text_ids) => {
                    ids.push(text_ids);
                    wanted.push(place);
                }
                Err(failure) => failed.push((place, Err(failure))),
            }
        }
        if !failed.is_empty() {
            tell(failed)?;
        }
        let lengths: Vec<usize> = ids.iter().map(Vec::len).collect();
        pace.tokens += lengths.iter().map(|&length| length as u64).sum::<u64>();
        for batch in batches(&lengths, run_tokens) {
            let together: Vec<i64> = batch.iter().flat_map(|&text| ids[text].iter().copied()).collect();
            let embeddings = model.embed(&together, lengths[batch[0]]);
            if let Err(error) = &embeddings {
                log(error);
            }
            let embeddings = embeddings.unwrap_or_default();
            // What the model said nothing of has failed.
            let each = embeddings.chunks_exact(DIMENSIONS).map(Some).chain(iter::repeat(None));
            let outcomes = batch.iter().zip(each).map(|(&text, embedding)| {
                let made = embedding.and_then(|embedding| make(sentiment.as_ref(), embedding));
                (wanted[text], made.ok_or(TextFailure::Model))
            });
            tell(outcomes.collect())?;
        }
        let used = begun.zip(own_cpu_time()).map(|(begun, ended)| ended.saturating_sub(begun));
        pace.cpu_us += used.map_or(0, |used| u64::try_from(used.as_micros()).unwrap_or(u64::MAX));
        Ok(())
    }

    /// What the model did since this was asked last.
    pub(super) fn take_pace(&mut self) -> Pace {
        std::mem::take(&mut self.pace)
    }

    /// Tokens that the model sees of these texts.
    pub(super) fn count_tokens(&mut self, texts: &[String]) -> Result<usize, String> {
        self.load_tokens().map_err(|why| why.reason)?;
        let Some(tokens) = &self.tokens else { return Ok(0) };
        texts.iter().map(|text| tokens.ids(text).map(|ids| ids.len())).sum()
    }

    fn load_tokens(&mut self) -> Result<(), Unable> {
        if self.tokens.is_none() {
            let json = self.read(BASE, "tokenizer.json")?;
            let tokens = Tokens::from_json(&json).map_err(|why| damaged("tokenizer.json", &why))?;
            self.tokens = Some(tokens);
        }
        Ok(())
    }

    fn load_model(&mut self) -> Result<(), Unable> {
        if self.model.is_none() {
            let runtime = self.load_runtime()?;
            let model = self.read(BASE, "model.onnx")?;
            let loaded = Model::load(runtime, &model).map_err(|why| damaged("model.onnx", &why))?;
            self.model = Some(loaded);
        }
        Ok(())
    }

    /// The runtime library. A closed sandbox has none but the one that was loaded before.
    pub(super) fn load_runtime(&mut self) -> Result<Arc<Environment>, Unable> {
        if let Some(runtime) = &self.runtime {
            return Ok(Arc::clone(runtime));
        }
        let library = self.assets.runtime();
        if !library.is_file() {
            let path = library.display();
            let reason = format!("the model cannot run - {path} is missing - {}", crate::assets::HINT);
            return Err(Unable::new(Cause::Missing, reason));
        }
        let runtime = Arc::new(model::runtime(&library).map_err(|why| damaged("the runtime", &why))?);
        self.runtime = Some(Arc::clone(&runtime));
        Ok(runtime)
    }

    /// The folders whose files it reads. The single ones may be links to places elsewhere.
    pub(super) fn folders(&self) -> Vec<PathBuf> {
        vec![self.assets.root.join("models"), self.assets.model(BASE), self.assets.model(SENTIMENT_HEAD)]
    }

    fn load_sentiment(&mut self) -> Result<(), Unable> {
        if self.sentiment.is_none() {
            let bytes = self.read(SENTIMENT_HEAD, "head.safetensors")?;
            let labels = self.manifest(SENTIMENT_HEAD)?.labels;
            let head = Head::read(&bytes, &labels, DIMENSIONS).map_err(|why| damaged("head.safetensors", &why))?;
            self.sentiment = Some(head);
        }
        Ok(())
    }

    fn read(&self, folder: &str, name: &str) -> Result<Vec<u8>, Unable> {
        Ok(self.manifest(folder)?.file(&self.assets.model(folder), name)?)
    }

    fn manifest(&self, folder: &str) -> Result<Manifest, Unable> {
        Ok(Manifest::read(&self.assets.model(folder))?)
    }
}

/// Whether a text may be worked on at all.
fn fits(text: &str, kind: TaskKind) -> Result<(), TextFailure> {
    let most = if kind == TaskKind::Chunk { limits::CHUNKED_TEXT_BYTES } else { limits::TEXT_BYTES };
    if text.len() > most {
        return Err(TextFailure::TooLong);
    }
    if kind != TaskKind::Noop && text.trim().is_empty() {
        return Err(TextFailure::Empty);
    }
    Ok(())
}

fn unusable(_why: String) -> TextFailure {
    // The reason may quote the text, so it is not logged.
    log(&"the tokenizer failed over a text");
    TextFailure::Model
}

fn damaged(what: &str, why: &str) -> Unable {
    Unable::new(Cause::Unusable, format!("{what} cannot be used - {why} - {}", crate::assets::HINT))
}
