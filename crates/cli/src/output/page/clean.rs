//! What must not reach a terminal from a text that strangers may have written.

use std::fmt::Write as _;

use p2p_types::is_hidden;

/// The text with everything that is not seen as what it is as a space.
pub(crate) fn clean(text: &str) -> String {
    text.chars().map(|c| if is_hidden(c) { ' ' } else { c }).collect()
}

/// JSON that means the same and steers no terminal. Such characters stand within strings alone,
/// where they can be written as their numbers; the ends of lines between are left.
pub(crate) fn harmless_json(text: &str) -> String {
    let mut harmless = String::with_capacity(text.len());
    for c in text.chars() {
        if c == '\n' || !is_hidden(c) {
            harmless.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            write!(harmless, "\\u{unit:04x}").expect("writing to memory");
        }
    }
    harmless
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEERING: &str = "\x1b\x7f\u{9b}\u{ad}\u{61c}\u{180e}\u{200b}\u{200d}\u{200e}\u{200f}\u{2028}\u{2029}\
        \u{202a}\u{202e}\u{2060}\u{2066}\u{2069}\u{206f}\u{feff}\u{fff9}\u{e0001}\u{e007f}";

    #[test]
    fn what_steers_is_a_space_and_the_rest_stays() {
        assert_eq!(clean(STEERING), " ".repeat(STEERING.chars().count()));
        let words = "naïve \u{65e5}\u{672c} \u{5e9}\u{5dc}\u{5d5}\u{5dd} \u{1f600} \u{2013} \u{2030}";
        assert_eq!(clean(words), words);
    }

    #[test]
    fn json_means_the_same_and_steers_nothing() {
        let value = serde_json::json!({ "name": format!("a{STEERING}\n\"é\\"), "list": [1, "x"] });
        let text = harmless_json(&serde_json::to_string_pretty(&value).expect("JSON"));
        assert!(text.chars().all(|c| c == '\n' || !is_hidden(c)), "{text:?}");
        assert!(text.contains('é') && text.contains("\\udb40\\udc01"), "{text}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).expect("still JSON"), value);
    }
}
