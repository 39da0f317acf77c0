//! What is known of an order's texts so far. A worker that ends takes nothing of it away.

use std::time::Duration;

use p2p_types::{Output, TextFailure};

use crate::wire::Finished;

type Outcome = Result<Output, TextFailure>;

#[derive(Debug)]
pub(super) struct Tally {
    outcomes: Vec<Option<Outcome>>,
    /// Time of workers that went into it.
    pub(super) computing: Duration,
}

impl Tally {
    pub(super) fn new(texts: usize) -> Self {
        Self { outcomes: vec![None; texts], computing: Duration::ZERO }
    }

    /// The texts without an outcome.
    pub(super) fn open(&self) -> Vec<usize> {
        let texts = self.outcomes.iter().enumerate();
        texts.filter(|(_, outcome)| outcome.is_none()).map(|(text, _)| text).collect()
    }

    /// How many texts have an outcome.
    pub(super) fn done(&self) -> usize {
        self.outcomes.iter().flatten().count()
    }

    /// Whether a worker has answered any text. That a text was given up is no answer.
    pub(super) fn answered(&self) -> bool {
        self.outcomes.iter().flatten().any(|outcome| *outcome != Err(TextFailure::WorkerLost))
    }

    /// Notes what a worker says of the texts it was asked for; `false` where it says what it was
    /// not asked, or says it twice: the rest of its words are worth nothing then.
    pub(super) fn note(&mut self, asked: &[usize], finished: Vec<Finished>) -> bool {
        for (place, outcome) in finished {
            let text = usize::try_from(place).ok().and_then(|place| asked.get(place));
            match text.and_then(|&text| self.outcomes.get_mut(text)) {
                Some(none @ None) => *none = Some(outcome),
                Some(Some(_)) | None => return false,
            }
        }
        true
    }

    /// Whether all these texts have their outcomes.
    pub(super) fn has(&self, texts: &[usize]) -> bool {
        texts.iter().all(|&text| matches!(self.outcomes.get(text), Some(Some(_))))
    }

    /// What is to be said of a text that no worker answers.
    pub(super) fn give_up(&mut self, text: usize, failure: TextFailure) {
        if let Some(none @ None) = self.outcomes.get_mut(text) {
            *none = Some(Err(failure));
        }
    }

    /// One outcome for each text: `failure` where there is none yet.
    pub(super) fn close(self, failure: TextFailure) -> Vec<Outcome> {
        self.outcomes.into_iter().map(|outcome| outcome.unwrap_or(Err(failure))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OK: Outcome = Ok(Output::Nothing);

    #[test]
    fn what_is_finished_is_kept_and_only_the_rest_fails() {
        let mut tally = Tally::new(4);
        assert!(tally.note(&[0, 1, 2, 3], vec![(2, OK), (0, Err(TextFailure::Empty))]));
        assert_eq!((tally.open(), tally.done()), (vec![1, 3], 2));
        // The next worker is asked for the rest, and counts from 0.
        assert!(tally.note(&[1, 3], vec![(1, OK)]));
        assert!(tally.has(&[0, 2, 3]) && !tally.has(&[1, 3]));
        let late = Err(TextFailure::Deadline);
        assert_eq!(tally.close(TextFailure::Deadline), [Err(TextFailure::Empty), late, OK, OK]);
    }

    #[test]
    fn a_text_that_was_given_up_has_no_answer() {
        let mut tally = Tally::new(2);
        tally.give_up(0, TextFailure::WorkerLost);
        assert!(tally.done() == 1 && !tally.answered());
        assert!(tally.note(&[1], vec![(0, Err(TextFailure::Empty))]));
        assert!(tally.answered());
    }

    #[test]
    fn a_worker_out_of_step_changes_nothing_that_is_known() {
        let mut tally = Tally::new(3);
        assert!(tally.note(&[0, 1], vec![(0, OK)]));
        assert!(!tally.note(&[0, 1], vec![(0, Err(TextFailure::Model))]), "it was said already");
        assert!(!tally.note(&[0, 1], vec![(2, OK)]), "it was not asked");
        tally.give_up(0, TextFailure::WorkerLost);
        tally.give_up(1, TextFailure::WorkerLost);
        assert_eq!(tally.close(TextFailure::Deadline), [OK, Err(TextFailure::WorkerLost), Err(TextFailure::Deadline)]);
    }
}
