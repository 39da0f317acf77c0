//! Characters by which a text can look like another, or steer what shows it.

/// Whether a character is not to be seen itself, or turns, breaks or joins what stands around it:
/// by such a one a name can look like another, or like two lines. Controls, marks of direction,
/// separators of lines, characters without width, notes between lines, and tags.
#[must_use]
pub fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hides_is_told_from_what_is_seen() {
        let ranges = [
            (0, 0x1f),
            (0x7f, 0x9f),
            (0xad, 0xad),
            (0x61c, 0x61c),
            (0x180e, 0x180e),
            (0x200b, 0x200f),
            (0x2028, 0x202e),
            (0x2060, 0x206f),
            (0xfeff, 0xfeff),
            (0xfff9, 0xfffb),
            (0xe0000, 0xe007f),
        ];
        for letter in '\0'..=char::MAX {
            let listed = ranges.iter().any(|(from, to)| (*from..=*to).contains(&u32::from(letter)));
            assert_eq!(is_hidden(letter), listed, "U+{:04X}", u32::from(letter));
        }
    }

    #[test]
    fn letters_of_all_scripts_are_seen() {
        let seen = "naïve Büro \u{65e5}\u{672c} \u{5e9}\u{5dc}\u{5d5}\u{5dd} مكتب \u{1f3e0}\u{fe0f} \u{2013} \u{2030} e\u{301}";
        assert!(!seen.chars().any(is_hidden));
    }
}
