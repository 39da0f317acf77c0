//! What a task costs: the same for everybody in a network, so that a price can be checked by whoever
//! pays it.

use p2p_types::{Credits, TaskKind};

/// Bytes that count as one token: what a word piece of the base model takes in English. A price must be
/// known before a text is split, so tokens are not counted, and half-filled ones are paid.
pub const TOKEN_BYTES: u64 = 4;

/// The prices of answers, in micro-credits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates {
    /// A text to be embedded, or a long one to be split.
    pub document: u64,
    /// A text to be judged by a model.
    pub request: u64,
    /// Each [`TOKEN_BYTES`] of such a text.
    pub token: u64,
    /// A task that computes nothing: for measuring what paying costs.
    pub nothing: u64,
}

impl Default for Rates {
    /// 0.1 credits a document; a short request of 25 tokens 1.5.
    fn default() -> Self {
        Self { document: 100_000, request: 1_400_000, token: 4_000, nothing: 1_000 }
    }
}

impl Rates {
    /// The price of `texts` texts with `bytes` bytes in all.
    #[must_use]
    pub fn price(&self, kind: TaskKind, texts: usize, bytes: usize) -> Credits {
        let (texts, tokens) = (texts as u64, (bytes as u64).div_ceil(TOKEN_BYTES));
        let micro = match kind {
            TaskKind::Embed | TaskKind::Chunk => texts.saturating_mul(self.document),
            TaskKind::Sentiment => texts.saturating_mul(self.request).saturating_add(tokens.saturating_mul(self.token)),
            TaskKind::Noop => texts.saturating_mul(self.nothing),
        };
        Credits::from_micro(micro).unwrap_or(Credits::MAX)
    }

    pub(crate) const fn numbers(&self) -> [u64; 4] {
        [self.document, self.request, self.token, self.nothing]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_request_is_one_credit_and_a_half_and_a_document_a_tenth() {
        let rates = Rates::default();
        let price = |kind, texts, bytes| rates.price(kind, texts, bytes).micro();
        assert_eq!(price(TaskKind::Sentiment, 1, 100), 1_500_000);
        assert_eq!(price(TaskKind::Sentiment, 2, 1), 2_804_000, "a token that is begun is paid");
        assert_eq!(price(TaskKind::Embed, 10, 100_000), 1_000_000);
        assert_eq!(price(TaskKind::Noop, 1, 0), 1_000);
        assert_eq!(price(TaskKind::Sentiment, 0, 0), 0);
    }

    #[test]
    fn no_size_overflows() {
        let dear = Rates { document: u64::MAX, request: u64::MAX, token: u64::MAX, nothing: u64::MAX };
        for kind in TaskKind::ALL {
            assert_eq!(dear.price(*kind, usize::MAX, usize::MAX), Credits::MAX);
        }
    }
}
