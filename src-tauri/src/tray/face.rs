//! What the tray shows for a state: which picture, which words, what can be chosen. Pure.

use p2p_control::api::{NodeState, Status};

use crate::supervisor::{Link, View};

/// Longest tooltip, in characters: some trays cut without a sign.
const TOOLTIP: usize = 120;

/// The four pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Working,
    Waiting,
    Paused,
    Offline,
}

/// What can be chosen in the menu.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Open,
    Toggle,
    Quit,
}

impl Action {
    pub(crate) const fn id(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Toggle => "toggle",
            Self::Quit => "quit",
        }
    }

    pub(crate) fn of(id: &str) -> Option<Self> {
        [Self::Open, Self::Toggle, Self::Quit].into_iter().find(|action| action.id() == id)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Face {
    pub(crate) shape: Shape,
    pub(crate) tooltip: String,
    pub(crate) open: &'static str,
    pub(crate) toggle: &'static str,
    pub(crate) can_toggle: bool,
    pub(crate) quit: &'static str,
}

impl Face {
    pub(crate) fn of(view: &View) -> Self {
        let status = view.status.as_deref().filter(|_| view.link == Link::Open);
        let paused = status.is_some_and(|status| status.state == NodeState::Paused);
        Self {
            shape: status.map_or(Shape::Offline, |status| shape(status.state)),
            tooltip: tooltip(&view.link, status),
            open: "Open P2P Agent",
            toggle: if paused { "Resume" } else { "Pause" },
            can_toggle: status.is_some_and(|status| !matches!(status.state, NodeState::Starting | NodeState::Stopping)),
            quit: "Quit",
        }
    }
}

/// The rings of working and waiting promise that another computer can see this one.
const fn shape(state: NodeState) -> Shape {
    match state {
        NodeState::Working => Shape::Working,
        NodeState::Waiting => Shape::Waiting,
        NodeState::Paused => Shape::Paused,
        NodeState::Starting | NodeState::Offline | NodeState::Alone | NodeState::Stopping => Shape::Offline,
    }
}

fn tooltip(link: &Link, status: Option<&Status>) -> String {
    let sentence = match (link, status) {
        (_, Some(status)) => &status.sentence,
        (Link::Unreachable { problem }, None) => return cut(&format!("The node is not running: {}.", problem.detail)),
        (Link::Starting | Link::Open, None) => "Starting the node.",
    };
    cut(sentence)
}

fn cut(text: &str) -> String {
    let plain = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    if text.chars().count() <= TOOLTIP {
        return plain.collect();
    }
    plain.take(TOOLTIP - 1).chain(['\u{2026}']).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use p2p_control::api::{ErrorCode, Problem};
    use serde_json::json;

    use super::*;

    fn status(state: NodeState, sentence: &str) -> Status {
        serde_json::from_value(json!({
            "state": state, "sentence": sentence,
            "device_id": "12D3KooWAHoEkEqnKzM5PXFygh2movVBCSX3k8tDsT2cneU68Gyt",
            "account_id": "acct-cGfHiC6Kgg3FpFZvgwGcswsCRtp4aBP2fzuXRQPizuN",
            "version": "0.1.0", "pid": 1, "uptime_ms": 0, "ready_in_ms": 0, "home": "/", "config_file": null, "peers": [],
            "network": null, "listening": [], "dashboard": null, "paused_until_ms": null, "open_tasks": 0, "guest_tasks": 0,
            "guest_tasks_done": 0, "can_compute": true, "warnings": []
        }))
        .expect("the fields of a status")
    }

    fn face(state: NodeState, sentence: &str) -> Face {
        Face::of(&View { link: Link::Open, status: Some(Arc::new(status(state, sentence))) })
    }

    #[test]
    fn a_working_node_can_be_paused() {
        let face = face(NodeState::Working, "Working: 2 of 8 cores.");
        assert_eq!(face.shape, Shape::Working);
        assert_eq!(face.tooltip, "Working: 2 of 8 cores.");
        assert_eq!((face.toggle, face.can_toggle), ("Pause", true));
    }

    #[test]
    fn a_paused_node_can_be_resumed() {
        let face = face(NodeState::Paused, "Paused by you.");
        assert_eq!(face.shape, Shape::Paused);
        assert_eq!((face.toggle, face.can_toggle), ("Resume", true));
    }

    #[test]
    fn a_ring_is_whole_only_where_others_can_see_this_node() {
        assert_eq!(face(NodeState::Waiting, "").shape, Shape::Waiting);
        for state in [NodeState::Starting, NodeState::Offline, NodeState::Alone, NodeState::Stopping] {
            assert_eq!(face(state, "").shape, Shape::Offline, "{state:?}");
        }
    }

    #[test]
    fn old_news_is_no_news() {
        let problem = Problem::new(ErrorCode::NotRunning, "nobody listens");
        let status = Some(Arc::new(status(NodeState::Working, "Working.")));
        let face = Face::of(&View { link: Link::Unreachable { problem }, status });
        assert_eq!(face.shape, Shape::Offline);
        assert_eq!(face.tooltip, "The node is not running: nobody listens.");
        assert!(!face.can_toggle);
    }

    #[test]
    fn a_tooltip_is_short_and_on_one_line() {
        let face = face(NodeState::Waiting, &"wide \n".repeat(200));
        assert_eq!(face.tooltip.chars().count(), TOOLTIP);
        assert!(!face.tooltip.contains('\n'));
    }

    #[test]
    fn every_action_has_a_name_of_its_own() {
        for action in [Action::Open, Action::Toggle, Action::Quit] {
            assert_eq!(Action::of(action.id()), Some(action));
        }
        assert_eq!(Action::of("reboot"), None);
    }
}
