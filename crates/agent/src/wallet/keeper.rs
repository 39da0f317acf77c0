//! The thread that keeps the books: a notary's log, and what the disk has of this computer's lanes. All
//! of it may take long, and the loop waits for none of it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use p2p_control::Reply;
use p2p_control::api::{ErrorCode, Problem, WalletCheck, WalletRow};
use p2p_ledger::{Committee, LaneId, Notary, Place, Statement, certificate, wire};
use p2p_protocol::{Entry, KeptVoucher, Network, Payer};
use p2p_store::{Journal, Store, StoreError};
use p2p_types::{NetworkId, Scheme};
use tokio::sync::mpsc;
use tracing::{info, warn};

use super::{check, rows};
use crate::problem;

/// Tasks that wait for the thread, and answers that wait for the loop.
const WAITING: usize = 512;
/// Rows that are shown at once.
const NEWEST: u32 = 20;
/// Certificates that are given back to a notary that lost them, at most.
const RECENT: usize = 64;

/// What the thread is asked.
pub(crate) enum Task {
    Append(Vec<u8>),
    Read { request: u64, places: Vec<Place> },
    Check(Reply<WalletCheck>),
}

/// What the thread tells.
pub(crate) enum Kept {
    Books(Box<Notary>),
    /// The log cannot be used, and why.
    NoBooks(String),
    Wallet {
        payer: Payer,
        statement: Box<Statement>,
        entries: Vec<Entry>,
        kept: Vec<KeptVoucher>,
        /// The newest certificates of them.
        recent: Vec<Vec<u8>>,
        /// Certificates on disk, damaged ones and those behind them included.
        on_disk: u64,
    },
    /// What the disk has of a lane does not add up, and why.
    NoWallet(String),
    Rows {
        newest: Vec<WalletRow>,
        next: u64,
        count: u64,
    },
    Notes {
        pool: Option<Vec<u8>>,
        mark: Option<Vec<u8>>,
        rounds: Option<Vec<u8>>,
    },
    Recorded {
        written: bool,
    },
    LogRead {
        request: u64,
        certificates: Vec<Vec<u8>>,
    },
    /// Something to tell the owner.
    Said(String),
}

/// Names of documents in the store.
pub(crate) const POOL: &str = "canary pool";
pub(crate) const MARK: &str = "canary mark";
pub(crate) const ROUNDS: &str = "canary rounds";

pub(crate) struct Keeper {
    tasks: Option<SyncSender<Task>>,
    thread: Option<JoinHandle<()>>,
}

/// What the thread works with.
pub(crate) struct Books {
    pub(crate) store: Store,
    pub(crate) network: Network,
    pub(crate) lanes: Vec<(Payer, LaneId)>,
    /// Under which the owner's rows and vouchers are kept.
    pub(crate) scope: NetworkId,
    pub(crate) scheme: Arc<dyn Scheme>,
    /// On a notary's computer.
    pub(crate) log: Option<PathBuf>,
}

impl Keeper {
    /// Begins by reading what there is.
    pub(crate) fn start(books: Books) -> (Self, mpsc::Receiver<Kept>) {
        let (tasks, asked) = sync_channel(WAITING);
        let (tell, told) = mpsc::channel(WAITING);
        let thread = std::thread::Builder::new().name("books".to_owned()).spawn(move || keep(&books, &asked, &tell));
        let thread = thread.inspect_err(|error| warn!(%error, "the books cannot be kept")).ok();
        (Self { tasks: Some(tasks), thread }, told)
    }

    /// Gives a task; it is given back where the thread is gone or far behind.
    pub(crate) fn ask(&self, task: Task) -> Result<(), Task> {
        let Some(tasks) = &self.tasks else { return Err(task) };
        tasks.try_send(task).map_err(|refused| match refused {
            TrySendError::Full(task) | TrySendError::Disconnected(task) => task,
        })
    }
}

impl Drop for Keeper {
    /// The log is free when this is over.
    fn drop(&mut self) {
        self.tasks = None;
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            warn!("the thread that keeps the books panicked");
        }
    }
}

fn keep(books: &Books, asked: &Receiver<Task>, tell: &mpsc::Sender<Kept>) {
    // Nobody listening any more is no error: the next task will not come.
    let say = |kept| drop(tell.blocking_send(kept));
    let mut journal = None;
    if let Some(path) = &books.log {
        match open_books(books, path, &say) {
            Ok((opened, notary)) => {
                journal = Some(opened);
                say(Kept::Books(Box::new(notary)));
            }
            Err(why) => say(Kept::NoBooks(why)),
        }
        say(Kept::Notes { pool: note(books, POOL), mark: note(books, MARK), rounds: note(books, ROUNDS) });
    }
    // Rows first: what the lanes learn is numbered behind them.
    match rows::newest(&books.store, books.scope, NEWEST) {
        Ok((newest, next, count)) => say(Kept::Rows { newest, next, count }),
        Err(error) => say(Kept::NoWallet(error.to_string())),
    }
    for (payer, lane) in &books.lanes {
        match load(books, *payer, *lane) {
            Ok(kept) => say(kept),
            Err(why) => say(Kept::NoWallet(why)),
        }
    }
    let checking = Arc::new(AtomicBool::new(false));
    while let Ok(task) = asked.recv() {
        match task {
            Task::Append(record) => {
                let written = journal.as_mut().map(|journal| journal.append(&record));
                if let Some(Err(error)) = &written {
                    warn!(%error, "the notary's log cannot be written");
                }
                say(Kept::Recorded { written: matches!(written, Some(Ok(()))) });
            }
            Task::Read { request, places } => {
                let certificates = journal.as_mut().map(|journal| read(journal, &books.network.id, &places));
                say(Kept::LogRead { request, certificates: certificates.unwrap_or_default() });
            }
            Task::Check(reply) => check_beside(books, &checking, reply),
        }
    }
}

/// Computes a wallet again on a thread of its own, because it may take long and others wait for the books. One
/// at a time.
fn check_beside(books: &Books, checking: &Arc<AtomicBool>, reply: Reply<WalletCheck>) {
    let owner = books.lanes.iter().find(|(payer, _)| *payer == Payer::Owner);
    let Some((_, lane)) = owner.copied() else { return };
    let busy = |why: &str| Problem::new(ErrorCode::Storage, why).with_hint("Ask again in a moment");
    if checking.swap(true, Ordering::AcqRel) {
        return drop(reply.send(Err(busy("another check of the wallet is under way"))));
    }
    let (store, network, scheme) = (books.store.clone(), books.network.clone(), Arc::clone(&books.scheme));
    let done = Arc::clone(checking);
    let check = move || {
        let checked = check(&store, &network, lane, &scheme, p2p_platform::now());
        done.store(false, Ordering::Release);
        // Whoever asked may have gone.
        let _ = reply.send(checked.map_err(|error| problem::of(ErrorCode::Storage, &error)));
    };
    if let Err(error) = std::thread::Builder::new().name("wallet check".to_owned()).spawn(check) {
        warn!(%error, "the wallet cannot be checked");
        checking.store(false, Ordering::Release);
    }
}

/// Opens the notary's log and does again what it says. What its end lost is taken back from
/// this computer's own certificates.
fn open_books(books: &Books, path: &std::path::Path, say: &impl Fn(Kept)) -> Result<(Journal, Notary), String> {
    let (mut journal, replay) = Journal::open(path).map_err(|error| error.to_string())?;
    if let Some(cut) = &replay.cut {
        warn!(kept = %cut.display(), "the notary's log ended in the middle of a record, which was cut off");
        say(Kept::Said(
            "The end of the network's books was damaged; what was lost is taken back from certificates".into(),
        ));
    }
    let mut notary = Notary::new(books.network.id, books.network.economy.clone());
    let records = replay.records.len();
    for (number, record) in replay.records.iter().enumerate() {
        notary
            .replay(&*books.scheme, record)
            .map_err(|error| format!("{}, record {number}: {error}", path.display()))?;
    }
    // A running notary does not believe a calendar that is so far ahead; whoever starts it again says that it is so.
    let now = p2p_platform::now();
    if !notary.believes(now) {
        warn!(last = notary.latest().0, "the network's books were closed for long; this start confirms the calendar");
        let day = p2p_platform::date(notary.latest());
        say(Kept::Said(format!(
            "The network's books were last written on {day}. If today's date is wrong, stop the node and set the clock"
        )));
        notary.confirm_clock(now);
    }
    let mut restored = 0;
    for (_, lane) in &books.lanes {
        let known = notary.places(lane).len();
        let entries = books.store.entries(books.network.id, *lane).map_err(|error| error.to_string())?;
        for bytes in entries.iter().skip(known) {
            let Ok(certified) = certificate::decode(bytes) else { break };
            let Ok(judged) = notary.restore(&*books.scheme, &certified) else { break };
            if let Some(record) = judged.record {
                journal.append(&record).map_err(|error| error.to_string())?;
                restored += 1;
            }
        }
    }
    info!(records, restored, epoch = notary.ledger().epoch(), "the network's books are open");
    Ok((journal, notary))
}

fn load(books: &Books, payer: Payer, lane: LaneId) -> Result<Kept, String> {
    let (store, network) = (&books.store, &books.network);
    let certificates = store.entries(network.id, lane).map_err(|error| error.to_string())?;
    let mut statement = Statement::new(lane, network.economy.clone());
    let mut entries = Vec::new();
    for (number, bytes) in (0..).zip(&certificates) {
        let Some(entry) = entry(&*books.scheme, network, &mut statement, number, bytes) else {
            // What follows is asked of the notary again.
            warn!(number, lane = %lane.device, "a certificate on disk is damaged");
            break;
        };
        entries.push(entry);
    }
    let kept = match payer {
        Payer::Owner => store.vouchers(books.scope).map_err(|error| error.to_string())?,
        Payer::Issuer => Vec::new(),
    };
    let kept = kept.into_iter().map(|(hold, signed)| KeptVoucher { hold, signed }).collect();
    let on_disk = certificates.len() as u64;
    let mut recent = certificates;
    recent.truncate(entries.len());
    recent.drain(..entries.len().saturating_sub(RECENT));
    Ok(Kept::Wallet { payer, statement: Box::new(statement), entries, kept, recent, on_disk })
}

/// What a certificate on disk did; `None` where it does not hold or does not follow.
pub(super) fn entry(
    scheme: &dyn Scheme,
    network: &Network,
    statement: &mut Statement,
    number: u64,
    bytes: &[u8],
) -> Option<Entry> {
    let committee = Committee::new(network.committee.clone());
    let certified = certificate::decode(bytes).ok()?;
    let order = certificate::verify(scheme, &network.id, &committee, &certified).ok()?;
    let at = certificate::voted_at(&certified)?;
    let movements = statement.take(at, &order).ok()?;
    Some(Entry { lane: statement.lane(), number, at, order, movements })
}

fn read(journal: &mut Journal, network: &NetworkId, places: &[Place]) -> Vec<Vec<u8>> {
    let mut certificates = Vec::new();
    let mut record: Option<(u64, Vec<wire::Certificate>)> = None;
    for place in places {
        if record.as_ref().is_none_or(|(number, _)| *number != place.record) {
            record = of_record(journal, network, place.record).map(|read| (place.record, read));
        }
        let found = record.as_ref().and_then(|(_, found)| found.get(usize::try_from(place.index).ok()?));
        // What is missing would leave a gap, and nobody could use what follows.
        let Some(found) = found else { break };
        certificates.push(certificate::encode(found));
    }
    certificates
}

fn of_record(journal: &mut Journal, network: &NetworkId, number: u64) -> Option<Vec<wire::Certificate>> {
    let record = journal.read(number).inspect_err(|error| warn!(%error, number, "a record cannot be read")).ok()?;
    let certificates = certificate::of_record(network, &record).ok()?;
    Some(certificates.into_iter().map(|(_, certificate)| certificate).collect())
}

fn note(books: &Books, name: &'static str) -> Option<Vec<u8>> {
    books
        .store
        .note(books.network.id, name)
        .inspect_err(|error: &StoreError| warn!(%error, name, "not readable"))
        .ok()?
}
