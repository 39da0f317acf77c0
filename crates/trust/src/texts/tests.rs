use std::collections::{HashMap, HashSet};

use p2p_types::TaskKind;

use super::*;

fn made(texts: &Texts, count: usize) -> Vec<String> {
    let task = |number| texts.task(Number { kind: TaskKind::Sentiment, number }).texts;
    (0..).flat_map(task).take(count).collect()
}

#[test]
fn ten_thousand_texts_are_all_different() {
    for seed in 0..4 {
        let texts = made(&Texts::new([seed; 32]), 10_000);
        let different: HashSet<&String> = texts.iter().collect();
        assert_eq!(different.len(), texts.len(), "seed {seed}");
    }
}

#[test]
fn they_look_varied() {
    let texts = made(&Texts::new([7; 32]), 10_000);
    let share = |of: &dyn Fn(&String) -> bool| texts.iter().filter(|text| of(text)).count() * 100 / texts.len();

    assert!(texts.iter().all(|text| BYTES.contains(&text.len())), "20 to 400 bytes");
    for (from, to) in [(20, 60), (60, 100), (100, 150), (150, 220), (220, 401)] {
        let some = share(&|text| (from..to).contains(&text.len()));
        assert!((5..45).contains(&some), "{some} % have {from} to {to} bytes");
    }
    let mut first: HashMap<&str, usize> = HashMap::new();
    for text in &texts {
        *first.entry(text.split_whitespace().next().unwrap_or("")).or_default() += 1;
    }
    assert!(first.len() > 150, "{} first words", first.len());
    assert!(first.values().all(|count| *count < 1_000), "a tenth begins alike: {first:?}");

    let careless = share(&|text| text.chars().all(|letter| !letter.is_uppercase()));
    assert!((10..30).contains(&careless), "{careless} % lower case");
    let several = share(&|text| text.matches([' ']).count() > 14);
    assert!((30..80).contains(&several), "{several} % longer than a sentence");
    assert!(texts.iter().all(|text| !text.contains(['{', '}']) && !text.contains("  ") && text.trim() == text));
}

/// Two storms in one text are no news.
#[test]
fn no_sentence_of_a_text_has_the_form_of_another() {
    let texts = made(&Texts::new([8; 32]), 2_000);
    let twice = texts.iter().filter(|text| text.to_lowercase().matches("a storm left").count() > 1).count();
    assert_eq!(twice, 0);
}

#[test]
fn tasks_have_one_to_four_texts() {
    let texts = Texts::new([1; 32]);
    let mut counts = [0; 5];
    for number in 0..1_000 {
        counts[texts.task(Number { kind: TaskKind::Embed, number }).texts.len()] += 1;
    }
    assert_eq!(counts[0], 0);
    assert!(counts[1] > 300 && counts[2..].iter().all(|count| *count > 120), "{counts:?}");
}

#[test]
fn a_number_has_its_texts_and_a_seed_its_own() {
    let number = |kind, number| Number { kind, number };
    let (one, other) = (Texts::new([1; 32]), Texts::new([2; 32]));
    let task = one.task(number(TaskKind::Embed, 5));
    assert_eq!(task, one.task(number(TaskKind::Embed, 5)));
    assert_ne!(task.texts, one.task(number(TaskKind::Embed, 6)).texts);
    assert_ne!(task.texts, one.task(number(TaskKind::Sentiment, 5)).texts);
    assert_ne!(task.texts, other.task(number(TaskKind::Embed, 5)).texts);
    assert!(!format!("{one:?}").contains("1, 1"), "the seed is nobody's business");
}

#[test]
fn given_sentences_are_mixed_in_and_never_stand_alone() {
    let given: Vec<String> = (0..200).map(|n| format!("Given sentence {n} about nothing.")).collect();
    let texts = made(&Texts::new([3; 32]).with_sentences(&given), 10_000);
    let with = texts.iter().filter(|text| text.to_lowercase().contains("given sentence")).count();
    assert!((3_500..5_500).contains(&with), "{with}");
    assert_eq!(texts.iter().collect::<HashSet<_>>().len(), texts.len());
    assert!(texts.iter().all(|text| BYTES.contains(&text.len()) && !given.contains(text)));
}

#[test]
fn unfit_sentences_are_left_out() {
    let unfit = ["short".to_owned(), "x".repeat(241), "looks \u{202e}fine but is not".to_owned()];
    let fit = (0..100).map(|n| format!("A sentence, number {n}."));
    assert_eq!(Texts::new([0; 32]).with_sentences(unfit.into_iter().chain(fit)).sentences.len(), 100);
    let few = (0..99).map(|n| format!("A sentence, number {n}."));
    assert!(Texts::new([0; 32]).with_sentences(few).sentences.is_empty(), "too few are known by heart");
    let longest = (0..100).map(|n| format!("{}{n:03}", "é".repeat(118)));
    let texts = made(&Texts::new([0; 32]).with_sentences(longest), 2_000);
    assert!(texts.iter().all(|text| BYTES.contains(&text.len())));
}
