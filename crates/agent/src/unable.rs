//! Why this computer can compute nothing, as a problem with its code.

use p2p_control::api::{ErrorCode, Problem};
use p2p_inference::{AssetError, Cause, Unable};

/// What the workers need was looked at and cannot be used.
pub(crate) fn by_assets(error: &AssetError) -> Problem {
    Problem::new(code(error.cause()), error.to_string())
}

/// A part of the installation is not there at all.
pub(crate) fn missing(why: &str) -> Problem {
    Problem::new(code(Cause::Missing), why)
}

/// A worker found it out, or there was none to be had.
pub(crate) fn by_worker(why: &Unable) -> Problem {
    Problem::new(code(why.cause), why.reason.as_str())
}

const fn code(cause: Cause) -> ErrorCode {
    match cause {
        // What is there and of no use is brought back as what is missing is.
        Cause::Missing | Cause::Unusable => ErrorCode::AssetsMissing,
        Cause::Digest => ErrorCode::ModelDigest,
        Cause::Process | Cause::Order => ErrorCode::Worker,
    }
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
        let errors = [
            AssetError::Digest { path: path.clone(), found, expected },
            AssetError::Base { path: path.clone(), found, expected },
            AssetError::Missing(path.clone()),
            AssetError::Manifest { path, why: "it has the digest of another".to_owned() },
        ];
        let expected =
            [ErrorCode::ModelDigest, ErrorCode::ModelDigest, ErrorCode::AssetsMissing, ErrorCode::AssetsMissing];
        assert_eq!(errors.each_ref().map(|error| by_assets(error).code), expected);
    }

    #[test]
    fn what_a_worker_says_has_the_code_of_its_cause() {
        let reason = "model.onnx has the digest 1, not 2 - it was changed - install the app again".to_owned();
        let said = |cause| by_worker(&Unable { cause, reason: reason.clone() });
        assert_eq!(said(Cause::Digest).code, ErrorCode::ModelDigest);
        assert_eq!(said(Cause::Missing).code, ErrorCode::AssetsMissing);
        assert_eq!(said(Cause::Unusable).code, ErrorCode::AssetsMissing);
        assert_eq!(said(Cause::Process).code, ErrorCode::Worker);
        assert_eq!(said(Cause::Process).detail, reason);
    }
}
