//! A wallet with a history, as the scripted engine has it.

use p2p_control::Call;
use p2p_control::api::{
    ErrorCode, NotaryState, Problem, Quote, RowDirection, RowReason, RowState, Wallet, WalletCheck, WalletDay,
    WalletPage, WalletRow, WalletRows, WalletStats, WalletSums,
};
use p2p_types::AccountId;

use crate::samples::{OWN, PEER, TASK};

/// What the script says about credits.
#[derive(Debug, Clone, Default)]
pub(crate) struct Credits {
    /// The node is in no network.
    pub(crate) outside: bool,
    /// How long the history is.
    pub(crate) rows: u64,
    /// After so many pages a row of the middle is settled: it goes, and another comes as the newest.
    pub(crate) settles_after: Option<usize>,
    /// The page of this number is never answered.
    pub(crate) breaks_at: Option<usize>,
    /// Every page says that the next one is the same.
    pub(crate) circles: bool,
    /// What does not add up.
    pub(crate) problems: Vec<String>,
    /// What a task costs.
    pub(crate) price: u64,
}

pub(crate) struct Book {
    credits: Credits,
    /// The oldest first.
    rows: Vec<WalletRow>,
    pages: usize,
}

impl Book {
    pub(crate) fn new(credits: Credits) -> Self {
        let rows = (1..=credits.rows).map(row).collect();
        Self { credits, rows, pages: 0 }
    }

    /// Answers what is about credits.
    pub(crate) fn answer(&mut self, call: Call) {
        // Whoever asked may have gone.
        match call {
            Call::Wallet(reply) => drop(reply.send(self.inside(wallet()))),
            Call::WalletRows(page, reply) => {
                let found = self.page(page);
                drop(reply.send(found.and_then(|found| self.inside(found))));
            }
            Call::WalletStats(days, reply) => drop(reply.send(self.inside(stats(days)))),
            Call::WalletVerify(reply) => {
                let problems = self.credits.problems.clone();
                let agrees = problems.is_empty();
                let check =
                    WalletCheck { agrees, certificates: 7, rows: 1, available: 12_400_000, held: 3_000_000, problems };
                drop(reply.send(self.inside(check)));
            }
            Call::Quote(request, reply) => {
                let price = self.credits.price;
                let texts = u32::try_from(request.texts.len()).expect("a few texts");
                let (computers, detail) = if price == 0 {
                    (0, "It runs on this computer.".to_owned())
                } else {
                    (2, "Two other computers would share the work.".to_owned())
                };
                let (available, bytes) = (12_400_000, request.texts.iter().map(|text| text.len() as u64).sum());
                let quote = Quote {
                    price,
                    texts,
                    bytes,
                    computers,
                    available,
                    enough: price <= available,
                    unpaid: false,
                    detail,
                };
                drop(reply.send(Ok(quote)));
            }
            other => panic!("not about credits: {other:?}"),
        }
    }

    fn inside<T>(&self, answer: T) -> Result<T, Problem> {
        let outside = || Problem::new(ErrorCode::NoWallet, "this computer is in no network");
        if self.credits.outside { Err(outside()) } else { Ok(answer) }
    }

    fn page(&mut self, page: WalletPage) -> Result<WalletRows, Problem> {
        if self.credits.breaks_at == Some(self.pages) {
            return Err(Problem::new(ErrorCode::Storage, "the disk is gone"));
        }
        if self.credits.settles_after == Some(self.pages) {
            self.rows.remove(self.rows.len() / 2);
            let next = row(self.credits.rows + 1);
            self.rows.push(next);
        }
        self.pages += 1;
        let older = self.rows.iter().rev().filter(|row| page.before.is_none_or(|before| row.number < before));
        let mut found: Vec<_> = older.take(page.limit as usize + 1).cloned().collect();
        let more = found.len() > page.limit as usize;
        found.truncate(page.limit as usize);
        let next = found.last().filter(|_| more).map(|row| row.number);
        let next = if self.credits.circles { page.before.or(next) } else { next };
        Ok(WalletRows { rows: found, next })
    }
}

/// Every kind of row in turn. The numbers have gaps, as where a pending row has gone.
fn row(place: u64) -> WalletRow {
    use RowDirection::{In, Note, Out};
    let (direction, amount, reason, state, other, tasks) = match place % 6 {
        1 => (In, 10_000_000, RowReason::Starter, RowState::Settled, None, 0),
        2 => (Out, 1_240_000_000, RowReason::Hold, RowState::Held, Some(PEER), 1),
        3 => (In, 1_330_000, RowReason::Work, RowState::Settled, Some(PEER), 3),
        4 => (Note, 20_000, RowReason::Burnt, RowState::Burnt, Some(PEER), 0),
        5 => (In, 1, RowReason::Work, RowState::Pending, Some(PEER), 1),
        _ => (Out, 1_000_000, RowReason::Lapsed, RowState::Lapsed, None, 0),
    };
    let detail = match place {
        1 => "=HYPERLINK(\"http://example.invalid\",\"Starter credits\")".to_owned(),
        2 => "Set aside for work by another,\nin \u{202e}two lines".to_owned(),
        _ => format!("Row {place}"),
    };
    WalletRow {
        number: place * 3,
        id: format!("{place:04x}/row"),
        at_ms: 1_763_646_482_123 + place * 1000,
        direction,
        amount,
        granted: 0,
        reason,
        state,
        other,
        task: (tasks > 0).then_some(TASK),
        tasks,
        detail,
    }
}

pub(crate) fn wallet() -> Wallet {
    Wallet {
        account: AccountId([3; 32]),
        device: OWN,
        network: "home\x1b[2J".to_owned(),
        available: 12_400_000,
        earned: 2_400_000,
        granted: 9_000_000,
        free: 1_000_000,
        held: 3_000_000,
        pending: 1_330_000,
        others: 0,
        earned_today: 1_400_000,
        spent_today: 300_000,
        notary: NotaryState::Asleep,
        notary_device: Some(PEER),
        waiting: Some("1.33 credits are pending until the notary's computer is on.".to_owned()),
        daily_limit: Some(5_000_000),
        total_limit: None,
        rows: 5,
        heard_ms: Some(1_763_646_482_123),
    }
}

fn stats(days: u32) -> WalletStats {
    let none = WalletSums::default();
    let busy = WalletSums { earned: 1_330_000, granted: 10_000_000, burnt: 20_000, tasks_done: 3, ..none };
    let day = |at: u32| WalletDay { day: format!("2026-11-{:02}", at + 1), sums: if at == 1 { busy } else { none } };
    WalletStats { days: (0..days).map(day).collect(), total: busy }
}
