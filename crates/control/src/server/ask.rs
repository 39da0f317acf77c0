//! One question to the engine, and patience for the answer.

use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;

use super::App;
use crate::api::{ErrorCode, Problem};
use crate::call::{Call, Reply};

/// How long the engine may take. Below the client's own patience, so that the server's words arrive.
const PATIENCE: Duration = Duration::from_secs(25);

impl App {
    /// Asks, and waits for the answer.
    ///
    /// # Errors
    /// What the engine says, or [`ErrorCode::TooBusy`] when it says nothing.
    pub(super) async fn ask<T>(&self, call: impl FnOnce(Reply<T>) -> Call) -> Result<T, Problem> {
        self.ask_within(PATIENCE, call).await
    }

    pub(super) async fn ask_within<T>(
        &self,
        patience: Duration,
        call: impl FnOnce(Reply<T>) -> Call,
    ) -> Result<T, Problem> {
        let busy = |why: &str| Problem::new(ErrorCode::TooBusy, why);
        let answer = async {
            let (reply, answer) = oneshot::channel();
            self.calls.send(call(reply)).await.map_err(|_| busy("The engine has ended"))?;
            answer.await.map_err(|_| busy("The engine gave no answer; it may be ending"))?
        };
        timeout(patience, answer).await.unwrap_or_else(|_| Err(busy("The engine did not answer in time")))
    }
}
