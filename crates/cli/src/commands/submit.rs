//! `task submit`.

use p2p_control::api::{ChunkOptions, ErrorCode, Problem, SubmitTask, Task};
use p2p_types::TaskKind;

use super::follow::Follower;
use super::{names, quote, results};
use crate::args::SubmitArgs;
use crate::context::Context;
use crate::problem::Exit;
use crate::texts;

/// What `--chunk-tokens` and `--chunk-overlap` are when only the other is given.
const CHUNK_TOKENS: u32 = 256;
const CHUNK_OVERLAP: u32 = 32;

pub(super) async fn run(context: &Context, args: SubmitArgs) -> Result<Exit, Problem> {
    let (wait, only_quote) = (args.wait, args.quote);
    let request = request(args)?;
    let client = context.daemon(&context.home()?).await?;
    if only_quote {
        return quote::run(context, &client, &request).await;
    }
    if !wait {
        let task = client.submit(&request).await?;
        reply(context, &task);
        return Ok(Exit::Fine);
    }
    let follower = Follower::open(&client).await?;
    let own = follower.own;
    let task = client.submit(&request).await?;
    let task = follower.until_finished(context, task).await?;
    Ok(results::reply(context, &task, &request.texts, &own))
}

/// What the arguments ask for. Checked as far as that needs no daemon.
fn request(args: SubmitArgs) -> Result<SubmitTask, Problem> {
    let kind: TaskKind = args
        .kind
        .parse()
        .map_err(|error: p2p_types::UnknownWord| Problem::new(ErrorCode::UnknownKind, error.to_string()))?;
    let chunk = match (args.chunk_tokens, args.chunk_overlap) {
        (None, None) => None,
        (tokens, overlap) => {
            let tokens = tokens.unwrap_or(CHUNK_TOKENS);
            let overlap = overlap.unwrap_or_else(|| CHUNK_OVERLAP.min(tokens.saturating_sub(1) / 2));
            Some(ChunkOptions { tokens, overlap })
        }
    };
    if chunk.is_some() && kind != TaskKind::Chunk {
        let detail = format!("--chunk-tokens and --chunk-overlap mean nothing for {kind}");
        return Err(Problem::new(ErrorCode::TaskRejected, detail).with_hint("Leave them out, or use chunk"));
    }
    Ok(SubmitTask {
        kind,
        texts: texts::gather(kind, &args.text, &args.file)?,
        privacy: args.privacy,
        placement: args.placement,
        priority: args.priority,
        deadline_ms: args.deadline.map(|deadline| u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX)),
        chunk,
    })
}

fn reply(context: &Context, task: &Task) {
    context.out.reply(task, |page| {
        let texts = names::count(u64::from(task.texts), "text", "texts");
        page.line(&format!("Task {} is submitted: {}, {texts}.", task.task_id, task.kind));
    });
    context.out.note(&format!("Follow it with `p2p-agent task watch {}`", names::task(context, &task.task_id)));
}
