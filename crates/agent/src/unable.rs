//! Why this computer can compute nothing, as a problem with its code.

use p2p_control::api::{ErrorCode, Problem};
use p2p_inference::AssetError;

/// What the workers need was looked at and cannot be used.
pub(crate) fn by_assets(error: &AssetError) -> Problem {
    let code = match error {
        AssetError::Digest { .. } | AssetError::Base { .. } => ErrorCode::ModelDigest,
        AssetError::Missing(_) | AssetError::Io { .. } | AssetError::Manifest { .. } => ErrorCode::AssetsMissing,
    };
    Problem::new(code, error.to_string())
}

/// A part of the installation is not there at all.
pub(crate) fn missing(why: &str) -> Problem {
    Problem::new(ErrorCode::AssetsMissing, why)
}

/// A worker found it out. It is another process and sends words, those of [`AssetError`] where a
/// file is not what it should be.
pub(crate) fn as_the_worker_says(reason: &str) -> Problem {
    let code = if reason.contains(" has the digest ") { ErrorCode::ModelDigest } else { ErrorCode::AssetsMissing };
    Problem::new(code, reason)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use p2p_types::Hash;

    use super::*;

    #[test]
    fn the_code_is_of_the_error_and_not_of_its_words() {
        let path = PathBuf::from("digest/model.onnx");
        let (found, expected) = (Hash([1; 32]), Hash([2; 32]));
        let changed = AssetError::Digest { path: path.clone(), found, expected };
        let other_base = AssetError::Base { path: path.clone(), found, expected };
        let gone = AssetError::Missing(path.clone());
        let nonsense = AssetError::Manifest { path, why: "it has no digest".to_owned() };
        let codes = [&changed, &other_base, &gone, &nonsense].map(|error| by_assets(error).code);
        let expected =
            [ErrorCode::ModelDigest, ErrorCode::ModelDigest, ErrorCode::AssetsMissing, ErrorCode::AssetsMissing];
        assert_eq!(codes, expected);
        // The same error, found out by a worker.
        assert_eq!(as_the_worker_says(&changed.to_string()).code, ErrorCode::ModelDigest);
        assert_eq!(as_the_worker_says(&gone.to_string()).code, ErrorCode::AssetsMissing);
    }
}
