//! What the client asks about rules and signals, and what it tells of them.

use hyper::Method;

use super::Client;
use crate::api::{Problem, Schedule, SignalReport, Timeline};

impl Client {
    /// Whether this computer may work now, rule by rule.
    ///
    /// # Errors
    /// As [`Client::status`].
    pub async fn schedule(&self) -> Result<Schedule, Problem> {
        self.get("/api/v1/schedule").await
    }

    /// What guests might do when, for so many hours back.
    ///
    /// # Errors
    /// As [`Client::status`]; `E4002` for more than 30 days.
    pub async fn timeline(&self, hours: u32) -> Result<Timeline, Problem> {
        self.get(&format!("/api/v1/schedule/timeline?hours={hours}")).await
    }

    /// Tells what a session shows.
    ///
    /// # Errors
    /// As [`Client::status`]; `E4002` for a report that contradicts itself.
    pub async fn signals(&self, report: &SignalReport) -> Result<(), Problem> {
        self.send(Method::POST, "/api/v1/signals", report).await
    }
}
