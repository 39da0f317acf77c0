//! What a person reads.

use p2p_scheduler::{HOLDS, Reason, Resumes, Verdict, Words, sentence};
use p2p_types::{Inhibitor, Reading, SignalKind, Timestamp, Untold};

use crate::world::{DAY, HOUR, MINUTE, SATURDAY, World, power, quiet};

fn words() -> Words {
    Words { now: Timestamp(SATURDAY + 12 * HOUR), zone_minutes: 60, processors: 8 }
}

fn say(reason: Reason, resumes: Resumes) -> String {
    sentence(&Verdict::Pause { reason, resumes }, &words())
}

#[test]
fn the_sentence_says_what_why_and_when() {
    let mut world = World::idle(quiet());
    assert_eq!(sentence(&world.guest(), &words()), "Ready: up to 2 of 8 cores.");
    world.read(Reading::Input { idle_ms: 0 });
    assert_eq!(
        sentence(&world.guest(), &words()),
        "Waiting: you are using the computer. Resumes 3 minutes after you stop."
    );
    world.read(Reading::Input { idle_ms: HOUR });
    world.read(power(false, 82));
    assert_eq!(sentence(&world.guest(), &words()), "Paused: on battery, 82 %. Resumes on mains power.");
    let at = |ms| Timestamp(SATURDAY + ms);
    let by_hand = |until| say(Reason::ByHand { until }, Resumes::ByHand);
    assert_eq!(by_hand(Some(at(15 * HOUR))), "Paused by you until 16:00.");
    assert_eq!(by_hand(Some(at(29 * HOUR))), "Paused by you until 06:00 tomorrow.");
    assert_eq!(by_hand(None), "Paused by you until you resume.");
    assert_eq!(
        say(Reason::Hours, Resumes::At { at: at(2 * DAY + 17 * HOUR + 30 * MINUTE) }),
        "Waiting: outside the hours you set. Resumes at 18:30 on Monday."
    );
    assert_eq!(
        say(Reason::CannotTell { kind: SignalKind::Input, why: Untold::NoSession }, Resumes::WhenTold),
        "Waiting: cannot tell whether you are using the computer, nobody watches your session. Resumes when it can."
    );
    assert_eq!(
        say(Reason::FullScreen, Resumes::Shortly { within_ms: 10_000 }),
        "Waiting: the screen has just become free. Resumes in 10 seconds at most."
    );
    assert_eq!(
        say(Reason::DiskFree { free_mib: 1536 }, Resumes::DiskFree { mib: 5760 }),
        "Paused: the disk is getting full, 1.5 GB free. Resumes when 5.6 GB are free."
    );
}

fn all_reasons() -> Vec<Reason> {
    vec![
        Reason::ByHand { until: None },
        Reason::HeatCritical { celsius: 96 },
        Reason::MemoryCritical { available_mib: 1 },
        Reason::DiskCritical { free_mib: 1 },
        Reason::Hours,
        Reason::Owner,
        Reason::CannotTell { kind: SignalKind::Input, why: Untold::Failed },
        Reason::FullScreen,
        Reason::Inhibitor { inhibitor: Inhibitor::Call },
        Reason::Battery { percent: None },
        Reason::PowerSaver,
        Reason::Metered,
        Reason::NetworkHours,
        Reason::DataAllowance { used_mib: 1, allowance_mib: 1 },
        Reason::Temperature { celsius: 80 },
        Reason::Load { percent: 50 },
        Reason::Memory { available_mib: 1 },
        Reason::DiskFree { free_mib: 1 },
        Reason::DiskQuota { used_mib: 1, quota_mib: 1 },
        Reason::Starting,
    ]
}

#[test]
fn every_rule_has_a_reason_with_a_stable_code_and_words() {
    for ((rule, hold), reason) in HOLDS.into_iter().zip(all_reasons()) {
        assert_eq!(reason.rule(), rule);
        let json = serde_json::to_value(reason).expect("json");
        assert_eq!(json["code"], reason.code());
        assert_eq!(serde_json::from_value::<Reason>(json).expect("the same"), reason);
        for resumes in [Resumes::WhenOver, Resumes::Shortly { within_ms: hold.resume_ms }] {
            let text = say(reason, resumes);
            assert!(text.ends_with('.') && !text.contains('!') && text.len() < 140, "{text}");
        }
    }
    let verdict = Verdict::Pause { reason: Reason::Owner, resumes: Resumes::AfterIdle { ms: 180_000 } };
    assert_eq!(
        serde_json::to_string(&verdict).expect("json"),
        r#"{"verdict":"pause","reason":{"code":"owner"},"resumes":{"code":"after_idle","ms":180000}}"#
    );
}
