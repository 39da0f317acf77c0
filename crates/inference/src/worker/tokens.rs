//! Texts to token ids, exactly as the model's reference tokenizer makes them.

use tokenizers::{Encoding, Tokenizer};

use super::chunk::Span;

/// Token ids of one text that the model sees at most, special tokens included.
pub(super) const MAX_TOKENS: usize = 256;

#[derive(Debug)]
pub(super) struct Tokens {
    tokenizer: Tokenizer,
}

impl Tokens {
    /// Reads a `tokenizer.json`.
    pub(super) fn from_json(json: &[u8]) -> Result<Self, String> {
        let mut tokenizer = Tokenizer::from_bytes(json).map_err(|error| error.to_string())?;
        // The file asks for padding and for another length.
        tokenizer.with_padding(None);
        tokenizer.with_truncation(None).map_err(|error| error.to_string())?;
        Ok(Self { tokenizer })
    }

    /// The ids of a text with the special tokens, cut after [`MAX_TOKENS`].
    pub(super) fn ids(&self, text: &str) -> Result<Vec<i64>, String> {
        let encoding = self.tokenizer.encode_fast(text, true).map_err(|error| error.to_string())?;
        let mut ids: Vec<i64> = encoding.get_ids().iter().copied().map(i64::from).collect();
        if ids.len() > MAX_TOKENS {
            // The last one is the mark that ends a text: it stays.
            let end = ids[ids.len() - 1];
            ids.truncate(MAX_TOKENS - 1);
            ids.push(end);
        }
        Ok(ids)
    }

    /// Where each token of a text stands in it, without special tokens.
    pub(super) fn spans(&self, text: &str) -> Result<Vec<Span>, String> {
        let encoding = self.tokenizer.encode(text, false).map_err(|error| error.to_string())?;
        Ok(spans(&encoding))
    }
}

fn spans(encoding: &Encoding) -> Vec<Span> {
    let places = encoding.get_offsets().iter().zip(encoding.get_word_ids());
    places.map(|(&(start, _), &word)| Span { start, word }).collect()
}
