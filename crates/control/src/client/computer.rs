//! What the client asks about the computer itself.

use super::Client;
use crate::api::{Computer, Problem};

impl Client {
    /// What the computer is good for, and what its work of today costs.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn computer(&self) -> Result<Computer, Problem> {
        self.get("/api/v1/computer").await
    }
}
