//! `metrics`.

use p2p_control::api::Problem;

use crate::context::Context;
use crate::problem::Exit;

pub(super) async fn run(context: &Context) -> Result<Exit, Problem> {
    let client = context.daemon(&context.home()?).await?;
    context.out.raw(&client.metrics().await?);
    Ok(Exit::Fine)
}
