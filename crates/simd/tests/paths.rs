//! Every path computes what the scalar one does.

use p2p_simd::{Code, CodeBlock, DIMENSIONS, Floats, Kernels, LANES, Path, Query, Row, WORDS};
use proptest::prelude::*;

fn oracle() -> Kernels {
    let all = Kernels::all();
    assert_eq!(all[0].path(), Path::Scalar);
    all[0]
}

fn array<T: std::fmt::Debug + Copy, const N: usize>(values: impl Strategy<Value = T>) -> impl Strategy<Value = [T; N]> {
    prop::collection::vec(values, N).prop_map(|values| std::array::from_fn(|i| values[i]))
}

fn block() -> impl Strategy<Value = CodeBlock> {
    array::<u64, { WORDS * LANES }>(prop_oneof![any::<u64>(), Just(0), Just(u64::MAX)])
        .prop_map(|words| CodeBlock(std::array::from_fn(|w| std::array::from_fn(|l| words[w * LANES + l]))))
}

fn bytes() -> impl Strategy<Value = i8> {
    prop_oneof![4 => any::<i8>(), 1 => Just(i8::MIN), 1 => Just(i8::MAX)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn distances_are_equal(blocks in prop::collection::vec(block(), 0..40), query in array(any::<u64>())) {
        let query = Code(query);
        let mut expected = vec![[0; LANES]; blocks.len()];
        oracle().hamming(&blocks, &query, &mut expected);
        for kernels in Kernels::all() {
            let mut distances = vec![[9999; LANES]; blocks.len()];
            kernels.hamming(&blocks, &query, &mut distances);
            prop_assert_eq!(&distances, &expected, "{:?}", kernels.path());
        }
    }

    #[test]
    fn the_same_positions_are_near(
        distances in prop::collection::vec(array::<u16, LANES>(prop_oneof![0_u16..=384, Just(u16::MAX)]), 0..40),
        most in prop_oneof![0_u16..=384, Just(u16::MAX)],
    ) {
        let mut expected = vec![7];
        oracle().at_most(&distances, most, &mut expected);
        for kernels in Kernels::all() {
            let mut positions = vec![7];
            kernels.at_most(&distances, most, &mut positions);
            prop_assert_eq!(&positions, &expected, "{:?}", kernels.path());
        }
    }

    #[test]
    fn products_of_integers_are_equal(
        query in array(prop_oneof![4 => any::<i16>(), 1 => Just(i16::MIN), 1 => Just(i16::MAX)]),
        one in array(bytes()),
        other in array(bytes()),
    ) {
        let (query, one, other) = (Query(query), Row(one), Row(other));
        for kernels in Kernels::all() {
            prop_assert_eq!(kernels.dot(&query, &one), oracle().dot(&query, &one), "{:?}", kernels.path());
            prop_assert_eq!(kernels.dot_i8(&one, &other), oracle().dot_i8(&one, &other), "{:?}", kernels.path());
        }
    }

    #[test]
    fn products_of_floats_differ_by_rounding(one in array(-1.0_f32..1.0), other in array(-1.0_f32..1.0)) {
        let exact: f64 = one.iter().zip(&other).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
        for kernels in Kernels::all() {
            let product = f64::from(kernels.dot_f32(&Floats(one), &Floats(other)));
            prop_assert!((product - exact).abs() < 1e-4, "{:?}: {product} instead of {exact}", kernels.path());
        }
    }
}

#[test]
fn the_farthest_ends_do_not_overflow() {
    for kernels in Kernels::all() {
        let query = Query([i16::MIN; DIMENSIONS]);
        let row = Row([i8::MIN; DIMENSIONS]);
        assert_eq!(kernels.dot(&query, &row), 384 * 32768 * 128, "{:?}", kernels.path());
        assert_eq!(kernels.dot(&query, &Row([127; DIMENSIONS])), -384 * 32768 * 127, "{:?}", kernels.path());
        assert_eq!(kernels.dot_i8(&row, &row), 384 * 128 * 128, "{:?}", kernels.path());
    }
}

#[test]
fn the_best_path_is_the_last() {
    let last = Kernels::all().last().map(Kernels::path);
    assert_eq!(Some(Kernels::best().path()), last);
    // What this run proved something about.
    println!("paths: {:?}", Kernels::all().iter().map(Kernels::path).collect::<Vec<_>>());
}
