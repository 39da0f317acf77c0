//! The one sentence that says what the node does, or why it does not: what, why, when it changes.

use p2p_control::api::NodeState;
use p2p_types::Timestamp;

/// Why nobody is connected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Alone {
    /// Nobody else is known, and nobody is to be expected.
    #[default]
    First,
    /// There are others, and the node has begun only just.
    Looking,
    /// There are others, and none could be reached.
    Unreached,
}

/// What the sentence is made of.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Facts<'a> {
    /// `None` where the node is in no network.
    pub(crate) network: Option<&'a str>,
    pub(crate) connected: usize,
    /// What is to be said where nobody is connected.
    pub(crate) alone: Alone,
    pub(crate) own_tasks: usize,
    pub(crate) guest_tasks: usize,
    /// Paused by hand, and until when.
    pub(crate) paused: Option<Option<Timestamp>>,
    /// Why the owner's rules let no guests in, in one sentence.
    pub(crate) rules: Option<&'a str>,
    /// Why even the owner's own tasks wait, in one sentence.
    pub(crate) own_waits: Option<&'a str>,
    /// Why nothing can be computed here.
    pub(crate) cannot_compute: Option<&'a str>,
    pub(crate) now: Timestamp,
}

pub(crate) fn describe(facts: &Facts<'_>) -> (NodeState, String) {
    if let Some(until) = facts.paused {
        let ends = until.map_or_else(|| "until you resume".to_owned(), |until| for_minutes(until.since(facts.now)));
        return (NodeState::Paused, format!("Paused by you {ends}. Your own tasks still run."));
    }
    if let Some(why) = facts.cannot_compute {
        return (NodeState::Offline, format!("Cannot compute: {why}."));
    }
    if facts.guest_tasks > 0 {
        let what = plural(facts.guest_tasks, "part of a task", "parts of tasks");
        return (NodeState::Working, format!("Working: {what} for other computers."));
    }
    if let (1.., Some(why)) = (facts.own_tasks, facts.own_waits) {
        let who = if facts.own_tasks == 1 { "A task of yours waits" } else { "Tasks of yours wait" };
        return (NodeState::Paused, format!("{who}. {why}"));
    }
    if facts.own_tasks > 0 {
        return (NodeState::Working, format!("Working on {} of yours.", plural(facts.own_tasks, "task", "tasks")));
    }
    let Some(network) = facts.network else {
        return (NodeState::Alone, "Not in a network yet. Your own tasks run on this computer.".to_owned());
    };
    if let Some(rules) = facts.rules {
        let state = if rules.starts_with("Paused") { NodeState::Paused } else { NodeState::Waiting };
        return (state, rules.to_owned());
    }
    if facts.connected > 0 {
        let who = plural(facts.connected, "other computer", "other computers");
        return (NodeState::Waiting, format!("Ready: connected to {who} in {network}. Waiting for a task."));
    }
    let sentence = match facts.alone {
        Alone::First => format!("You are the first here in {network}. Invite another computer."),
        Alone::Looking => format!("Looking for other computers in {network}."),
        Alone::Unreached => format!("Cannot reach anybody in {network}. Trying again."),
    };
    (NodeState::Offline, sentence)
}

fn plural(number: usize, one: &str, many: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {many}") }
}

fn for_minutes(ms: u64) -> String {
    match ms.div_ceil(60_000) {
        0 | 1 => "for less than a minute".to_owned(),
        minutes if minutes < 120 => format!("for {minutes} minutes"),
        minutes => format!("for {} hours", minutes.div_ceil(60)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(facts: Facts<'_>) -> (NodeState, String) {
        describe(&facts)
    }

    #[test]
    fn each_state_has_its_sentence() {
        let ready = Facts { network: Some("home"), connected: 4, ..Facts::default() };
        let sentence = "Ready: connected to 4 other computers in home. Waiting for a task.";
        assert_eq!(said(ready), (NodeState::Waiting, sentence.to_owned()));
        assert_eq!(said(Facts::default()).0, NodeState::Alone);
        assert_eq!(said(Facts { guest_tasks: 1, ..ready }).1, "Working: 1 part of a task for other computers.");
        assert_eq!(said(Facts { own_tasks: 2, ..ready }).1, "Working on 2 tasks of yours.");
        let first = Facts { connected: 0, ..ready };
        assert!(said(first).1.starts_with("You are the first here"));
        let looking = Facts { alone: Alone::Looking, ..first };
        assert_eq!(said(looking), (NodeState::Offline, "Looking for other computers in home.".to_owned()));
        let unreached = Facts { alone: Alone::Unreached, ..first };
        assert_eq!(said(unreached), (NodeState::Offline, "Cannot reach anybody in home. Trying again.".to_owned()));
        assert_eq!(said(Facts { cannot_compute: Some("the model is missing"), ..ready }).0, NodeState::Offline);
    }

    #[test]
    fn what_the_rules_say_is_said_where_there_is_a_network() {
        let waiting =
            Facts { network: Some("home"), rules: Some("Waiting: you are using the computer."), ..Facts::default() };
        assert_eq!(said(waiting), (NodeState::Waiting, "Waiting: you are using the computer.".to_owned()));
        let hot = Facts { own_waits: Some("Paused: too hot, 97 \u{b0}C. Resumes below 85 \u{b0}C."), ..waiting };
        assert_ne!(said(hot).0, NodeState::Paused, "nothing of the owner's waits");
        let (state, words) = said(Facts { own_tasks: 1, ..hot });
        assert_eq!((state, words.starts_with("A task of yours waits. Paused: too hot")), (NodeState::Paused, true));
        let paused = Facts { rules: Some("Paused: on battery, 82 %. Resumes on mains power."), ..waiting };
        assert_eq!(said(paused).0, NodeState::Paused);
        assert_eq!(said(Facts { own_tasks: 1, ..paused }).0, NodeState::Working);
        assert_eq!(said(Facts { network: None, ..paused }).0, NodeState::Alone);
    }

    #[test]
    fn a_pause_by_hand_comes_before_everything() {
        let paused = Facts { paused: Some(None), guest_tasks: 3, ..Facts::default() };
        assert_eq!(
            said(paused),
            (NodeState::Paused, "Paused by you until you resume. Your own tasks still run.".into())
        );
        let ends = Facts { paused: Some(Some(Timestamp(30 * 60_000))), ..Facts::default() };
        assert_eq!(said(ends).1, "Paused by you for 30 minutes. Your own tasks still run.");
    }
}
