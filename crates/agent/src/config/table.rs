//! The table of keys: name, shape, default and what it means.

use serde_json::{Value, json};

use super::keys::{Key, Shape};

pub(super) const KEYS: &[Key] = &[
    Key {
        name: "network.listen_port",
        shape: Shape::Port,
        default: |default_home| if default_home { json!(9000) } else { json!(0) },
        help: "TCP and UDP port on which other nodes reach this one; 0 takes any that is free",
    },
    Key {
        name: "network.interfaces",
        shape: Shape::OneOf(&["loopback", "all"]),
        default: |default_home| if default_home { json!("all") } else { json!("loopback") },
        help: "who can reach this node: `loopback` (this computer only) or `all`",
    },
    Key {
        name: "network.bootstrap",
        shape: Shape::Addresses,
        default: |_| json!([]),
        help: "addresses to knock at first, as in [/ip4/192.0.2.1/tcp/9000]",
    },
    Key {
        name: "network.nearby",
        shape: Shape::Flag,
        default: |default_home| json!(default_home),
        help: "find nodes in the local network, and be found there (never on loopback)",
    },
    Key {
        name: "network.max_peers",
        shape: Shape::Number(1, p2p_types::limits::PEERS as u64),
        default: |_| json!(48),
        help: "most nodes connected at one time",
    },
    Key {
        name: "work.workers",
        shape: Shape::Number(1, 64),
        default: |_| json!(1),
        help: "tasks computed at one time, each in a process of its own",
    },
    Key {
        name: "work.idle_worker_s",
        shape: Shape::Number(1, 86_400),
        default: |_| json!(60),
        help: "seconds after which a worker without work ends and gives its memory back",
    },
    Key {
        name: "schedule.preset",
        shape: Shape::OneOf(&["quiet", "balanced", "full"]),
        default: |default_home| if default_home { json!("quiet") } else { json!("full") },
        help: "the rules to begin with; every other key of this section changes one of them",
    },
    Key {
        name: "schedule.when",
        shape: Shape::OptionalWord(&["idle", "always", "hours"]),
        default: |default_home| if default_home { Value::Null } else { json!("always") },
        help: "when this computer may work for others: `idle` (nobody uses it), `always`, or `hours` (those of schedule.hours)",
    },
    Key {
        name: "schedule.idle_s",
        shape: Shape::OptionalWithin(10, 86_400),
        default: |_| Value::Null,
        help: "seconds without a key, click or touch until it counts as idle",
    },
    Key {
        name: "schedule.hours",
        shape: Shape::OptionalHours,
        default: |_| Value::Null,
        help: "the hours in which it may compute for others, by local time, as in `mon-fri 18:00-23:00, sat 00:00-24:00`",
    },
    Key {
        name: "schedule.network_hours",
        shape: Shape::OptionalHours,
        default: |_| Value::Null,
        help: "the hours in which it may use the network for others, written the same way",
    },
    Key {
        name: "schedule.cpu_percent",
        shape: Shape::OptionalWithin(1, 100),
        default: |default_home| if default_home { Value::Null } else { json!(100) },
        help: "most of the whole computer that work for others uses, in every second",
    },
    Key {
        name: "schedule.memory_mb",
        shape: Shape::OptionalWithin(256, 1_048_576),
        default: |_| Value::Null,
        help: "most memory of all workers for others together; each takes from 256 to 512",
    },
    Key {
        name: "schedule.battery_percent",
        shape: Shape::OptionalWithin(0, 100),
        default: |default_home| if default_home { Value::Null } else { json!(0) },
        help: "on battery it works above this much; 100 is never, 0 is always",
    },
    Key {
        name: "schedule.temperature_c",
        shape: Shape::OptionalWithin(40, 95),
        default: |_| Value::Null,
        help: "degrees Celsius at which it stops",
    },
    Key {
        name: "schedule.metered",
        shape: Shape::OptionalFlag,
        default: |default_home| if default_home { Value::Null } else { json!(true) },
        help: "work on a network that is paid by volume",
    },
    Key {
        name: "schedule.power_saver",
        shape: Shape::OptionalFlag,
        default: |default_home| if default_home { Value::Null } else { json!(true) },
        help: "work while the power saver is on",
    },
    Key {
        name: "schedule.full_screen",
        shape: Shape::OptionalFlag,
        default: |_| Value::Null,
        help: "work while a program fills the screen",
    },
    Key {
        name: "schedule.presentations",
        shape: Shape::OptionalFlag,
        default: |default_home| if default_home { Value::Null } else { json!(true) },
        help: "work during presentations",
    },
    Key {
        name: "schedule.calls",
        shape: Shape::OptionalFlag,
        default: |default_home| if default_home { Value::Null } else { json!(true) },
        help: "work during calls",
    },
    Key {
        name: "schedule.media",
        shape: Shape::OptionalFlag,
        default: |_| Value::Null,
        help: "work while a film or music plays",
    },
    Key {
        name: "schedule.games",
        shape: Shape::OptionalFlag,
        default: |default_home| if default_home { Value::Null } else { json!(true) },
        help: "work while a game runs",
    },
    Key {
        name: "schedule.others_percent",
        shape: Shape::OptionalWithin(1, 100),
        default: |_| Value::Null,
        help: "other programs may use this much of the processors before it stops; 100 is no such rule",
    },
    Key {
        name: "schedule.free_memory_mb",
        shape: Shape::OptionalWithin(0, 1_048_576),
        default: |default_home| if default_home { Value::Null } else { json!(256) },
        help: "less free memory than this stops it",
    },
    Key {
        name: "schedule.free_disk_mb",
        shape: Shape::OptionalWithin(0, 1_073_741_824),
        default: |default_home| if default_home { Value::Null } else { json!(512) },
        help: "less free room on the disk than this stops it",
    },
    Key {
        name: "schedule.disk_mb",
        shape: Shape::OptionalWithin(64, 1_073_741_824),
        default: |_| Value::Null,
        help: "most room on the disk that the node's own folder takes before it works for others no more",
    },
    Key {
        name: "schedule.data_mb_a_month",
        shape: Shape::OptionalWithin(1, 1_073_741_824),
        default: |_| Value::Null,
        help: "most data over the network in a month (UTC), both ways, before it stops for the rest of it",
    },
    Key {
        name: "schedule.upload_kb_per_s",
        shape: Shape::OptionalWithin(8, 10_485_760),
        default: |_| Value::Null,
        help: "most that is sent to other computers, all together",
    },
    Key {
        name: "wallet.daily_limit",
        shape: Shape::OptionalNumber(1_000_000_000),
        default: |_| Value::Null,
        help: "most credits this computer spends in a day (UTC); null for no limit",
    },
    Key {
        name: "wallet.total_limit",
        shape: Shape::OptionalNumber(1_000_000_000),
        default: |_| Value::Null,
        help: "most credits this computer ever spends; null for no limit",
    },
    Key {
        name: "dashboard.enabled",
        shape: Shape::Flag,
        default: |_| json!(false),
        help: "open the control API and the dashboard on a loopback port, behind a token",
    },
    Key {
        name: "dashboard.port",
        shape: Shape::Port,
        default: |_| json!(0),
        help: "the dashboard's loopback port; 0 takes any that is free",
    },
    Key {
        name: "metrics.port",
        shape: Shape::OptionalPort,
        default: |_| Value::Null,
        help: "loopback port for /health and /metrics alone, without a token; null keeps it closed",
    },
    Key {
        name: "log.level",
        shape: Shape::OneOf(&["error", "warn", "info", "debug", "trace"]),
        default: |_| json!("info"),
        help: "how much is written to the log",
    },
];
