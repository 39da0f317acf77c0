//! Sentences with gaps, by what people write: one text stays with one sort of sentence.

/// The sorts, each with its sentences. `{thing}` is a gap; [`super::parts`] has what fills it.
pub(super) const SORTS: &[&[&str]] = &[REVIEWS, VISITS, STORIES, MESSAGES, NEWS, NOTES];

/// What is said in a few words, and stands alone. Each has many more fillings than the others,
/// because nothing else makes two of them differ.
pub(super) const BRIEF: &[&str] = &[
    "{thing}: {good}, {price}",
    "{thing}: {bad}, {price}",
    "{thing} {soso}, {part} {good}, {part} {bad}",
    "{dish} {price}, {bad}",
    "{dish} {price}, {good}",
    "{price} for {dish} in {town}?",
    "order {big}: {bad}",
    "order {big}: {good}",
    "{n} x {thing}, {price}",
    "{part} {good}, {part} {bad}",
    "{name} at {clock} in {town}, room {n}?",
    "{name}, call {name} {day} {clock}",
    "{name}: bring the {thing} {day} {clock}",
    "{colour} {noun}: {good}, {n}/100",
    "{colour} {noun}: {bad}, {n}/100",
    "{spot}: {good}, {price}",
    "{spot}: {bad}, {price}",
    "{doing} {day} {clock}, {name}",
    "paid {name} {price} {when}",
    "{town}: {big} {when}, {body}",
];

const REVIEWS: &[&str] = &[
    "the {part} of this {thing} is {very} {good}",
    "the {part} of this {thing} is {very} {bad}",
    "this {thing} is {soso}, the {part} is {good}",
    "I bought this {thing} {when} {why} and the {part} is {good}",
    "I bought this {thing} {when} {why} and the {part} is {bad}",
    "after {n} days the {part} was {very} {bad}",
    "after {n} days with the {thing} the {part} is {very} {good}",
    "the {thing} cost me {price} and {praise}",
    "the {thing} cost me {price} and {gripe}",
    "{who} got the same {thing} for {price}, mine is {soso}",
    "ordered {n} of them {why}, the {part} was {bad} and {gripe}",
    "the {part} is {good}, the {part} is {bad}, for {price} it is {soso}",
    "{who} said the {thing} would be {good}, but the {part} is {bad}",
    "I use the {thing} {n} times a week and {praise}",
    "{praise}, even though the {part} of the {thing} is {soso}",
    "not {very} {bad}, but the {part} could be better for {price}",
];
const VISITS: &[&str] = &[
    "the {dish} at {spot} was {very} {good}",
    "the {dish} at {spot} was {very} {bad}",
    "we went to {spot} in {town} {when} and {praise}",
    "we went to {spot} in {town} {when} and {gripe}",
    "{who} at {spot} was {good}, the {dish} was {soso}",
    "paid {price} for the {dish} at {spot}, {gripe}",
    "paid {price} for the {dish} at {spot}, {praise}",
    "{spot} in {town} was {very} {soso} {when}",
    "waited {n} minutes for the {dish} {when} and {gripe}",
    "table for {n} at {spot}, {who} was {very} {good}",
    "{who} took us to {spot} {why}, {praise}",
    "I had the {dish} {when}, it was {bad}, and {who} agreed",
    "staff at {spot} were {good} but the {dish} came {n} minutes late",
    "if you are in {town}, {spot} is {good}, ask {name} for the {dish}",
];
const STORIES: &[&str] = &[
    "the {colour} {noun} is {very} {good}, I finished it {when}",
    "the {colour} {noun} is {very} {bad}, I gave up {when}",
    "watched The {colour} {noun} with {who} {when} and {praise}",
    "watched The {colour} {noun} with {who} {when} and {gripe}",
    "the first {n} pages of The {colour} {noun} are {bad}, the rest is {good}",
    "the ending of The {colour} {noun} was {soso}, {who} liked it {why}",
    "{name} is {good} as the {colour} {noun}, the rest of the cast is {soso}",
    "{name} is {bad} as the {noun}, and at {n} minutes the film is {very} {bad}",
    "read The {colour} {noun} {why}, {praise}",
    "season {digit} of The {colour} {noun} is {good}, the music is {soso}",
    "nobody needs another {colour} {noun}, episode {n} is {very} {bad}",
    "the {noun} scene {n} minutes in is {good}, the script is {very} {bad}",
];
const MESSAGES: &[&str] = &[
    "hi {name}, can you {doing} before {clock}?",
    "hi {name}, I could not {doing} {why}, sorry",
    "{name} and {name} are coming at {clock}, please {doing}",
    "{who} called {when}, please {doing} by {day}",
    "train to {town} is {n} minutes late, start without me {name}",
    "thank you {name}, the {dish} {when} was {good}",
    "did {name} {doing} or should I do it {day} at {clock}?",
    "meeting moved to {day} {clock}, room {n}, bring the {thing}",
    "{name} is ill, so {who} will {doing} on {day}",
    "I left the {thing} at {spot}, can {name} get it before {clock}?",
    "congratulations {name}, {n} points in {town} is {very} {good}",
    "please stop calling {who} at {clock}, {gripe}",
    "see you at {spot} at {clock}, {name} has the {thing}",
    "order {big} has not arrived in {town}, {gripe}",
    "your parcel {big} is at {spot}, bring {price} for the {thing}",
];
const NEWS: &[&str] = &[
    "{body} in {town} announced {plan} for {month}",
    "{body} in {town} rejected {plan} after {n} hours of debate",
    "{plan} will cost {big} euros, {body} in {town} said {when}",
    "about {big} people in {town} want {plan}",
    "critics called {plan} in {town} {bad}, {body} disagreed",
    "residents of {town} welcomed {plan}, saying it is {good}",
    "{body} expects {n} percent more visitors in {town} this {month}",
    "from {month} on, {body} of {town} offers {plan}",
    "{name} from {town}, {n}, won the prize of {big} euros",
    "a storm left {big} homes near {town} without power {when}",
    "{body} of {town} lost {n} percent in {month} {why}",
    "{n} people were hurt near {town} {when}, {body} said",
    "talks between {body} and {body} about {plan} end on {day}",
    "volunteers in {town} collected {big} kilos of rubbish {when}",
];
const NOTES: &[&str] = &[
    "{day} {clock}: {doing}, then {doing}",
    "remember to {doing} and {doing} before {month} {digit}",
    "{name} owes me {price} for the {dish}, paid {price} {when}",
    "the {thing} from {spot} was {price}, warranty until {month}",
    "idea: ask {who} to {doing} while I {doing}",
    "slept {digit} hours, felt {soso}, managed to {doing} {when}",
    "ticket {big}: {part} of the {thing} is {bad}, told {name} {when}",
    "ticket {big}: {part} of the {thing} replaced, customer says it is {good}",
    "shopping for {day}: {dish}, {dish}, a {thing}, about {price}",
    "doctor in {town} on {month} {digit} at {clock}, {who} drives",
    "we agreed with {name} to {doing} by {month}, {who} pays {price}",
    "page {n} of the manual says how to set the {part} of the {thing}",
    "{n} of {big} done, {name} will {doing} {day}",
];

#[cfg(test)]
mod tests {
    use super::super::parts::words;
    use super::*;

    /// How many sentences a template can become.
    fn fillings(template: &str) -> usize {
        let gaps = template.split('{').skip(1).map(|rest| rest.split_once('}').expect("closed").0);
        let words = |gap| match gap {
            "n" => 95,
            "digit" => 9,
            "big" => 88_000,
            "price" => 18_000,
            "clock" => 168,
            other => words(other).unwrap_or_else(|| panic!("{{{other}}} in {template:?}")).len(),
        };
        gaps.map(words).product()
    }

    /// Two texts of one sentence are the same by chance only where a template has few fillings.
    #[test]
    fn every_gap_is_known_and_every_template_has_many_fillings() {
        for template in SORTS.iter().copied().flatten() {
            assert!(fillings(template) >= 15_000, "{} fillings: {template}", fillings(template));
        }
        for template in BRIEF {
            assert!(fillings(template) >= 2_000_000, "{} fillings: {template}", fillings(template));
        }
        assert!(SORTS.iter().copied().flatten().count() >= 80);
    }
}
