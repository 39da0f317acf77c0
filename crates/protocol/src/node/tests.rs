//! A few nodes, a clock stepped by hand, and workers that do as they are told.

mod behaviour;
mod clock;
mod failure;
mod handover;
mod hostile;
mod money;
mod privacy;
mod replays;
mod shares;
mod strangers;
mod world;
