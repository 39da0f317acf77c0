//! Answers that wait until what they tell of is on disk: durable before visible.

use std::ops::RangeInclusive;

/// Answers that wait, each for some commits of one mutation.
#[derive(Debug)]
pub(super) struct Written<T> {
    waiting: Vec<(RangeInclusive<u64>, T)>,
}

impl<T> Default for Written<T> {
    fn default() -> Self {
        Self { waiting: Vec::new() }
    }
}

impl<T> Written<T> {
    /// `answer` waits for the commits of these tokens.
    pub(super) fn wait(&mut self, tokens: RangeInclusive<u64>, answer: T) {
        self.waiting.push((tokens, answer));
    }

    /// The commit of `token` ended, well or not: the answers that can be given now. Commits end in
    /// order, so the last one that ends well says that all did.
    pub(super) fn ended(&mut self, token: u64, well: bool) -> Vec<T> {
        let decided =
            |tokens: &RangeInclusive<u64>| if well { *tokens.end() == token } else { tokens.contains(&token) };
        self.waiting.extract_if(.., |(tokens, _)| decided(tokens)).map(|(_, answer)| answer).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_waits_for_the_last_of_its_commits() {
        let mut written = Written::default();
        written.wait(3..=4, "one");
        written.wait(5..=5, "other");
        assert!(written.ended(2, true).is_empty());
        assert!(written.ended(3, true).is_empty());
        assert_eq!(written.ended(4, true), ["one"]);
        assert_eq!(written.ended(5, true), ["other"]);
    }

    #[test]
    fn one_commit_that_fails_decides() {
        let mut written = Written::default();
        written.wait(3..=5, "one");
        assert_eq!(written.ended(4, false), ["one"]);
        assert!(written.ended(5, true).is_empty(), "it has its answer");
    }
}
