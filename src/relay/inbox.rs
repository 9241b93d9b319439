use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::Notify;

use super::trade_backfill::HoleNumber;
use crate::source::{DemandChange, Wake};
use crate::wire::{Acknowledgement, DecodedObject, DecodedPage, ServerMessage};

/// What came from the upstream and the feed has yet to take, in order. Clones share it.
///
/// Bounded: when it is full, the upstream's connection is not read until the feed has taken something. The upstream
/// then treats this node as any slow client.
#[derive(Clone, Debug)]
pub(super) struct Inbox(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    queue: Mutex<Queue>,
    room: Notify,
    wake: Wake,
}

#[derive(Debug, Default)]
struct Queue {
    arrivals: VecDeque<Arrival>,
    objects: usize,
}

/// Something that came from the upstream.
#[derive(Debug)]
pub(super) enum Arrival {
    /// The upstream waits for the subscription.
    Ready,
    /// The subscription is in force, at a feed of which this is known.
    Live(Acknowledgement),
    /// Other symbols are wanted of the upstream than before.
    Demand(DemandChange),
    /// The answer to a request for trades of this hole.
    Trades { hole: HoleNumber, answer: Result<DecodedPage, String> },
    /// The objects of one message.
    Objects(Vec<DecodedObject>),
    /// A message between the objects.
    Control(ServerMessage),
    /// The connection is lost, or there is none.
    Down(String),
    /// There will be no other connection.
    Stopped(String),
}

/// The most objects that wait for the feed: some 15 MB. At 100,000 objects a second, the feed may be late by 0.6 s.
const MOST_OBJECTS: usize = 1 << 16;

impl Inbox {
    /// An empty inbox, whose owner is woken by this.
    pub(super) fn new(wake: Wake) -> Self {
        Self(Arc::new(Shared { queue: Mutex::default(), room: Notify::new(), wake }))
    }

    /// Adds an arrival and wakes the feed.
    pub(super) fn push(&self, arrival: Arrival) {
        {
            let mut queue = self.queue();
            queue.objects += arrival.objects();
            queue.arrivals.push_back(arrival);
        }
        self.0.wake.wake();
    }

    /// Waits until there is room.
    pub(super) async fn room(&self) {
        loop {
            // Made before the look, so that it sees what is taken after it.
            let room = self.0.room.notified();
            if self.queue().objects < MOST_OBJECTS {
                return;
            }
            room.await;
        }
    }

    /// Takes the next arrival, and wakes the feed again if there are more.
    pub(super) fn take(&self) -> Option<Arrival> {
        let (arrival, has_more) = {
            let mut queue = self.queue();
            let arrival = queue.arrivals.pop_front()?;
            queue.objects -= arrival.objects();
            (arrival, !queue.arrivals.is_empty())
        };
        self.0.room.notify_one();
        if has_more {
            self.0.wake.wake();
        }
        Some(arrival)
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.0.queue.lock().expect("no thread panics while it holds this lock")
    }
}

impl Arrival {
    fn objects(&self) -> usize {
        match self {
            Self::Objects(objects) => objects.len(),
            Self::Trades { answer: Ok(page), .. } => page.rows.len(),
            _ => 1,
        }
    }
}
