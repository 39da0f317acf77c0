use super::*;

fn source(path: &str, text: &str) -> Source {
    Source { path: path.to_owned(), text: text.to_owned() }
}

fn complaints(path: &str, text: &str) -> usize {
    check(&[source(path, text)], &machine_folders(Path::new("/fields/tree"))).len()
}

#[test]
fn an_ordinary_file_is_fine() {
    assert_eq!(check(&[source("crates/net/src/swarm.rs", "use std::net::SocketAddr;\n")], &[]), []);
}

#[test]
fn a_file_may_have_five_hundred_lines_and_no_more() {
    let lines = |count| "line\n".repeat(count);
    assert_eq!(complaints("crates/net/src/swarm.rs", &lines(500)), 0);
    assert_eq!(complaints("crates/net/src/swarm.rs", &lines(501)), 1);
    assert_eq!(complaints("ui/src/Page.svelte", &lines(501)), 1);
    assert_eq!(complaints("ui/src/api/schema.d.ts", &lines(501)), 0);
    assert_eq!(complaints("docs/generated/openapi.json", &lines(501)), 0);
    assert_eq!(complaints("docs/formats.md", &lines(501)), 0);
}

#[test]
fn attics_are_refused_as_files_and_as_folders() {
    assert_eq!(complaints("crates/net/src/utils.rs", ""), 1);
    assert_eq!(complaints("crates/common/src/lib.rs", ""), 1);
    assert_eq!(complaints("ui/src/helpers.test.ts", ""), 1);
    assert_eq!(complaints("crates/net/src/corecommon.rs", ""), 0);
    assert_eq!(complaints("docs/common.md", ""), 0);
}

#[test]
fn module_files_stand_beside_their_folder() {
    assert_eq!(complaints("crates/net/src/swarm/mod.rs", ""), 1);
    assert_eq!(complaints("crates/net/src/mode.rs", ""), 0);
}

#[test]
fn a_pure_room_has_no_clock_and_no_files() {
    let clock = "fn now() { std::time::SystemTime::now(); }";
    assert_eq!(complaints("crates/protocol/src/offer.rs", clock), 1);
    assert_eq!(complaints("crates/types/src/id.rs", "use std::fs;"), 1);
    assert_eq!(complaints("crates/types/src/id.rs", "use tokio::sync;"), 1);
    assert_eq!(complaints("crates/platform/src/clock.rs", clock), 0);
    assert_eq!(complaints("crates/protocol/src/offer.rs", "// unlike Instant::now, this is pure"), 0);
    assert_eq!(complaints("crates/protocol/src/offer/tests.rs", "use std::fs;"), 0);
    assert_eq!(complaints("crates/protocol/src/offer.rs", "fn f() {}\n#[cfg(test)]\nmod tests { use std::fs; }"), 0);
}

#[test]
fn folders_of_a_machine_are_found_where_a_path_begins() {
    for folder in machine_folders(Path::new("/fields/tree")) {
        assert_eq!(complaints("docs/a.md", &format!("see {folder}tree")), 1);
        assert_eq!(complaints("docs/a.md", &format!("`{folder}tree`")), 1);
        assert_eq!(complaints("docs/a.md", &format!("models{folder}tree")), 0);
    }
    assert_eq!(complaints("docs/a.md", "/fields/tree/Cargo.toml"), 1);
    assert!(!machine_folders(Path::new("/tree")).contains(&"/".to_owned()));
}

#[test]
fn registry_hosts_are_found() {
    for host in REGISTRY_HOSTS {
        assert_eq!(complaints("ui/package-lock.json", &format!("\"https://{host}/x\"")), 1);
    }
}

#[test]
fn a_file_that_no_target_reaches_is_found() {
    let roots = ["tests/daemon/main.rs".to_owned(), "crates/net/src/lib.rs".to_owned()];
    let mut sources = vec![
        source("tests/daemon/main.rs", "mod restart;\n"),
        source("tests/daemon/restart.rs", ""),
        source("crates/net/src/lib.rs", "mod swarm;\npub(crate) mod limits;\n#[path = \"odd/name.rs\"]\nmod odd;\n"),
        source("crates/net/src/swarm.rs", "#[cfg(test)]\nmod tests;\n"),
        source("crates/net/src/swarm/tests.rs", ""),
        source("crates/net/src/limits.rs", ""),
        source("crates/net/src/odd/name.rs", ""),
        source("crates/protocol/build.rs", ""),
        source("docs/a.md", ""),
    ];
    assert_eq!(forgotten(&roots, &sources), []);

    sources.push(source("tests/daemon/upgrade.rs", ""));
    sources.push(source("tests/network.rs", ""));
    let found: Vec<String> = forgotten(&roots, &sources).into_iter().map(|finding| finding.place).collect();
    assert_eq!(found, ["tests/daemon/upgrade.rs", "tests/network.rs"]);
}
