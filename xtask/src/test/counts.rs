//! How many tests passed, as each runner says it.

use std::fmt;
use std::ops::AddAssign;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) passed: u32,
    pub(super) failed: u32,
    pub(super) skipped: u32,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        if self.skipped > 0 {
            write!(f, ", {} skipped", self.skipped)?;
        }
        Ok(())
    }
}

/// Who runs the tests.
#[derive(Debug, Clone, Copy)]
pub(super) enum Runner {
    Nextest,
    CargoTest,
    Unittest,
    Vitest,
    Node,
}

impl Runner {
    /// What its output says, or nothing where it says nothing about tests.
    pub(super) fn read(self, output: &str) -> Option<Counts> {
        let text = without_colours(output);
        let mut total: Option<Counts> = None;
        for line in text.lines() {
            if let Some(counts) = self.line(line.trim(), &text) {
                *total.get_or_insert_default() += counts;
            }
        }
        total
    }

    fn line(self, line: &str, text: &str) -> Option<Counts> {
        match self {
            Self::Nextest => {
                let (before, after) = line.split_once(" run: ")?;
                before.starts_with("Summary").then(|| words(after, ','))
            }
            Self::CargoTest => line.strip_prefix("test result: ").map(|rest| words(&rest.replace(". ", ";"), ';')),
            Self::Unittest => {
                let ran = line.strip_prefix("Ran ")?.split(' ').next()?.parse().ok()?;
                Some(unittest(ran, text))
            }
            Self::Vitest => line.strip_prefix("Tests ").map(|rest| words(rest, '|')),
            Self::Node => {
                let rest = line.strip_prefix("# ").or_else(|| line.strip_prefix("\u{2139} "))?;
                let (word, count) = rest.split_once(' ')?;
                let count = count.parse().ok()?;
                let mut counts = Counts::default();
                match word {
                    "pass" => counts.passed = count,
                    "fail" | "cancelled" => counts.failed = count,
                    "skipped" | "todo" => counts.skipped = count,
                    _ => return None,
                }
                Some(counts)
            }
        }
    }
}

/// Reads `3 passed, 1 failed` and the like.
fn words(text: &str, separator: char) -> Counts {
    let mut counts = Counts::default();
    for part in text.split(separator) {
        let mut words = part.split_whitespace();
        let (Some(Ok(count)), Some(word)) = (words.next().map(str::parse::<u32>), words.next()) else { continue };
        match word {
            "passed" => counts.passed += count,
            // nextest counts a time-out and a test that could not be started apart.
            "failed" | "timed" | "exec" => counts.failed += count,
            "skipped" | "ignored" | "todo" => counts.skipped += count,
            _ => {}
        }
    }
    counts
}

/// unittest says how many ran, and in another line what went wrong.
fn unittest(ran: u32, text: &str) -> Counts {
    let number = |name: &str| {
        let lines = text.lines().filter(|line| line.starts_with("FAILED (") || line.starts_with("OK ("));
        let parts = lines.flat_map(|line| line.split(['(', ',', ')']));
        let found = parts.filter_map(|part| part.trim().strip_prefix(name)?.strip_prefix('=')?.parse::<u32>().ok());
        found.sum::<u32>()
    };
    let failed = number("failures") + number("errors") + number("unexpected successes");
    let skipped = number("skipped");
    Counts { passed: ran.saturating_sub(failed + skipped), failed, skipped }
}

/// The text without terminal escapes of the form `ESC [ ... letter`.
fn without_colours(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(letter) = rest.next() {
        if letter == '\u{1b}' {
            rest.find(char::is_ascii_alphabetic);
        } else {
            plain.push(letter);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(passed: u32, failed: u32, skipped: u32) -> Option<Counts> {
        Some(Counts { passed, failed, skipped })
    }

    #[test]
    fn nextest() {
        let text = "     Summary [   0.012s] 15 tests run: 12 passed (1 slow), 2 failed, 1 timed out, 4 skipped\n";
        assert_eq!(Runner::Nextest.read(text), counts(12, 3, 4));
        let coloured = "\u{1b}[32;1m     Summary\u{1b}[0m [ 0.1s] \u{1b}[1m1\u{1b}[0m test run: \u{1b}[1m1\u{1b}[0m passed, 0 skipped";
        assert_eq!(Runner::Nextest.read(coloured), counts(1, 0, 0));
        assert_eq!(Runner::Nextest.read("error: could not compile"), None);
    }

    #[test]
    fn cargo_test_adds_its_binaries_up() {
        let text = "test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\
                    test result: FAILED. 2 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.1s\n";
        assert_eq!(Runner::CargoTest.read(text), counts(7, 3, 1));
    }

    #[test]
    fn unittest_takes_failures_from_those_that_ran() {
        assert_eq!(Runner::Unittest.read("Ran 7 tests in 0.1s\n\nOK\n"), counts(7, 0, 0));
        assert_eq!(Runner::Unittest.read("Ran 7 tests in 0.1s\n\nOK (skipped=2)\n"), counts(5, 0, 2));
        let text = "Ran 9 tests in 0.1s\n\nFAILED (failures=1, errors=2, skipped=1)\n";
        assert_eq!(Runner::Unittest.read(text), counts(5, 3, 1));
    }

    #[test]
    fn vitest_counts_tests_and_not_files() {
        let text = " Test Files  1 failed | 3 passed (4)\n      Tests  2 failed | 10 passed | 1 skipped (13)\n";
        assert_eq!(Runner::Vitest.read(text), counts(10, 2, 1));
    }

    #[test]
    fn node_in_both_of_its_styles() {
        assert_eq!(Runner::Node.read("# tests 3\n# pass 2\n# fail 1\n# skipped 0\n"), counts(2, 1, 0));
        assert_eq!(Runner::Node.read("\u{2139} pass 4\n\u{2139} fail 0\n"), counts(4, 0, 0));
    }

    #[test]
    fn the_last_line_has_the_form_that_others_read() {
        let total = Counts { passed: 3, failed: 0, skipped: 0 };
        assert_eq!(total.to_string(), "3 passed, 0 failed");
        assert_eq!(Counts { skipped: 2, ..total }.to_string(), "3 passed, 0 failed, 2 skipped");
    }
}
