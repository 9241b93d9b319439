use std::cell::Cell;
use std::time::Duration;

use super::*;
use crate::metrics::ClockMetrics;
use crate::wire::{Codec, Decoded, decode_objects};

thread_local! {
    static NOW: Cell<Instant> = Cell::new(Instant::now());
}

fn trade(id: u64) -> DecodedObject {
    let text = format!(
        r#"[{{"T":"t","S":"AAPL","i":{id},"x":"V","p":1.5,"s":1,"c":[],"z":"A","t":"2026-11-20T14:30:0{id}Z"}}]"#
    );
    match decode_objects(Codec::Json, text.as_bytes()).unwrap().pop() {
        Some(Decoded::Object(object)) => object,
        other => panic!("{other:?}"),
    }
}

/// The notices and the number of trades of a poll.
fn poll(source: &mut RelaySource) -> (Vec<FeedNotice>, usize) {
    let (notices, mut events) = (source.take_notices(), Vec::new());
    source.poll(&mut events);
    (notices, events.len())
}

#[test]
fn live_trades_wait_no_longer_than_the_limit_although_nothing_arrives() {
    let (wake, clock) = (Wake::default(), Clock::system(ClockMetrics::default()));
    let inbox = Inbox::new(wake.clone());
    let metrics = UpstreamMetrics::default();
    let ask: AskUpstream = Box::new(|_| ());
    let mut source = RelaySource::new(inbox.clone(), wake, clock, metrics, ask, || NOW.get());
    inbox.push(Arrival::Objects(vec![trade(1)]));
    assert_eq!(poll(&mut source), (vec![], 1));
    for arrival in [Arrival::Down("cut".to_owned()), Arrival::Live(None), Arrival::Objects(vec![trade(2)])] {
        inbox.push(arrival);
        assert_eq!(poll(&mut source).1, 0);
    }
    let wait = BackfillLimits::default().wait;

    NOW.set(NOW.get() + wait - Duration::from_millis(1));
    assert_eq!(poll(&mut source), (vec![], 0));
    NOW.set(NOW.get() + Duration::from_millis(1));
    let (notices, trades) = poll(&mut source);

    assert_eq!((trades, notices.len()), (1, 1));
    assert_eq!(notices[0].filled, Some(false));
    assert_eq!(notices[0].from.map(Timestamp::nanos), Some(1_795_185_001_000_000_000), "the newest trade");
}
