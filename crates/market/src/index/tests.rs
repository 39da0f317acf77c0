use std::collections::BTreeMap;

use p2p_simd::Path;
use proptest::prelude::*;

use super::*;

/// A direction that looks random and is the same each time.
fn floats(seed: u32) -> Vec<f32> {
    let mut state = u64::from(seed).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..DIMENSIONS).map(|_| next() + next()).collect()
}

fn vector(seed: u32) -> QuantizedVector {
    QuantizedVector::from_floats(&floats(seed)).expect("finite")
}

fn query(seed: u32) -> Direction {
    Direction::of(&floats(seed)).expect("a direction")
}

fn filled(listings: u32) -> Index {
    let mut index = Index::new();
    for handle in 0..listings {
        index.put(handle, &vector(handle)).expect("a vector");
    }
    index
}

fn handles(found: &[Found]) -> Vec<u32> {
    found.iter().map(|found| found.handle).collect()
}

#[test]
fn a_listing_is_nearest_to_itself() {
    let index = filled(3000);
    for handle in [0, 1023, 1024, 2999] {
        let found = index.search(&query(handle), 3, |_| true);
        assert_eq!(found[0].handle, handle);
        assert!(found[0].similarity > 0.999 && found[0].similarity < 1.001, "{found:?}");
        assert!(found[1].similarity < 0.5 && found[1].similarity >= found[2].similarity);
    }
}

#[test]
fn similarity_is_the_cosine_whatever_the_lengths() {
    let mut index = Index::new();
    let stored = vector(1);
    let longer = QuantizedVector { scale: 7.5, values: stored.values.clone() };
    index.put(1, &stored).expect("a vector");
    index.put(2, &longer).expect("a vector");
    let asked = floats(2);
    let exact = {
        let back = stored.to_floats();
        let dot = |a: &[f32], b: &[f32]| -> f64 { a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum() };
        dot(&asked, &back) / (dot(&asked, &asked) * dot(&back, &back)).sqrt()
    };
    for scale in [1.0, 1e-20, 1e20] {
        let asked: Vec<f32> = asked.iter().map(|value| value * scale).collect();
        let found = index.search(&Direction::of(&asked).expect("a direction"), 10, |_| true);
        assert_eq!(handles(&found), [1, 2]);
        for found in found {
            assert!((f64::from(found.similarity) - exact).abs() < 1e-5, "{found:?}, exactly {exact}");
        }
    }
}

#[test]
fn what_is_removed_is_not_found_and_its_slot_is_used_again() {
    let mut index = filled(1024);
    let before = index.memory().blocks;
    assert!(index.remove(7) && !index.remove(7));
    assert!(!handles(&index.search(&query(7), 1024, |_| true)).contains(&7));
    assert_eq!((index.len(), index.similarity(&query(7), 7)), (1023, None));
    index.put(5000, &vector(5000)).expect("a vector");
    assert_eq!(index.memory().blocks, before);
    assert_eq!(index.search(&query(5000), 1, |_| true)[0].handle, 5000);
}

#[test]
fn another_vector_takes_the_place_of_the_old_one() {
    let mut index = filled(100);
    index.put(3, &vector(77_777)).expect("a vector");
    assert_eq!(index.len(), 100);
    assert_eq!(index.search(&query(77_777), 1, |_| true)[0].handle, 3);
    assert!(index.search(&query(3), 1, |_| true)[0].similarity < 0.5);
}

#[test]
fn only_what_is_kept_is_found_and_takes_the_room() {
    let index = filled(5000);
    let found = index.search(&query(9), 10, |handle| handle % 50 == 1);
    assert_eq!(found.len(), 10);
    assert!(found.iter().all(|found| found.handle % 50 == 1));
    assert_eq!(found, index.search_all(&query(9), 10, |handle| handle % 50 == 1));
    assert_eq!(index.search(&query(9), 10, |_| false), []);
}

#[test]
fn what_says_nothing_is_refused_and_leaves_what_was_there() {
    let mut index = filled(2);
    let bad = |scale, values| QuantizedVector { scale, values };
    assert_eq!(index.put(1, &bad(1.0, vec![1; 383])), Err(BadVector::Dimensions(383)));
    assert_eq!(index.put(1, &bad(1.0, vec![0; 384])), Err(BadVector::NoDirection));
    for scale in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        assert_eq!(index.put(1, &bad(scale, vec![1; 384])), Err(BadVector::NoDirection));
    }
    assert_eq!(index.search(&query(1), 1, |_| true)[0].handle, 1);
    assert_eq!(Direction::of(&[1.0; 3]).err(), Some(BadVector::Dimensions(3)));
    assert_eq!(Direction::of(&[0.0; 384]).err(), Some(BadVector::NoDirection));
    assert_eq!(Direction::of(&[f32::NAN; 384]).err(), Some(BadVector::NoDirection));
}

#[test]
fn nothing_is_found_in_nothing() {
    let mut index = Index::new();
    assert_eq!(index.search(&query(1), 10, |_| true), []);
    index.put(u32::MAX, &vector(1)).expect("a vector");
    assert_eq!(index.search(&query(1), 0, |_| true), []);
    assert_eq!(index.search(&query(1), usize::MAX, |_| true).len(), 1);
    assert!(index.remove(u32::MAX) && index.is_empty());
    assert_eq!(index.memory().blocks, 0);
}

#[test]
fn a_flood_of_equal_vectors_hides_nobody_nearer() {
    let mut index = Index::new();
    for handle in 0..5000 {
        index.put(handle, &vector(1)).expect("a vector");
    }
    index.put(9999, &vector(2)).expect("a vector");
    assert_eq!(index.search(&query(2), 2, |_| true)[0].handle, 9999);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever was put in and taken out, what is found is what a plain list would give, on every path.
    #[test]
    fn it_finds_what_a_plain_list_finds(
        steps in prop::collection::vec((0_u32..40, any::<bool>(), 0_u32..1000), 1..120),
        asked in 0_u32..1000,
        odd in any::<bool>(),
    ) {
        for kernels in Kernels::all() {
            let mut index = Index::with(kernels);
            let mut list = BTreeMap::new();
            for (handle, remove, seed) in &steps {
                if *remove {
                    prop_assert_eq!(index.remove(*handle), list.remove(handle).is_some());
                } else {
                    index.put(*handle, &vector(*seed)).expect("a vector");
                    list.insert(*handle, vector(*seed));
                }
            }
            let query = query(asked);
            let keep = |handle: u32| !odd || handle % 2 == 1;
            let mut expected: Vec<Found> = list
                .iter()
                .filter(|(handle, _)| keep(**handle))
                .map(|(handle, vector)| {
                    let dot: i64 = query.query.0.iter().zip(&vector.values).map(|(a, b)| i64::from(*a) * i64::from(*b)).sum();
                    let square: i64 = vector.values.iter().map(|value| i64::from(*value).pow(2)).sum();
                    let similarity = dot as f32 * query.shrink * (square as f64).sqrt().recip() as f32;
                    Found { handle: *handle, similarity }
                })
                .collect();
            expected.sort_by(|a, b| b.similarity.total_cmp(&a.similarity).then(a.handle.cmp(&b.handle)));
            expected.truncate(10);
            prop_assert_eq!(index.search(&query, 10, keep), expected, "{:?}", kernels.path());
        }
    }
}

#[test]
fn every_path_finds_the_same() {
    let mut known = None;
    for kernels in Kernels::all() {
        let mut index = Index::with(kernels);
        for handle in 0..20_000 {
            index.put(handle, &vector(handle)).expect("a vector");
        }
        let found: Vec<Vec<Found>> = (0..5).map(|seed| index.search(&query(50_000 + seed), 10, |_| true)).collect();
        assert_eq!(known.get_or_insert_with(|| found.clone()), &found, "{:?}", kernels.path());
    }
    assert_eq!(Kernels::all()[0].path(), Path::Scalar);
}
