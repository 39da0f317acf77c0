//! One contract of the ports, held against the simulator's model and against the real network.
//!
//! Without it a simulator that runs well proves only that the simulator runs well. The scenarios
//! know nodes by their number and wait for what they hear; they never look inside. In all of them
//! everybody knocks at node 0; the real network may introduce the others to each other.

mod model;
mod real;
mod scenarios;

/// What a node hears of its ports.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Heard {
    Up(usize),
    Down(usize),
    Frame { from: usize, frame: Vec<u8> },
    Published { id: u64, message: Vec<u8> },
    Providers { nodes: Vec<usize> },
}

/// Something that has the ports.
trait Ports {
    /// So many nodes, running; all others knock at node 0.
    async fn start(nodes: usize) -> Self;
    async fn send(&mut self, from: usize, to: usize, frame: Vec<u8>);
    async fn publish(&mut self, node: usize, message: Vec<u8>);
    async fn judge(&mut self, node: usize, id: u64, accept: bool);
    async fn dial(&mut self, node: usize, peer: usize);
    async fn disconnect(&mut self, node: usize, peer: usize, ban_ms: Option<u64>);
    async fn provide(&mut self, node: usize, key: u8);
    async fn find(&mut self, node: usize, key: u8);
    /// The node's process ends.
    async fn stop(&mut self, node: usize);
    /// The next thing that `node` hears within `wait_ms`, of its own time.
    async fn next(&mut self, node: usize, wait_ms: u64) -> Option<Heard>;
}

macro_rules! against_both {
    ($($scenario:ident),* $(,)?) => {
        mod against_the_model {
            $(
                #[tokio::test]
                async fn $scenario() {
                    super::scenarios::$scenario::<super::model::Model>().await;
                }
            )*
        }
        mod against_libp2p {
            $(
                #[tokio::test]
                async fn $scenario() {
                    super::scenarios::$scenario::<super::real::Real>().await;
                }
            )*
        }
    };
}

against_both! {
    peers_come_up_before_they_are_heard,
    frames_arrive_once_and_in_order,
    a_lost_peer_goes_down_and_is_silent,
    a_broken_connection_is_made_again_and_brings_nothing_old,
    the_banned_do_not_come_back,
    what_is_published_reaches_everybody_but_its_sender,
    only_what_was_accepted_goes_on,
    who_provides_is_found,
}
