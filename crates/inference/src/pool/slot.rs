//! One slot of the pool: at most one worker, one order at a time.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use p2p_types::{Output, TextFailure};
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};
use tracing::{debug, warn};

use super::leash::Leash;
use super::process::{Process, WORKER_MEMORY};
use super::tally::Tally;
use super::{Class, PoolEvent, Shared, Ticket, WorkOrder, lock};
use crate::unable::Unable;
use crate::wire::{Order, RUN_TOKENS, Reply};

/// A worker whose order nobody wants any more may finish within this time and lives on.
const STOP_GRACE: Duration = Duration::from_millis(100);
/// Workers that one order may lose before its texts have no second try. A text is blamed for the
/// end of two workers that had nothing else to do: one may end for reasons of its own. Where so
/// many end, the reason is in the texts or in the computer, and one try will do.
const SECOND_TRIES: usize = 8;

type Outcomes = Vec<Result<Output, TextFailure>>;

pub(super) struct Slot {
    number: usize,
    shared: Shared,
    process: Option<Process>,
    /// Whether its worker was busy for a guest last.
    for_guests: bool,
}

/// How an order ended that has no outcomes.
enum Ended {
    Stopped,
    Unavailable(Unable),
}

/// How one run of a worker ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Run {
    Done,
    /// The order's time is over.
    Late,
    Lost,
}

/// An order at work.
struct Job<'a> {
    order: &'a WorkOrder,
    end: Instant,
    tally: Tally,
}

impl Slot {
    pub(super) const fn new(number: usize, shared: Shared) -> Self {
        Self { number, shared, process: None, for_guests: false }
    }

    pub(super) async fn run(mut self) {
        let mut next = self.shared.orders.next(self.number, false);
        while let Some(ticket) = self.take(next).await {
            let event = self.serve(ticket).await;
            // In line before the event is out: whoever hears it may have the next order at hand.
            next = self.shared.orders.next(self.number, self.process.is_some());
            if let Some(event) = event {
                // Nobody to tell means that the daemon is ending.
                let _ = self.shared.events.send(event).await;
            }
        }
        self.end_process(false).await;
    }

    /// The next order; a worker that waits too long for it ends, and one of guests when they are
    /// halted: its memory is wanted back.
    async fn take(&mut self, mut next: oneshot::Receiver<Ticket>) -> Option<Ticket> {
        if self.process.is_some() {
            let halted = tokio::select! {
                biased;
                ticket = &mut next => return ticket.ok(),
                () = self.shared.leash.until_halted(), if self.for_guests => true,
                () = sleep(self.shared.config.idle_after) => false,
            };
            // An order may have come in this very moment. Else none comes to a slot that is busy
            // with a farewell.
            if self.shared.orders.withdraw(self.number) {
                debug!(halted, "a worker without work ends");
                self.end_process(halted).await;
                next = self.shared.orders.next(self.number, false);
            }
        }
        next.await.ok()
    }

    /// What there is to say of an order when it has ended.
    async fn serve(&mut self, ticket: Ticket) -> Option<PoolEvent> {
        let Ticket { order, given, mut stop } = ticket;
        let work_id = order.work_id;
        if stop.try_recv().is_ok() {
            return None; // Nobody wants it any more: no worker is bothered.
        }
        let begun = Instant::now();
        let outcomes = self.compute(&order, &mut stop).await;
        lock(&self.shared.stops).remove(&work_id);
        match outcomes {
            Ok((outcomes, compute_us)) => {
                let queued_us = micros(begun - given);
                Some(PoolEvent::Done { work_id, outcomes, queued_us, compute_us })
            }
            Err(Ended::Stopped) => None,
            Err(Ended::Unavailable(why)) => Some(PoolEvent::Unavailable { work_id, why }),
        }
    }

    /// What becomes of an order's texts. Where no worker can be had any more, those that one has
    /// answered keep their outcomes: they cost time that would be spent again elsewhere.
    async fn compute(&mut self, order: &WorkOrder, stop: &mut oneshot::Receiver<()>) -> Result<(Outcomes, u64), Ended> {
        let tally = Tally::new(order.texts.len());
        let mut job = Job { order, end: Instant::now() + order.timeout, tally };
        let failure = match self.work_off(&mut job, stop).await {
            Ok(()) => TextFailure::Deadline,
            Err(Ended::Unavailable(why)) if job.tally.answered() => {
                warn!(done = job.tally.done(), reason = why.reason, "no worker for the rest of an order");
                TextFailure::WorkerLost
            }
            Err(ended) => return Err(ended),
        };
        let compute_us = micros(job.tally.computing);
        Ok((job.tally.close(failure), compute_us))
    }

    /// The whole order in one go; where that costs a worker, what it left text by text. Every text
    /// is tried, as far as the time goes: none fails for what another did.
    async fn work_off(&mut self, job: &mut Job<'_>, stop: &mut oneshot::Receiver<()>) -> Result<(), Ended> {
        let all = job.tally.open();
        let mut lost = 0;
        if self.attempt(job, &all, stop).await? == Run::Lost {
            lost += 1;
            let left = job.tally.open();
            warn!(texts = left.len(), "a worker was lost over its work; trying text by text");
            for text in left {
                // An order of one text has had its first try already.
                let mut lost_over_it = usize::from(all.len() == 1);
                while self.attempt(job, &[text], stop).await? == Run::Lost {
                    (lost, lost_over_it) = (lost + 1, lost_over_it + 1);
                    if lost_over_it >= 2 || lost >= SECOND_TRIES || job.tally.has(&[text]) {
                        job.tally.give_up(text, TextFailure::WorkerLost);
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    /// One run of a worker over some texts of the order. What it finishes is in the tally, however
    /// the run ends.
    async fn attempt(
        &mut self,
        job: &mut Job<'_>,
        texts: &[usize],
        stop: &mut oneshot::Receiver<()>,
    ) -> Result<Run, Ended> {
        let Some(left) = job.end.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) else {
            return Ok(Run::Late);
        };
        self.for_guests = job.order.class == Class::Guest;
        let leash = self.for_guests.then_some(&self.shared.leash);
        let mut process = match self.process.take() {
            Some(process) => process,
            None => match self.begin(leash, left, stop).await? {
                Some(process) => process,
                None => return Ok(Run::Late),
            },
        };
        if let Some(leash) = leash {
            process.tie(leash, false).map_err(Ended::Unavailable)?;
        }
        *self.shared.reached.lock().unwrap_or_else(PoisonError::into_inner) = Some(process.level);
        let (begun, before) = (Instant::now(), job.tally.computing);
        let left = job.end.saturating_duration_since(begun);
        let mut stopped = false;
        let run = {
            let run_tokens = leash.map_or(RUN_TOKENS, Leash::run_tokens);
            let talk = converse(&mut process, job, texts, run_tokens, &self.shared);
            tokio::pin!(talk);
            tokio::select! {
                biased;
                run = &mut talk => run,
                Ok(()) = &mut *stop => {
                    stopped = true;
                    if leash.is_some_and(Leash::halted) {
                        // It will not finish, and its memory is wanted back.
                        Err(Ended::Stopped)
                    } else {
                        // Most orders are short: better a moment than a new process.
                        timeout(STOP_GRACE, talk).await.unwrap_or(Err(Ended::Stopped))
                    }
                }
                () = sleep(left) => Ok(Run::Late),
            }
        };
        match run {
            Ok(Run::Done) | Err(Ended::Unavailable(_)) => {
                process.untie();
                self.process = Some(process);
            }
            Ok(Run::Late | Run::Lost) | Err(Ended::Stopped) => process.kill().await,
        }
        if matches!(run, Ok(Run::Late)) {
            job.tally.computing = before + left;
        }
        if stopped { Err(Ended::Stopped) } else { run }
    }

    /// A new worker; `None` where it takes more time than there is. One that is held may take any.
    async fn begin(
        &self,
        leash: Option<&Leash>,
        left: Duration,
        stop: &mut oneshot::Receiver<()>,
    ) -> Result<Option<Process>, Ended> {
        let memory = leash.map_or(WORKER_MEMORY, Leash::worker_bytes);
        let mut process = Process::start(&self.shared, leash).map_err(Ended::Unavailable)?;
        let greeted = tokio::select! {
            biased;
            Ok(()) = &mut *stop => Err(Ended::Stopped),
            greeted = process.greet(&self.shared.config, memory) => greeted.map(Some).map_err(Ended::Unavailable),
            () = sleep(left) => Ok(None),
        };
        match greeted {
            Ok(Some(())) => Ok(Some(process)),
            Ok(None) => {
                process.kill().await;
                Ok(None)
            }
            Err(ended) => {
                process.kill().await;
                Err(ended)
            }
        }
    }

    async fn end_process(&mut self, at_once: bool) {
        match self.process.take() {
            Some(process) if at_once => process.kill().await,
            Some(process) => process.end().await,
            None => {}
        }
    }
}

/// Sends texts of an order and reads until the worker has answered them all.
async fn converse(
    process: &mut Process,
    job: &mut Job<'_>,
    texts: &[usize],
    run_tokens: u32,
    shared: &Shared,
) -> Result<Run, Ended> {
    let Job { order, tally, .. } = job;
    let work_id = order.work_id;
    let (begun, before) = (Instant::now(), tally.computing);
    let lost = |error: std::io::Error| {
        warn!(%error, "a worker is lost");
        Ok(Run::Lost)
    };
    let asked = texts.iter().filter_map(|&text| order.texts.get(text).cloned()).collect();
    let message = Order::Run { id: work_id, kind: order.kind, texts: asked, chunk: order.chunk, run_tokens };
    if let Err(error) = process.send(&message).await {
        return lost(error);
    }
    loop {
        match process.receive().await {
            Ok(Some(Reply::Done { id, finished, compute_us, pace })) if id == work_id => {
                if !tally.note(texts, finished) || !tally.has(texts) {
                    return Ok(Run::Lost);
                }
                shared.spending.computed(pace);
                tally.computing = before + Duration::from_micros(compute_us);
                return Ok(Run::Done);
            }
            Ok(Some(Reply::Progress { id, finished })) if id == work_id => {
                if !tally.note(texts, finished) {
                    return Ok(Run::Lost);
                }
                tally.computing = before + begun.elapsed();
                // Only the newest counts, so one that finds no room may be lost.
                let done = u32::try_from(tally.done()).unwrap_or(u32::MAX);
                let _ = shared.events.try_send(PoolEvent::Progress { work_id, done });
            }
            Ok(Some(Reply::Unable { id, why })) if id == work_id => return Err(Ended::Unavailable(why)),
            // Anything else is a worker out of step: it is not trusted any further.
            Ok(Some(_) | None) => return Ok(Run::Lost),
            Err(error) => return lost(error),
        }
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
