//! What the tray shows for a state: which picture, which words, what can be chosen. Pure.

use p2p_control::api::{NodeState, PauseRequest, Status};

use crate::supervisor::{Link, View};

/// Longest sentence, in characters: some trays cut a tooltip without a sign.
const LONGEST: usize = 120;

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
    Pause(Pause),
    Resume,
    Quit,
}

/// How long to pause by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pause {
    HalfHour,
    TwoHours,
    Tomorrow,
    UntilResumed,
}

const MINUTE_MS: u64 = 60_000;

impl Pause {
    /// In the order of the menu.
    pub(crate) const ALL: [Self; 4] = [Self::HalfHour, Self::TwoHours, Self::Tomorrow, Self::UntilResumed];

    const fn id(self) -> &'static str {
        match self {
            Self::HalfHour => "pause-30m",
            Self::TwoHours => "pause-2h",
            Self::Tomorrow => "pause-tomorrow",
            Self::UntilResumed => "pause",
        }
    }

    const fn label(self) -> &'static str {
        match self {
            Self::HalfHour => "Pause for 30 minutes",
            Self::TwoHours => "Pause for 2 hours",
            Self::Tomorrow => "Pause until tomorrow",
            Self::UntilResumed => "Pause until I resume",
        }
    }

    pub(crate) fn request(self) -> PauseRequest {
        let for_ms = match self {
            Self::HalfHour => Some(30 * MINUTE_MS),
            Self::TwoHours => Some(120 * MINUTE_MS),
            Self::Tomorrow | Self::UntilResumed => None,
        };
        PauseRequest { for_ms, until_tomorrow: self == Self::Tomorrow }
    }
}

impl Action {
    pub(crate) const fn id(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Pause(pause) => pause.id(),
            Self::Resume => "resume",
            Self::Quit => "quit",
        }
    }

    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::Open => "Open P2P Agent",
            Self::Pause(pause) => pause.label(),
            Self::Resume => "Resume",
            Self::Quit => "Quit",
        }
    }

    pub(crate) fn of(id: &str) -> Option<Self> {
        let pauses = Pause::ALL.into_iter().map(Self::Pause);
        pauses.chain([Self::Open, Self::Resume, Self::Quit]).find(|action| action.id() == id)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Face {
    pub(crate) shape: Shape,
    /// What the node does or why it does not: the tooltip, and the first line of the menu.
    pub(crate) sentence: String,
    /// Whether the owner paused it: the menu then offers to resume.
    pub(crate) paused: bool,
    pub(crate) can_pause: bool,
}

impl Face {
    pub(crate) fn of(view: &View) -> Self {
        let status = view.status.as_deref().filter(|_| view.link == Link::Open);
        Self {
            shape: status.map_or(Shape::Offline, |status| shape(status.state)),
            sentence: sentence(&view.link, status),
            paused: status.is_some_and(|status| status.paused_by_hand),
            can_pause: status.is_some_and(|status| !matches!(status.state, NodeState::Starting | NodeState::Stopping)),
        }
    }

    /// What the menu offers between its first line and its end.
    pub(crate) fn offers(&self) -> Vec<Action> {
        if self.paused { vec![Action::Resume] } else { Pause::ALL.map(Action::Pause).to_vec() }
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

fn sentence(link: &Link, status: Option<&Status>) -> String {
    let sentence = match (link, status) {
        (_, Some(status)) => &status.sentence,
        (Link::Unreachable { problem }, None) => return cut(&format!("The node is not running: {}.", problem.detail)),
        (Link::Starting | Link::Open, None) => "Starting the node.",
    };
    cut(sentence)
}

fn cut(text: &str) -> String {
    let plain = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    if text.chars().count() <= LONGEST {
        return plain.collect();
    }
    plain.take(LONGEST - 1).chain(['\u{2026}']).collect()
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
            "network": null, "listening": [], "dashboard": null, "paused_by_hand": sentence.starts_with("Paused by you"), "paused_until_ms": null,
            "sandbox": null, "open_tasks": 0, "guest_tasks": 0,
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
        assert_eq!(face.sentence, "Working: 2 of 8 cores.");
        assert!(face.can_pause);
        let labels: Vec<_> = face.offers().into_iter().map(Action::label).collect();
        let expected = ["Pause for 30 minutes", "Pause for 2 hours", "Pause until tomorrow", "Pause until I resume"];
        assert_eq!(labels, expected);
    }

    #[test]
    fn a_paused_node_can_be_resumed() {
        for sentence in ["Paused by you until you resume.", "Paused by you for 30 minutes."] {
            let face = face(NodeState::Paused, sentence);
            assert_eq!(face.shape, Shape::Paused);
            assert_eq!(face.offers(), [Action::Resume]);
        }
    }

    #[test]
    fn what_the_rules_paused_is_not_for_the_owner_to_resume() {
        let face = face(NodeState::Paused, "Paused: on battery, 82 %. Resumes on mains power.");
        assert_eq!(face.shape, Shape::Paused);
        assert!(!face.offers().contains(&Action::Resume));
    }

    #[test]
    fn each_pause_asks_for_its_length() {
        let asked = Pause::ALL.map(Pause::request).map(|request| (request.for_ms, request.until_tomorrow));
        assert_eq!(asked, [(Some(1_800_000), false), (Some(7_200_000), false), (None, true), (None, false)]);
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
        assert_eq!(face.sentence, "The node is not running: nobody listens.");
        assert!(!face.can_pause && !face.paused);
    }

    #[test]
    fn the_sentence_is_short_and_on_one_line() {
        let face = face(NodeState::Waiting, &"wide \n".repeat(200));
        assert_eq!(face.sentence.chars().count(), LONGEST);
        assert!(!face.sentence.contains('\n'));
    }

    #[test]
    fn every_action_has_a_name_of_its_own() {
        for action in Pause::ALL.map(Action::Pause).into_iter().chain([Action::Open, Action::Resume, Action::Quit]) {
            assert_eq!(Action::of(action.id()), Some(action));
        }
        assert_eq!(Action::of("reboot"), None);
    }
}
