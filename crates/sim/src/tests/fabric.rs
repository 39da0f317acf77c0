//! What the model of the ports does beyond the contract that it shares with the real network.

use p2p_types::DeviceId;

use crate::fabric::{Fabric, Links, Motion, PortEvent};
use crate::{Micros, SECOND, Schedule};

struct Ports {
    fabric: Fabric,
    schedule: Schedule<Motion>,
    heard: Vec<(Micros, usize, PortEvent)>,
}

impl Ports {
    fn new(nodes: u8, links: Links) -> Self {
        let mut ports = Self { fabric: Fabric::new(1, links), schedule: Schedule::default(), heard: Vec::new() };
        for number in 0..nodes {
            ports.fabric.add(DeviceId([number; 32]), (0..number.min(1)).map(usize::from).collect());
        }
        (0..usize::from(nodes)).for_each(|node| ports.fabric.start(node, &mut ports.schedule));
        ports.pass(2 * SECOND);
        ports
    }

    fn pass(&mut self, time: Micros) {
        let end = self.schedule.now() + time;
        while let Some((at, motion)) = self.schedule.next(end) {
            let heard = self.fabric.handle(motion, &mut self.schedule);
            self.heard.extend(heard.into_iter().map(|(node, event)| (at, node, event)));
        }
        self.schedule.pass_to(end);
    }

    fn send(&mut self, from: usize, to: u8, frame: u8) {
        self.fabric.send(from, DeviceId([to; 32]), vec![frame], &mut self.schedule);
    }

    fn frames(&self, at: usize) -> Vec<u8> {
        let frames = self.heard.iter().filter_map(|(_, node, event)| match event {
            PortEvent::Received { frame, .. } if *node == at => Some(frame[0]),
            _ => None,
        });
        frames.collect()
    }

    fn downs(&self, at: usize) -> usize {
        self.heard.iter().filter(|(_, node, event)| *node == at && matches!(event, PortEvent::PeerDown { .. })).count()
    }
}

#[test]
fn frames_keep_their_order_under_loss_and_jitter() {
    let mut ports = Ports::new(2, Links { loss_permille: 300, jitter_us: 500_000, ..Links::default() });
    (0..200).for_each(|frame| ports.send(0, 1, frame));
    ports.pass(120 * SECOND);
    assert_eq!(ports.frames(1), (0..200).collect::<Vec<u8>>());
}

#[test]
fn a_short_cut_only_delays() {
    let mut ports = Ports::new(2, Links::default());
    ports.send(0, 1, 1);
    ports.fabric.partition(&[0, 1], &mut ports.schedule);
    ports.send(0, 1, 2);
    ports.pass(5 * SECOND);
    assert!(ports.frames(1).is_empty());
    ports.fabric.heal(&mut ports.schedule);
    ports.send(0, 1, 3);
    ports.pass(SECOND);
    assert_eq!(ports.frames(1), [1, 2, 3]);
    assert_eq!((ports.downs(0), ports.downs(1)), (0, 0));
}

#[test]
fn a_long_cut_is_noticed_by_both_and_mended_by_a_new_connection() {
    let mut ports = Ports::new(2, Links::default());
    ports.fabric.partition(&[0, 1], &mut ports.schedule);
    ports.send(0, 1, 1);
    ports.pass(20 * SECOND);
    assert_eq!((ports.downs(0), ports.downs(1)), (1, 1));
    assert!(!ports.fabric.is_up(0, 1));
    ports.fabric.heal(&mut ports.schedule);
    ports.pass(90 * SECOND);
    assert!(ports.fabric.is_up(0, 1) && ports.fabric.is_up(1, 0));
    ports.send(0, 1, 2);
    ports.pass(SECOND);
    assert_eq!(ports.frames(1), [2], "what was lost with the connection stays lost");
}

#[test]
fn a_node_that_was_replaced_before_anybody_noticed_comes_up_anew() {
    let mut ports = Ports::new(2, Links::default());
    ports.fabric.stop(1, false, &mut ports.schedule);
    ports.pass(SECOND);
    ports.send(0, 1, 1);
    ports.fabric.start(1, &mut ports.schedule);
    ports.pass(10 * SECOND);
    assert_eq!(ports.downs(0), 1);
    assert!(ports.fabric.is_up(0, 1));
    assert!(ports.frames(1).is_empty(), "it was for the process before");
}

#[test]
fn a_sleeper_keeps_its_connections_when_it_wakes_soon() {
    let mut ports = Ports::new(2, Links::default());
    ports.fabric.sleep(1, &mut ports.schedule);
    ports.send(0, 1, 1);
    ports.pass(4 * SECOND);
    ports.fabric.wake(1, &mut ports.schedule);
    ports.pass(SECOND);
    assert_eq!((ports.frames(1), ports.downs(0)), (vec![1], 0));
    ports.fabric.sleep(1, &mut ports.schedule);
    ports.pass(20 * SECOND);
    assert_eq!(ports.downs(0), 1);
    ports.fabric.wake(1, &mut ports.schedule);
    ports.pass(90 * SECOND);
    assert!(ports.fabric.is_up(0, 1) && ports.downs(1) == 1);
}

#[test]
fn the_banned_stay_away_until_it_is_over() {
    let mut ports = Ports::new(2, Links::default());
    ports.fabric.disconnect(0, DeviceId([1; 32]), Some(60_000), &mut ports.schedule);
    ports.pass(55 * SECOND);
    assert!(!ports.fabric.is_up(0, 1));
    ports.pass(120 * SECOND);
    assert!(ports.fabric.is_up(0, 1));
}

#[test]
fn messages_on_the_topic_come_twice_and_out_of_order_now_and_then() {
    let mut ports = Ports::new(2, Links { twice_permille: 300, jitter_us: 100_000, ..Links::default() });
    for number in 0..100 {
        ports.fabric.publish(0, vec![number], &mut ports.schedule);
    }
    ports.pass(10 * SECOND);
    let heard: Vec<u8> = ports
        .heard
        .iter()
        .filter_map(|(_, node, event)| match event {
            PortEvent::Published { message, .. } if *node == 1 => Some(message[0]),
            _ => None,
        })
        .collect();
    assert!(heard.len() > 105, "{}", heard.len());
    assert!(!heard.is_sorted());
    assert!((0..100).all(|number| heard.contains(&number)));
}
