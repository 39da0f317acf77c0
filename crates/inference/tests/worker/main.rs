//! The pool and the real worker with the real model, from outside.

mod answers;
mod chunks;
mod crashes;
mod held;
mod hostile;
mod kept;
mod shared;
mod spent;
mod support;
mod trouble;
