//! Worlds that must hold, and worlds that are broken on purpose.

mod fabric;
mod money;
mod worlds;
