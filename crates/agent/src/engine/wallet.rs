//! Credits in the loop: what is on disk of them is read beside it, what changes is kept and told.

use std::collections::VecDeque;

use p2p_control::Reply;
use p2p_control::api::{
    ErrorCode, NotaryState, Problem, Quote, SubmitTask, Wallet, WalletCheck, WalletDay, WalletPage, WalletRow,
    WalletRows, WalletStats, WalletSums,
};
use p2p_ledger::{Place, day};
use p2p_protocol::{Entry, Input, Payer, TaskRequest};
use p2p_store::{Record, Store, Sums};
use p2p_types::{AccountId, Credits, NetworkId, Placement, Privacy, Timestamp};
use tokio::sync::mpsc;
use tracing::{error, warn};

use super::{Engine, storage_problem};
use crate::clock::now;
use crate::wallet::{self, Keeper, Kept, Task};

/// Rows that are shown at once.
const NEWEST: usize = 20;
/// Texts that one computer gets at most, in one part.
const PART_TEXTS: usize = p2p_types::limits::SUBTASK_TEXTS;
const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// What the loop knows of the wallet beside what the machine does.
#[derive(Default)]
pub(super) struct Purse {
    keeper: Option<Keeper>,
    /// The next row's number, once it is known.
    next: Option<u64>,
    rows: u64,
    /// Certificates of the owner's lane that the disk had at the start.
    on_disk: u64,
    /// Newest first.
    newest: VecDeque<WalletRow>,
    /// What was earned on a day.
    earned: (u32, u64),
    /// Why the wallet or the books cannot be used.
    pub(super) trouble: Option<String>,
    pub(super) changed: bool,
    /// To be told.
    pub(super) untold: Vec<WalletRow>,
    pub(super) last: Option<Wallet>,
}

impl Engine<'_> {
    /// Begins to read what the disk has. Nothing is told where the node is in no network.
    pub(super) fn open_books(&mut self) -> mpsc::Receiver<Kept> {
        let (Some(network), Some(lanes)) = (self.parts.node.network(), &self.parts.lanes) else {
            return mpsc::channel(1).1;
        };
        let log = lanes.notary.then(|| self.parts.home.ledger_file(&network.id.short()));
        let books = wallet::Books {
            store: self.parts.store.clone(),
            network: network.clone(),
            lanes: lanes.all().collect(),
            scope: lanes.scope,
            scheme: lanes.scheme.clone(),
            log,
        };
        let (keeper, kept) = Keeper::start(books);
        self.purse.keeper = Some(keeper);
        kept
    }

    /// Ends the thread that keeps the books; what it was given is on disk then.
    pub(super) fn close_books(&mut self) {
        self.purse.keeper = None;
    }

    pub(super) fn on_kept(&mut self, kept: Kept) {
        match kept {
            Kept::Books(notary) => self.feed(Input::Books { notary }),
            Kept::NoBooks(why) => {
                error!(why, "the network's books cannot be opened");
                self.purse.trouble = Some(format!("The network's books cannot be opened: {why}"));
            }
            Kept::Wallet { payer, statement, entries, kept, recent, on_disk } => {
                if payer == Payer::Owner {
                    let today = day(now().wall);
                    let of_today = entries.iter().filter(|entry| day(entry.at) == today);
                    of_today.for_each(|entry| self.count_earned(entry));
                    self.purse.on_disk = on_disk;
                }
                self.feed(Input::Recall { payer, certificates: recent });
                self.feed(Input::Wallet { payer, statement, entries, kept });
            }
            Kept::NoWallet(why) => {
                error!(why, "the wallet cannot be read");
                self.purse.trouble = Some(format!("The wallet cannot be read: {why}"));
            }
            Kept::Rows { newest, next, count } => {
                self.purse.next = Some(self.purse.next.unwrap_or(0).max(next));
                self.purse.rows += count;
                self.purse.newest.extend(newest);
                self.purse.newest.truncate(NEWEST);
            }
            Kept::Notes { pool, mark, rounds } => self.begin_canaries(pool, mark, rounds),
            Kept::Recorded { written } => {
                if !written {
                    self.purse.trouble =
                        Some("The network's books cannot be written: check the disk's room".to_owned());
                }
                self.feed(Input::Recorded { written });
            }
            Kept::LogRead { request, certificates } => self.feed(Input::LogRead { request, certificates }),
            Kept::Said(sentence) => self.parts.warnings.push(sentence),
        }
        self.purse.changed = true;
        self.node_changed = true;
    }

    pub(super) fn append_record(&mut self, record: Vec<u8>) {
        let asked = self.purse.keeper.as_ref().map(|keeper| keeper.ask(Task::Append(record)));
        if !matches!(asked, Some(Ok(()))) {
            // There is one record at a time, so the thread is gone.
            self.feed_later(Input::Recorded { written: false });
        }
    }

    pub(super) fn read_log(&mut self, request: u64, places: Vec<Place>) {
        let asked = self.purse.keeper.as_ref().map(|keeper| keeper.ask(Task::Read { request, places }));
        if !matches!(asked, Some(Ok(()))) {
            warn!(request, "too much is asked of the network's books");
            self.feed_later(Input::LogRead { request, certificates: Vec::new() });
        }
    }

    /// What is kept of an order that touched a lane of this computer.
    pub(super) fn entry_records(&mut self, entry: &Entry, certificate: Vec<u8>) -> Vec<Record> {
        let Some(network) = self.parts.node.network().map(|network| network.id) else { return Vec::new() };
        let Some(scope) = self.parts.lanes.as_ref().map(|lanes| lanes.scope) else { return Vec::new() };
        let mut records = vec![Record::Entry { network, lane: entry.lane, number: entry.number, certificate }];
        if self.parts.lanes.as_ref().is_some_and(|lanes| lanes.owner == entry.lane) {
            self.count_earned(entry);
            let next = self.purse.next.unwrap_or(1);
            // One that stands in for a certificate that was damaged: most likely its rows are there, and are
            // not written twice.
            let again = entry.number < self.purse.on_disk;
            for (row, sums) in wallet::rows_of(entry, next, self.issuer()) {
                records.extend(wallet::record(scope, &row, sums));
                self.purse.next = Some(row.number + 1);
                if again {
                    continue;
                }
                self.purse.rows += 1;
                self.purse.newest.push_front(row.clone());
                self.purse.untold.push(row);
            }
            self.purse.newest.truncate(NEWEST);
        }
        self.purse.changed = true;
        records
    }

    /// Whose payments are for canaries.
    fn issuer(&self) -> Option<AccountId> {
        self.parts.node.network().map(|network| network.economy.issuer)
    }

    fn count_earned(&mut self, entry: &Entry) {
        let earned = wallet::rows_of(entry, 0, self.issuer()).iter().map(|(_, sums)| sums.earned).sum::<i64>();
        let day = day(entry.at);
        if self.purse.earned.0 != day {
            self.purse.earned = (day, 0);
        }
        self.purse.earned.1 = self.purse.earned.1.saturating_add(u64::try_from(earned).unwrap_or(0));
    }

    /// The wallet as it is shown; `None` outside a network.
    pub(super) fn wallet(&self) -> Option<Wallet> {
        let node = &self.parts.node;
        let (network, now) = (node.network()?, now());
        let balance = node.balance(Payer::Owner, now)?;
        let (notary, reachable) = node.notary()?;
        let pending: Credits = node.pending().map(|pending| pending.amount).sum();
        let own = notary == self.parts.identity.device_id;
        let limits = self.parts.config.wallet.clone();
        let available = [balance.earned, balance.granted, balance.free].into_iter().sum::<Credits>();
        let earned_today = if self.purse.earned.0 == day(now.wall) { self.purse.earned.1 } else { 0 };
        Some(Wallet {
            account: balance.lane.account,
            device: balance.lane.device,
            network: network.name.clone(),
            available: available.micro(),
            earned: balance.earned.micro(),
            granted: balance.granted.micro(),
            free: balance.free.micro(),
            held: balance.held.micro(),
            pending: pending.micro(),
            others: balance.others.micro(),
            earned_today,
            spent_today: balance.spent_today.micro(),
            notary: match (own, reachable) {
                (true, _) => NotaryState::Own,
                (false, true) => NotaryState::Reachable,
                (false, false) => NotaryState::Asleep,
            },
            notary_device: Some(notary),
            waiting: self.waiting(pending, reachable, &notary.short()),
            daily_limit: limits.daily_limit.map(|limit| Credits::whole(limit).micro()),
            total_limit: limits.total_limit.map(|limit| Credits::whole(limit).micro()),
            rows: self.purse.rows,
            heard_ms: balance.heard.map(|heard| heard.0),
        })
    }

    fn waiting(&self, pending: Credits, reachable: bool, notary: &str) -> Option<String> {
        if let Some(trouble) = &self.purse.trouble {
            return Some(trouble.clone());
        }
        match (pending.is_zero(), reachable) {
            (_, true) => None,
            (false, false) => Some(format!("{pending} credits are pending until {notary}'s computer is on.")),
            (true, false) => Some(format!("Credits move again when {notary}'s computer is on.")),
        }
    }

    /// The newest rows, newest first, with those that are pending.
    pub(super) fn newest_rows(&self) -> Vec<WalletRow> {
        let reachable = self.parts.node.notary().is_some_and(|(_, reachable)| reachable);
        let mut rows = wallet::pending(self.parts.node.pending(), now().wall, !reachable);
        rows.extend(self.purse.newest.iter().cloned().map(|row| self.as_it_is(row)));
        rows.truncate(NEWEST);
        rows
    }

    pub(super) fn as_it_is(&self, row: WalletRow) -> WalletRow {
        let open = self.parts.node.open_holds();
        wallet::as_it_is(row, |hold| open.contains(hold))
    }

    pub(super) fn wallet_or_problem(&self) -> Result<Wallet, Problem> {
        self.wallet().ok_or_else(wallet::none)
    }

    pub(super) fn wallet_rows(&self, page: WalletPage, reply: Reply<WalletRows>) {
        let Some(network) = self.parts.lanes.as_ref().map(|lanes| lanes.scope) else {
            return drop(reply.send(Err(wallet::none())));
        };
        let open = self.parts.node.open_holds();
        let reachable = self.parts.node.notary().is_some_and(|(_, reachable)| reachable);
        let pending = match page.before {
            None => wallet::pending(self.parts.node.pending(), now().wall, !reachable),
            Some(_) => Vec::new(),
        };
        let store = self.parts.store.clone();
        tokio::spawn(async move {
            let stored = store.rows(network, page.before, page.limit).await.map_err(storage_problem);
            let answer = stored.map(|stored| {
                let more = stored.len() >= page.limit as usize;
                let next = stored.last().map(|row| row.number).filter(|_| more);
                let kept = stored.iter().filter_map(|stored| wallet::shown(stored, |hold| open.contains(hold)));
                WalletRows { rows: pending.into_iter().chain(kept).collect(), next }
            });
            let _ = reply.send(answer);
        });
    }

    pub(super) fn wallet_stats(&self, days: u32, reply: Reply<WalletStats>) {
        let Some(network) = self.parts.lanes.as_ref().map(|lanes| lanes.scope) else {
            return drop(reply.send(Err(wallet::none())));
        };
        let store = self.parts.store.clone();
        let today = day(now().wall);
        tokio::spawn(async move {
            let _ = reply.send(stats(&store, network, today, days).await);
        });
    }

    pub(super) fn wallet_check(&self, reply: Reply<WalletCheck>) {
        let Some(keeper) = &self.purse.keeper else { return drop(reply.send(Err(wallet::none()))) };
        if let Err(Task::Check(reply)) = keeper.ask(Task::Check(reply)) {
            let why = "the thread that keeps the books is behind";
            drop(reply.send(Err(Problem::new(ErrorCode::Storage, why))));
        }
    }

    /// Why a price cannot be paid now.
    fn stands_against(&self, price: Credits) -> Option<Problem> {
        let wallet = self.wallet()?;
        let mut there = Credits::from_micro(wallet.available.saturating_add(wallet.held)).unwrap_or(Credits::MAX);
        if price > there {
            there = Credits::from_micro(wallet.available).unwrap_or_default();
            return Some(Problem::new(
                ErrorCode::NotEnough,
                format!("it costs {price} credits, and {there} are there"),
            ));
        }
        let left = self.parts.node.allowance(now());
        if price > left.plus(Credits::from_micro(wallet.held).unwrap_or_default()).unwrap_or(Credits::MAX) {
            let why = format!("it costs {price} credits, and the limits that you set leave {left} now");
            return Some(Problem::new(ErrorCode::LimitReached, why));
        }
        if wallet.notary == NotaryState::Asleep && wallet.held == 0 {
            let why = "credits have to be set aside for it, and the network's notary cannot be reached";
            return Some(Problem::new(ErrorCode::NotaryAsleep, why));
        }
        None
    }

    /// A task for strangers that cannot be paid is refused before any of it is done.
    pub(super) fn refuse_what_cannot_be_paid(&self, request: &TaskRequest) -> Result<(), Problem> {
        let node = &self.parts.node;
        let unpaid = node.network().is_none_or(|network| network.unpaid);
        let own = self.parts.identity.account_id;
        // Between computers of one owner nothing is paid.
        let others = node.peers().filter(|(_, peer)| peer.connected).all(|(_, peer)| peer.account != Some(own));
        if unpaid || !others || request.placement != Placement::Network || request.privacy == Privacy::Local {
            return Ok(());
        }
        let bytes = request.texts.iter().map(String::len).sum();
        let (price, _) = node.quote(request.kind, request.texts.len(), bytes, request.privacy);
        self.stands_against(price).map_or(Ok(()), Err)
    }

    /// What a task would cost, and who would see it. Nothing runs.
    pub(super) fn quote(&self, request: SubmitTask) -> Result<Quote, Problem> {
        let request = self.request_of(request)?;
        self.parts.node.admits(&request).map_err(|rejection| super::calls::rejected(&rejection))?;
        let TaskRequest { kind, texts, privacy, placement, .. } = request;
        let stays = privacy == Privacy::Local || placement == Placement::Local;
        let bytes: usize = texts.iter().map(String::len).sum();
        let (price, viewers) = self.parts.node.quote(kind, texts.len(), bytes, privacy);
        let computers = viewers.min(texts.len().div_ceil(PART_TEXTS));
        let available = self.wallet().map_or(0, |wallet| wallet.available);
        let unpaid = self.parts.node.network().is_some_and(|network| network.unpaid);
        let (price, bytes, computers) = if stays { (Credits::ZERO, 0, 0) } else { (price, bytes, computers) };
        let against = if stays { None } else { self.stands_against(price) };
        let enough = against.is_none();
        let detail = match (stays, computers, against) {
            (true, ..) => "It runs on this computer and costs nothing".to_owned(),
            (false, 0, _) => "No other computer can take it now".to_owned(),
            (false, _, None) => format!("At most {price} credits"),
            (false, _, Some(problem)) if unpaid => {
                format!("{price} credits, or nothing: {}, and in this network people help each other", problem.detail)
            }
            (false, _, Some(problem)) => format!("At most {price} credits: {}", problem.detail),
        };
        Ok(Quote {
            price: price.micro(),
            texts: u32::try_from(texts.len()).unwrap_or(u32::MAX),
            bytes: bytes as u64,
            computers: u32::try_from(computers).unwrap_or(u32::MAX),
            available,
            enough,
            unpaid,
            detail,
        })
    }
}

async fn stats(store: &Store, network: NetworkId, today: u32, days: u32) -> Result<WalletStats, Problem> {
    let first = today.saturating_sub(days.saturating_sub(1));
    let since = Timestamp(u64::from(first) * DAY_MS);
    let sums = store.sums(network, since).await.map_err(storage_problem)?;
    let mut total = Sums::default();
    let days = (first..=today).map(|day| {
        let sums = sums.iter().find(|(other, _)| *other == day).map(|(_, sums)| *sums).unwrap_or_default();
        total = add(total, sums);
        WalletDay { day: p2p_platform::date(Timestamp(u64::from(day) * DAY_MS)), sums: told(sums) }
    });
    let days = days.collect();
    Ok(WalletStats { days, total: told(total) })
}

fn add(one: Sums, other: Sums) -> Sums {
    Sums {
        earned: one.earned + other.earned,
        granted: one.granted + other.granted,
        spent: one.spent + other.spent,
        burnt: one.burnt + other.burnt,
        lapsed: one.lapsed + other.lapsed,
        tasks_done: one.tasks_done + other.tasks_done,
        tasks_paid: one.tasks_paid + other.tasks_paid,
    }
}

/// More may come back on a day than was set aside on it.
fn told(sums: Sums) -> WalletSums {
    let whole = |number: i64| u64::try_from(number).unwrap_or(0);
    WalletSums {
        earned: whole(sums.earned),
        granted: whole(sums.granted),
        spent: whole(sums.spent),
        burnt: whole(sums.burnt),
        lapsed: whole(sums.lapsed),
        tasks_done: whole(sums.tasks_done),
        tasks_paid: whole(sums.tasks_paid),
    }
}
