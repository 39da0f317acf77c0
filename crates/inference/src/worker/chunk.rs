//! Splitting a long text by tokens.

use p2p_types::{Chunk, TextFailure, limits};

use crate::wire::ChunkOptions;

/// Shortest and longest chunk that can be asked for, in tokens.
const LENGTHS: std::ops::RangeInclusive<u32> = 8..=512;

/// Where a token begins in its text, in bytes, and the word it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) word: Option<u32>,
}

/// Whether texts can be split like this; the reason where they cannot.
pub(super) fn check(options: ChunkOptions) -> Result<(), String> {
    let ChunkOptions { tokens, overlap } = options;
    if !LENGTHS.contains(&tokens) {
        return Err(format!(
            "chunks of {tokens} tokens cannot be made - {} to {} can - ask for one of those",
            LENGTHS.start(),
            LENGTHS.end()
        ));
    }
    if overlap >= tokens.div_ceil(2) {
        return Err(format!(
            "chunks of {tokens} tokens cannot share {overlap} - less than half can be shared - ask for less"
        ));
    }
    Ok(())
}

/// Splits `text`, whose tokens stand at `spans`, into chunks of at most `tokens` tokens, each of
/// which begins `overlap` tokens before the end of the one before it.
///
/// Every byte of the text is in a chunk: what stands between two tokens belongs to the first, and
/// what stands before all tokens to the first chunk. A chunk ends before a word rather than in
/// it where that keeps it at least half full.
pub(super) fn split(text: &str, spans: &[Span], options: ChunkOptions) -> Result<Vec<Chunk>, TextFailure> {
    let (most, overlap) = (options.tokens as usize, options.overlap as usize);
    let mut chunks = Vec::new();
    let mut first = 0;
    let mut begin = 0;
    while first < spans.len() {
        let last = if spans.len() - first <= most { spans.len() } else { word_before(spans, first, first + most) };
        let end = spans.get(last).map_or(text.len(), |span| char_before(text, span.start));
        // Several tokens can come of one character: a chunk of such tokens alone adds nothing.
        if chunks.last().is_none_or(|before: &Chunk| end > before.end as usize) {
            if chunks.len() == limits::CHUNKS_PER_TEXT {
                return Err(TextFailure::TooLong);
            }
            let place = |offset: usize| u32::try_from(offset).map_err(|_| TextFailure::TooLong);
            chunks.push(Chunk { start: place(begin)?, end: place(end)?, tokens: place(last - first)? });
        }
        if last == spans.len() {
            break;
        }
        // Half full, less than half shared: it always goes forward.
        first = (last - overlap.min(last - first - 1)).max(first + 1);
        begin = char_before(text, spans[first].start);
    }
    Ok(chunks)
}

/// `limit`, or the first token of the word that goes over it.
fn word_before(spans: &[Span], first: usize, limit: usize) -> usize {
    let word = spans[limit].word;
    let mut start = limit;
    while word.is_some() && start > first && spans[start - 1].word == word {
        start -= 1;
    }
    if start - first >= (limit - first).div_ceil(2) { start } else { limit }
}

fn char_before(text: &str, offset: usize) -> usize {
    text.floor_char_boundary(offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One token a word, and one more for each further three letters of it.
    fn spans(text: &str) -> Vec<Span> {
        let mut all = Vec::new();
        for (word, piece) in text.split(' ').filter(|piece| !piece.is_empty()).enumerate() {
            let offset = piece.as_ptr() as usize - text.as_ptr() as usize;
            for (index, (letter, _)) in piece.char_indices().enumerate() {
                if index % 3 == 0 {
                    all.push(Span { start: offset + letter, word: Some(u32::try_from(word).expect("few words")) });
                }
            }
        }
        all
    }

    fn covers(text: &str, chunks: &[Chunk]) {
        assert_eq!(chunks[0].start, 0);
        assert_eq!(chunks[chunks.len() - 1].end as usize, text.len());
        for pair in chunks.windows(2) {
            assert!(pair[1].start <= pair[0].end, "a gap in {pair:?}");
            assert!(pair[1].start >= pair[0].start && pair[1].end > pair[0].end, "no way forward in {pair:?}");
        }
        for chunk in chunks {
            assert!(text.get(chunk.start as usize..chunk.end as usize).is_some(), "{chunk:?} cuts a character");
        }
    }

    #[test]
    fn chunks_cover_the_text_and_share_what_was_asked() {
        let text = format!("  {} ", "ab déjà longerwords vu ".repeat(50));
        let spans = spans(&text);
        for (tokens, overlap) in [(8, 0), (8, 3), (16, 7), (512, 255)] {
            let options = ChunkOptions { tokens, overlap };
            check(options).expect("allowed");
            let chunks = split(&text, &spans, options).expect("short");
            covers(&text, &chunks);
            assert!(chunks.iter().all(|chunk| (1..=tokens).contains(&chunk.tokens)), "{chunks:?}");
            if overlap == 0 {
                let tokens: u32 = chunks.iter().map(|chunk| chunk.tokens).sum();
                assert_eq!(tokens as usize, spans.len());
            } else if chunks.len() > 1 {
                assert!(chunks[1].start < chunks[0].end);
            }
        }
    }

    #[test]
    fn a_chunk_ends_before_a_word() {
        let text = "one two three fourfivesix seven eight nine ten eleven";
        let chunks = split(text, &spans(text), ChunkOptions { tokens: 8, overlap: 0 }).expect("short");
        for chunk in &chunks[1..] {
            assert_eq!(text.as_bytes()[chunk.start as usize - 1], b' ', "{chunks:?}");
        }
    }

    #[test]
    fn one_endless_word_is_cut_all_the_same() {
        let text = "é".repeat(400);
        let chunks = split(&text, &spans(&text), ChunkOptions { tokens: 8, overlap: 3 }).expect("short");
        covers(&text, &chunks);
        assert!(chunks.len() > 20);
    }

    #[test]
    fn tokens_of_one_character_make_no_empty_chunk() {
        let text = "각".repeat(4);
        let spans: Vec<Span> =
            (0..32).map(|token| Span { start: token / 8 * 3, word: u32::try_from(token / 8).ok() }).collect();
        let chunks = split(&text, &spans, ChunkOptions { tokens: 8, overlap: 3 }).expect("short");
        covers(&text, &chunks);
    }

    #[test]
    fn too_many_chunks_are_too_long_a_text() {
        let text = "a ".repeat(50_000);
        let spans = spans(&text);
        assert_eq!(split(&text, &spans, ChunkOptions { tokens: 8, overlap: 3 }), Err(TextFailure::TooLong));
        assert!(split(&text, &spans, ChunkOptions { tokens: 64, overlap: 8 }).is_ok());
    }

    #[test]
    fn impossible_options_are_named() {
        for (tokens, overlap) in [(7, 0), (513, 0), (0, 0), (8, 4), (9, 5), (512, 256)] {
            assert!(check(ChunkOptions { tokens, overlap }).is_err(), "{tokens} {overlap}");
        }
        for (tokens, overlap) in [(8, 3), (9, 4), (512, 255)] {
            check(ChunkOptions { tokens, overlap }).expect("allowed");
        }
    }
}
