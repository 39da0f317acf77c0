//! The ports of the simulator.

use std::collections::VecDeque;

use p2p_sim::{Fabric, Links, MS, Motion, PortEvent, Schedule};
use p2p_types::{DeviceId, Hash};

use crate::{Heard, Ports};

pub(crate) struct Model {
    fabric: Fabric,
    schedule: Schedule<Motion>,
    heard: Vec<VecDeque<Heard>>,
}

impl Model {
    fn tell(&mut self, node: usize, event: PortEvent) {
        let number = |device: DeviceId| usize::from(device.0[0]);
        let heard = match event {
            PortEvent::PeerUp { peer } => Heard::Up(number(peer)),
            PortEvent::PeerDown { peer } => Heard::Down(number(peer)),
            PortEvent::Received { from, frame } => Heard::Frame { from: number(from), frame },
            PortEvent::Published { id, message } => Heard::Published { id, message },
            PortEvent::Providers { devices, .. } => {
                Heard::Providers { nodes: devices.into_iter().map(number).collect() }
            }
            PortEvent::Latency { .. } => return,
        };
        self.heard[node].push_back(heard);
    }
}

impl Ports for Model {
    async fn start(nodes: usize) -> Self {
        let links = Links { loss_permille: 50, jitter_us: 20 * MS, ..Links::default() };
        let mut model =
            Self { fabric: Fabric::new(1, links), schedule: Schedule::default(), heard: vec![VecDeque::new(); nodes] };
        for node in 0..nodes {
            let number = u8::try_from(node).expect("few nodes");
            model.fabric.add(DeviceId([number; 32]), if node == 0 { Vec::new() } else { vec![0] });
        }
        (0..nodes).for_each(|node| model.fabric.start(node, &mut model.schedule));
        model
    }

    async fn send(&mut self, from: usize, to: usize, frame: Vec<u8>) {
        let to = self.fabric.device(to);
        self.fabric.send(from, to, frame, &mut self.schedule);
    }

    async fn publish(&mut self, node: usize, message: Vec<u8>) {
        self.fabric.publish(node, message, &mut self.schedule);
    }

    async fn judge(&mut self, node: usize, id: u64, accept: bool) {
        self.fabric.judge(node, id, accept, &mut self.schedule);
    }

    async fn dial(&mut self, node: usize, peer: usize) {
        let peer = self.fabric.device(peer);
        self.fabric.dial(node, peer, &mut self.schedule);
    }

    async fn disconnect(&mut self, node: usize, peer: usize, ban_ms: Option<u64>) {
        let peer = self.fabric.device(peer);
        self.fabric.disconnect(node, peer, ban_ms, &mut self.schedule);
    }

    async fn provide(&mut self, node: usize, key: u8) {
        self.fabric.provide(node, Hash([key; 32]));
    }

    async fn find(&mut self, node: usize, key: u8) {
        self.fabric.find_providers(node, Hash([key; 32]), &mut self.schedule);
    }

    async fn stop(&mut self, node: usize) {
        self.fabric.stop(node, true, &mut self.schedule);
    }

    async fn next(&mut self, node: usize, wait_ms: u64) -> Option<Heard> {
        let end = self.schedule.now() + wait_ms * MS;
        loop {
            if let Some(heard) = self.heard[node].pop_front() {
                return Some(heard);
            }
            let Some((_, motion)) = self.schedule.next(end) else {
                self.schedule.pass_to(end);
                return None;
            };
            for (node, event) in self.fabric.handle(motion, &mut self.schedule) {
                self.tell(node, event);
            }
        }
    }
}
