//! A notary, and owners who send it orders: what is carried out, what is refused, what is kept.

mod certificates;
mod chance;
mod logs;
mod money;
mod refusing;
mod world;
