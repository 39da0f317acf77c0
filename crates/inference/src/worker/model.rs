//! The base model in ONNX Runtime.

use std::path::Path;
use std::sync::Arc;

use ort::environment::Environment;
use ort::logging::LogLevel;
use ort::session::builder::{GraphOptimizationLevel, SessionBuilder};
use ort::session::{Session, SessionInputValue};
use ort::value::{Tensor, TensorRef};

/// Floats of an embedding.
pub(super) const DIMENSIONS: usize = 384;
/// Layers of the model, each with two pairs of LoRA inputs.
const LAYERS: usize = 6;

#[derive(Debug)]
pub(super) struct Model {
    session: Session,
    /// The matrices of rank 0 that stand for "no adapter".
    base: Vec<(String, Tensor<f32>)>,
    _runtime: Arc<Environment>,
}

impl Model {
    /// Loads the model from the bytes of its file.
    pub(super) fn load(runtime: Arc<Environment>, model: &[u8]) -> Result<Self, String> {
        let loaded = session(&runtime).and_then(|mut builder| builder.commit_from_memory(model));
        let session = loaded.map_err(|error| format!("the model cannot be loaded: {error}"))?;
        let base = no_adapter().map_err(|error| format!("the model cannot be fed: {error}"))?;
        Ok(Self { session, base, _runtime: runtime })
    }

    /// The embeddings of texts of one length: `ids` holds them one after another, each of
    /// `tokens` ids. Gives [`DIMENSIONS`] floats a text.
    pub(super) fn embed(&mut self, ids: &[i64], tokens: usize) -> Result<Vec<f32>, ort::Error> {
        let texts = ids.len() / tokens.max(1);
        let mut inputs: Vec<(&str, SessionInputValue<'_>)> =
            self.base.iter().map(|(name, matrix)| (name.as_str(), matrix.into())).collect();
        inputs.push(("input_ids", TensorRef::from_array_view(([texts, tokens], ids))?.into()));
        let outputs = self.session.run(inputs)?;
        let (_, embeddings) = outputs[0].try_extract_tensor::<f32>()?;
        if embeddings.len() != texts * DIMENSIONS {
            return Err(ort::Error::new("the model's output has an unexpected shape"));
        }
        Ok(embeddings.to_vec())
    }
}

/// Loads the runtime from a library file. It has no threads of its own then: see
/// `p2p_platform::sandbox::forbid_reports`.
pub(super) fn runtime(library: &Path) -> Result<Environment, String> {
    let builder = ort::init_from(library)
        .map_err(|error| format!("the runtime {} cannot be loaded: {error}", library.display()))?;
    let logger = Arc::new(|level: LogLevel, _: &str, _: &str, _: &str, message: &str| {
        if level >= LogLevel::Warning {
            super::log(&message);
        }
    });
    let built = builder.with_name("p2p-worker").with_telemetry(false).with_logger(logger).build();
    built.map_err(|error| format!("the runtime {} cannot be started: {error}", library.display()))
}

/// How models are loaded.
pub(super) fn session(runtime: &Environment) -> Result<SessionBuilder, ort::Error> {
    // One thread that never spins: whoever wants more starts more workers.
    let builder = Session::builder(runtime)?
        .with_intra_threads(1)?
        .with_inter_threads(1)?
        .with_intra_op_spinning(false)?
        .with_inter_op_spinning(false)?
        // Shapes change from run to run.
        .with_memory_pattern(false)?
        .with_optimization_level(GraphOptimizationLevel::All)?;
    if saturates() { Ok(builder.with_config_entry("session.x64quantprecision", "1")?) } else { Ok(builder) }
}

/// Whether the fast integer kernel of this processor cuts off large sums. Then another is asked
/// for: slower, with the same answers as everywhere.
fn saturates() -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        !(std::is_x86_feature_detected!("avx512vnni") || std::is_x86_feature_detected!("avxvnni"))
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        false
    }
}

fn no_adapter() -> Result<Vec<(String, Tensor<f32>)>, ort::Error> {
    let mut all = Vec::with_capacity(LAYERS * 4);
    for layer in 0..LAYERS {
        for target in ["query", "value"] {
            let name = format!("layer.{layer}.{target}");
            all.push((format!("{name}.lora_a"), Tensor::from_array(([DIMENSIONS, 0], Vec::new()))?));
            all.push((format!("{name}.lora_b"), Tensor::from_array(([0, DIMENSIONS], Vec::new()))?));
        }
    }
    Ok(all)
}
