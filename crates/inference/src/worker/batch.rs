//! Which texts go through the model together.

use std::collections::BTreeMap;

use crate::wire::RUN_TOKENS;

/// Groups texts by their number of tokens, `lengths[i]` being that of text `i`: every batch holds
/// texts of one length, so nothing is padded and no text's answer depends on its company. None has
/// more than `most` tokens, or [`RUN_TOKENS`], unless it is one text.
pub(super) fn batches(lengths: &[usize], most: usize) -> Vec<Vec<usize>> {
    let tokens = most.min(RUN_TOKENS as usize);
    let mut by_length = BTreeMap::<usize, Vec<usize>>::new();
    for (text, &length) in lengths.iter().enumerate() {
        by_length.entry(length).or_default().push(text);
    }
    let mut all = Vec::new();
    for (length, texts) in by_length {
        let most = (tokens / length.max(1)).max(1);
        all.extend(texts.chunks(most).map(<[usize]>::to_vec));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_is_in_one_batch_of_its_length() {
        let lengths: Vec<usize> = (0..500).map(|text| 2 + text * 7 % 255).collect();
        for most in [0, 32, 100, 256, usize::MAX] {
            let all = batches(&lengths, most);
            let mut seen: Vec<usize> = all.concat();
            seen.sort_unstable();
            assert_eq!(seen, (0..500).collect::<Vec<_>>());
            for batch in all {
                let length = lengths[batch[0]];
                assert!(batch.iter().all(|&text| lengths[text] == length));
                let tokens = batch.len() * length;
                assert!(batch.len() == 1 || tokens <= most.min(RUN_TOKENS as usize), "{} x {length}", batch.len());
            }
        }
    }
}
