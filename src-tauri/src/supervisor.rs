//! Keeps a daemon at the other end: finds the one that runs, starts one where none does, brings
//! back one that crashed, and leaves alone one that somebody else started or stopped.

mod course;
mod daemon;

use std::sync::Arc;
use std::time::{Duration, Instant};

use course::{Course, Ended, Step};
use daemon::Daemon;
use p2p_control::Client;
use p2p_control::api::{ErrorCode, EventBody, Problem, Status};
use p2p_platform::Home;
use serde::Serialize;
use tokio::sync::{mpsc, oneshot, watch};

/// Between two looks for a daemon that somebody else may start.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Between the end of a stream and the next look at who it came from.
const RECONNECT_AFTER: Duration = Duration::from_millis(50);
/// Orders that wait; each is an answer to a click.
const ORDERS: usize = 8;

/// Whether the daemon can be reached, as the window is told.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub(crate) enum Link {
    Starting,
    Open,
    Unreachable { problem: Problem },
}

/// What is known of the daemon.
#[derive(Debug, Clone)]
pub(crate) struct View {
    pub(crate) link: Link,
    /// What it said last; only true while the link is open.
    pub(crate) status: Option<Arc<Status>>,
}

enum Order {
    Start(oneshot::Sender<Result<(), Problem>>),
    Quit(oneshot::Sender<()>),
}

/// The handle of the one task that keeps the daemon.
#[derive(Debug, Clone)]
pub(crate) struct Supervisor {
    orders: mpsc::Sender<Order>,
    view: watch::Receiver<View>,
}

impl Supervisor {
    /// The supervisor of this home's daemon, and the task that must be spawned for it.
    pub(crate) fn new(home: Home) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let (orders, inbox) = mpsc::channel(ORDERS);
        let (show, view) = watch::channel(View { link: Link::Starting, status: None });
        let keeper = Keeper { home, orders: inbox, show, daemon: None, course: Course::default(), waiting: None };
        (Self { orders, view }, keeper.run())
    }

    /// What is known now, and every change.
    pub(crate) fn view(&self) -> watch::Receiver<View> {
        self.view.clone()
    }

    /// Starts a daemon where none runs.
    ///
    /// # Errors
    /// Why it did not start.
    pub(crate) async fn start(&self) -> Result<(), Problem> {
        let (reply, answer) = oneshot::channel();
        let gone = || Problem::new(ErrorCode::Internal, "the app is quitting");
        self.orders.send(Order::Start(reply)).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }

    /// Ends the daemon that this app started, if it did, and returns when it has ended.
    pub(crate) async fn quit(&self) {
        let (reply, answer) = oneshot::channel();
        if self.orders.send(Order::Quit(reply)).await.is_ok() {
            // Nobody there to answer means that there is nothing left to end.
            let _ = answer.await;
        }
    }
}

struct Keeper {
    home: Home,
    orders: mpsc::Receiver<Order>,
    show: watch::Sender<View>,
    /// The daemon that this app started.
    daemon: Option<Daemon>,
    course: Course,
    /// Who asked for a start that is under way.
    waiting: Option<oneshot::Sender<Result<(), Problem>>>,
}

impl Keeper {
    async fn run(mut self) {
        loop {
            let order = match Client::connect(&self.home.socket()).await {
                Ok(client) => match self.follow(&client).await {
                    Some(order) => Some(order),
                    // A stream that ends is no daemon that ended: the next look tells.
                    None => self.pause(RECONNECT_AFTER).await,
                },
                Err(problem) => self.recover(problem).await,
            };
            match order {
                Some(Order::Quit(done)) => {
                    self.end().await;
                    // The app that asked may have gone already.
                    let _ = done.send(());
                    return;
                }
                Some(Order::Start(reply)) => self.begin(Some(reply)).await,
                None => {}
            }
        }
    }

    /// Passes on what the daemon says, until it says no more.
    async fn follow(&mut self, client: &Client) -> Option<Order> {
        let mut events = match client.events().await {
            Ok(events) => events,
            Err(problem) => {
                tracing::warn!("the daemon gives no events: {problem}");
                return None;
            }
        };
        loop {
            tokio::select! {
                event = events.next() => match event {
                    Some(Ok(event)) => match event.body {
                        EventBody::Snapshot(snapshot) => self.arrived(snapshot.status),
                        EventBody::Status(status) => self.show(Link::Open, Some(*status)),
                        EventBody::Task(_) | EventBody::Wallet(_) | EventBody::Row(_) => {}
                    },
                    Some(Err(problem)) => {
                        tracing::warn!("the daemon's events ended: {problem}");
                        return None;
                    }
                    None => return None,
                },
                order = self.orders.recv() => match order {
                    // It runs: there is nothing to start.
                    Some(Order::Start(reply)) => drop(reply.send(Ok(()))),
                    Some(order) => return Some(order),
                    None => std::future::pending().await,
                },
            }
        }
    }

    fn arrived(&mut self, status: Status) {
        if self.daemon.as_ref().is_some_and(|daemon| daemon.id() != Some(status.pid)) {
            // Another daemon was quicker; ours has seen that and ends by itself.
            self.daemon = None;
        }
        self.course.arrived(Instant::now());
        self.answer(Ok(()));
        self.show(Link::Open, Some(status));
    }

    /// Decides what follows when nobody answers, and waits as long as that asks for.
    async fn recover(&mut self, problem: Problem) -> Option<Order> {
        let ended = match &mut self.daemon {
            None => Ended::NotOurs,
            Some(daemon) => match daemon.ended().await {
                None => Ended::StillThere,
                Some(Ok(())) => Ended::Cleanly,
                Some(Err(problem)) => Ended::Crashed(Box::new(problem)),
            },
        };
        if !matches!(ended, Ended::NotOurs | Ended::StillThere) {
            self.daemon = None;
        }
        match self.course.lost(Instant::now(), ended, problem) {
            Step::Start => {
                self.begin(None).await;
                None
            }
            Step::StartAfter(pause) => {
                self.show(Link::Starting, None);
                let order = self.pause(pause).await;
                if order.is_none() {
                    self.begin(None).await;
                }
                order
            }
            Step::LookAgain(pause) => self.pause(pause).await,
            Step::Wait(problem) => {
                self.answer(Err(problem.clone()));
                self.show(Link::Unreachable { problem }, None);
                self.pause(LOOK_EVERY).await
            }
        }
    }

    async fn pause(&mut self, pause: Duration) -> Option<Order> {
        tokio::select! {
            () = tokio::time::sleep(pause) => None,
            Some(order) = self.orders.recv() => Some(order),
        }
    }

    async fn begin(&mut self, reply: Option<oneshot::Sender<Result<(), Problem>>>) {
        if reply.is_some() {
            self.waiting = reply;
        }
        self.show(Link::Starting, None);
        match daemon::start(&self.home).await {
            Ok(daemon) => {
                self.daemon = Some(daemon);
                self.course.started(Instant::now());
            }
            Err(problem) => {
                self.course.failed(problem.clone());
                self.answer(Err(problem));
            }
        }
    }

    async fn end(&mut self) {
        if let Some(daemon) = self.daemon.take() {
            daemon.stop(&self.home.socket()).await;
        }
    }

    fn answer(&mut self, answer: Result<(), Problem>) {
        if let Some(waiting) = self.waiting.take() {
            // Whoever asked may have closed the window since.
            let _ = waiting.send(answer);
        }
    }

    fn show(&self, link: Link, status: Option<Status>) {
        self.show.send_if_modified(|view| {
            let changed = view.link != link || status.is_some();
            view.link = link;
            if let Some(status) = status {
                view.status = Some(Arc::new(status));
            }
            changed
        });
    }
}
