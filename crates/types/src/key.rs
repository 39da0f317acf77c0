//! Keys that are nobody's.
//!
//! ZIP-215 lets a public key be any point, those of small order among them. For such a key there
//! are signatures that fit every message and need no secret. As somebody's id it would be
//! everybody's, so it is refused wherever an id, or a signer, comes from outside.

/// The y coordinates of all points whose order divides 8, as encodings without their sign bit:
/// the five coordinates, and the two of them that also have an encoding that is not reduced.
const SMALL_ORDER_Y: [[u8; 32]; 7] = [
    low(0),
    low(1),
    high(0xec),
    // The same as 0 and 1, with the field's prime added.
    high(0xed),
    high(0xee),
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf,
        0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20,
        0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
    ],
];

/// Whether a public key is a point of small order, in any of its encodings.
pub(crate) fn is_small_order(key: &[u8; 32]) -> bool {
    let mut y = *key;
    y[31] &= 0x7f;
    SMALL_ORDER_Y.contains(&y)
}

const fn low(first: u8) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[0] = first;
    bytes
}

const fn high(first: u8) -> [u8; 32] {
    let mut bytes = [0xff; 32];
    bytes[0] = first;
    bytes[31] = 0x7f;
    bytes
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// All 14 encodings: of eight points, and six that are not canonical.
    pub(crate) fn small_order_keys() -> impl Iterator<Item = [u8; 32]> {
        let signs = |y: [u8; 32]| {
            let mut negative = y;
            negative[31] |= 0x80;
            [y, negative]
        };
        SMALL_ORDER_Y.into_iter().flat_map(signs)
    }

    #[test]
    fn they_are_known_by_any_encoding_and_others_are_not_taken_for_them() {
        assert_eq!(small_order_keys().collect::<std::collections::BTreeSet<_>>().len(), 14);
        assert!(small_order_keys().all(|key| is_small_order(&key)));
        assert!(![low(2), low(9), high(0xeb), high(0xef), [7; 32]].iter().any(is_small_order));
    }
}
