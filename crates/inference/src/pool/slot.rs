//! One slot of the pool: at most one worker, one order at a time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use p2p_types::{Output, TextFailure};
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::time::{sleep, timeout};
use tracing::{debug, warn};

use super::process::Process;
use super::{PoolConfig, PoolEvent, Stops, Ticket, WorkOrder, lock};
use crate::wire::{Order, Reply};

/// A worker whose order nobody wants any more may finish within this time and lives on.
const STOP_GRACE: Duration = Duration::from_millis(100);
/// Workers that one order may lose before its texts have no second try. A text is blamed for the
/// end of two workers that had nothing else to do: one may end for reasons of its own. Where so
/// many end, the reason is in the texts or in the computer, and one try will do.
const SECOND_TRIES: usize = 8;

type Outcomes = Vec<Result<Output, TextFailure>>;

pub(super) struct Slot {
    config: PoolConfig,
    orders: Arc<Mutex<mpsc::Receiver<Ticket>>>,
    events: mpsc::Sender<PoolEvent>,
    stops: Stops,
    process: Option<Process>,
}

/// How an order ended that has no outcomes.
enum Ended {
    Stopped,
    Unavailable(String),
}

/// How one run of a worker ended without an answer.
enum Failed {
    Stopped,
    Deadline,
    Lost,
    Unavailable(String),
}

/// What a worker was asked.
#[derive(Clone, Copy)]
struct Asked {
    work_id: u64,
    /// Texts of the order that are done already.
    before: usize,
    texts: usize,
}

impl Slot {
    pub(super) const fn new(
        config: PoolConfig,
        orders: Arc<Mutex<mpsc::Receiver<Ticket>>>,
        events: mpsc::Sender<PoolEvent>,
        stops: Stops,
    ) -> Self {
        Self { config, orders, events, stops, process: None }
    }

    pub(super) async fn run(mut self) {
        loop {
            let next = async { self.orders.lock().await.recv().await };
            let ticket = if self.process.is_some() {
                match timeout(self.config.idle_after, next).await {
                    Ok(ticket) => ticket,
                    Err(_) => {
                        debug!("a worker without work ends");
                        self.end_process().await;
                        continue;
                    }
                }
            } else {
                next.await
            };
            let Some(ticket) = ticket else { break };
            self.serve(ticket).await;
        }
        self.end_process().await;
    }

    async fn serve(&mut self, ticket: Ticket) {
        let Ticket { order, given, mut stop } = ticket;
        let work_id = order.work_id;
        if stop.try_recv().is_ok() {
            return; // Nobody wants it any more: no worker is bothered.
        }
        let begun = Instant::now();
        let outcomes = self.compute(&order, &mut stop).await;
        lock(&self.stops).remove(&work_id);
        let event = match outcomes {
            Ok((outcomes, compute_us)) => {
                let queued_us = micros(begun - given);
                PoolEvent::Done { work_id, outcomes, queued_us, compute_us }
            }
            Err(Ended::Stopped) => return,
            Err(Ended::Unavailable(reason)) => PoolEvent::Unavailable { work_id, reason },
        };
        // Nobody to tell means that the daemon is ending.
        let _ = self.events.send(event).await;
    }

    /// The whole order in one go; where that costs a worker, text by text. Every text is tried,
    /// as far as the time goes: none fails for what another did.
    async fn compute(&mut self, order: &WorkOrder, stop: &mut oneshot::Receiver<()>) -> Result<(Outcomes, u64), Ended> {
        let end = Instant::now() + order.timeout;
        match self.attempt(order, order.texts.clone(), 0, end, stop).await {
            Ok(answer) => return Ok(answer),
            Err(Failed::Stopped) => return Err(Ended::Stopped),
            Err(Failed::Unavailable(reason)) => return Err(Ended::Unavailable(reason)),
            Err(Failed::Deadline) => {
                return Ok((vec![Err(TextFailure::Deadline); order.texts.len()], micros(order.timeout)));
            }
            Err(Failed::Lost) => {
                warn!(texts = order.texts.len(), "a worker was lost over its work; trying text by text")
            }
        }
        let mut outcomes: Outcomes = Vec::with_capacity(order.texts.len());
        let (mut lost, mut compute_us) = (1, 0);
        for text in &order.texts {
            // An order of one text has had its first try already.
            let mut lost_over_it = usize::from(order.texts.len() == 1);
            let outcome = loop {
                match self.attempt(order, vec![text.clone()], outcomes.len(), end, stop).await {
                    Ok((mut outcome, us)) => {
                        compute_us += us;
                        break outcome.pop().unwrap_or(Err(TextFailure::Model));
                    }
                    Err(Failed::Stopped) => return Err(Ended::Stopped),
                    Err(Failed::Unavailable(reason)) => return Err(Ended::Unavailable(reason)),
                    Err(Failed::Deadline) => break Err(TextFailure::Deadline),
                    Err(Failed::Lost) => {
                        (lost, lost_over_it) = (lost + 1, lost_over_it + 1);
                        if lost_over_it >= 2 || lost >= SECOND_TRIES {
                            break Err(TextFailure::WorkerLost);
                        }
                    }
                }
            };
            outcomes.push(outcome);
        }
        Ok((outcomes, compute_us))
    }

    /// One run of a worker over `texts`, which come after `before` others of the order.
    async fn attempt(
        &mut self,
        order: &WorkOrder,
        texts: Vec<String>,
        before: usize,
        end: Instant,
        stop: &mut oneshot::Receiver<()>,
    ) -> Result<(Outcomes, u64), Failed> {
        if Instant::now() >= end {
            return Err(Failed::Deadline);
        }
        let mut process = match self.process.take() {
            Some(process) => process,
            None => Process::start(&self.config).await.map_err(Failed::Unavailable)?,
        };
        let asked = Asked { work_id: order.work_id, before, texts: texts.len() };
        let message = Order::Run { id: order.work_id, kind: order.kind, texts, chunk: order.chunk };
        let events = self.events.clone();
        let mut stopped = false;
        let answer = {
            let talk = converse(&mut process, message, asked, &events);
            tokio::pin!(talk);
            tokio::select! {
                biased;
                answer = &mut talk => answer,
                Ok(()) = &mut *stop => {
                    stopped = true;
                    // Most orders are short: better a moment than a new process.
                    timeout(STOP_GRACE, talk).await.unwrap_or(Err(Failed::Stopped))
                }
                () = sleep(end.saturating_duration_since(Instant::now())) => Err(Failed::Deadline),
            }
        };
        match answer {
            Ok(_) | Err(Failed::Unavailable(_)) => self.process = Some(process),
            Err(Failed::Stopped | Failed::Deadline | Failed::Lost) => process.kill().await,
        }
        if stopped { Err(Failed::Stopped) } else { answer }
    }

    async fn end_process(&mut self) {
        if let Some(process) = self.process.take() {
            process.end().await;
        }
    }
}

/// Sends an order and reads until its answer.
async fn converse(
    process: &mut Process,
    message: Order,
    asked: Asked,
    events: &mpsc::Sender<PoolEvent>,
) -> Result<(Outcomes, u64), Failed> {
    let Asked { work_id, before, texts } = asked;
    let lost = |error: std::io::Error| {
        warn!(%error, "a worker is lost");
        Failed::Lost
    };
    process.send(&message).await.map_err(lost)?;
    loop {
        match process.receive().await.map_err(lost)? {
            Some(Reply::Done { id, outcomes, compute_us }) if id == work_id && outcomes.len() == texts => {
                return Ok((outcomes, compute_us));
            }
            Some(Reply::Progress { id, done }) if id == work_id => {
                // Only the newest counts, so one that finds no room may be lost.
                let done = done.saturating_add(u32::try_from(before).unwrap_or(u32::MAX));
                let _ = events.try_send(PoolEvent::Progress { work_id, done });
            }
            Some(Reply::Unable { id, reason }) if id == work_id => return Err(Failed::Unavailable(reason)),
            // Anything else is a worker out of step: it is not trusted any further.
            Some(_) | None => return Err(Failed::Lost),
        }
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
