//! What the client asks about credits.

use hyper::Method;

use super::Client;
use crate::api::{Problem, Quote, SubmitTask, Wallet, WalletCheck, WalletPage, WalletRows, WalletStats};

impl Client {
    /// What this computer has.
    ///
    /// # Errors
    /// `E5001` outside a network, and as [`Client::status`].
    pub async fn wallet(&self) -> Result<Wallet, Problem> {
        self.get("/api/v1/wallet").await
    }

    /// A page of the history, the newest first.
    ///
    /// # Errors
    /// As [`Client::wallet`]; `E4002` for a page that cannot be.
    pub async fn wallet_rows(&self, page: WalletPage) -> Result<WalletRows, Problem> {
        let before = page.before.map(|number| format!("&before={number}")).unwrap_or_default();
        self.get(&format!("/api/v1/wallet/rows?limit={}{before}", page.limit)).await
    }

    /// Earnings and spending of so many days, today's last.
    ///
    /// # Errors
    /// As [`Client::wallet`]; `E4002` for a number of days that cannot be.
    pub async fn wallet_stats(&self, days: u32) -> Result<WalletStats, Problem> {
        self.get(&format!("/api/v1/wallet/stats?days={days}")).await
    }

    /// The wallet computed again, from the log and the notary's certificates.
    ///
    /// # Errors
    /// As [`Client::wallet`].
    pub async fn wallet_verify(&self) -> Result<WalletCheck, Problem> {
        self.get("/api/v1/wallet/verify").await
    }

    /// What a task would cost. Runs nothing.
    ///
    /// # Errors
    /// As [`Client::submit`] would.
    pub async fn quote(&self, request: &SubmitTask) -> Result<Quote, Problem> {
        self.send(Method::POST, "/api/v1/tasks/quote", request).await
    }
}
