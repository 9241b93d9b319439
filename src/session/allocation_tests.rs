//! The promise that a tick allocates nothing for each session that receives it.

use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use allocation_counter::{AllocationInfo, measure};
use bytes::Bytes;

use super::state::{HubMembership, SessionState};
use super::{Outbox, OutboxLimits};
use crate::feed::Batch;
use crate::hub::{Hub, SubscriptionChange};
use crate::model::{Epoch, Object, Seq, Timestamp};
use crate::transport::SocketWriter;
use crate::transport::fake::FakeTransport;
use crate::wire::{Codec, fixtures};

fn join(hub: &Rc<Hub>) -> (Rc<SessionState>, HubMembership) {
    let outbox = Outbox::new(Codec::Json, OutboxLimits::default());
    let writer = SocketWriter::new(Box::new(FakeTransport::taking(<[u8]>::len)), Bytes::new());
    let state = Rc::new(SessionState::new(
        Rc::clone(hub),
        crate::hub::SubscriberIdentity::for_tests(),
        Epoch::default(),
        outbox,
        writer,
        Instant::now(),
    ));
    let membership = HubMembership::join(&state);
    hub.change_subscriptions(membership.key(), &[SubscriptionChange::Add(fixtures::trade().stream())]);
    (state, membership)
}

fn batch(seq: u64) -> Arc<Batch> {
    let trades = (0..10).map(|more| Object { seq: Seq(seq * 10 + more), ..fixtures::trade() }).collect();
    Arc::new(Batch::new(Arc::new(fixtures::universe()), Timestamp::default(), trades, vec![]))
}

/// What a hundred fan-outs of ten trades allocate, for this number of sessions that subscribe to them.
fn a_hundred_fan_outs(sessions: usize) -> AllocationInfo {
    let hub = Rc::new(Hub::for_tests(Duration::ZERO));
    let members: Vec<_> = (0..sessions).map(|_| join(&hub)).collect();
    let now = Instant::now();
    let dispatch = |batch: &Arc<Batch>| {
        hub.ingest(std::slice::from_ref(batch), now);
        while hub.has_more() {
            hub.ingest(&[], now);
        }
        for (state, _) in &members {
            let written = state.poll_write(&mut Context::from_waker(Waker::noop()), now);
            assert!(matches!(written, Poll::Ready(Ok(()))));
        }
    };
    (0..10).for_each(|seq| dispatch(&batch(seq)));
    let frames = hub.metrics().frames.get();

    let batches: Vec<_> = (10..110).map(batch).collect();
    let allocated = measure(|| batches.iter().for_each(dispatch));

    assert_eq!(hub.metrics().frames.get() - frames, 100 * sessions as u64);
    allocated
}

#[test]
fn the_number_of_sessions_does_not_change_what_a_tick_allocates() {
    let (one, many) = (a_hundred_fan_outs(1), a_hundred_fan_outs(1_000));

    assert!(one.count_total > 0, "encoding is done once, and needs memory");
    assert_eq!(many.count_total, one.count_total);
    assert_eq!(many.bytes_total, one.bytes_total);
}
