//! `task submit --quote`: what a task would cost. Nothing runs, and no text leaves.

use p2p_control::Client;
use p2p_control::api::{Problem, Quote, SubmitTask};

use super::names;
use crate::context::Context;
use crate::credits;
use crate::output::{Page, Tint};
use crate::problem::Exit;

pub(super) async fn run(context: &Context, client: &Client, request: &SubmitTask) -> Result<Exit, Problem> {
    let quote = client.quote(request).await?;
    context.out.reply(&quote, |page| draw(page, &quote));
    if !quote.enough && !quote.unpaid && quote.computers > 0 {
        let available = credits::named(quote.available);
        context.out.warn(&format!("That cannot be paid now; {available} are available"));
    }
    context.out.note("Nothing was run. The same command without --quote runs it");
    Ok(Exit::Fine)
}

fn draw(page: &mut Page, quote: &Quote) {
    page.tinted(Tint::Strong, &quote.detail);
    page.blank();
    page.facts(&[
        ("Price", price(quote)),
        ("Available", credits::named(quote.available)),
        ("Texts", quote.texts.to_string()),
        ("Would leave", leaving(quote)),
    ]);
}

fn price(quote: &Quote) -> String {
    if quote.price == 0 { "nothing".to_owned() } else { format!("at most {}", credits::named(quote.price)) }
}

fn leaving(quote: &Quote) -> String {
    if quote.computers == 0 {
        return "nothing".to_owned();
    }
    let bytes = names::count(quote.bytes, "byte", "bytes");
    let computers = names::count(u64::from(quote.computers), "other computer", "other computers");
    format!("{bytes} of text, to at most {computers}")
}
