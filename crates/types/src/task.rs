//! What can be asked of a node, and what comes back.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A word that stands for nothing here.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{word:?} is no {what}; there are {known}")]
pub struct UnknownWord {
    pub word: String,
    pub what: &'static str,
    pub known: &'static str,
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $what:literal, $known:literal { $($(#[$variant_doc:meta])* $variant:ident = $word:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "lowercase")]
        pub enum $name { $($(#[$variant_doc])* $variant),* }

        impl $name {
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;

            fn from_str(word: &str) -> Result<Self, UnknownWord> {
                Self::ALL.iter().copied().find(|known| known.as_str() == word).ok_or_else(|| UnknownWord {
                    word: word.chars().take(24).collect(),
                    what: $what,
                    known: $known,
                })
            }
        }
    };
}

words! {
    /// The kinds of work a worker can do.
    TaskKind, "task kind", "embed, chunk, sentiment" {
        /// A text becomes a vector of 384 dimensions.
        Embed = "embed",
        /// A long text is split by tokens, with overlap; offsets are kept.
        Chunk = "chunk",
        /// A text is positive or negative.
        Sentiment = "sentiment",
        /// Nothing is done to the text: measures the road to the worker and back.
        Noop = "noop",
    }
}

words! {
    /// How far a text may travel. The sender enforces it.
    Privacy, "privacy class", "local, trusted, public" {
        /// It never leaves this computer.
        Local = "local",
        /// Only computers that the owner marked, or members where the network file says so.
        Trusted = "trusted",
        /// Any computer of the network.
        Public = "public",
    }
}

words! {
    /// Where a task may be computed.
    Placement, "place", "auto, local, network" {
        /// On another computer where one may and can, else here.
        Auto = "auto",
        Local = "local",
        Network = "network",
    }
}

words! {
    /// Which of two waiting tasks of one class goes first.
    Priority, "priority", "low, normal, high" {
        Low = "low",
        Normal = "normal",
        High = "high",
    }
}

/// A piece of a long text: byte offsets into it, `start` included, `end` not, both on character
/// boundaries; and its length in tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chunk {
    pub start: u32,
    pub end: u32,
    pub tokens: u32,
}

/// What one text became.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Output {
    Embedding(crate::QuantizedVector),
    Chunks(Vec<Chunk>),
    /// The likeliest label and its probability in millionths: an integer, so that it hashes alike everywhere.
    Label {
        label: String,
        score_ppm: u32,
    },
    Nothing,
}

/// Why one text of a batch has no output while others may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Error)]
#[serde(rename_all = "snake_case")]
pub enum TextFailure {
    #[error("the text is empty")]
    Empty,
    #[error("the text is too long")]
    TooLong,
    #[error("the worker ended while it computed this text")]
    WorkerLost,
    #[error("the deadline passed")]
    Deadline,
    #[error("the model gave no usable answer")]
    Model,
    #[error("no provider finished it")]
    NoProvider,
    #[error("the task was cancelled")]
    Cancelled,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_round_trip() {
        for kind in TaskKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(*kind));
        }
        let wrong = "sentimint".parse::<TaskKind>().expect_err("a typo");
        assert_eq!(wrong.to_string(), "\"sentimint\" is no task kind; there are embed, chunk, sentiment");
    }
}
