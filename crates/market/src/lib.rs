//! The marketplace's catalog, searched on this computer: by meaning, by words, and by both.
//!
//! [`Index`] holds the vectors of listings in memory and finds the nearest to a query's. What a
//! listing's vector is made of says [`card_text`]; what is looked up of a query's words, and under
//! which weights of fields, say [`Keywords`] and [`FIELD_WEIGHTS`]. [`fuse`] makes one list of both.
//!
//! Deliberately absent: making vectors, the database of words (scores come in as numbers), clocks,
//! disks, networks, and chance: the same calls give the same answers.

mod card;
mod fusion;
mod index;
mod keywords;

pub use card::{Card, FIELD_WEIGHTS, MOST_TEXT, card_text, name_words};
pub use fusion::{Asked, Hit, Ranked, fuse};
pub use index::{BadVector, Direction, Found, Index, Memory};
pub use keywords::{Keywords, MOST_WORDS};
