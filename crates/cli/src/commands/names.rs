//! How ids and other names are shown, and found by a part of them.

use p2p_control::Client;
use p2p_control::api::{ErrorCode, NetworkKind, NetworkSummary, Problem};
use p2p_types::{DeviceId, TaskId};

use crate::context::Context;

/// Fewer characters than this name nothing.
const PART: usize = 4;

/// The whole id with `--verbose`, else enough of it to find it again.
pub(super) fn device(context: &Context, id: &DeviceId) -> String {
    if context.out.verbose { id.to_string() } else { id.short() }
}

/// The same for a computer that may be this one.
pub(super) fn device_or_here(context: &Context, id: &DeviceId, own: Option<&DeviceId>) -> String {
    if own == Some(id) { "this computer".to_owned() } else { device(context, id) }
}

pub(super) fn task(context: &Context, id: &TaskId) -> String {
    let text = id.to_string();
    if context.out.verbose { text } else { text[..8].to_owned() }
}

pub(super) fn network(network: &NetworkSummary) -> String {
    format!("{} ({})", network.name, kind(network.kind))
}

pub(super) const fn kind(kind: NetworkKind) -> &'static str {
    match kind {
        NetworkKind::Open => "open: anyone",
        NetworkKind::Closed => "closed: invited members",
        NetworkKind::Local => "local: this computer and its local network",
    }
}

pub(super) fn is_link(text: &str) -> bool {
    text.starts_with("p2p-agent://")
}

/// `1 computer`, `3 computers`.
pub(super) fn count(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// The peer whose id is, or ends with, `text`.
///
/// # Errors
/// E3005 when there is none, or more than one.
pub(super) async fn find_peer(client: &Client, text: &str) -> Result<DeviceId, Problem> {
    if let Ok(id) = text.parse() {
        return Ok(id);
    }
    let peers = client.peers().await?;
    let fits = peers.iter().map(|peer| peer.device_id).filter(|id| id.to_string().ends_with(text));
    only_one(fits.collect(), text, ErrorCode::NoSuchPeer, "its id, or at least the last four characters of it")
}

/// The task whose id is, or starts with, `text`.
///
/// # Errors
/// E2007 when there is none, or more than one.
pub(super) async fn find_task(client: &Client, text: &str) -> Result<TaskId, Problem> {
    if let Ok(id) = text.parse() {
        return Ok(id);
    }
    let tasks = client.tasks().await?;
    let fits = tasks.iter().map(|task| task.task_id).filter(|id| id.to_string().starts_with(text));
    only_one(fits.collect(), text, ErrorCode::NoSuchTask, "its id, or at least the first four characters of it")
}

fn only_one<T: Copy>(fits: Vec<T>, text: &str, code: ErrorCode, what: &str) -> Result<T, Problem> {
    if text.chars().count() < PART {
        return Err(Problem::new(code, format!("{text:?} is too short to name one")).with_hint(format!("Give {what}")));
    }
    match fits[..] {
        [one] => Ok(one),
        [] => Err(Problem::new(code, format!("nothing here is called {text:?}"))),
        _ => {
            let detail = format!("{text:?} names {} of them", fits.len());
            Err(Problem::new(code, detail).with_hint("Give more of the id; --verbose shows whole ones"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_must_name_exactly_one() {
        let find = |fits: &[u8], text| only_one(fits.to_vec(), text, ErrorCode::NoSuchTask, "x");
        assert_eq!(find(&[1], "3f9a"), Ok(1));
        assert!(find(&[1], "3f9").is_err_and(|problem| problem.detail.contains("too short")));
        assert!(find(&[], "3f9a").is_err_and(|problem| problem.detail.contains("nothing")));
        assert!(find(&[1, 2], "3f9a").is_err_and(|problem| problem.detail.contains("2 of them")));
    }
}
