//! `completion`.

use crate::args::{self, CompletionArgs};
use crate::context::Context;
use crate::problem::Exit;

pub(super) fn run(context: &Context, args: &CompletionArgs) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut args::command(), "p2p-agent", &mut script);
    context.out.raw(&String::from_utf8_lossy(&script));
    Exit::Fine
}
