//! What can be said of a task before anything is done.

use p2p_types::{Placement, Privacy, TaskKind, limits};

use crate::io::{Rejection, TaskRequest};

/// Checks a request by itself. Single bad texts among good ones are let through: they fail alone.
/// Returns the bytes of its texts.
///
/// # Errors
/// The first reason not to take the task.
pub(super) fn check(request: &TaskRequest, in_network: bool) -> Result<usize, Rejection> {
    let texts = &request.texts;
    if texts.len() > limits::TASK_TEXTS {
        return Err(Rejection::TooManyTexts { texts: texts.len(), limit: limits::TASK_TEXTS });
    }
    if texts.iter().all(|text| text.trim().is_empty()) {
        return Err(Rejection::Empty);
    }
    let limit = text_limit(request.kind);
    if texts.iter().all(|text| text.len() > limit || text.trim().is_empty()) {
        let bytes = texts.iter().map(String::len).max().unwrap_or(0);
        return Err(Rejection::TextTooLong { bytes, limit, kind: request.kind });
    }
    let bytes: usize = texts.iter().map(String::len).sum();
    if bytes > limits::TASK_BYTES {
        return Err(Rejection::TaskTooLong { bytes, limit: limits::TASK_BYTES });
    }
    if request.kind == TaskKind::Chunk && !request.chunk.is_sound() {
        return Err(Rejection::ChunkSizes);
    }
    if request.placement == Placement::Network {
        if request.privacy == Privacy::Local {
            return Err(Rejection::PrivacyForbids);
        }
        if !in_network {
            return Err(Rejection::NoNetwork);
        }
    }
    Ok(bytes)
}

/// The most bytes that one text of this kind may have.
pub(super) const fn text_limit(kind: TaskKind) -> usize {
    match kind {
        TaskKind::Chunk => limits::CHUNKED_TEXT_BYTES,
        TaskKind::Embed | TaskKind::Sentiment | TaskKind::Noop => limits::TEXT_BYTES,
    }
}

#[cfg(test)]
mod tests {
    use p2p_types::{Priority, TaskId};

    use super::*;
    use crate::io::ChunkSizes;
    use crate::pay::Payer;

    fn request(texts: Vec<String>) -> TaskRequest {
        TaskRequest {
            id: TaskId([1; 16]),
            kind: TaskKind::Sentiment,
            texts,
            chunk: ChunkSizes::default(),
            privacy: Privacy::Public,
            placement: Placement::Auto,
            priority: Priority::Normal,
            deadline_ms: None,
            payer: Payer::Owner,
            only: None,
            expected: Vec::new(),
        }
    }

    #[test]
    fn good_tasks_are_taken_also_with_a_bad_text_among_them() {
        assert_eq!(check(&request(vec!["fine".into()]), true), Ok(4));
        let mixed = vec!["fine".into(), String::new(), "x".repeat(limits::TEXT_BYTES + 1)];
        assert_eq!(check(&request(mixed), true), Ok(4 + limits::TEXT_BYTES + 1));
    }

    #[test]
    fn bad_tasks_are_refused_by_name() {
        assert_eq!(check(&request(vec![]), true), Err(Rejection::Empty));
        assert_eq!(check(&request(vec![" \n".into()]), true), Err(Rejection::Empty));
        let long = check(&request(vec!["x".repeat(10_000_000)]), true);
        assert!(matches!(long, Err(Rejection::TextTooLong { bytes: 10_000_000, .. })));
        let much = check(&request(vec!["x".repeat(60_000); 200]), true);
        assert!(matches!(much, Err(Rejection::TaskTooLong { .. })));
        let many = check(&request(vec!["x".into(); limits::TASK_TEXTS + 1]), true);
        assert!(matches!(many, Err(Rejection::TooManyTexts { .. })));
        let secret =
            TaskRequest { privacy: Privacy::Local, placement: Placement::Network, ..request(vec!["x".into()]) };
        assert_eq!(check(&secret, true), Err(Rejection::PrivacyForbids));
        let outside = TaskRequest { placement: Placement::Network, ..request(vec!["x".into()]) };
        assert_eq!(check(&outside, false), Err(Rejection::NoNetwork));
        let chunk = TaskRequest { kind: TaskKind::Chunk, ..request(vec!["x".into()]) };
        assert_eq!(check(&chunk, true), Err(Rejection::ChunkSizes));
    }
}
