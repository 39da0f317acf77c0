//! Makes texts that look like what people send: reviews, messages, news, notes; long and short,
//! kind and unkind, some careless.
//!
//! They are made of sentences with gaps ([`templates`], [`parts`]), mixed with public sentences
//! where some are given. Who reads this file can write a program that knows the sentences, so a
//! network that wants canaries hard to tell from work gives sentences of its own; the seed is
//! secret, so nobody can compute which texts will come. Of a hundred thousand texts about three
//! are like one before; those are short, and most tasks have others beside them.

// Lists of words, many on a line.
#[rustfmt::skip]
mod parts;
mod templates;

use std::collections::{BTreeMap, BTreeSet};

use p2p_types::{Seed, is_hidden};

use crate::pool::Number;

/// Shortest and longest text, in bytes.
const BYTES: std::ops::RangeInclusive<usize> = 20..=400;
/// Most texts of one task.
const TASK_TEXTS: u64 = 4;
/// Most sentences kept of those that are given.
const SENTENCES: usize = 100_000;
/// Fewer are soon known by heart, and are not used.
const FEWEST_SENTENCES: usize = 100;
/// Whoever mixes a given sentence leaves room for another beside it.
const SENTENCE_BYTES: std::ops::RangeInclusive<usize> = 12..=240;

/// A task without its answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    pub number: Number,
    pub texts: Vec<String>,
}

/// The maker of texts. The same seed, sentences and number give the same texts everywhere.
#[derive(Clone)]
pub struct Texts {
    seed: [u8; 32],
    sentences: Vec<String>,
}

impl std::fmt::Debug for Texts {
    /// Without the seed: who knows it knows every canary.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Texts").field("sentences", &self.sentences.len()).finish_non_exhaustive()
    }
}

impl Texts {
    #[must_use]
    pub const fn new(seed: [u8; 32]) -> Self {
        Self { seed, sentences: Vec::new() }
    }

    /// Mixes in public sentences, one a string. Those too long, too short or with hidden characters
    /// are left out; fewer than a hundred good ones are not used at all, because they would
    /// return too often.
    #[must_use]
    pub fn with_sentences<S: AsRef<str>>(mut self, sentences: impl IntoIterator<Item = S>) -> Self {
        let sound = |text: &str| SENTENCE_BYTES.contains(&text.len()) && !text.chars().any(is_hidden);
        let mut kept = BTreeSet::new();
        for sentence in sentences {
            let text = sentence.as_ref().trim();
            if sound(text) && kept.len() < SENTENCES {
                kept.insert(text.to_owned());
            }
        }
        self.sentences = if kept.len() < FEWEST_SENTENCES { Vec::new() } else { kept.into_iter().collect() };
        self
    }

    /// The task of a number: one to four texts.
    #[must_use]
    pub fn task(&self, number: Number) -> Question {
        let mut hasher = blake3::Hasher::new_derive_key("p2p-agent canary texts 1");
        hasher.update(&self.seed).update(number.kind.as_str().as_bytes()).update(&number.number.to_le_bytes());
        let mut chance = Seed::new(*hasher.finalize().as_bytes());
        // One text is twice as frequent as two, three and four each.
        let count = chance.below(TASK_TEXTS + 1).max(1);
        let texts = (0..count).map(|_| self.text(&mut chance)).collect();
        Question { number, texts }
    }

    fn text(&self, chance: &mut Seed) -> String {
        let mut topic = Topic::default();
        let aim = match chance.below(20) {
            0..=3 => return careless(brief(&mut topic, chance), chance),
            4..=8 => 0,
            9..=12 => 60 + chance.below(80),
            13..=16 => 120 + chance.below(120),
            _ => 200 + chance.below(190),
        };
        let aim = usize::try_from(aim).unwrap_or(0);
        let sort = pick(templates::SORTS, chance);
        let mut text = String::new();
        if !self.sentences.is_empty() && chance.below(2) == 0 {
            // Never alone: there are fewer of them than there will be texts.
            let at = usize::try_from(chance.below(self.sentences.len() as u64)).unwrap_or(0);
            let given = self.sentences.get(at).map_or("", String::as_str);
            let made = sentence(sort, &mut topic, chance);
            text = if chance.below(2) == 0 { format!("{given} {made}") } else { format!("{made} {given}") };
        } else {
            text.push_str(&framed(sort, &mut topic, chance));
        }
        while text.len() < aim || text.len() < *BYTES.start() {
            let next = sentence(sort, &mut topic, chance);
            if text.len() + 1 + next.len() > *BYTES.end() {
                break;
            }
            text.push(' ');
            text.push_str(&next);
        }
        careless(text, chance)
    }
}

/// What a text is about stays the same from sentence to sentence, the form of sentences does not.
#[derive(Default)]
struct Topic {
    fixed: BTreeMap<&'static str, &'static str>,
    used: BTreeSet<&'static str>,
}

impl Topic {
    /// A sentence of another form than those before it. A text has fewer sentences than a sort.
    fn template(&mut self, sort: &[&'static str], chance: &mut Seed) -> &'static str {
        let unused: Vec<&'static str> = sort.iter().copied().filter(|form| !self.used.contains(form)).collect();
        let form = if unused.is_empty() { pick(sort, chance) } else { pick(&unused, chance) };
        self.used.insert(form);
        form
    }
}

/// A few words, longer than the shortest text.
fn brief(topic: &mut Topic, chance: &mut Seed) -> String {
    let mut text = sentence(templates::BRIEF, topic, chance);
    while text.len() < *BYTES.start() {
        text.push(' ');
        text.push_str(pick(parts::CLOSERS, chance));
    }
    text
}

/// A sentence that may stand alone has something before or after it, else too many would be alike.
fn framed(sort: &[&'static str], topic: &mut Topic, chance: &mut Seed) -> String {
    let frame = chance.below(5);
    let mut text = if frame < 3 {
        format!("{} {}", pick(parts::OPENERS, chance), filled(sort, topic, chance))
    } else {
        capital(&filled(sort, topic, chance))
    };
    end(&mut text, chance);
    if frame > 1 {
        text.push(' ');
        text.push_str(pick(parts::CLOSERS, chance));
    }
    text
}

fn sentence(sort: &[&'static str], topic: &mut Topic, chance: &mut Seed) -> String {
    let mut text = capital(&filled(sort, topic, chance));
    end(&mut text, chance);
    text
}

fn end(text: &mut String, chance: &mut Seed) {
    if !text.ends_with('?') {
        text.push_str(match chance.below(12) {
            0 | 1 => "!",
            2 => "...",
            3 => "!!",
            _ => ".",
        });
    }
}

fn filled(sort: &[&'static str], topic: &mut Topic, chance: &mut Seed) -> String {
    let template = topic.template(sort, chance);
    let mut text = String::new();
    let mut last = "";
    for piece in template.split('{') {
        let Some((gap, rest)) = piece.split_once('}') else {
            text.push_str(piece);
            continue;
        };
        match gap {
            "n" => text.push_str(&(3 + chance.below(95)).to_string()),
            "digit" => text.push_str(&(1 + chance.below(9)).to_string()),
            "big" => text.push_str(&(1_037 + chance.below(88_000)).to_string()),
            "price" => {
                let (whole, cents) = (2 + chance.below(180), chance.below(100));
                let price = match chance.below(3) {
                    0 => format!("${whole}.{cents:02}"),
                    1 => format!("{whole} euros {cents}"),
                    _ => format!("{whole}.{cents:02}"),
                };
                text.push_str(&price);
            }
            "clock" => text.push_str(&format!("{}:{:02}", 6 + chance.below(14), 5 * chance.below(12))),
            "thing" | "spot" | "town" | "colour" => {
                let word = *topic.fixed.entry(gap).or_insert_with(|| word(gap, "", chance));
                text.push_str(word);
            }
            _ => {
                last = word(gap, last, chance);
                text.push_str(last);
            }
        }
        text.push_str(rest);
    }
    text
}

/// A word for a gap, not the one just used.
fn word(gap: &str, last: &str, chance: &mut Seed) -> &'static str {
    let words = parts::words(gap).unwrap_or(&["it"]);
    let drawn = pick(words, chance);
    if drawn == last { pick(words, chance) } else { drawn }
}

fn pick<T: Copy>(from: &[T], chance: &mut Seed) -> T {
    from[usize::try_from(chance.below(from.len() as u64)).unwrap_or(0)]
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// As people write on a phone: lower case, no full stop, a letter too few or too many.
fn careless(mut text: String, chance: &mut Seed) -> String {
    match chance.below(100) {
        0..=17 => text.make_ascii_lowercase(),
        18 => text.make_ascii_uppercase(),
        _ => {}
    }
    if chance.below(6) == 0 && text.ends_with('.') {
        text.truncate(text.trim_end_matches('.').len().max(*BYTES.start()));
    }
    let typos = match chance.below(100) {
        0..=13 => 1,
        14..=17 => 2,
        _ => 0,
    };
    for _ in 0..typos {
        text = mistyped(text, chance);
    }
    text
}

fn mistyped(text: String, chance: &mut Seed) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    let inside = |letters: &[char], at: usize| {
        (at.saturating_sub(1)..at + 3).all(|near| letters.get(near).is_some_and(char::is_ascii_alphabetic))
    };
    // A few tries: most places are inside a word.
    for _ in 0..8 {
        let at = usize::try_from(1 + chance.below(letters.len() as u64)).unwrap_or(1);
        if !inside(&letters, at) {
            continue;
        }
        match chance.below(3) {
            0 => letters.swap(at, at + 1),
            1 if letters.len() > *BYTES.start() => {
                letters.remove(at);
            }
            _ if text.len() < *BYTES.end() => letters.insert(at, letters[at]),
            _ => {}
        }
        break;
    }
    letters.into_iter().collect()
}

#[cfg(test)]
mod tests;
