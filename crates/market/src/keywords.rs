//! What is looked up of a query, and how SQLite's FTS5 is asked for it.

/// Words of a query that count; the rest is passed over.
pub const MOST_WORDS: usize = 32;

/// English words that say nothing about what is wanted. In a small catalog they are rare, and so
/// would weigh as much as the names of things; in a large one each would list every card.
const EMPTY: &str = "
    a about after all also am an and any are as at be because been before being but by can could did do does
    doing don for from get give had has have having he her here him his how i if im in into is it its just like
    make many me more most much my need no not of off on once one only or other our out over own people please
    same she should so some something such tell than that the their them then there these they thing things this
    those to too under until up us use using very want was we were what when where which while who whom whose
    why will with without would you your
";

fn is_empty_word(word: &str) -> bool {
    EMPTY.split_whitespace().any(|empty| empty == word)
}

/// The words of a query that are looked up, in lower case, each once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keywords {
    words: Vec<String>,
}

impl Keywords {
    /// Drops the empty words, unless the query has no others.
    #[must_use]
    pub fn of(query: &str) -> Self {
        let mut all: Vec<String> = Vec::new();
        let words = query.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        for word in words.take(8 * MOST_WORDS).map(str::to_lowercase) {
            if !all.contains(&word) {
                all.push(word);
            }
        }
        let mut words: Vec<String> = all.iter().filter(|word| !is_empty_word(word)).cloned().collect();
        if words.is_empty() {
            words = all;
        }
        words.truncate(MOST_WORDS);
        Self { words }
    }

    #[must_use]
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// What FTS5 matches with any of the words; `None` without words.
    #[must_use]
    pub fn any(&self) -> Option<String> {
        self.joined(" OR ")
    }

    /// What FTS5 matches with all of the words; `None` without words.
    #[must_use]
    pub fn all(&self) -> Option<String> {
        self.joined(" AND ")
    }

    /// In quotes, so that no word is taken for an operator. None has a quote in it.
    fn joined(&self, by: &str) -> Option<String> {
        let quoted: Vec<String> = self.words.iter().map(|word| format!("\"{word}\"")).collect();
        (!quoted.is_empty()).then(|| quoted.join(by))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_words_are_passed_over_and_others_stand_once() {
        let keywords = Keywords::of("I want to know: is this Review good, or is the review bad?");
        assert_eq!(keywords.words(), ["know", "review", "good", "bad"]);
        assert_eq!(keywords.all().as_deref(), Some("\"know\" AND \"review\" AND \"good\" AND \"bad\""));
    }

    #[test]
    fn a_query_of_empty_words_is_looked_up_as_it_is() {
        assert_eq!(Keywords::of("who are you?").any().as_deref(), Some("\"who\" OR \"are\" OR \"you\""));
        assert_eq!(Keywords::of(" -- \"\" ").any(), None);
    }

    #[test]
    fn no_query_speaks_to_the_database() {
        let keywords = Keywords::of("x\" OR name:* NEAR(a^2) -b AND NOT_c");
        assert_eq!(keywords.any().as_deref(), Some("\"x\" OR \"name\" OR \"near\" OR \"2\" OR \"b\" OR \"c\""));
    }

    #[test]
    fn a_long_query_is_cut() {
        let long: String = (0..10_000).map(|i| format!("word{i} ")).collect();
        assert_eq!(Keywords::of(&long).words().len(), MOST_WORDS);
    }
}
