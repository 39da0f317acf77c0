//! `wallet verify`: the balance computed again, by the daemon where one runs, else from the home.

use p2p_control::api::{ErrorCode, Problem, WalletCheck};

use super::super::names;
use crate::context::Context;
use crate::credits;
use crate::output::{Page, Tint};
use crate::problem::Exit;

pub(super) async fn run(context: &Context) -> Result<Exit, Problem> {
    let home = context.home()?;
    let check = match context.daemon_if_running(&home).await? {
        Some(client) => client.wallet_verify().await?,
        // From the home's files: they are nobody else's while no daemon runs.
        None => p2p_agent::wallet::verify(&home)?,
    };
    context.out.reply(&check, |page| draw(page, &check));
    if check.agrees {
        return Ok(Exit::Fine);
    }
    let found = names::count(check.problems.len() as u64, "thing does", "things do");
    let problem = Problem::new(ErrorCode::WalletDamaged, format!("{found} not agree"));
    context.out.problem_for_people(&problem.with_hint("Keep the folder as it is, and report what is listed"));
    Ok(Exit::Mendable)
}

fn draw(page: &mut Page, check: &WalletCheck) {
    if check.agrees {
        page.tinted(Tint::Good, "The wallet adds up.");
    } else {
        page.tinted(Tint::Bad, "The wallet does not add up.");
    }
    page.blank();
    page.facts(&[
        ("Available", credits::shown(check.available)),
        ("Set aside", credits::shown(check.held)),
        ("Checked", checked(check)),
    ]);
    if !check.problems.is_empty() {
        page.blank();
        check.problems.iter().for_each(|problem| page.line(problem));
    }
}

fn checked(check: &WalletCheck) -> String {
    let certificates = names::count(check.certificates, "certificate", "certificates");
    format!("{certificates}, {}", names::count(check.rows, "row", "rows"))
}
