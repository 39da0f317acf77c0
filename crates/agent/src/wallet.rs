//! This computer's credits beside the loop: what is on disk of them, what is shown of them, and whether it
//! adds up.

mod check;
mod keeper;
mod lanes;
mod rows;

use p2p_control::api::{ErrorCode, Problem, WalletCheck};
use p2p_platform::Home;
use p2p_store::Store;

use crate::{home, problem};

pub(crate) use check::check;
pub(crate) use keeper::{Books, Keeper, Kept, MARK, POOL, ROUNDS, Task};
pub(crate) use lanes::{Lanes, issuer_of};
pub(crate) use rows::{as_it_is, pending, record, rows_of, shown};

/// Computes the wallet of a home again from its log and certificates, while no daemon runs on it.
///
/// # Errors
/// [`ErrorCode::NoWallet`] outside a network; otherwise whatever keeps it from the home's database.
pub fn verify(home: &Home) -> Result<WalletCheck, Problem> {
    let keys = home::require_keys(home)?;
    let network = home::load_network(home)?.ok_or_else(none)?;
    let (store, _committed) = Store::open(&home.database()).map_err(|error| match error {
        p2p_store::StoreError::Locked => problem::of(ErrorCode::AlreadyRunning, &error),
        error => problem::of(ErrorCode::Storage, &error),
    })?;
    let lanes = Lanes::of(&keys, &network);
    let checked = check(&store, &network, lanes.owner, &lanes.scheme, p2p_platform::now());
    store.close();
    checked.map_err(|error| problem::of(ErrorCode::Storage, &error))
}

/// There is no wallet outside a network.
pub(crate) fn none() -> Problem {
    Problem::new(ErrorCode::NoWallet, "credits count in one network, and this node is in none")
}
