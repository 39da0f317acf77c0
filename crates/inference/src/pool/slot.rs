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
/// Workers that one order may cost.
const MOST_LOST: usize = 3;

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

    /// The whole order in one go; where that costs a worker, what is left text by text.
    async fn compute(&mut self, order: &WorkOrder, stop: &mut oneshot::Receiver<()>) -> Result<(Outcomes, u64), Ended> {
        let end = Instant::now() + order.timeout;
        match self.attempt(order, order.texts.clone(), end, stop).await {
            Ok(answer) => return Ok(answer),
            Err(Failed::Stopped) => return Err(Ended::Stopped),
            Err(Failed::Unavailable(reason)) => return Err(Ended::Unavailable(reason)),
            Err(Failed::Deadline) => {
                return Ok((vec![Err(TextFailure::Deadline); order.texts.len()], micros(order.timeout)));
            }
            Err(Failed::Lost) => warn!(texts = order.texts.len(), "a worker ended over its work; trying text by text"),
        }
        let mut outcomes: Outcomes = Vec::with_capacity(order.texts.len());
        let (mut lost, mut compute_us) = (1, 0);
        for text in &order.texts {
            if lost >= MOST_LOST {
                outcomes.push(Err(TextFailure::WorkerLost));
                continue;
            }
            match self.attempt(order, vec![text.clone()], end, stop).await {
                Ok((mut outcome, us)) => {
                    outcomes.append(&mut outcome);
                    compute_us += us;
                }
                Err(Failed::Stopped) => return Err(Ended::Stopped),
                Err(Failed::Unavailable(reason)) => return Err(Ended::Unavailable(reason)),
                Err(Failed::Deadline) => outcomes.push(Err(TextFailure::Deadline)),
                Err(Failed::Lost) => {
                    lost += 1;
                    outcomes.push(Err(TextFailure::WorkerLost));
                }
            }
        }
        Ok((outcomes, compute_us))
    }

    async fn attempt(
        &mut self,
        order: &WorkOrder,
        texts: Vec<String>,
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
        let expected = texts.len();
        let message = Order::Run { id: order.work_id, kind: order.kind, texts, chunk: order.chunk };
        let events = self.events.clone();
        let mut stopped = false;
        let answer = {
            let talk = converse(&mut process, message, order.work_id, expected, &events);
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
    work_id: u64,
    expected: usize,
    events: &mpsc::Sender<PoolEvent>,
) -> Result<(Outcomes, u64), Failed> {
    let lost = |error: std::io::Error| {
        debug!(%error, "a worker cannot be understood any more");
        Failed::Lost
    };
    process.send(&message).await.map_err(lost)?;
    loop {
        match process.receive().await.map_err(lost)? {
            Some(Reply::Done { id, outcomes, compute_us }) if id == work_id && outcomes.len() == expected => {
                return Ok((outcomes, compute_us));
            }
            Some(Reply::Progress { id, done }) if id == work_id => {
                // Only the newest counts, so one that finds no room may be lost.
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
