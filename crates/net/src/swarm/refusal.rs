//! Turning peers away: those that broke the rules, those of other networks, those that the
//! engine does not want.

use std::time::Duration;

use libp2p::PeerId;
use libp2p::swarm::ConnectionId;
use p2p_types::DeviceId;
use tokio::time::Instant;

use super::Node;
use super::links::Link;
use crate::NetEvent;
use crate::address;
use crate::config::{ADMISSION_TIME, FAULT_TIME, FOREIGN_GRACE, FOREIGN_TIME};
use crate::dialer::Target;

impl Node {
    /// Connections that did not become a peer in time, and those whose grace is over.
    pub(super) async fn close_overdue(&mut self, now: Instant) {
        let due = |link: &Link| link.close_at.is_some_and(|at| at <= now);
        let due: Vec<_> = self.links.links.iter().filter(|(_, link)| due(link)).map(|(id, _)| *id).collect();
        due.into_iter().for_each(|id| self.close(id));
        let late: Vec<_> = self
            .links
            .waiting()
            .filter(|(_, link)| now >= link.since + ADMISSION_TIME)
            .map(|(id, link)| (*id, self.links.is_up(&link.device)))
            .collect();
        for (id, is_up) in late {
            if is_up {
                self.close(id);
            } else {
                let reason = format!("it did not greet within {} s", ADMISSION_TIME.as_secs());
                self.refuse(id, reason).await;
            }
        }
    }

    /// Turns away a peer that broke the rules, and says so.
    pub(super) async fn refuse(&mut self, id: ConnectionId, reason: String) {
        self.close(id);
        self.turn_away(id, reason, FAULT_TIME).await;
    }

    /// Has nothing to do with a node of another network, and says so.
    pub(super) async fn refuse_foreign(&mut self, id: ConnectionId, reason: String) {
        let Some(link) = self.links.links.get_mut(&id).filter(|link| !link.closing) else { return };
        link.closing = true;
        link.close_at = Some(Instant::now() + FOREIGN_GRACE);
        self.turn_away(id, reason, FOREIGN_TIME).await;
    }

    async fn turn_away(&mut self, id: ConnectionId, reason: String, leave_alone: Duration) {
        let Some(link) = self.links.links.get_mut(&id) else { return };
        let (peer, device, via, ip) = (link.peer, link.device, link.via.take(), address::ip(&link.remote));
        let now = Instant::now();
        self.end_session(&device, reason.clone()).await;
        self.forget_in_table(&peer);
        let known = self.dialer.is_forbidden(&device, now);
        for target in via.into_iter().chain([Target::Device(device)]) {
            self.dialer.forbid(target, now + leave_alone, now);
        }
        self.counters.refused();
        if known {
            tracing::debug!(%device, reason, "refused again");
            return;
        }
        tracing::warn!(%device, ip = ip.map(tracing::field::display), reason, "peer refused");
        self.tell(NetEvent::Refused { device: Some(device), reason }).await;
    }

    /// [Refuses](Self::refuse) whoever `peer` is, on all its connections.
    pub(super) async fn refuse_peer(&mut self, peer: PeerId, reason: &str) {
        let links: Vec<_> = self.links.links.iter().filter(|(_, link)| link.peer == peer && !link.closing).collect();
        let ids: Vec<_> = links.into_iter().map(|(id, _)| *id).collect();
        for id in ids {
            self.refuse(id, reason.into()).await;
        }
    }

    /// Ends the connection to a device because this node wants so.
    pub(super) async fn send_away(&mut self, device: DeviceId, ban_ms: Option<u64>, now: Instant) {
        let peer = address::peer_id(&device);
        let reason = if ban_ms.is_some() { "banned by this node" } else { "disconnected by this node" };
        self.end_session(&device, reason.into()).await;
        self.dialer.leave(device);
        self.forget_in_table(&peer);
        if let Some(ban_ms) = ban_ms {
            // A time beyond what the clock can hold is as good as for ever.
            let until = now.checked_add(Duration::from_millis(ban_ms));
            let until = until.unwrap_or_else(|| now + Duration::from_secs(10 * 365 * 86_400));
            self.bans.add(&mut self.swarm.behaviour_mut().bans, peer, until);
            self.dialer.forbid(Target::Device(device), until, now);
        }
        // An error means that there was no connection.
        let _ = self.swarm.disconnect_peer_id(peer);
    }

    fn forget_in_table(&mut self, peer: &PeerId) {
        let kad = &mut self.swarm.behaviour_mut().kad;
        kad.remove_peer(peer);
        self.providers.drop_provider(kad.store_mut(), peer);
    }
}
