//! Escapes from a closed process. Each runs in a process of its own: this program once more, with
//! one thread, which closes itself as a worker does and then tries.

#[cfg(target_os = "linux")]
mod escapes;

use super::*;

#[test]
fn what_is_not_closed_is_not_claimed() {
    let open = Level::default();
    assert!(!open.is_whole());
    let said = open.to_string();
    assert!(said.contains("files: open; network: open") && said.contains("no limit"), "{said}");
    assert_eq!(said.matches(": none").count(), 0, "{said}");
    let whole = Level {
        files: Files::Models,
        landlock: 7,
        network: Network::Closed,
        calls: true,
        processes: true,
        others: true,
        code: true,
        memory: Some(1 << 30),
        cpu_seconds: Some(1),
        open_files: Some(32),
        written: Some(0),
        private: true,
    };
    assert!(whole.is_whole());
    assert!(whole.to_string().contains("memory: at most 1024 MiB"), "{whole}");
    for gap in [
        Level { files: Files::ReadOnly, ..whole },
        Level { network: Network::NoTcp, ..whole },
        Level { processes: false, ..whole },
        Level { memory: None, ..whole },
    ] {
        assert!(!gap.is_whole(), "{gap}");
    }
}
