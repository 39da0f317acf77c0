//! A bug of ours: one line for the user, the trace in a file.

use std::any::Any;
use std::backtrace::Backtrace;
use std::io::Write;
use std::panic::{AssertUnwindSafe, PanicHookInfo};
use std::path::{Path, PathBuf};

use p2p_control::api::{ErrorCode, Problem};

use crate::moment;

const FILE: &str = "panic.log";
/// Above this the file starts anew.
const FILE_BYTES: u64 = 1024 * 1024;

/// Runs `work`. A panic in it, in any thread, is written to a file in `log_dir` where that folder
/// exists, and to the log where there is one.
///
/// # Errors
/// E1014 when `work` itself panicked.
pub(crate) fn catch<T>(log_dir: Option<PathBuf>, work: impl FnOnce() -> T) -> Result<T, Problem> {
    let dir = log_dir.clone();
    std::panic::set_hook(Box::new(move |info| note(info, dir.as_deref())));
    std::panic::catch_unwind(AssertUnwindSafe(work)).map_err(|_| {
        let problem = Problem::new(ErrorCode::Internal, "a bug ended the command");
        match log_dir.map(|dir| dir.join(FILE)).filter(|file| file.exists()) {
            Some(file) => problem.with_hint(format!("Report it with {}", file.display())),
            None => problem,
        }
    })
}

fn note(info: &PanicHookInfo<'_>, dir: Option<&Path>) {
    let place = info.location().map(|at| format!("{}:{}", at.file(), at.line())).unwrap_or_default();
    let words = words(info.payload());
    tracing::error!(target: "p2p_agent::panic", code = "E1014", place, "a bug: {words}");
    let Some(dir) = dir.filter(|dir| dir.is_dir()) else { return };
    let path = dir.join(FILE);
    let long = std::fs::metadata(&path).is_ok_and(|file| file.len() > FILE_BYTES);
    let file = std::fs::OpenOptions::new().create(true).write(true).append(!long).truncate(long).open(path);
    if let Ok(mut file) = file {
        let at = moment::stamp(p2p_platform::now().0);
        let version = env!("CARGO_PKG_VERSION");
        // There is nobody left to tell when this fails.
        let _ = writeln!(file, "{at} {version} {place}: {words}\n{}", Backtrace::force_capture());
    }
}

/// What a panic said, where that was fixed when this program was written. Anything formatted may
/// quote somebody's text (slicing a string does), so it is withheld.
fn words(payload: &(dyn Any + Send)) -> &'static str {
    payload.downcast_ref::<&'static str>().copied().unwrap_or("(message withheld)")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One test, because the hook is the whole process's.
    #[test]
    fn a_panic_is_one_problem_and_its_trace_lies_in_a_file_without_texts() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let text = String::from("a text of somebody é");
        let outcome = catch(Some(folder.path().to_owned()), || text.split_at(text.len() - 1).0.len());
        let problem = outcome.expect_err("splits a character");
        assert_eq!(problem.code, ErrorCode::Internal);
        assert!(problem.hint.contains(FILE), "{problem}");

        let written = std::fs::read_to_string(folder.path().join(FILE)).expect("the trace");
        assert!(written.contains("message withheld") && !written.contains("somebody é"), "{written}");

        let fixed = catch(Some(folder.path().to_owned()), || panic!("the invariant"));
        assert!(fixed.is_err());
        let written = std::fs::read_to_string(folder.path().join(FILE)).expect("the traces");
        assert!(written.contains("the invariant") && written.contains("panic.rs:"), "{written}");
        let _ = std::panic::take_hook();
    }
}
