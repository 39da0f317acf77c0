//! Credits as people write them. Amounts come as whole micro-credits and are never rounded.

use p2p_control::api::MICRO_CREDITS;

/// Digits after the point that a micro-credit needs.
const DIGITS: usize = 6;

/// `1,240`, `1.4`, `0.000001`: for people.
pub(crate) fn shown(micro: u64) -> String {
    let whole = (micro / MICRO_CREDITS).to_string();
    let mut grouped = String::with_capacity(whole.len() + whole.len() / 3);
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped + &fraction(micro)
}

/// `1240`, `1.4`, `0.000001`: for programs, which may take a comma for something else.
pub(crate) fn plain(micro: u64) -> String {
    format!("{}{}", micro / MICRO_CREDITS, fraction(micro))
}

/// `1 credit`, `1,240 credits`.
pub(crate) fn named(micro: u64) -> String {
    format!("{} {}", shown(micro), if micro == MICRO_CREDITS { "credit" } else { "credits" })
}

/// The point and what follows it, without zeros at the end.
fn fraction(micro: u64) -> String {
    let rest = micro % MICRO_CREDITS;
    if rest == 0 { String::new() } else { format!(".{rest:0DIGITS$}").trim_end_matches('0').to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact_and_short() {
        for (micro, said) in [
            (0, "0"),
            (1, "0.000001"),
            (10, "0.00001"),
            (100_000, "0.1"),
            (999_999, "0.999999"),
            (1_000_000, "1"),
            (1_400_000, "1.4"),
            (999_000_000, "999"),
            (1_000_000_000, "1,000"),
            (1_240_000_000, "1,240"),
            (100_000_000_000, "100,000"),
            (1_000_000_000_001, "1,000,000.000001"),
            (u64::MAX, "18,446,744,073,709.551615"),
        ] {
            assert_eq!(shown(micro), said);
            assert_eq!(plain(micro), said.replace(',', ""));
        }
    }

    #[test]
    fn one_is_a_credit_and_all_else_are_credits() {
        assert_eq!(named(0), "0 credits");
        assert_eq!(named(1), "0.000001 credits");
        assert_eq!(named(1_000_000), "1 credit");
        assert_eq!(named(12_400_000), "12.4 credits");
    }
}
