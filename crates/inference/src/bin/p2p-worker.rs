//! The process that holds the models: see `p2p_inference::worker`.

use std::process::ExitCode;

fn main() -> ExitCode {
    p2p_inference::worker::main(std::env::args_os().skip(1))
}
