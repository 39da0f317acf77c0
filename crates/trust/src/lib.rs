//! Who does good work: canary tasks, whose answers are known before they are asked.
//!
//! The network's issuer makes tasks that look like anybody's ([`Texts`]), answers them itself in
//! idle hours and keeps them ([`Pool`]), asks them of others and pays as for any task. [`Rounds`]
//! says whom to ask and when; [`judge`] says what an answer is worth.
//!
//! Deliberately absent: money (a budget is a number given in), clocks, disks, networks, and chance
//! of its own: time and random numbers are arguments, so a run repeats itself exactly.

mod agreement;
mod chance;
mod encoding;
mod pool;
mod rounds;
mod texts;

pub use agreement::{Agreement, Difference, agree, judge};
pub use encoding::BrokenCopy;
pub use pool::{Canary, Mark, NotAdded, Number, Pool};
pub use rounds::{Ask, Budget, Outcome, Peer, Rounds, Standing, Track};
pub use texts::{Question, Texts};
