//! What a node says of its credits.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::{Node, Said, wait_within};

/// How long the first credit may take, from the first command on a new computer.
pub const FIRST_CREDIT: Duration = Duration::from_secs(60);

impl Node {
    /// What `wallet balance` says.
    #[must_use]
    pub fn wallet(&self) -> Value {
        self.fine(&["wallet", "balance"])
    }

    /// One number of [`Node::wallet`], in micro-credits.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn credits(&self, of: &str) -> u64 {
        self.wallet()[of].as_u64().unwrap_or_else(|| panic!("no {of}: {}", self.wallet()))
    }

    /// All rows of the wallet, newest first.
    #[must_use]
    pub fn rows(&self) -> Vec<Value> {
        let mut rows = Vec::new();
        let mut before: Option<u64> = None;
        loop {
            let number = before.unwrap_or_default().to_string();
            let older = ["--before", number.as_str()];
            let more: &[&str] = if before.is_some() { &older } else { &[] };
            let page = self.fine(&[&["wallet", "history", "--limit", "500"], more].concat());
            rows.extend(page["rows"].as_array().into_iter().flatten().cloned());
            before = page["next"].as_u64();
            if before.is_none() {
                return rows;
            }
        }
    }

    /// Rows of work that was paid and is settled, newest first.
    #[must_use]
    pub fn paid_work(&self) -> Vec<Value> {
        let is = |row: &Value| row["reason"] == "work" && row["state"] == "settled" && row["direction"] == "in";
        self.rows().into_iter().filter(is).collect()
    }

    /// Waits until it earned its first credit and has what the network gives for that.
    pub fn wait_for_credits(&self) {
        let given = |reason: &str| self.rows().iter().any(|row| row["reason"] == reason);
        wait_within("the first credits", FIRST_CREDIT, || {
            !self.paid_work().is_empty() && given("starter") && given("ramp") && given("free")
        });
    }

    /// Checks that the wallet adds up, as `wallet verify` has it; gives what that says.
    ///
    /// # Panics
    /// When it does not.
    #[expect(clippy::must_use_candidate, reason = "often called for what it does")]
    pub fn verified(&self) -> Value {
        let said = self.call(&["wallet", "verify", "--json"]);
        assert_eq!(said.status, 0, "{said:?}");
        let check = said.json();
        assert!(check["agrees"] == true && check["problems"] == serde_json::json!([]), "{check}");
        check
    }

    /// Everything that the daemon wrote down, rotated files included.
    ///
    /// # Panics
    /// When it cannot be read.
    #[must_use]
    pub fn written_down(&self) -> String {
        let files = std::fs::read_dir(self.home().join("log")).expect("its log");
        let mut paths: Vec<_> = files.map(|file| file.expect("readable").path()).collect();
        paths.sort();
        let read =
            |path: &std::path::PathBuf| String::from_utf8_lossy(&std::fs::read(path).expect("read")).into_owned();
        paths.iter().map(read).collect()
    }

    /// Submits a task that only others may do, and that may be seen by all of them.
    #[must_use]
    pub fn ask(&self, kind: &str, text: &str) -> Said {
        let words = ["task", "submit", kind, "--text", text, "--privacy", "public", "--where", "network", "--wait"];
        self.call(&[words.as_slice(), &["--json"]].concat())
    }

    /// As [`Node::ask`]; it must be done. Gives the task.
    ///
    /// # Panics
    /// When it is not.
    #[expect(clippy::must_use_candidate, reason = "often called for what it does")]
    pub fn pays(&self, kind: &str, text: &str) -> Value {
        let said = self.ask(kind, text);
        assert_eq!(said.status, 0, "{said:?}");
        said.json()
    }

    /// Waits until nothing of it is set aside or pending.
    pub fn wait_for_rest(&self) {
        let end = Instant::now() + Duration::from_secs(90);
        loop {
            let wallet = self.wallet();
            if wallet["held"] == 0 && wallet["pending"] == 0 && wallet["notary"] != "asleep" {
                return;
            }
            assert!(Instant::now() < end, "something is still under way: {wallet}");
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}
