//! What is done to texts, kind by kind, with what has been loaded so far.

use std::io;
use std::path::PathBuf;

use p2p_platform::Assets;
use p2p_types::{Output, QuantizedVector, TaskKind, TextFailure, limits};

use super::batch::batches;
use super::chunk;
use super::head::Head;
use super::log;
use super::model::{DIMENSIONS, Model};
use super::tokens::Tokens;
use crate::assets::{BASE, Manifest, SENTIMENT_HEAD};
use crate::wire::ChunkOptions;

type Outcome = Result<Output, TextFailure>;
/// Told how many texts are done; an error ends the work.
type Progress<'a> = &'a mut dyn FnMut(usize) -> io::Result<()>;

/// Tokenizer, model and head, each loaded when it is first needed. What could not be loaded is
/// tried again by the next order: somebody may have mended it.
#[derive(Debug)]
pub(super) struct Engine {
    assets: Assets,
    tokens: Option<Tokens>,
    model: Option<Model>,
    sentiment: Option<Head>,
}

impl Engine {
    pub(super) const fn new(assets: PathBuf) -> Self {
        Self { assets: Assets { root: assets }, tokens: None, model: None, sentiment: None }
    }

    /// One outcome for each text, or the reason why this kind cannot be computed here.
    ///
    /// # Errors
    /// Those of `progress`.
    pub(super) fn compute(
        &mut self,
        kind: TaskKind,
        texts: &[String],
        options: ChunkOptions,
        progress: Progress<'_>,
    ) -> io::Result<Result<Vec<Outcome>, String>> {
        let ready = match kind {
            TaskKind::Noop => Ok(()),
            TaskKind::Chunk => chunk::check(options).and_then(|()| self.load_tokens()),
            TaskKind::Embed => self.load_tokens().and_then(|()| self.load_model()),
            TaskKind::Sentiment => {
                self.load_tokens().and_then(|()| self.load_model()).and_then(|()| self.load_sentiment())
            }
        };
        if let Err(reason) = ready {
            return Ok(Err(reason));
        }
        let outcomes = match kind {
            TaskKind::Noop => texts.iter().map(|text| fits(text, kind).map(|()| Output::Nothing)).collect(),
            TaskKind::Chunk => self.chunks(texts, options, progress)?,
            TaskKind::Embed => self.over_embeddings(texts, kind, progress, |_, embedding| {
                QuantizedVector::from_floats(embedding).map(Output::Embedding)
            })?,
            TaskKind::Sentiment => self.over_embeddings(texts, kind, progress, |head, embedding| {
                let (label, score_ppm) = head?.label(embedding)?;
                Some(Output::Label { label: label.to_owned(), score_ppm })
            })?,
        };
        Ok(Ok(outcomes))
    }

    fn chunks(&self, texts: &[String], options: ChunkOptions, progress: Progress<'_>) -> io::Result<Vec<Outcome>> {
        let mut outcomes = Vec::with_capacity(texts.len());
        for text in texts {
            let spans = fits(text, TaskKind::Chunk).and_then(|()| {
                let tokens = self.tokens.as_ref().ok_or(TextFailure::Model)?;
                tokens.spans(text).map_err(unusable)
            });
            outcomes.push(match spans {
                // Characters that are none to the tokenizer, such as controls.
                Ok(spans) if spans.is_empty() => Err(TextFailure::Empty),
                Ok(spans) => chunk::split(text, &spans, options).map(Output::Chunks),
                Err(failure) => Err(failure),
            });
            progress(outcomes.len())?;
        }
        Ok(outcomes)
    }

    /// Embeds the texts batch by batch and makes of each embedding what `make` makes of it.
    fn over_embeddings(
        &mut self,
        texts: &[String],
        kind: TaskKind,
        progress: Progress<'_>,
        make: impl Fn(Option<&Head>, &[f32]) -> Option<Output>,
    ) -> io::Result<Vec<Outcome>> {
        let Self { tokens: Some(tokens), model: Some(model), sentiment, .. } = self else {
            return Ok(vec![Err(TextFailure::Model); texts.len()]);
        };
        let mut outcomes: Vec<Outcome> = vec![Err(TextFailure::Model); texts.len()];
        let mut ids = Vec::with_capacity(texts.len());
        let mut wanted = Vec::with_capacity(texts.len());
        for (index, text) in texts.iter().enumerate() {
            match fits(text, kind).and_then(|()| tokens.ids(text).map_err(unusable)) {
                Ok(text_ids) => {
                    ids.push(text_ids);
                    wanted.push(index);
                }
                Err(failure) => outcomes[index] = Err(failure),
            }
        }
        let lengths: Vec<usize> = ids.iter().map(Vec::len).collect();
        let mut done = texts.len() - wanted.len();
        for batch in batches(&lengths) {
            let together: Vec<i64> = batch.iter().flat_map(|&text| ids[text].iter().copied()).collect();
            match model.embed(&together, lengths[batch[0]]) {
                Ok(embeddings) => {
                    for (&text, embedding) in batch.iter().zip(embeddings.chunks_exact(DIMENSIONS)) {
                        outcomes[wanted[text]] = make(sentiment.as_ref(), embedding).ok_or(TextFailure::Model);
                    }
                }
                Err(error) => log(&error),
            }
            done += batch.len();
            progress(done)?;
        }
        Ok(outcomes)
    }

    /// Tokens that the model sees of these texts.
    pub(super) fn count_tokens(&mut self, texts: &[String]) -> Result<usize, String> {
        self.load_tokens()?;
        let Some(tokens) = &self.tokens else { return Ok(0) };
        texts.iter().map(|text| tokens.ids(text).map(|ids| ids.len())).sum()
    }

    fn load_tokens(&mut self) -> Result<(), String> {
        if self.tokens.is_none() {
            let json = self.read(BASE, "tokenizer.json")?;
            let tokens = Tokens::from_json(&json).map_err(|why| damaged("tokenizer.json", &why))?;
            self.tokens = Some(tokens);
        }
        Ok(())
    }

    fn load_model(&mut self) -> Result<(), String> {
        if self.model.is_none() {
            let library = self.assets.runtime();
            if !library.is_file() {
                let path = library.display();
                return Err(format!("the model cannot run - {path} is missing - {}", crate::assets::HINT));
            }
            let model = self.read(BASE, "model.onnx")?;
            let loaded = Model::load(&library, &model).map_err(|why| damaged("model.onnx", &why))?;
            self.model = Some(loaded);
        }
        Ok(())
    }

    fn load_sentiment(&mut self) -> Result<(), String> {
        if self.sentiment.is_none() {
            let bytes = self.read(SENTIMENT_HEAD, "head.safetensors")?;
            let labels = self.manifest(SENTIMENT_HEAD)?.labels;
            let head = Head::read(&bytes, &labels, DIMENSIONS).map_err(|why| damaged("head.safetensors", &why))?;
            self.sentiment = Some(head);
        }
        Ok(())
    }

    fn read(&self, folder: &str, name: &str) -> Result<Vec<u8>, String> {
        self.manifest(folder)?.file(&self.assets.model(folder), name).map_err(|error| error.to_string())
    }

    fn manifest(&self, folder: &str) -> Result<Manifest, String> {
        Manifest::read(&self.assets.model(folder)).map_err(|error| error.to_string())
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

fn damaged(what: &str, why: &str) -> String {
    format!("{what} cannot be used - {why} - {}", crate::assets::HINT)
}
