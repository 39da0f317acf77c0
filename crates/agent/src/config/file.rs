//! Reading: files and environment, each mistake with its place.

use std::collections::BTreeMap;
use std::path::Path;

use p2p_control::api::{ErrorCode, Problem};
use p2p_platform::file::FileError;
use serde_json::Value;

use super::keys::{self, KEYS};

/// More than this is no configuration.
const FILE_BYTES: usize = 256 * 1024;
/// Names that other documents once promised, and what took their place.
const OLD_NAMES: &[(&str, &str)] = &[
    ("P2P_LISTEN_PORT", "P2P_AGENT_NETWORK_LISTEN_PORT"),
    ("P2P_BOOTSTRAP_PEERS", "P2P_AGENT_NETWORK_BOOTSTRAP"),
    ("P2P_MAX_PEERS", "P2P_AGENT_NETWORK_MAX_PEERS"),
];

/// The text of a configuration file; `None` where there is none.
pub(super) fn read(path: &Path) -> Result<Option<String>, Problem> {
    match p2p_platform::file::read_plain(path, FILE_BYTES) {
        Ok(bytes) => String::from_utf8(bytes)
            .map(Some)
            .map_err(|_| Problem::new(ErrorCode::Config, format!("{}: it is not UTF-8 text", path.display()))),
        Err(FileError::Missing(_)) => Ok(None),
        // The reason names the file.
        Err(error) => Err(Problem::new(ErrorCode::Config, error.to_string())),
    }
}

/// The values that a file's text gives.
pub(super) fn parse(path: &Path, text: &str) -> Result<BTreeMap<&'static str, Value>, Problem> {
    let wrong = |line: Option<usize>, why: String| {
        let place = line.map_or_else(|| path.display().to_string(), |line| format!("{}, line {line}", path.display()));
        Problem::new(ErrorCode::Config, format!("{place}: {why}"))
    };
    if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
        return Ok(BTreeMap::new());
    }
    // The template is mostly comments, and the parser keeps but a few at a time.
    let bare: Vec<&str> = text.lines().map(|line| if line.trim_start().starts_with('#') { "" } else { line }).collect();
    let document: Value = serde_saphyr::from_str(&bare.join("\n")).map_err(|error| {
        let line = error.location().and_then(|location| usize::try_from(location.line()).ok());
        let said = error.to_string();
        wrong(line, said.lines().next().unwrap_or("it is no YAML").to_owned())
    })?;
    let Value::Object(sections) = document else {
        return Err(wrong(None, "it has no sections; see `p2p-agent config list`".to_owned()));
    };
    let mut values = BTreeMap::new();
    for (section, content) in sections {
        let names = match content {
            Value::Null => continue, // A section whose keys are all commented out.
            Value::Object(names) => names,
            _ => return Err(wrong(line_of(text, "", &section), format!("{section:?} must be a section"))),
        };
        for (name, value) in names {
            let line = line_of(text, &section, &name);
            let key = keys::find(&format!("{section}.{name}")).map_err(|why| wrong(line, why))?;
            let value = key.check(&value).map_err(|why| wrong(line, format!("{} {why}", key.name)))?;
            values.insert(key.name, value);
        }
    }
    Ok(values)
}

/// Where a key stands, as in `agent.yaml, line 3: `; nothing where this file does not name it.
pub(super) fn place_of(path: &Path, key: &str) -> String {
    let text = read(path).ok().flatten().unwrap_or_default();
    let (section, name) = key.split_once('.').unwrap_or(("", key));
    line_of(&text, section, name).map_or_else(String::new, |line| format!("{}, line {line}: ", path.display()))
}

/// The line, counted from 1, on which `name` stands in `section`.
fn line_of(text: &str, section: &str, name: &str) -> Option<usize> {
    let mut inside = section.is_empty();
    for (number, line) in text.lines().enumerate() {
        let top_level = !line.starts_with([' ', '\t', '#']) && !line.is_empty();
        if top_level {
            inside = section.is_empty() || line.split(':').next().is_some_and(|word| word.trim() == section);
        }
        if inside && line.trim_start().strip_prefix(name).is_some_and(|rest| rest.trim_start().starts_with(':')) {
            return Some(number + 1);
        }
    }
    None
}

/// What `P2P_AGENT_<SECTION>_<KEY>` says.
pub(super) fn environment(look: impl Fn(&str) -> Option<String>) -> Result<BTreeMap<&'static str, Value>, Problem> {
    let mut values = BTreeMap::new();
    for key in KEYS {
        let name = variable(key.name);
        if let Some(text) = look(&name) {
            let value = key.parse_text(&text);
            let value = value.map_err(|why| Problem::new(ErrorCode::Config, format!("the variable {name} {why}")))?;
            values.insert(key.name, value);
        }
    }
    Ok(values)
}

fn variable(key: &str) -> String {
    format!("P2P_AGENT_{}", key.replace('.', "_").to_uppercase())
}

/// A hint for each old name that is set: it is not read.
pub(super) fn old_environment() -> Vec<String> {
    let set = OLD_NAMES.iter().filter(|(old, _)| std::env::var_os(old).is_some());
    set.map(|(old, new)| format!("{old} is not read; use {new}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(text: &str) -> String {
        parse(Path::new("agent.yaml"), text).expect_err("a mistake").detail
    }

    #[test]
    fn mistakes_have_their_place() {
        let typo = why("network:\n  # port\n  listen_prot: 9000\n");
        assert_eq!(typo, "agent.yaml, line 3: there is no key \"network.listen_prot\"; is network.listen_port meant?");
        let shape = why("work:\n  workers: many\n");
        assert_eq!(shape, "agent.yaml, line 2: work.workers must be a whole number from 1 to 64, not \"many\"");
        assert!(why("network: [").contains("line 1"), "{}", why("network: ["));
        assert!(why("just words").contains("no sections"));
        assert!(why("network: 5").contains("must be a section"));
    }

    #[test]
    fn comments_and_empty_sections_say_nothing() {
        assert_eq!(parse(Path::new("x"), "# nothing\n\n").expect("fine").len(), 0);
        assert_eq!(parse(Path::new("x"), "network:\n  # a: 1\n").expect("fine").len(), 0);
    }

    #[test]
    #[cfg(unix)]
    fn what_is_no_file_is_refused_and_not_waited_for() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("agent.yaml");
        assert_eq!(read(&path), Ok(None));
        let made = std::process::Command::new("mkfifo").arg(&path).status().expect("mkfifo runs");
        assert!(made.success());
        let refused = read(&path).expect_err("a pipe");
        assert_eq!(refused.code, ErrorCode::Config);
        assert!(refused.detail.contains("agent.yaml is not a file"), "{refused}");

        std::fs::remove_file(&path).expect("removed");
        std::os::unix::fs::symlink("/dev/zero", &path).expect("a link");
        assert!(read(&path).is_err(), "a device");
        std::fs::remove_file(&path).expect("removed");
        std::fs::write(&path, vec![b'#'; FILE_BYTES + 1]).expect("written");
        assert!(read(&path).expect_err("too long").detail.contains("longer than"));
        std::fs::write(&path, [0xff]).expect("written");
        assert!(read(&path).expect_err("no text").detail.contains("UTF-8"));
    }

    #[test]
    fn an_alias_bomb_is_refused() {
        let bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n".to_owned()
            + &(b'b'..=b'i')
                .map(|letter| {
                    let (this, before) = (char::from(letter), char::from(letter - 1));
                    format!("{this}: &{this} [{}]\n", vec![format!("*{before}"); 9].join(","))
                })
                .collect::<String>();
        assert!(parse(Path::new("x"), &bomb).is_err());
    }

    #[test]
    fn the_environment_counts_and_is_checked() {
        let look = |name: &str| {
            (name == "P2P_AGENT_NETWORK_BOOTSTRAP").then(|| "/ip4/1.2.3.4/tcp/1, /ip6/::1/tcp/2".to_owned())
        };
        let values = environment(look).expect("fine");
        assert_eq!(values["network.bootstrap"], serde_json::json!(["/ip4/1.2.3.4/tcp/1", "/ip6/::1/tcp/2"]));
        let look = |name: &str| (name == "P2P_AGENT_LOG_LEVEL").then(|| "loud".to_owned());
        assert!(environment(look).expect_err("no level").detail.contains("P2P_AGENT_LOG_LEVEL"));
    }
}
