use std::cell::Cell;
use std::time::Duration;

use super::*;
use crate::metrics::ClockMetrics;
use crate::wire::fixtures::acknowledgement;
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
    let mut source =
        RelaySource::new(inbox.clone(), wake, clock, metrics, AssetDirectory::default(), ask, || NOW.get());
    inbox.push(Arrival::Objects(vec![trade(1)]));
    assert_eq!(poll(&mut source), (vec![], 1));
    for arrival in [
        Arrival::Down("cut".to_owned()),
        Arrival::Live(acknowledgement(None)),
        Arrival::Objects(vec![trade(2)]),
    ] {
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

#[test]
fn a_connection_that_is_lost_while_a_hole_is_filled_leaves_a_hole_to_be_filled() {
    let (wake, clock) = (Wake::default(), Clock::system(ClockMetrics::default()));
    let inbox = Inbox::new(wake.clone());
    let (ask, asked) = std::sync::mpsc::channel();
    let ask: AskUpstream = Box::new(move |request| _ = ask.send(request));
    let mut source = RelaySource::new(
        inbox.clone(),
        wake,
        clock,
        UpstreamMetrics::default(),
        AssetDirectory::default(),
        ask,
        || NOW.get(),
    );
    let mut arrive = |arrival| {
        inbox.push(arrival);
        poll(&mut source).0
    };
    let answer = || {
        let Ok(UpstreamRequest::Trades { hole, .. }) = asked.try_recv() else { panic!("no request") };
        Arrival::Trades { hole, answer: Ok(DecodedPage { rows: vec![trade(1)], next: None }) }
    };
    arrive(Arrival::Objects(vec![trade(1)]));
    arrive(Arrival::Down("cut".to_owned()));
    arrive(Arrival::Live(acknowledgement(None)));
    let first = answer();

    arrive(Arrival::Down("cut".to_owned()));
    assert_eq!(arrive(first), [], "the upstream is not back");
    arrive(Arrival::Live(acknowledgement(None)));
    let notices = arrive(answer());

    assert_eq!(notices.iter().map(|notice| notice.filled).collect::<Vec<_>>(), [Some(true)]);
}
