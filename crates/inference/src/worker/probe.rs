//! What a model file does in the sandbox: loaded by its path, where a runtime follows references
//! to other files, and run once. The tests feed it what nobody should load.

use std::io::{self, Write};
use std::path::Path;
use std::time::Instant;

use ort::session::{Session, SessionInputValue};
use ort::value::{Outlet, Tensor, TensorElementType};
use p2p_platform::Assets;
use p2p_platform::sandbox::{self, Rules};
use serde_json::json;

use super::engine::Engine;
use super::{closed, model};

/// Longest reason, in characters.
const REASON: usize = 300;
/// Most values of an input, and how many of an output are shown.
const VALUES: usize = 1 << 20;
const SHOWN: usize = 8;

/// Closes the sandbox of a worker around `file`'s folder, loads `file` as a model, runs it once
/// with zeros and prints one JSON document.
pub(super) fn run(file: &Path) -> Result<(), String> {
    let assets = Assets::find().ok_or("the assets were not found; set P2P_AGENT_ASSETS")?;
    let folder = file.parent().ok_or("a file without a folder")?.to_owned();
    let runtime = Engine::new(assets.root).load_runtime().map_err(|why| why.reason)?;
    let readable = vec![folder];
    let level =
        sandbox::close(&Rules { readable, memory: closed::MEMORY, cpu: closed::CPU, written: closed::TO_A_FILE });
    let begun = Instant::now();
    let loaded = model::session(&runtime).and_then(|mut builder| builder.commit_from_file(file));
    let millis = begun.elapsed().as_secs_f64() * 1000.0;
    let mut document =
        json!({ "loaded": loaded.is_ok(), "load_ms": millis, "whole": level.is_whole(), "level": level.to_string() });
    match loaded {
        Ok(mut session) => match values(&mut session) {
            Ok(values) => document["values"] = json!(values),
            Err(error) => document["error"] = json!(reason(&error)),
        },
        Err(error) => document["error"] = json!(reason(&error)),
    }
    writeln!(io::stdout(), "{document}").map_err(|error| error.to_string())
}

/// The first values of the first output.
fn values(session: &mut Session) -> Result<Vec<f32>, ort::Error> {
    let mut inputs = Vec::new();
    for input in session.inputs() {
        inputs.push((input.name().to_owned(), zeros(input)?));
    }
    let outputs = session.run(inputs)?;
    let mut first = Vec::new();
    if outputs.len() > 0 {
        let (_, values) = outputs[0].try_extract_tensor::<f32>()?;
        first.extend(values.iter().take(SHOWN));
    }
    Ok(first)
}

fn zeros(input: &Outlet) -> Result<SessionInputValue<'static>, ort::Error> {
    let (Some(shape), Some(kind)) = (input.dtype().tensor_shape(), input.dtype().tensor_type()) else {
        return Err(ort::Error::new("an input is no tensor"));
    };
    // A dimension that is left open is 1.
    let shape: Vec<usize> = shape.iter().map(|size| usize::try_from(*size).unwrap_or(1)).collect();
    let values = shape.iter().try_fold(1_usize, |all, size| all.checked_mul(*size)).filter(|all| *all <= VALUES);
    let values = values.ok_or_else(|| ort::Error::new("an input is too large"))?;
    match kind {
        TensorElementType::Float32 => Ok(Tensor::from_array((shape, vec![0_f32; values]))?.into()),
        TensorElementType::Int64 => Ok(Tensor::from_array((shape, vec![0_i64; values]))?.into()),
        TensorElementType::Bool => Ok(Tensor::from_array((shape, vec![false; values]))?.into()),
        _ => Err(ort::Error::new("an input is of a type that is not tried")),
    }
}

fn reason(error: &ort::Error) -> String {
    error.to_string().chars().take(REASON).collect()
}
