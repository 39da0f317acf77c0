//! One list of what is similar in meaning and what shares words.
//!
//! Users' words are mostly not those of the cards, so similarity leads and words only push. Plain
//! rank fusion lets both vote alike, and chance matches of words push out what is right. Here a
//! match of words raises a listing in proportion to its similarity (by chance alone both are
//! seldom high), and by the share of what the query's words could say at most: one rare word of
//! two weighs much, one of ten little. The other kind of query is a name that somebody looks up:
//! a listing that has every word of it comes first, in the order of the words' scores.

use std::collections::BTreeMap;

use crate::index::Found;

/// How much a listing rises at most whose words all match rarely: half of its similarity.
const WORDS_WEIGHT: f32 = 0.5;
/// What a listing that has every word gains: more than any difference of similarity that matters.
const WHOLE_WEIGHT: f32 = 0.5;
/// The similarity of listings that have none yet, so that words alone still make an order.
const UNKNOWN: f32 = 0.15;

/// A listing that shares words with the query.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hit {
    pub handle: u32,
    /// BM25, above zero and the more the better (FTS5 gives it with the sign turned).
    pub score: f32,
    /// Whether it has every word of the query.
    pub whole: bool,
}

/// What the weights depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// Words that were looked up.
    pub words: usize,
    /// Listings that were looked through.
    pub listings: usize,
}

/// A listing of the fused list.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ranked {
    pub handle: u32,
    /// What it is ranked by.
    pub score: f32,
    /// The cosine to the query; `None` where the listing, or the query, has no vector.
    pub similarity: Option<f32>,
    /// BM25; `None` where no word is shared.
    pub words: Option<f32>,
}

/// The best `wanted` of both lists, the best first. `similarity` is asked about hits that `near` has not.
#[must_use]
pub fn fuse(
    near: &[Found],
    hits: &[Hit],
    asked: Asked,
    wanted: usize,
    similarity: impl Fn(u32) -> Option<f32>,
) -> Vec<Ranked> {
    let alone = |similarity: Option<f32>| similarity.unwrap_or_default();
    let mut all: BTreeMap<u32, Ranked> = BTreeMap::new();
    for found in near {
        let similarity = Some(found.similarity);
        let ranked = Ranked { handle: found.handle, score: alone(similarity), similarity, words: None };
        all.insert(found.handle, ranked);
    }
    let hits = || hits.iter().filter(|hit| hit.score.is_finite() && hit.score > 0.0);
    let best = hits().fold(0.0_f32, |best, hit| best.max(hit.score));
    for hit in hits() {
        let ranked = all.entry(hit.handle).or_insert_with(|| {
            let similarity = similarity(hit.handle);
            Ranked { handle: hit.handle, score: alone(similarity), similarity, words: None }
        });
        if ranked.words.is_none() {
            ranked.words = Some(hit.score);
            ranked.score += WORDS_WEIGHT * asked.share(hit.score) * alone(ranked.similarity).max(UNKNOWN);
            ranked.score += if hit.whole { WHOLE_WEIGHT * hit.score / best } else { 0.0 };
        }
    }
    let mut ranked: Vec<Ranked> = all.into_values().collect();
    // Equal ones stay in the order of their handles.
    ranked.sort_by(|one, other| other.score.total_cmp(&one.score));
    ranked.truncate(wanted);
    ranked
}

impl Asked {
    /// The share, 0 to 1, of what the query's words could say at most: a word that stands in one
    /// listing of many weighs about the logarithm of how many there are.
    fn share(self, score: f32) -> f32 {
        let word = (1.0 + self.listings.max(1) as f32).ln();
        (score / (word * self.words.max(1) as f32)).clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKED: Asked = Asked { words: 4, listings: 1000 };

    fn found(list: &[(u32, f32)]) -> Vec<Found> {
        list.iter().map(|&(handle, similarity)| Found { handle, similarity }).collect()
    }

    fn hit(handle: u32, score: f32) -> Hit {
        Hit { handle, score, whole: false }
    }

    fn order(near: &[(u32, f32)], hits: &[Hit]) -> Vec<u32> {
        fuse(&found(near), hits, ASKED, 10, |_| None).iter().map(|ranked| ranked.handle).collect()
    }

    #[test]
    fn without_words_it_is_the_order_of_similarity() {
        assert_eq!(order(&[(7, 0.6), (3, 0.5), (9, 0.1)], &[]), [7, 3, 9]);
    }

    #[test]
    fn without_vectors_it_is_the_order_of_words() {
        assert_eq!(order(&[], &[hit(5, 2.0), hit(2, 9.0), hit(8, 4.0)]), [2, 8, 5]);
    }

    #[test]
    fn words_decide_between_what_is_about_as_similar() {
        assert_eq!(order(&[(1, 0.50), (2, 0.47)], &[hit(2, 8.0)]), [2, 1]);
    }

    #[test]
    fn a_chance_match_does_not_push_out_what_is_similar() {
        assert_eq!(order(&[(1, 0.50), (2, 0.12)], &[hit(2, 20.0)]), [1, 2]);
    }

    #[test]
    fn a_listing_with_every_word_comes_first() {
        let whole = Hit { handle: 4, score: 9.0, whole: true };
        assert_eq!(order(&[(1, 0.55), (4, 0.2)], &[hit(1, 8.0), whole]), [4, 1]);
    }

    #[test]
    fn one_word_of_many_weighs_less_than_one_of_two() {
        let near = found(&[(1, 0.50), (2, 0.45)]);
        let first = |words| fuse(&near, &[hit(2, 6.0)], Asked { words, listings: 1000 }, 1, |_| None)[0].handle;
        assert_eq!((first(2), first(20)), (2, 1));
    }

    #[test]
    fn hits_that_are_not_near_are_asked_about() {
        let ranked = fuse(&found(&[(1, 0.3)]), &[hit(2, 1.0)], ASKED, 10, |handle| (handle == 2).then_some(0.4));
        assert_eq!(ranked[0].handle, 2);
        assert_eq!((ranked[0].similarity, ranked[0].words, ranked[1].words), (Some(0.4), Some(1.0), None));
    }

    #[test]
    fn scores_that_are_none_and_hits_that_come_twice_do_no_harm() {
        let twice = [hit(1, f32::NAN), hit(1, f32::INFINITY), hit(1, -1.0), hit(1, 1.0), hit(1, 1.0)];
        let ranked = fuse(&found(&[(1, 0.3)]), &twice, ASKED, 10, |_| None);
        let once = fuse(&found(&[(1, 0.3)]), &[hit(1, 1.0)], Asked { words: 4, listings: 1000 }, 10, |_| None);
        assert_eq!(ranked, once);
        assert!(fuse(&[], &[], Asked { words: 0, listings: 0 }, 10, |_| None).is_empty());
    }
}
