//! The texts of a task, from arguments and files. Nothing here is ever logged.

use std::ffi::OsString;
use std::io::Read;
use std::path::Path;

use p2p_control::api::{ErrorCode, Problem};
use p2p_types::TaskKind;
use p2p_types::limits::{TASK_BYTES, TASK_TEXTS};

use crate::problem;

/// Where the system shows a process what it was started with.
const HANDED_OVER: &[&str] = &["/dev/fd", "/proc/self/fd"];

/// All the texts of one task in order: those given as arguments first, then the files'.
///
/// # Errors
/// E2002 nothing to compute, E2003 more than a task may carry, E2004 not UTF-8, E1015 a file that
/// cannot be read. Files and byte offsets are named.
pub(crate) fn gather(
    kind: TaskKind,
    arguments: &[OsString],
    files: &[impl AsRef<Path>],
) -> Result<Vec<String>, Problem> {
    let mut texts = Vec::new();
    for (at, argument) in arguments.iter().enumerate() {
        let text = utf8(argument.clone().into_encoded_bytes(), || format!("--text number {}", at + 1))?;
        texts.push(text);
    }
    for path in files {
        texts.extend(read(kind, path.as_ref())?);
    }

    if texts.iter().all(|text| text.trim().is_empty()) {
        return Err(Problem::new(ErrorCode::EmptyText, "every text is empty"));
    }
    let bytes: usize = texts.iter().map(String::len).sum();
    if bytes > TASK_BYTES {
        return Err(too_large(format!("the texts have {bytes} bytes together")));
    }
    if texts.len() > TASK_TEXTS {
        let detail = format!("there are {} texts; one task takes at most {TASK_TEXTS}", texts.len());
        return Err(Problem::new(ErrorCode::TextTooLong, detail).with_hint("Split them into several tasks"));
    }
    Ok(texts)
}

/// One text a line, blank lines left out; for `chunk` the whole file is one text.
fn read(kind: TaskKind, path: &Path) -> Result<Vec<String>, Problem> {
    let name = || if is_stdin(path) { "standard input".to_owned() } else { path.display().to_string() };
    let bytes = read_bounded(path)?;
    if bytes.len() > TASK_BYTES {
        return Err(too_large(format!("{} is longer than {TASK_BYTES} bytes", name())));
    }
    let text = utf8(bytes, name)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    if text.trim().is_empty() {
        return Err(Problem::new(ErrorCode::EmptyText, format!("{} is empty", name())));
    }
    Ok(match kind {
        TaskKind::Chunk => vec![text.to_owned()],
        TaskKind::Embed | TaskKind::Sentiment | TaskKind::Noop => {
            text.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect()
        }
    })
}

/// At most one byte more than a task may have: enough to see that it is too long.
fn read_bounded(path: &Path) -> Result<Vec<u8>, Problem> {
    let limit = TASK_BYTES as u64 + 1;
    let mut bytes = Vec::new();
    let read = if is_stdin(path) {
        std::io::stdin().lock().take(limit).read_to_end(&mut bytes)
    } else {
        refuse_what_is_no_file(path)?;
        std::fs::File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes))
    };
    read.map_err(|error| unreadable(path, &error))?;
    Ok(bytes)
}

/// Opening a pipe waits in silence for somebody who writes to it, and a device may never end. What
/// the shell has opened for this command already (`<(...)`) does neither.
fn refuse_what_is_no_file(path: &Path) -> Result<(), Problem> {
    if HANDED_OVER.iter().any(|folder| path.starts_with(folder)) {
        return Ok(());
    }
    let about = std::fs::metadata(path).map_err(|error| unreadable(path, &error))?;
    if about.is_file() {
        return Ok(());
    }
    let what = if about.is_dir() { "it is a folder" } else { "it is a pipe or a device, not a file" };
    Err(problem::file(ErrorCode::Usage, path, what).with_hint("Name a file, or `-` for standard input"))
}

fn unreadable(path: &Path, error: &std::io::Error) -> Problem {
    problem::file(ErrorCode::Usage, path, error).with_hint("Check the file's name and rights")
}

fn is_stdin(path: &Path) -> bool {
    path == Path::new("-") || path == Path::new("/dev/stdin")
}

fn utf8(bytes: Vec<u8>, name: impl Fn() -> String) -> Result<String, Problem> {
    String::from_utf8(bytes).map_err(|error| {
        let offset = error.utf8_error().valid_up_to();
        Problem::new(ErrorCode::InvalidText, format!("{}, at byte {offset}", name()))
    })
}

fn too_large(detail: String) -> Problem {
    Problem::new(ErrorCode::TextTooLong, format!("{detail}; one task takes at most {TASK_BYTES}"))
        .with_hint("Split it into several tasks")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from_file(kind: TaskKind, content: &[u8]) -> Result<Vec<String>, Problem> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("texts.txt");
        std::fs::write(&path, content).expect("the file is written");
        gather(kind, &[], &[&path])
    }

    #[test]
    fn one_text_a_line_and_blank_lines_are_none() {
        let texts = from_file(TaskKind::Sentiment, "\u{feff}good\r\n\r\n \t\nbad\n\n".as_bytes());
        assert_eq!(texts, Ok(vec!["good".to_owned(), "bad".to_owned()]));
    }

    #[test]
    fn a_file_to_chunk_is_one_text() {
        assert_eq!(from_file(TaskKind::Chunk, b"one\ntwo\n"), Ok(vec!["one\ntwo\n".to_owned()]));
    }

    #[test]
    fn arguments_come_before_files() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("texts.txt");
        std::fs::write(&path, "c\nd").expect("the file is written");
        let texts = gather(TaskKind::Embed, &["a".into(), "b".into()], &[path]).expect("four texts");
        assert_eq!(texts, ["a", "b", "c", "d"]);
    }

    #[test]
    fn invalid_utf8_is_named_with_its_place() {
        let problem = from_file(TaskKind::Embed, b"fine\nnot \xff fine").expect_err("not UTF-8");
        assert_eq!(problem.code, ErrorCode::InvalidText);
        assert!(problem.detail.contains("texts.txt") && problem.detail.ends_with("at byte 9"), "{problem}");
    }

    #[test]
    fn nothing_to_compute_is_refused() {
        for content in [&b""[..], b"\n\n", b"  \n"] {
            let problem = from_file(TaskKind::Embed, content).expect_err("empty");
            assert_eq!(problem.code, ErrorCode::EmptyText, "{content:?}");
        }
        let none: [&Path; 0] = [];
        assert_eq!(gather(TaskKind::Embed, &["".into()], &none).map_err(|p| p.code), Err(ErrorCode::EmptyText));
    }

    #[test]
    fn more_than_a_task_may_carry_is_refused_before_it_is_sent() {
        let problem = from_file(TaskKind::Chunk, &vec![b'x'; 10 * 1024 * 1024]).expect_err("10 MB");
        assert_eq!(problem.code, ErrorCode::TextTooLong);
        let half = OsString::from("x".repeat(TASK_BYTES / 2 + 1));
        let none: [&Path; 0] = [];
        let together = gather(TaskKind::Embed, &[half.clone(), half], &none);
        assert_eq!(together.map_err(|p| p.code), Err(ErrorCode::TextTooLong));
        let many = from_file(TaskKind::Embed, "x\n".repeat(TASK_TEXTS + 1).as_bytes());
        assert_eq!(many.map_err(|p| p.code), Err(ErrorCode::TextTooLong));
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_file_is_refused_and_not_waited_for() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo runs");
        assert!(made.success());
        for (path, what) in
            [(pipe.as_path(), "a pipe"), (Path::new("/dev/zero"), "a device"), (folder.path(), "a folder")]
        {
            let problem = gather(TaskKind::Embed, &[], &[path]).expect_err("no file");
            assert_eq!(problem.code, ErrorCode::Usage, "{problem}");
            assert!(problem.detail.contains(what) && problem.hint.contains('-'), "{problem}");
        }
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let problem = gather(TaskKind::Embed, &[], &["/nowhere/at/all.txt"]).expect_err("no such file");
        assert!(problem.detail.contains("/nowhere/at/all.txt"), "{problem}");
    }
}
