//! What is said about credits, and what follows from it.

use p2p_ledger::{Body, day};
use p2p_types::{DeviceId, Now};

use super::purse::{News, Want};
use super::{Pay, Payer, bank, take_back};
use crate::io::Output;
use crate::peers::Peers;
use crate::post::Post;
use crate::wire::{self, envelope::Message};

impl Pay {
    /// A message about credits came. `Err` says what is wrong with it.
    pub(crate) fn heard(
        &mut self,
        now: Now,
        from: DeviceId,
        message: Message,
        peers: &Peers,
        post: &mut Post,
    ) -> Result<(), &'static str> {
        match message {
            Message::LedgerOrder(order) => {
                let account = peers.get(&from).and_then(|peer| peer.account);
                let reply = self.bank.as_mut().and_then(|bank| bank.order(now, from, account, order.order, post));
                self.deliver_replies(now, reply, peers, post);
                Ok(())
            }
            Message::StatementRequest(asked) => {
                let lane = bank::lane(&asked.account, &asked.device).ok_or("it names no lane")?;
                // What an owner has is the owner's to know.
                let owner = from == post.me || peers.get(&from).and_then(|peer| peer.account) == Some(lane.account);
                if !owner {
                    return Err("it asks for another's credits");
                }
                if let Some(bank) = &mut self.bank {
                    bank.statement(now, from, lane, asked.from, post);
                }
                Ok(())
            }
            Message::Statement(said) if from == self.notary => self.told(now, said, post),
            Message::Statement(said) => match &mut self.bank {
                Some(bank) => bank.restore(now, from, &said.certificates, post),
                None => Err("it speaks for the notary and is not"),
            },
            Message::LedgerRefusal(refusal) if from == self.notary => {
                self.refused(now, &refusal, post);
                Ok(())
            }
            Message::Payment(payment) => {
                let statement = self.accounts.get(&Payer::Owner).and_then(|account| account.purse.statement());
                let hold = self.earnings.paid(now, from, payment.voucher, statement, self.economy.grace_ms, post)?;
                if let (Some(hold), Some(me)) = (hold, self.accounts.get_mut(&Payer::Owner)) {
                    me.purse.withdraw_end(&hold);
                }
                Ok(())
            }
            // Of who is no notary here.
            _ => Err("it speaks for the notary and is not"),
        }
    }

    fn told(&mut self, now: Now, said: wire::Statement, post: &mut Post) -> Result<(), &'static str> {
        let lane = bank::lane(&said.account, &said.device).ok_or("it names no lane")?;
        let Some((payer, account)) = self.accounts.iter_mut().find(|(_, account)| account.purse.lane() == lane) else {
            return Ok(());
        };
        let payer = *payer;
        let (news, outcome) = account.purse.told(now, said, &self.committee, post);
        for news in news {
            self.learn(now, payer, news, post);
        }
        self.when_current(now, payer, post);
        outcome
    }

    fn refused(&mut self, now: Now, refusal: &wire::LedgerRefusal, post: &mut Post) {
        for payer in [Payer::Owner, Payer::Issuer] {
            let account = self.accounts.get_mut(&payer);
            if let Some(news) = account.and_then(|account| account.purse.refused(now, refusal)) {
                self.learn(now, payer, news, post);
            }
        }
    }

    fn learn(&mut self, now: Now, payer: Payer, news: News, post: &mut Post) {
        let Some(account) = self.accounts.get_mut(&payer) else { return };
        match news {
            News::Done { order, at, movements, certificate } => {
                let held_on = account.spending.take(at, &order, &movements);
                account.claims.take(&order, &movements, held_on, self.economy.issuer);
                let own = order.lane == account.purse.lane();
                if let (true, Body::Hold { payee, .. }, Some(statement)) = (own, &order.body, account.purse.statement())
                {
                    account.sessions.opened(order.id, post.me, *payee, statement, certificate);
                    self.opened = true;
                }
                if let (Payer::Owner, Body::Hold { payee, .. }) = (payer, &order.body)
                    && *payee == account.purse.lane()
                {
                    self.earnings.notice(now, order.id);
                }
                if let Some(hold) = order.ends() {
                    account.sessions.ended(&hold);
                    self.earnings.ended(now, &hold, post);
                }
            }
            News::Refused { want, detail } => {
                let what = match &want {
                    Want::Hold { payee, .. } => {
                        account.sessions.refused(now, &payee.device);
                        self.opened = true;
                        "to set credits aside"
                    }
                    Want::Settle { hold, .. } | Want::Release { hold } => {
                        // The voucher is kept as long as the hold may be open: a notary that lost something is
                        // told by others what it was.
                        let open = account.purse.statement().is_some_and(|statement| statement.hold(hold).is_some());
                        if open {
                            self.earnings.not_ended(now, hold);
                        } else {
                            self.earnings.ended(now, hold, post);
                        }
                        "to settle a session"
                    }
                    // A grant that was claimed before, by this computer or another of the owner.
                    Want::Claim { rule, .. } => return account.claims.refused(*rule),
                    Want::Open => "to open this computer's lane",
                };
                post.emit(Output::OrderRefused { what, why: detail });
            }
        }
    }

    /// All that a lane waits for once its state is known, or when a day begins.
    pub(super) fn when_current(&mut self, now: Now, payer: Payer, post: &mut Post) {
        let Some(account) = self.accounts.get_mut(&payer).filter(|account| account.purse.is_current()) else { return };
        let (economy, today) = (&self.economy, day(now.wall));
        take_back(now, &mut account.purse, economy.grace_ms);
        match payer {
            Payer::Issuer => {
                let budget = account.claims.of_issuer(today, account.purse.epoch(), economy);
                if let Some(budget) = budget {
                    account.purse.want(budget);
                }
            }
            Payer::Owner => {
                if let Some(statement) = account.purse.statement() {
                    self.earnings.restore(now, statement, economy.grace_ms, post);
                    let holds = statement.holds().filter(|(_, hold)| hold.payee == statement.lane());
                    holds.for_each(|(hold, _)| self.earnings.notice(now, *hold));
                }
                // The rules give nothing to whoever founded the network.
                if account.purse.lane().account != economy.founder {
                    for claim in account.claims.of_owner(today, economy) {
                        account.purse.want(claim);
                    }
                }
            }
        }
    }
}
