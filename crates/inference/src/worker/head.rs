//! A classifier on top of an embedding: a hidden layer with tanh and one value a label.

use safetensors::{Dtype, SafeTensors};

/// Labels with the layers that choose among them.
#[derive(Debug)]
pub(super) struct Head {
    labels: Vec<String>,
    hidden: Layer,
    scores: Layer,
}

/// Weights of shape [outputs, inputs], row after row, and a bias for each output.
#[derive(Debug)]
struct Layer {
    inputs: usize,
    weights: Vec<f32>,
    bias: Vec<f32>,
}

impl Head {
    /// Reads the safetensors file that `models/train_head.py` writes, for embeddings of
    /// `dimensions` floats.
    pub(super) fn read(bytes: &[u8], labels: &[String], dimensions: usize) -> Result<Self, String> {
        let tensors = SafeTensors::deserialize(bytes).map_err(|error| error.to_string())?;
        let hidden = Layer::read(&tensors, "hidden", dimensions)?;
        let scores = Layer::read(&tensors, "labels", hidden.bias.len())?;
        if labels.is_empty() || scores.bias.len() != labels.len() {
            return Err(format!("it has {} outputs for {} labels", scores.bias.len(), labels.len()));
        }
        Ok(Self { labels: labels.to_vec(), hidden, scores })
    }

    /// The likeliest label of an embedding and its probability in millionths; `None` where the
    /// embedding gives no number.
    pub(super) fn label(&self, embedding: &[f32]) -> Option<(&str, u32)> {
        let mut hidden = self.hidden.apply(embedding);
        hidden.iter_mut().for_each(|value| *value = value.tanh());
        let scores = self.scores.apply(&hidden);
        let (best, &largest) = scores.iter().enumerate().max_by(|(_, a), (_, b)| a.total_cmp(b))?;
        let sum: f64 = scores.iter().map(|&score| f64::from(score - largest).exp()).sum();
        let probability = 1.0 / sum;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a finite probability is 0 to 1")]
        let ppm = probability.is_finite().then(|| (probability * 1e6).round() as u32)?;
        Some((&self.labels[best], ppm))
    }
}

impl Layer {
    fn read(tensors: &SafeTensors<'_>, name: &str, inputs: usize) -> Result<Self, String> {
        let weights = floats(tensors, &format!("{name}.weight"))?;
        let bias = floats(tensors, &format!("{name}.bias"))?;
        if bias.is_empty() || weights.len() != bias.len() * inputs {
            return Err(format!("the layer {name} does not take {inputs} values"));
        }
        Ok(Self { inputs, weights, bias })
    }

    fn apply(&self, values: &[f32]) -> Vec<f32> {
        let rows = self.weights.chunks_exact(self.inputs).zip(&self.bias);
        rows.map(|(row, bias)| bias + row.iter().zip(values).map(|(weight, value)| weight * value).sum::<f32>())
            .collect()
    }
}

fn floats(tensors: &SafeTensors<'_>, name: &str) -> Result<Vec<f32>, String> {
    let tensor = tensors.tensor(name).map_err(|error| format!("{name}: {error}"))?;
    if tensor.dtype() != Dtype::F32 {
        return Err(format!("{name} is not of float32"));
    }
    Ok(tensor.data().as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
}

#[cfg(test)]
mod tests {
    use safetensors::serialize;
    use safetensors::tensor::TensorView;

    use super::*;

    fn file(hidden: &[f32], labels: &[f32]) -> Vec<u8> {
        let bytes = |values: &[f32]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
        let parts = [
            ("hidden.weight", vec![1, 2], bytes(hidden)),
            ("hidden.bias", vec![1], bytes(&[0.0])),
            ("labels.weight", vec![labels.len(), 1], bytes(labels)),
            ("labels.bias", vec![labels.len()], bytes(&vec![0.0; labels.len()])),
        ];
        let views = parts
            .iter()
            .map(|(name, shape, data)| (*name, TensorView::new(Dtype::F32, shape.clone(), data).expect("a tensor")));
        serialize(views, None).expect("a file")
    }

    fn words() -> Vec<String> {
        vec!["negative".to_owned(), "positive".to_owned()]
    }

    #[test]
    fn the_likeliest_label_wins_with_its_probability() {
        let head = Head::read(&file(&[1.0, 0.0], &[-2.0, 2.0]), &words(), 2).expect("a head");
        let hidden = 0.5_f64.tanh();
        let expected = 1.0 / (1.0 + (-4.0 * hidden).exp());
        let (label, ppm) = head.label(&[0.5, 9.0]).expect("a number");
        assert_eq!(label, "positive");
        assert!((f64::from(ppm) / 1e6 - expected).abs() < 2e-6, "{ppm} {expected}");
        assert_eq!(head.label(&[-0.5, 9.0]), Some(("negative", ppm)));
        assert_eq!(head.label(&[0.0, 0.0]).map(|(_, ppm)| ppm), Some(500_000));
        assert_eq!(head.label(&[f32::NAN, 0.0]), None);
    }

    #[test]
    fn a_head_of_another_shape_is_refused() {
        let two = file(&[1.0, 0.0], &[-2.0, 2.0]);
        assert!(Head::read(&two, &words(), 3).is_err());
        assert!(Head::read(&two, &words()[..1], 2).is_err());
        assert!(Head::read(b"nonsense", &words(), 2).is_err());
    }
}
