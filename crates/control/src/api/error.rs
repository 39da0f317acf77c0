//! Errors as problem documents (RFC 9457): what happened, why, what to do, and a code that stays.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The body of every answer that is not a success.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// What happened.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    #[schema(value_type = String, example = "E2001")]
    pub code: ErrorCode,
    /// Why it happened.
    pub detail: String,
    /// What to do.
    pub hint: String,
    /// Whether the same call may succeed later.
    pub retryable: bool,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} - {} - {} [{}]", self.title, self.detail, self.hint, self.code)
    }
}

impl std::error::Error for Problem {}

impl Problem {
    /// A problem of this code, with the code's own title and hint.
    #[must_use]
    pub fn new(code: ErrorCode, detail: impl Into<String>) -> Self {
        let row = code.row();
        Self {
            title: row.title.to_owned(),
            status: row.status,
            code,
            detail: detail.into(),
            hint: row.hint.to_owned(),
            retryable: row.retryable,
        }
    }

    /// The same problem with a hint that fits the case better.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }
}

/// What is always true of one code.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    pub code: &'static str,
    pub status: u16,
    /// The status the CLI exits with: 1 the user can mend it, 2 our fault, 3 no daemon.
    pub exit: u8,
    pub retryable: bool,
    pub title: &'static str,
    pub hint: &'static str,
}

macro_rules! codes {
    ($($variant:ident = $code:literal, $status:literal, $exit:literal, $retryable:literal, $title:literal, $hint:literal;)*) => {
        /// A code that never changes its meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ErrorCode { $($variant),* }

        impl ErrorCode {
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// What is always true of this code.
            #[must_use]
            pub const fn row(self) -> Row {
                match self {
                    $(Self::$variant => Row {
                        code: $code, status: $status, exit: $exit, retryable: $retryable, title: $title, hint: $hint,
                    }),*
                }
            }
        }
    };
}

codes! {
    // 1xxx: this computer
    NotRunning = "E1001", 503, 3, true, "No daemon is running", "Start it with `p2p-agent up`";
    AlreadyRunning = "E1002", 409, 1, false, "Another daemon already runs on this home", "Use `p2p-agent status`, stop it with `p2p-agent down`, or choose another --home";
    SocketForeign = "E1003", 403, 1, false, "The control socket belongs to somebody else", "Remove it as its owner, or choose another --home";
    PortInUse = "E1004", 409, 1, false, "The port is taken", "Choose another with `p2p-agent config set network.listen_port PORT`, or 0 for any";
    Config = "E1005", 400, 1, false, "The configuration cannot be used", "Mend the line, then run `p2p-agent config validate`";
    NotInitialized = "E1006", 409, 1, false, "This home has no node yet", "Run `p2p-agent init`";
    AlreadyInitialized = "E1007", 409, 1, false, "This home already has a node", "Use it with `p2p-agent up`, or choose another --home";
    HomeUnusable = "E1008", 500, 1, false, "The home folder cannot be used", "Check that it exists, belongs to you and has room";
    Keys = "E1009", 500, 1, false, "The keys cannot be used", "Check the disk's room and the key folder's rights; restore a lost key file from a backup, or unlock the keychain";
    AssetsMissing = "E1010", 503, 1, false, "The runtime or the model is missing", "Run `cargo xtask models` in a build folder, or install the app again";
    ModelDigest = "E1011", 503, 1, false, "The model file is not the one it should be", "Delete it and run `cargo xtask models` again";
    Worker = "E1012", 500, 2, true, "The worker could not do its work", "Try again; see `p2p-agent logs` if it stays";
    Storage = "E1013", 500, 1, true, "The node's data could not be read or written", "Check the disk's room and rights; with the node stopped, a damaged database can be restored from a copy or moved away";
    Internal = "E1014", 500, 2, false, "Something unexpected went wrong", "See `p2p-agent logs`, and report it with the code";
    Usage = "E1015", 400, 1, false, "The command cannot be understood", "See `p2p-agent --help`";
    Version = "E1016", 409, 1, false, "The daemon speaks another version", "Run `p2p-agent down`, then `p2p-agent up`";
    StartFailed = "E1017", 500, 2, true, "The daemon did not become ready", "See `p2p-agent logs`";
    NotSaved = "E1018", 500, 1, true, "The file was not written", "Make room on the disk, or write it elsewhere with `p2p-agent wallet export`";

    // 2xxx: tasks
    UnknownKind = "E2001", 400, 1, false, "There is no such kind of task", "Use embed, chunk or sentiment";
    EmptyText = "E2002", 400, 1, false, "There is nothing to compute", "Give at least one text that is not empty";
    TextTooLong = "E2003", 413, 1, false, "The text is too long", "Send less at once; a `chunk` task splits a long text, and larger chunks make fewer pieces";
    InvalidText = "E2004", 400, 1, false, "The text is not valid UTF-8", "Save it as UTF-8";
    TaskRejected = "E2005", 400, 1, false, "The task cannot be done as asked", "Change what the detail names";
    NoProvider = "E2006", 503, 1, true, "No other computer took the task", "Try again later, or with --where auto to compute it here";
    NoSuchTask = "E2007", 404, 1, false, "There is no such task", "See `p2p-agent task list`";
    Deadline = "E2008", 504, 1, true, "The deadline passed", "Give it more time with --deadline";
    TooManyTasks = "E2009", 429, 1, true, "Too many tasks are open", "Wait for some to finish, or cancel them";
    PrivacyForbids = "E2010", 400, 1, false, "The privacy class does not allow it", "Choose --privacy trusted or public, or --where local";
    Cancelled = "E2011", 409, 1, false, "The task was cancelled", "Submit it again";
    TextFailed = "E2012", 500, 2, true, "This text could not be computed", "Try it again alone";

    // 3xxx: the network
    NoNetwork = "E3001", 409, 1, false, "This node is not in a network yet", "Run `p2p-agent network create NAME` or `p2p-agent network join LINK`";
    InNetwork = "E3002", 409, 1, false, "This node is already in a network", "Leave it with `p2p-agent network leave`";
    InviteInvalid = "E3003", 400, 1, false, "The invite cannot be used", "Ask for a new one";
    NetworkFileInvalid = "E3004", 400, 1, false, "The network file cannot be used", "Ask for the file again; it may be cut or changed";
    NoSuchPeer = "E3005", 404, 1, false, "There is no such peer", "See `p2p-agent peer list`";
    NotFounder = "E3006", 403, 1, false, "Only the network's founder may do this", "Ask them";

    // 4xxx: the control API
    NotFound = "E4001", 404, 1, false, "There is no such page", "See /api/v1/openapi.json";
    BadRequest = "E4002", 400, 1, false, "The request cannot be understood", "See /api/v1/openapi.json";
    Unauthorized = "E4003", 401, 1, false, "This door needs a token", "Use the address that `p2p-agent dashboard` prints";
    ForbiddenOrigin = "E4004", 403, 1, false, "Requests from other pages are refused", "Open the dashboard by the address that `p2p-agent dashboard` prints";
    TooLarge = "E4005", 413, 1, false, "The request is too large", "Send less at once";
    TooBusy = "E4006", 503, 1, true, "The node is too busy to answer", "Try again";
    DoorClosed = "E4007", 409, 1, false, "The dashboard's door is closed", "Open it with `p2p-agent config set dashboard.enabled true`, then `p2p-agent restart`";

    // 5xxx: credits
    NoWallet = "E5001", 409, 1, false, "There is no wallet outside a network", "Join a network with `p2p-agent network join LINK`, or start one with `p2p-agent network create NAME`";
    NotEnough = "E5002", 402, 1, true, "There are not enough credits", "Let this computer work for others while you are away; the first credits come within a minute";
    LimitReached = "E5003", 409, 1, false, "A limit that you set is reached", "See `p2p-agent config get wallet.daily_limit`, or wait until tomorrow (UTC)";
    NotaryAsleep = "E5004", 503, 1, true, "The network's notary cannot be reached", "Credits move again when its computer is on; own work runs here with --where local";
    WalletDamaged = "E5005", 500, 1, false, "The wallet does not add up", "Keep the folder as it is, and run `p2p-agent wallet verify` for the details";
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.row().code)
    }
}

impl Serialize for ErrorCode {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.row().code)
    }
}

impl<'de> Deserialize<'de> for ErrorCode {
    /// A code this version does not know reads as [`ErrorCode::Internal`].
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Ok(Self::ALL.iter().copied().find(|code| code.row().code == text).unwrap_or(Self::Internal))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_texts_are_whole() {
        let mut seen = std::collections::BTreeSet::new();
        for code in ErrorCode::ALL {
            let row = code.row();
            assert!(seen.insert(row.code), "{} stands twice", row.code);
            assert!(!row.title.ends_with('.') && !row.hint.ends_with('.'), "{}", row.code);
            assert!((1..=3).contains(&row.exit) && (400..600).contains(&row.status), "{}", row.code);
        }
    }
}
