//! Whether it adds up: the balance computed again from certificates, and the rows beside it.

use std::collections::BTreeMap;
use std::sync::Arc;

use p2p_control::api::{RowDirection, WalletCheck, WalletRow};
use p2p_ledger::{LaneId, Statement};
use p2p_protocol::Network;
use p2p_store::{Store, StoreError};
use p2p_types::{Scheme, Timestamp};

use super::keeper::entry;
use super::lanes::scope;
use super::rows::rows_of;

/// Problems that are told; the first explains the others.
const PROBLEMS: usize = 10;

/// Computes a lane again from the certificates on disk, checks each of them, and compares the rows that are
/// shown with those that they make.
///
/// # Errors
/// When the disk cannot be read.
pub(crate) fn check(
    store: &Store,
    network: &Network,
    lane: LaneId,
    scheme: &Arc<dyn Scheme>,
    now: Timestamp,
) -> Result<WalletCheck, StoreError> {
    let certificates = store.entries(network.id, lane)?;
    let shown = store.all_rows(scope(&network.id, &lane))?;
    let mut problems = Vec::new();
    let mut statement = Statement::new(lane, network.economy.clone());
    let mut expected = BTreeMap::new();
    let mut checked = 0;
    for (number, bytes) in (0..).zip(&certificates) {
        let Some(entry) = entry(&**scheme, network, &mut statement, number, bytes) else {
            problems.push(format!("Certificate {number} does not hold, or does not follow from those before it"));
            break;
        };
        checked += 1;
        expected
            .extend(rows_of(&entry, 0, Some(network.economy.issuer)).into_iter().map(|(row, _)| (row.id.clone(), row)));
    }
    let mut balance: i128 = 0;
    let rows = shown.len() as u64;
    for document in shown {
        let Ok(row) = serde_json::from_slice::<WalletRow>(&document) else {
            problems.push("A row cannot be read".to_owned());
            continue;
        };
        balance += match row.direction {
            RowDirection::In => i128::from(row.amount),
            RowDirection::Out => -i128::from(row.amount),
            RowDirection::Note => 0,
        };
        // Under which number it stands, and in which words, is not what was certified.
        let made = expected.remove(&row.id);
        let made = made.map(|made| WalletRow { number: row.number, detail: row.detail.clone(), ..made });
        match made {
            None => problems.push(format!("No certificate stands behind row {}", row.id)),
            Some(made) if made != row => {
                problems.push(format!("Row {} says something else than its certificate", row.id));
            }
            Some(_) => {}
        }
    }
    problems.extend(expected.into_keys().map(|id| format!("Row {id} is missing")));
    let (available, held) = (statement.spendable(now).total(), statement.held());
    // A free tier that lapsed and was not touched since is still in the rows.
    let whole = statement.purse().total();
    if balance != i128::from(whole.micro()) && problems.is_empty() {
        problems.push(format!("The rows add up to {balance} micro-credits, the certificates to {}", whole.micro()));
    }
    let agrees = problems.is_empty();
    problems.truncate(PROBLEMS);
    Ok(WalletCheck { agrees, certificates: checked, rows, available: available.micro(), held: held.micro(), problems })
}
