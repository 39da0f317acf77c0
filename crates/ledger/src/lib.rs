//! Credits: who has how many, and why, without a blockchain.
//!
//! Every credit is moved by one device's signed order, in that device's own lane, so payments need
//! no agreement among notaries, only their votes (FastPay, arXiv 2003.11506). Here is what an
//! order may do, what a notary keeps, and how anybody checks it. With one notary, who judges and
//! carries out at once, a vote is a certificate. The formats are those of 3f+1 notaries and 2f+1
//! votes; there a notary will carry out what is certified, not what it voted for itself.
//!
//! Deliberately absent: clocks, disks, networks, and whose work is good.

mod amounts;
pub mod certificate;
mod lane;
mod ledger;
pub mod log;
pub mod merkle;
mod movement;
mod notary;
mod order;
mod parameters;
mod rates;
mod refusal;
mod root;
mod session;
pub mod wire;

pub use amounts::Amounts;
pub use certificate::{CertificateError, Committee};
pub use lane::Lane;
pub use ledger::{Applied, Hold, Ledger, Statement, Supply, day};
pub use movement::{Movement, Reason, Side};
pub use notary::{Answer, BATCH_ORDERS, Judged, LEAP_MS, Notary, Place, ReplayError, VerifiedOrder};
pub use order::{Body, LaneId, Order, Voucher, id};
pub use parameters::{
    CLOCK_SLACK_MS, HOLD_LIFE_MS, HOLDS_PER_LANE, HOLDS_PER_PAYEE, LANES_PER_ACCOUNT, LANES_PER_EPOCH, LEAST_HOLD,
    ORDER_LIFE_MS, ORDERS_PER_EPOCH, Parameters,
};
pub use rates::{Rates, TOKEN_BYTES};
pub use refusal::Refusal;
pub use session::{Earning, Paying, VoucherRefused};
