//! A scripted engine behind the real control server, at the socket of a home.

use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use p2p_control::api::{
    ConfigEntry, Departure, ErrorCode, Event, EventBody, LogLine, NodeState, PauseRequest, Problem, Snapshot,
    SubmitTask, Task, TaskSummary, TrustPeer,
};
use p2p_control::{Call, LogSource, Server, Subscription};
use p2p_platform::{Home, socket::Listener};
use p2p_types::{Privacy, TaskKind};
use tokio::sync::{broadcast, mpsc, oneshot};

use crate::credits::{self, Book, Credits};
use crate::samples::{PEER, TASK, course, peer, peer_details, status, submitted};

/// What goes wrong with the script's one task.
#[derive(Debug, Clone, Default)]
pub(crate) struct Script {
    /// Places of the texts that fail.
    pub(crate) failed: Vec<usize>,
    /// The last event gets lost, and the next one tells that by its number.
    pub(crate) loses_the_end: bool,
    /// It computes until it is cancelled.
    pub(crate) never_ends: bool,
    pub(crate) credits: Credits,
}

/// What the engine was asked for.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    pub(crate) submitted: Vec<SubmitTask>,
    pub(crate) paused: Vec<PauseRequest>,
    pub(crate) trusted: Vec<TrustPeer>,
    pub(crate) cancelled: usize,
}

pub(crate) struct Engine {
    pub(crate) asked: Arc<Mutex<Asked>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Engine {
    /// Returns once the socket of `home` stands.
    pub(crate) fn start(home: &Home, script: Script) -> Self {
        home.create().expect("the home's folders");
        let asked = Arc::new(Mutex::new(Asked::default()));
        let (stop, stopped) = oneshot::channel();
        let (ready, standing) = std::sync::mpsc::channel();
        let scene = Scene::new(script, Arc::clone(&asked));
        let path = home.socket();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let listener = Listener::bind(&path).expect("the socket");
                let (calls, asking) = mpsc::channel(8);
                let logs = LogSource::new();
                for number in 0..5 {
                    let message = format!("line {number}");
                    logs.push(LogLine { at_ms: number, level: "info".into(), target: "p2p_agent".into(), message });
                }
                let server = Server::new(calls, logs, None);
                server.serve_local(listener);
                ready.send(()).expect("the test waits");
                tokio::select! {
                    () = scene.answer(asking) => {}
                    _ = stopped => {}
                }
            });
        });
        standing.recv().expect("the engine stands");
        Self { asked, stop: Some(stop), thread: Some(thread) }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the engine did not panic");
        }
    }
}

struct Scene {
    script: Script,
    asked: Arc<Mutex<Asked>>,
    events: broadcast::Sender<Arc<Event>>,
    number: u64,
    task: Option<Task>,
    book: Book,
}

impl Scene {
    fn new(script: Script, asked: Arc<Mutex<Asked>>) -> Self {
        let book = Book::new(script.credits.clone());
        Self { script, asked, events: broadcast::Sender::new(64), number: 0, task: None, book }
    }

    async fn answer(mut self, mut asking: mpsc::Receiver<Call>) {
        while let Some(call) = asking.recv().await {
            self.one(call);
        }
    }

    fn one(&mut self, call: Call) {
        let waiting = || status(NodeState::Waiting, "Waiting for work.");
        // Whoever asked may have gone.
        match call {
            Call::Status(reply) => drop(reply.send(Ok(waiting()))),
            Call::Computer(reply) => drop(reply.send(Ok(crate::computer::computer()))),
            Call::Subscribe(reply) => {
                let snapshot = Snapshot {
                    status: waiting(),
                    tasks: self.summaries(),
                    wallet: Some(credits::wallet()),
                    rows: Vec::new(),
                };
                let events = self.events.subscribe();
                drop(reply.send(Ok(Subscription { snapshot, number: self.number, events })));
                self.tell(EventBody::Status(Box::new(status(NodeState::Paused, "Paused by you."))));
            }
            Call::Pause(request, reply) => {
                self.asked().paused.push(request);
                drop(reply.send(Ok(status(NodeState::Paused, "Paused by you, for 30 min."))));
            }
            Call::Resume(reply) => drop(reply.send(Ok(waiting()))),
            Call::Submit(request, reply) => self.submit(request, reply),
            Call::Tasks(reply) => drop(reply.send(Ok(self.summaries()))),
            Call::Task(id, reply) => {
                drop(reply.send(self.task.clone().filter(|task| task.task_id == id).map_or_else(unscripted, Ok)))
            }
            Call::Cancel(_, reply) => {
                self.asked().cancelled += 1;
                if let Some(task) = &mut self.task {
                    task.state = p2p_control::api::TaskState::Cancelled;
                }
                drop(reply.send(self.task.clone().map_or_else(unscripted, Ok)));
            }
            Call::Peers(reply) => drop(reply.send(Ok(vec![peer()]))),
            Call::Peer(_, reply) => drop(reply.send(Ok(peer_details(false)))),
            Call::Trust(_, request, reply) => {
                self.asked().trusted.push(request);
                drop(reply.send(Ok(peer_details(request.trusted))));
            }
            Call::Departures(reply) => drop(reply.send(Ok(vec![departure()]))),
            Call::Config(reply) => drop(reply.send(Ok(vec![setting(9000.into())]))),
            Call::SetConfig(_, value, reply) => drop(reply.send(Ok(setting(value.value)))),
            Call::Wallet(_)
            | Call::WalletRows(..)
            | Call::WalletStats(..)
            | Call::WalletVerify(_)
            | Call::Quote(..) => self.book.answer(call),
            Call::Schedule(reply) => drop(reply.send(Ok(crate::schedule::schedule()))),
            Call::Timeline(hours, reply) => drop(reply.send(Ok(crate::schedule::timeline(hours)))),
            Call::Signals(_, reply) => drop(reply.send(Ok(()))),
            Call::Metrics(reply) => drop(reply.send(Ok("# TYPE peers gauge\npeers 1\n".to_owned()))),
            Call::Nearby(reply) => drop(reply.send(Ok(Vec::new()))),
            Call::Network(reply) => drop(reply.send(Err(Problem::new(ErrorCode::NoNetwork, "none was joined")))),
            Call::LeaveNetwork(reply) => drop(reply.send(Ok(()))),
            Call::Shutdown(reply) => drop(reply.send(unscripted())),
            Call::Identity(reply) => drop(reply.send(unscripted())),
            Call::CreateNetwork(_, reply) => drop(reply.send(unscripted())),
            Call::JoinNetwork(_, reply) => drop(reply.send(unscripted())),
            Call::Invite(reply) => drop(reply.send(unscripted())),
        }
    }

    fn submit(&mut self, request: SubmitTask, reply: p2p_control::Reply<Task>) {
        let first = submitted(&request);
        self.asked().submitted.push(request);
        drop(reply.send(Ok(first.clone())));
        let mut course = course(&first, &self.script.failed);
        if self.script.never_ends {
            course.pop();
        }
        let last = course.len() - 1;
        for (at, task) in course.into_iter().enumerate() {
            self.task = Some(task.clone());
            if at == last && self.script.loses_the_end {
                self.number += 1;
                self.tell(EventBody::Status(Box::new(status(NodeState::Waiting, "Waiting for work."))));
            } else {
                self.tell(EventBody::Task(Box::new(task)));
            }
        }
    }

    fn tell(&mut self, body: EventBody) {
        self.number += 1;
        // Nobody may be listening.
        let _ = self.events.send(Arc::new(Event { number: self.number, body }));
    }

    fn summaries(&self) -> Vec<TaskSummary> {
        self.task.iter().map(summary).collect()
    }

    fn asked(&self) -> std::sync::MutexGuard<'_, Asked> {
        self.asked.lock().expect("no panic")
    }
}

fn unscripted<T>() -> Result<T, Problem> {
    Err(Problem::new(ErrorCode::NotFound, "not in the script"))
}

fn summary(task: &Task) -> TaskSummary {
    TaskSummary {
        task_id: task.task_id,
        kind: task.kind,
        state: task.state,
        texts: task.texts,
        finished: task.finished,
        submitted_ms: task.submitted_ms,
        duration_us: task.duration_us,
        providers: task.providers.clone(),
    }
}

fn departure() -> Departure {
    Departure {
        at_ms: 1_763_646_482_123,
        to: PEER,
        task_id: TASK,
        kind: TaskKind::Sentiment,
        privacy: Privacy::Trusted,
        texts: 2,
        bytes: 31,
    }
}

fn setting(value: serde_json::Value) -> ConfigEntry {
    ConfigEntry {
        key: "network.listen_port".to_owned(),
        value,
        source: "file".to_owned(),
        help: "Port for other nodes".to_owned(),
        needs_restart: true,
    }
}
