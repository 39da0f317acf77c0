//! Changing one value in a file that people write too: comments and order stay.

use serde_json::Value;

/// `text` with `name` (as in `network.listen_port`) set to `value`. JSON is YAML, so the value is
/// written as JSON.
pub(super) fn set(text: &str, name: &str, value: &Value) -> String {
    let (section, key) = name.split_once('.').unwrap_or(("", name));
    let line = format!("  {key}: {value}");
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    match section_of(&lines, section) {
        Some((start, end)) => match (start + 1..end).find(|&at| is_key(&lines[at], key)) {
            Some(at) => lines[at] = line,
            // Beside the commented default, where there is one.
            None => {
                let default =
                    (start + 1..end).find(|&at| is_key(lines[at].trim_start().trim_start_matches(['#', ' ']), key));
                lines.insert(default.map_or(start, |at| at) + 1, line);
            }
        },
        None => {
            if lines.last().is_some_and(|last| !last.is_empty()) {
                lines.push(String::new());
            }
            lines.push(format!("{section}:"));
            lines.push(line);
        }
    }
    lines.join("\n") + "\n"
}

fn is_key(line: &str, key: &str) -> bool {
    line.trim_start().strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with(':'))
}

/// The lines of a section: its head, and the line after its last.
fn section_of(lines: &[String], section: &str) -> Option<(usize, usize)> {
    let start = lines.iter().position(|line| line.trim_end().strip_suffix(':') == Some(section))?;
    let outside = |line: &String| !line.is_empty() && !line.starts_with([' ', '\t', '#']);
    let length = lines[start + 1..].iter().position(outside);
    Some((start, length.map_or(lines.len(), |length| start + 1 + length)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn comments_and_neighbours_stay() {
        let text = "# mine\nnetwork:\n  # where\n  listen_port: 9000 # old\n  nearby: true\nlog:\n  level: info\n";
        assert_eq!(
            set(text, "network.listen_port", &json!(1)),
            "# mine\nnetwork:\n  # where\n  listen_port: 1\n  nearby: true\nlog:\n  level: info\n"
        );
        assert_eq!(
            set(text, "network.bootstrap", &json!(["/ip4/127.0.0.1/tcp/1"])).lines().nth(2),
            Some("  bootstrap: [\"/ip4/127.0.0.1/tcp/1\"]")
        );
    }

    #[test]
    fn a_commented_default_is_followed_by_the_value() {
        let text = "log:\n  # how much\n  # level: \"info\"\n";
        assert_eq!(
            set(text, "log.level", &json!("debug")),
            "log:\n  # how much\n  # level: \"info\"\n  level: \"debug\"\n"
        );
    }

    #[test]
    fn sections_are_made() {
        assert_eq!(set("", "log.level", &json!("debug")), "log:\n  level: \"debug\"\n");
        assert_eq!(
            set("work:\n  workers: 2\n", "log.level", &json!("x")),
            "work:\n  workers: 2\n\nlog:\n  level: \"x\"\n"
        );
    }
}
