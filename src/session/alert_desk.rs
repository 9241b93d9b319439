use std::rc::Rc;
use std::time::Instant;

use super::alert_history::{TradeHistory, Walk, Walked};
use super::alerts::{SessionAlert, SessionAlerts};
use super::outbox::ReplayLookup;
use super::state::SessionState;
use crate::alerts::{AlertCondition, AlertOrder, AlertPermit, AlertQuota, LastPrice, trigger};
use crate::auth::Grant;
use crate::feed::FeedProgress;
use crate::hub::EncodedLastValues;
use crate::model::{Body, Channel, CurrentTradeRules, Missed, Price, Seq, StreamId, Symbol, SymbolId};
use crate::source::SymbolInterest;
use crate::wire::{
    AlertCommand, AlertEntry, AlertList, AlertNames, AlertPosition, Answered, ControlMessage, ErrorCode, Gap,
    UnalertCommand,
};

/// What the alerts of a service's sessions have in common.
#[derive(Clone)]
pub struct AlertAccess {
    /// How many there may be.
    pub quota: AlertQuota,
    /// Which trades are the last price, as the node knows it now.
    pub rules: CurrentTradeRules,
}

/// Executes the commands of one session about alerts.
pub(super) struct AlertDesk {
    state: Rc<SessionState>,
    access: AlertAccess,
    /// The symbols of alerts, if the source gives symbols on demand.
    interest: Option<Box<SymbolInterest>>,
    replay: ReplayLookup,
    progress: FeedProgress,
    /// The most trades of which a command is told what they fired.
    max_walked: usize,
}

/// From where an alert is evaluated.
enum Start {
    /// From now on.
    Now,
    /// From behind this number, which the client knows and this worker does not yet.
    Ahead(Seq),
    /// What fired behind a number is known.
    Walked(Seq, Walked),
    /// These trades are not known any more; then from now on.
    Gap(Seq, Seq),
}

/// The state of a symbol's market as of the last batch.
#[derive(Clone, Copy)]
struct SymbolMarket {
    stream: StreamId,
    newest: Seq,
    last: Option<LastPrice>,
    previous_close: Option<Price>,
}

impl AlertDesk {
    pub(super) fn new(
        state: Rc<SessionState>,
        access: AlertAccess,
        interest: Option<SymbolInterest>,
        (replay, progress): (ReplayLookup, FeedProgress),
        max_walked: usize,
    ) -> Self {
        Self { state, access, interest: interest.map(Box::new), replay, progress, max_walked }
    }

    /// Sets an alert, or replaces the one of its name, and answers. What fired since the position that the client knows is
    /// told behind the answer, then what fires from now on, so that nothing is missing and nothing comes twice.
    pub(super) fn set(&mut self, command: AlertCommand, grant: Option<&Grant>, now: Instant) {
        let x = Answered::of(command.id.clone());
        let (condition, permit) = match self.check(&command, grant) {
            Ok(checked) => checked,
            Err(refusal) => return self.refuse(refusal, x, now),
        };
        let AlertCommand { symbol, alert: name, when, once, since, .. } = command;
        self.remove(|alert| !alert.is_over && *alert.name == *name);
        let alert = SessionAlert {
            name: name.as_str().into(),
            when: when.trim().into(),
            symbol,
            condition,
            once,
            key: None,
            is_over: false,
            notice: None,
            _permit: permit,
        };
        self.state.with_alerts(now, |alerts| alerts.push(alert));
        match self.state.hub().universe().find(&symbol) {
            Some(id) => self.begin(&name, id, condition, once, since.as_ref(), Some(x), now),
            None => self.answer(x, None, now),
        }
    }

    /// Removes alerts and answers.
    pub(super) fn unset(&mut self, command: UnalertCommand, now: Instant) {
        let UnalertCommand { alerts, id } = command;
        self.remove(|alert| alerts.all || alerts.names.iter().any(|name| **name == *alert.name));
        let kept: Vec<Symbol> =
            self.state.with_alerts(now, |alerts| alerts.active().map(|it| it.symbol).collect());
        if let Some(interest) = &mut self.interest {
            interest.retain(|symbol| kept.contains(symbol));
        }
        self.answer(Answered::of(id), None, now);
    }

    /// Removes the alerts on symbols that the client may no longer see, and tells the state if there were some.
    pub(super) fn restrict(&mut self, may_see: impl Fn(&Symbol) -> bool, now: Instant) {
        if !self.state.has_alerts() {
            return;
        }
        let count = || self.state.with_alerts(now, |alerts| alerts.active().count());
        let before = count();
        self.remove(|alert| !may_see(&alert.symbol));
        if count() < before {
            self.unset(UnalertCommand { alerts: AlertNames::default(), id: None }, now);
        }
    }

    /// Begins to evaluate the alerts whose symbols the market lists now, from their first trade on.
    pub(super) fn add_new_instruments(&self, now: Instant) {
        if !self.state.has_alerts() {
            return;
        }
        let universe = self.state.hub().universe();
        let listed: Vec<_> = self.state.with_alerts(now, |alerts| {
            let listed = alerts.unlisted().filter_map(|alert| {
                let id = universe.find(&alert.symbol)?;
                Some((alert.name.clone(), id, alert.condition, alert.once))
            });
            listed.collect()
        });
        let since = AlertPosition { epoch: self.epoch(), sq: 0 };
        for (name, id, condition, once) in listed {
            self.begin(&name, id, condition, once, Some(&since), None, now);
        }
    }

    /// Checks whether the alert may be set.
    fn check(
        &mut self,
        command: &AlertCommand,
        grant: Option<&Grant>,
    ) -> Result<(AlertCondition, AlertPermit), ControlMessage> {
        let bad = |why: String| ErrorCode::BadCondition.because(why);
        let condition = command.when.trim().parse().map_err(|why| bad(format!("{why}")))?;
        let symbol = &command.symbol;
        if grant.is_some_and(|grant| !grant.key().allows_symbol(symbol)) {
            return Err(ErrorCode::InsufficientSubscription.into());
        }
        if self.interest.is_none() && self.state.hub().universe().find(symbol).is_none() {
            return Err(bad(format!("the market has no symbol {symbol}")));
        }
        let present = self.state.count_alerts_but(&command.alert);
        let key = grant.map(|grant| grant.key().id());
        let permit = self.access.quota.acquire(present, key);
        let permit = permit.map_err(|why| ErrorCode::TooManyAlerts.because(why.to_string()))?;
        if let Some(interest) = &mut self.interest
            && !interest.add([symbol]).is_empty()
        {
            let why =
                format!("the source gives at most {} symbols to all clients together", interest.limit());
            return Err(ErrorCode::SymbolLimit.because(why));
        }
        Ok((condition, permit))
    }

    /// Begins to evaluate an alert of the session, and answers its command unless it was answered.
    #[expect(clippy::too_many_arguments, reason = "the parts of one alert, which is borrowed")]
    fn begin(
        &self,
        name: &str,
        id: SymbolId,
        condition: AlertCondition,
        once: bool,
        since: Option<&AlertPosition>,
        answer: Option<Option<Answered>>,
        now: Instant,
    ) {
        let hub = self.state.hub();
        let Some(owner) = self.state.key() else { return };
        let history = TradeHistory::new(&self.replay, self.access.rules.get());
        let market = hub.with_last_values(|last_values| self.market(id, last_values, &history));
        let start = self.start(since, condition, once, market, &history);
        let last = market.last.map(|last| last.price);
        let fresh = trigger(condition, market.previous_close, last);
        // The answer tells the state as the client knows it; what fired since then is told behind it.
        let (known, state, told, told_price) = match &start {
            Start::Now | Start::Gap(..) => (market.newest, fresh, fresh, last),
            Start::Ahead(known) => (*known, fresh, fresh, last),
            Start::Walked(known, walked) => (*known, walked.trigger, walked.began, walked.began_at),
        };
        let is_over = matches!(&start, Start::Walked(_, walked) if walked.is_over);
        if !is_over {
            let known = if let Start::Ahead(known) = start { known } else { Seq::default() };
            let order = AlertOrder { owner: owner.0, symbol: id, condition, once, known };
            let key = hub.set_alert(&self.access.rules, order, state, market.last, market.previous_close);
            self.state.with_alerts(now, |alerts| {
                if let Some(alert) = alerts.named(name) {
                    alert.key = Some(key);
                }
            });
        }
        if let Some(x) = answer {
            let is_beyond = told.zip(told_price).is_some_and(|(trigger, price)| trigger.is_beyond(price));
            self.answer(x, Some((name, is_beyond, known)), now);
        }
        match start {
            Start::Gap(from, to) => {
                let missed = Missed { stream: market.stream, from, to };
                let gap = Gap::of_alerts(missed, &hub.universe(), vec![name.to_owned()]);
                self.state.send_control(&ControlMessage::Gap(gap), now);
            }
            Start::Walked(_, walked) => {
                let last = walked.crossings.len();
                let crossings = walked.crossings.into_iter().zip(1..);
                let crossed = |alerts: &mut SessionAlerts, (crossing, number)| {
                    alerts.crossed(name, crossing, walked.is_over && number == last);
                };
                self.state.queue_alerts(crossings, crossed, now);
                self.state.time_alerts(now);
            }
            Start::Now | Start::Ahead(_) => {}
        }
    }

    /// From where an alert is evaluated whose state the client knows as of a position.
    fn start(
        &self,
        since: Option<&AlertPosition>,
        condition: AlertCondition,
        once: bool,
        market: SymbolMarket,
        history: &TradeHistory<'_>,
    ) -> Start {
        let SymbolMarket { stream, newest, previous_close, .. } = market;
        let Some(AlertPosition { epoch, sq }) = since else { return Start::Now };
        let known = Seq(*sq);
        if *epoch != self.epoch() {
            return if newest.0 > 0 { Start::Gap(Seq(1), newest) } else { Start::Now };
        }
        if known >= newest {
            let ahead = known.0 - newest.0;
            return match ahead {
                0 => Start::Now,
                _ if self.may_be_ahead(ahead) => Start::Ahead(known),
                // Never given. From 1 to 0 nothing is missing; it says that there is no trade yet.
                _ => Start::Gap(Seq(1), newest),
            };
        }
        let is_short = newest.0 - known.0 <= self.max_walked as u64;
        let now = self.state.hub().with_last_values(|it| it.last_values().watermark());
        let walk = Walk { stream, after: known, up_to: newest, condition, once, previous_close, now };
        match is_short.then(|| history.walk(&walk)).flatten() {
            Some(walked) => Start::Walked(known, walked),
            None => Start::Gap(known.next(), newest),
        }
    }

    /// Whether a client may have a number that is this far ahead of this worker: see `CommandExecutor::may_have`.
    fn may_be_ahead(&self, ahead: u64) -> bool {
        let dispatched = self.state.hub().with_last_values(|it| it.last_values().published());
        self.progress.follows() || ahead <= self.progress.published().saturating_sub(dispatched)
    }

    /// The market of a symbol: its last price is that of its last trade that is one, else what its ticker shows.
    fn market(
        &self,
        id: SymbolId,
        last_values: &EncodedLastValues,
        history: &TradeHistory<'_>,
    ) -> SymbolMarket {
        let of_symbol = |channel| StreamId::new(channel, id);
        let stream = of_symbol(Channel::Trades);
        let newest = last_values.seq(stream);
        let ticker =
            match last_values.last_values().of(of_symbol(Channel::Tickers)).map(|object| &object.body) {
                Some(Body::Ticker(ticker)) => Some(ticker),
                _ => None,
            };
        let known = |price: &Price| price.nanos() != 0;
        let listed_close = last_values.universe().instrument(id).previous_close.filter(known);
        let previous_close = ticker.map(|ticker| ticker.previous_close).filter(known).or(listed_close);
        let shown = || ticker.map(|ticker| ticker.price).filter(known).or(previous_close);
        let watched = self.state.hub().with_alerts(|alerts| alerts.watches(id).then(|| alerts.last(id)));
        let last = match watched.flatten() {
            Some(last) => last,
            None => history.last_price(stream, newest).or_else(|| shown().map(LastPrice::untimed)),
        };
        SymbolMarket { stream, newest, last, previous_close }
    }

    fn epoch(&self) -> String {
        self.state.hub().epoch().unwrap_or_else(|| self.state.epoch()).to_string()
    }

    fn remove(&self, is_removed: impl Fn(&SessionAlert) -> bool) {
        self.state.remove_alerts(is_removed);
    }

    /// Sends the whole state. Of a new alert it is given whether the price is beyond, and up to which trade that is so.
    fn answer(&self, x: Option<Answered>, new: Option<(&str, bool, Seq)>, now: Instant) {
        let hub = self.state.hub();
        let universe = hub.universe();
        let entry = |alert: &SessionAlert| {
            let stream = universe.find_stream(Channel::Trades, &alert.symbol);
            let newest = || stream.map_or(Seq::default(), |it| hub.with_last_values(|last| last.seq(it)));
            let is_beyond =
                || alert.key.is_some_and(|key| hub.with_alerts(|it| it.is_beyond(key)) == Some(true));
            let (now, sq) = match (new, &alert.notice) {
                (Some((name, is_beyond, known)), _) if *name == *alert.name => (is_beyond, known),
                // The client does not know yet what waits. The price is the present one all the same.
                (_, Some(notice)) => (is_beyond(), Seq(notice.first.0.saturating_sub(1))),
                (_, None) => (is_beyond(), newest()),
            };
            let (symbol, id, when) =
                (alert.symbol.to_string(), alert.name.to_string(), alert.when.to_string());
            AlertEntry { symbol, id, when, once: alert.once, now, sq: sq.0 }
        };
        let list = self.state.with_alerts(now, |alerts| alerts.active().map(entry).collect());
        self.state.send_control(&ControlMessage::Alerts(AlertList { list, epoch: self.epoch(), x }), now);
    }

    fn refuse(&self, refusal: ControlMessage, id: Option<Answered>, now: Instant) {
        self.state.count_error(&refusal, None);
        self.state.send_control(&refusal.answering(id), now);
    }
}

#[cfg(test)]
#[path = "alert_desk_tests.rs"]
mod tests;
