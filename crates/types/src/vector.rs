//! How an embedding travels: one signed byte a dimension and one scale.

use serde::{Deserialize, Serialize};

/// A vector as int8 values under one float32 scale; value `i` stands for `values[i] * scale`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QuantizedVector {
    pub scale: f32,
    pub values: Vec<i8>,
}

impl QuantizedVector {
    /// Rounds `floats` to 1/127 of the largest magnitude, ties to even. A vector of zeros has
    /// scale 0; a vector with a NaN or an infinity has none (`None`).
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "the quotient is within -127 to 127")]
    pub fn from_floats(floats: &[f32]) -> Option<Self> {
        if !floats.iter().all(|value| value.is_finite()) {
            return None;
        }
        let largest = floats.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
        let scale = largest / 127.0;
        let quantize = |value: &f32| if scale > 0.0 { (value / scale).round_ties_even() as i8 } else { 0 };
        Some(Self { scale, values: floats.iter().map(quantize).collect() })
    }

    /// The floats this vector stands for.
    #[must_use]
    pub fn to_floats(&self) -> Vec<f32> {
        self.values.iter().map(|&value| f32::from(value) * self.scale).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_loses_at_most_half_a_step() {
        let floats: Vec<f32> = (0..384_u16).map(|i| f32::from(i % 31) / 31.0 - 0.5).collect();
        let vector = QuantizedVector::from_floats(&floats).expect("finite");
        for (float, back) in floats.iter().zip(vector.to_floats()) {
            assert!((float - back).abs() <= vector.scale * 0.5 + 1e-6);
        }
    }

    #[test]
    fn zeros_stay_zeros_and_nan_is_refused() {
        let zeros = QuantizedVector::from_floats(&[0.0; 4]).expect("finite");
        assert_eq!(zeros.to_floats(), [0.0; 4]);
        assert_eq!(QuantizedVector::from_floats(&[f32::NAN]), None);
        assert_eq!(QuantizedVector::from_floats(&[f32::INFINITY]), None);
    }
}
