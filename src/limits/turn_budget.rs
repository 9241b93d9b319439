use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::task::{Context, Poll, Waker};

use super::ReactorTurn;

/// The work that all connections of a worker may give it between two runs of the reactor.
///
/// What one connection may do in its turn is bounded, but a client can have hundreds: 50 sessions that sent 16 short
/// commands each kept the market and all others waiting for 70 ms at a time. Connections that find the budget spent
/// wait in order, and some of them go on when the reactor has run.
///
/// Units are about 30 µs each: a message, 4 KiB of frames; a request is four. 32 of them are about a millisecond. More
/// would delay ticks further while a worker is flooded, fewer would cost more runs of the reactor, some 3 µs each.
#[derive(Debug)]
pub struct TurnBudget;

/// A connection's place in the order of those that wait.
#[derive(Debug)]
pub struct TurnTicket(u64);

const UNITS_PER_TURN: u32 = 32;

/// The connections that go on after each run of the reactor.
const ADMITTED_PER_TURN: usize = 8;

thread_local! {
    static SPENT: Cell<u32> = const { Cell::new(0) };
    static WAITING: RefCell<Waiting> = const { RefCell::new(Waiting::new()) };
}

struct Waiting {
    connections: VecDeque<Waker>,
    /// The ticket of the first of them: those below have been admitted.
    first: u64,
    is_renewing: bool,
}

impl Waiting {
    const fn new() -> Self {
        Self { connections: VecDeque::new(), first: 0, is_renewing: false }
    }

    fn push(&mut self, waker: Waker) -> TurnTicket {
        self.connections.push_back(waker);
        TurnTicket(self.first + self.connections.len() as u64 - 1)
    }

    fn admit(&mut self) -> impl Iterator<Item = Waker> + use<> {
        let admitted = self.connections.len().min(ADMITTED_PER_TURN);
        self.first += admitted as u64;
        self.connections.drain(..admitted).collect::<Vec<_>>().into_iter()
    }
}

impl TurnBudget {
    /// Ready when the connection may give the worker more to do. Otherwise it gets a ticket, unless it has one, and its
    /// task is woken. Needs a running Tokio runtime.
    pub fn poll_room(ticket: &mut Option<TurnTicket>, cx: &Context<'_>) -> Poll<()> {
        let mut is_first = false;
        let room = WAITING.with_borrow_mut(|waiting| {
            match ticket {
                Some(TurnTicket(number)) if *number < waiting.first => *ticket = None,
                Some(_) => return Poll::Pending,
                None if waiting.connections.is_empty() && SPENT.get() < UNITS_PER_TURN => {}
                None => {
                    *ticket = Some(waiting.push(cx.waker().clone()));
                    is_first = !std::mem::replace(&mut waiting.is_renewing, true);
                    return Poll::Pending;
                }
            }
            Poll::Ready(())
        });
        if is_first {
            actix_web::rt::spawn(renew());
        }
        room
    }

    /// Spends units, also more than there are.
    pub fn spend(units: u32) {
        SPENT.set(SPENT.get().saturating_add(units));
    }
}

/// Renews the budget after each run of the reactor, while connections wait.
async fn renew() {
    loop {
        ReactorTurn::wait().await;
        SPENT.set(0);
        let admitted = WAITING.with_borrow_mut(|waiting| {
            waiting.is_renewing = !waiting.connections.is_empty();
            waiting.is_renewing.then(|| waiting.admit())
        });
        match admitted {
            Some(admitted) => admitted.for_each(Waker::wake),
            None => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::rc::Rc;

    use super::*;

    /// Takes a turn `times` times, spends all of it each time, and notes its number each time.
    async fn flood(number: usize, times: usize, order: Rc<RefCell<Vec<usize>>>) {
        for _ in 0..times {
            let mut ticket = None;
            poll_fn(|cx| TurnBudget::poll_room(&mut ticket, cx)).await;
            TurnBudget::spend(UNITS_PER_TURN);
            order.borrow_mut().push(number);
        }
    }

    #[actix_web::test]
    async fn connections_that_spend_the_budget_go_on_in_order() {
        let order = Rc::new(RefCell::new(Vec::new()));
        TurnBudget::spend(UNITS_PER_TURN);
        let tasks: Vec<_> =
            (0..30).map(|number| actix_web::rt::spawn(flood(number, 5, Rc::clone(&order)))).collect();

        for task in tasks {
            task.await.unwrap();
        }

        let order = order.borrow();
        for round in order.chunks(30) {
            let mut numbers = round.to_vec();
            numbers.sort_unstable();
            assert!(numbers.into_iter().eq(0..30), "{round:?}");
        }
    }

    #[actix_web::test]
    async fn a_connection_that_has_gone_stops_no_other() {
        TurnBudget::spend(UNITS_PER_TURN);
        for _ in 0..3 * ADMITTED_PER_TURN {
            let mut ticket = None;
            assert!(TurnBudget::poll_room(&mut ticket, &Context::from_waker(Waker::noop())).is_pending());
        }

        flood(0, 1, Rc::default()).await;
    }
}
