use std::sync::Arc;
use std::time::Instant;

use super::*;
use crate::feed::Batch;
use crate::hub::FrameCache;
use crate::model::{Body, Missed, Object, SymbolId, Timestamp};
use crate::wire::fixtures;

/// An outbox and the last values behind it.
struct Scene {
    outbox: Outbox,
    last_values: EncodedLastValues,
}

impl Scene {
    fn new(limits: OutboxLimits) -> Self {
        let universe = Arc::new(fixtures::universe());
        let last_values = EncodedLastValues::new(universe);
        Self { outbox: Outbox::new(Codec::Json, limits), last_values }
    }

    fn offer(&mut self, objects: &[Object]) -> Offered {
        self.offer_in(objects, |fan_out| fan_out)
    }

    /// Offers objects in a fan-out that is changed by this function.
    fn offer_in(&mut self, objects: &[Object], change: impl Fn(FanOut<'_>) -> FanOut<'_>) -> Offered {
        let universe = Arc::new(fixtures::universe());
        let batches = [Arc::new(Batch::new(universe, Timestamp::default(), objects.to_vec(), vec![]))];
        objects.iter().for_each(|object| self.last_values.last_values_mut().put(*object));
        let references: Vec<_> = (0..objects.len()).map(|index| ObjectRef::new(0, index)).collect();
        let frames = FrameCache::default();
        let fan_out = FanOut::new(&batches, &frames, &self.last_values, Instant::now());
        self.outbox.offer(&change(fan_out), &references)
    }

    /// Takes a frame; its objects as channel letter, symbol, `sq` and `cf`.
    fn take(&mut self) -> Option<Vec<(String, String, u64, u64)>> {
        let frame = self.outbox.take(&self.last_values)?.frame;
        let objects: Vec<serde_json::Value> = serde_json::from_slice(fixtures::payload(&frame)).unwrap();
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        Some(
            objects
                .iter()
                .map(|o| {
                    (text(&o["T"]), text(&o["S"]), o["sq"].as_u64().unwrap(), o["cf"].as_u64().unwrap_or(0))
                })
                .collect(),
        )
    }

    fn take_all(&mut self) -> Vec<(String, String, u64, u64)> {
        std::iter::from_fn(|| self.take()).flatten().collect()
    }
}

fn trade(seq: u64) -> Object {
    Object { seq: Seq(seq), ..fixtures::trade() }
}

fn quote(symbol: u32, seq: u64) -> Object {
    let Body::Quote(quote) = fixtures::quote().body else { unreachable!() };
    Object { seq: Seq(seq), body: Body::Quote(crate::model::Quote { symbol: SymbolId(symbol), ..quote }) }
}

fn got(kind: &str, symbol: &str, sq: u64, cf: u64) -> (String, String, u64, u64) {
    (kind.to_owned(), symbol.to_owned(), sq, cf)
}

/// What the client has of the quotes of AAPL that were released.
fn quotes(all: &[(String, String, u64, u64)]) -> Vec<(u64, u64)> {
    all.iter().filter(|object| object.0 == "q").map(|object| (object.2, object.3)).collect()
}

impl Scene {
    /// Begins an epoch in which numbers begin again.
    fn restart_numbers(&mut self) {
        let universe = Arc::clone(self.last_values.universe());
        self.last_values.last_values_mut().restart(crate::model::Epoch::new(2));
        self.outbox.restart_numbers(&universe);
    }
}

#[test]
fn what_the_client_has_says_nothing_of_numbers_that_begin_again() {
    let mut scene = Scene::new(TIGHT);
    let trades = StreamId::new(crate::model::Channel::Trades, SymbolId(0));
    scene.outbox.streams.set_ahead(trades, Seq(100));
    let _ = scene.offer(&[quote(0, 50), quote(0, 51)]);

    scene.restart_numbers();
    let _ = scene.offer(&[quote(0, 7), trade(3)]);

    let all = scene.take_all();
    assert_eq!(quotes(&all).last(), Some(&(7, 0)), "it replaces nothing of before");
    assert_eq!(all.iter().filter(|object| object.0 == "t").map(|object| object.2).collect::<Vec<_>>(), [3]);
}

#[test]
fn a_sampled_stream_is_sampled_from_the_first_number_on() {
    let mut scene = Scene::new(OutboxLimits::default());
    scene.outbox.set_pacing(Pacing::Interval, &scene.last_values);
    let stream = quote(0, 1).stream();
    scene.outbox.start_sampling(stream, Seq(90));

    scene.restart_numbers();
    scene.last_values.last_values_mut().put(quote(0, 2));
    scene.last_values.record_change(stream);
    scene.outbox.release(&scene.last_values);

    assert_eq!(quotes(&scene.take_all()), [(2, 1)]);
}

#[test]
fn gaps_of_the_numbers_before_are_told_before_those_that_begin_again() {
    let mut scene = Scene::new(OutboxLimits::default());
    scene.outbox.set_overload(Overload::Gap);
    let stream = trade(1).stream();
    scene.outbox.miss(&[Missed { stream, from: Seq(8), to: Seq(9) }]);

    scene.restart_numbers();
    let _ = scene.offer(&[trade(1)]);

    let frames: Vec<_> = std::iter::from_fn(|| scene.outbox.take(&scene.last_values)).collect();
    let text = |index: usize| String::from_utf8_lossy(fixtures::payload(&frames[index].frame)).into_owned();
    assert!(text(0).contains(r#""from":8,"to":9"#), "{}", text(0));
    assert!(text(1).contains(r#""sq":1"#), "{}", text(1));
}

#[test]
fn a_replay_that_waits_begins_with_the_first_number_again() {
    let mut scene = Scene::new(OutboxLimits::default());
    let stream = trade(1).stream();
    let replay: ReplayLookup = std::rc::Rc::new(|_, after, up_to, _| {
        (after.0 + 1..=up_to.0).map(trade).map(RetainedObject::from).collect::<Vec<_>>()
    });
    let points = vec![AnswerPoint { stream, kind: AnswerKind::Replay { after: Seq(900) } }];
    scene.outbox.request(AnswerRequest { points, channels: Vec::new() }, &replay, 10);

    scene.restart_numbers();
    let _ = scene.offer(&[trade(1), trade(2)]);
    scene.outbox.produce(&scene.last_values);

    assert_eq!(scene.take_all(), [got("t", "AAPL", 1, 0), got("t", "AAPL", 2, 0)]);
}

/// Conflates as soon as one object is queued.
const TIGHT: OutboxLimits = OutboxLimits { conflate_above: 0, end_above: 64 << 10, frame_bytes: 32 << 10 };

#[test]
fn a_client_that_keeps_up_gets_every_object_in_order() {
    let mut scene = Scene::new(OutboxLimits::default());

    assert_eq!(scene.offer(&[trade(1), quote(0, 1), quote(0, 2)]), Offered::Kept);

    assert_eq!(
        scene.take().unwrap(),
        [got("t", "AAPL", 1, 0), got("q", "AAPL", 1, 0), got("q", "AAPL", 2, 0)]
    );
    assert_eq!(scene.take(), None);
    assert_eq!(scene.outbox.bytes(), 0);
}

#[test]
fn a_slow_consumer_gets_fewer_quotes_never_older_ones_and_all_trades() {
    let mut scene = Scene::new(TIGHT);

    for seq in 1..=10 {
        assert_eq!(scene.offer(&[trade(seq), quote(0, seq)]), Offered::Kept);
    }

    let all = scene.take_all();
    let quotes: Vec<_> = all.iter().filter(|object| object.0 == "q").cloned().collect();
    let trades: Vec<_> = all.iter().filter(|object| object.0 == "t").map(|object| object.2).collect();
    assert_eq!(quotes, [got("q", "AAPL", 1, 0), got("q", "AAPL", 10, 8)]);
    assert_eq!(trades, (1..=10).collect::<Vec<_>>());
}

#[test]
fn a_late_worker_conflates_quotes_and_delivers_every_trade() {
    let mut scene = Scene::new(OutboxLimits::default());
    let objects: Vec<_> = (1..=50).flat_map(|seq| [trade(seq), quote(0, seq)]).collect();

    let _ = scene.offer_in(&objects, |fan_out| fan_out.late(true));

    let all = scene.take_all();
    let trades: Vec<_> = all.iter().filter(|object| object.0 == "t").map(|object| object.2).collect();
    assert_eq!(trades, (1..=50).collect::<Vec<_>>());
    let quotes: Vec<_> = all.into_iter().filter(|object| object.0 == "q").collect();
    assert_eq!(quotes, [got("q", "AAPL", 50, 49)]);
}

#[test]
fn numbers_never_go_back_and_account_for_merged_objects() {
    let mut scene = Scene::new(TIGHT);
    let mut next = [0u64; 2];
    let mut received = [0u64; 2];

    for round in 0..200u32 {
        for _ in 0..round % 7 {
            let symbol = (round % 3 == 0) as usize;
            next[symbol] += 1;
            let offered = scene.offer(&[quote(symbol as u32, next[symbol])]);
            assert_eq!(offered, Offered::Kept);
        }
        for (_, symbol, sq, cf) in scene.take().unwrap_or_default() {
            let last = &mut received[(symbol == "MSFT") as usize];
            assert_eq!(sq - *last, cf + 1, "round {round}");
            *last = sq;
        }
    }

    scene.take_all().iter().for_each(|(_, symbol, sq, _)| received[(symbol == "MSFT") as usize] = *sq);
    assert_eq!(received, next, "the newest arrives at last");
}

#[test]
fn a_quiet_symbol_is_not_starved_by_a_busy_one() {
    let one_object = OutboxLimits { frame_bytes: 1, ..TIGHT };
    let mut scene = Scene::new(one_object);
    let _ = scene.offer(&[trade(1), quote(0, 1), quote(1, 1)]);
    scene.take();

    let first = scene.take().unwrap();
    let _ = scene.offer(&[quote(0, 2), quote(0, 3)]);
    let second = scene.take().unwrap();

    assert_eq!((first[0].1.as_str(), second[0].1.as_str()), ("AAPL", "MSFT"));
}

#[test]
fn an_acknowledgement_is_not_overtaken() {
    let mut scene = Scene::new(TIGHT);
    let _ = scene.offer(&[trade(1)]);
    scene.outbox.push(crate::wire::ControlMessage::CONNECTED.to_frame(Codec::Json));
    let _ = scene.offer(&[trade(2)]);

    let sizes: Vec<_> =
        std::iter::from_fn(|| scene.outbox.take(&scene.last_values)).map(|taken| taken.objects).collect();

    assert_eq!(sizes, [1, 0, 1]);
}

#[test]
fn trades_beyond_the_limit_are_refused_and_the_memory_is_bounded() {
    let limits = OutboxLimits { end_above: 4096, ..TIGHT };
    let mut scene = Scene::new(limits);

    let kept = (1..1000).take_while(|seq| scene.offer(&[trade(*seq)]) == Offered::Kept).count();

    assert!((20..40).contains(&kept), "{kept} trades of about 130 bytes fit 4096");
    assert!(scene.outbox.bytes() < 4096 + 200);
}

/// A resume of kilobytes must not make the server hold megabytes.
#[test]
fn a_requested_answer_that_is_not_taken_takes_the_memory_of_one_frame() {
    let limits = OutboxLimits::default();
    let mut scene = Scene::new(limits);
    scene.last_values.last_values_mut().put(trade(20_000));
    let replay: ReplayLookup = Rc::new(|_, after, up_to, most| {
        (after.0 + 1..=up_to.0).take(most).map(trade).map(RetainedObject::from).collect()
    });
    let point = AnswerPoint { stream: trade(1).stream(), kind: AnswerKind::Replay { after: Seq(0) } };
    scene.outbox.request(AnswerRequest { points: vec![point], channels: vec![] }, &replay, 20_000);

    let mut most = 0;
    let mut received = Vec::new();
    loop {
        while scene.outbox.wants_answer() {
            scene.outbox.produce(&scene.last_values);
        }
        most = most.max(scene.outbox.bytes());
        let Some(taken) = scene.take() else { break };
        received.extend(taken.iter().map(|object| object.2));
    }

    assert!(most < 3 * limits.frame_bytes, "{most} bytes waited");
    assert!(received.into_iter().eq(1..=20_000));
}

#[test]
fn a_session_of_many_that_hold_too_much_together_may_hold_a_few_frames() {
    let limits = OutboxLimits::default();
    let mut scene = Scene::new(limits);
    scene.outbox.set_overload(Overload::Gap);
    scene.outbox.set_crowded(true);

    for seq in 1..=3_000 {
        let _ = scene.offer(&[trade(seq), quote(0, seq)]);
    }

    let all = scene.outbox.bytes();
    assert!((limits.frame_bytes..=2 * limits.frame_bytes).contains(&all), "{all} bytes");
    assert!(scene.outbox.streams.has_lost() && scene.outbox.streams.has_dirty());
}

#[test]
fn live_objects_of_a_stream_wait_for_its_answer_and_those_of_others_do_not() {
    let mut scene = Scene::new(OutboxLimits { frame_bytes: 300, ..OutboxLimits::default() });
    let published = Rc::new(std::cell::RefCell::new((1..=6).map(trade).collect::<Vec<_>>()));
    let kept = Rc::clone(&published);
    let replay: ReplayLookup = Rc::new(move |_, after, _, most| {
        let kept = kept.borrow();
        let missed = kept.iter().filter(|object| object.seq > after).take(most);
        missed.copied().map(RetainedObject::from).collect()
    });
    scene.last_values.last_values_mut().put(trade(6));
    let point = AnswerPoint { stream: trade(1).stream(), kind: AnswerKind::Replay { after: Seq(2) } };
    scene.outbox.request(AnswerRequest { points: vec![point], channels: vec![] }, &replay, 99);

    published.borrow_mut().push(trade(7));
    let _ = scene.offer(&[trade(7), quote(0, 1)]);
    let mut received = scene.take_all();
    while scene.outbox.wants_answer() {
        scene.outbox.produce(&scene.last_values);
        received.extend(scene.take_all());
    }
    let _ = scene.offer(&[trade(8)]);
    received.extend(scene.take_all());

    let numbers: Vec<_> = received.iter().map(|object| (object.0.as_str(), object.2)).collect();
    assert_eq!(numbers, [("q", 1), ("t", 3), ("t", 4), ("t", 5), ("t", 6), ("t", 7), ("t", 8)]);
}

#[test]
fn a_long_acknowledgement_that_waits_is_no_overflow() {
    let mut scene = Scene::new(OutboxLimits::default());
    scene.outbox.push(Bytes::from(vec![b' '; 900_000]));

    assert_eq!(scene.offer(&[trade(1)]), Offered::Kept);
}

#[test]
fn each_gap_counts_as_one_overflow() {
    let mut scene = Scene::new(OutboxLimits { end_above: 4096, ..TIGHT });
    scene.outbox.set_overload(Overload::Gap);

    for trades in [1..=100, 101..=200] {
        let offered: Vec<_> = trades.map(|seq| scene.offer(&[trade(seq)])).collect();
        while scene.outbox.take(&scene.last_values).is_some() {}

        let kept_before = offered.iter().take_while(|offered| **offered == Offered::Kept).count();
        let (begins, during) = offered[kept_before..].split_first().unwrap();
        assert!(kept_before > 1 && *begins == Offered::Lost, "{offered:?}");
        assert!(!during.is_empty() && during.iter().all(|offered| *offered == Offered::Kept));
    }
}

#[test]
fn frames_stay_under_their_limit() {
    let limits = OutboxLimits { frame_bytes: 1000, ..OutboxLimits::default() };
    let mut scene = Scene::new(limits);
    let objects: Vec<_> = (1..=100).map(trade).collect();

    let _ = scene.offer(&objects);

    let frames: Vec<_> = std::iter::from_fn(|| scene.outbox.take(&scene.last_values)).collect();
    assert!(frames.iter().all(|taken| taken.frame.len() <= 1000 + 10), "{frames:?}");
    assert_eq!(frames.iter().map(|taken| taken.objects).sum::<usize>(), 100);
}

#[test]
fn a_stream_that_was_unsubscribed_is_not_sent() {
    let mut scene = Scene::new(TIGHT);
    let _ = scene.offer(&[trade(1)]);
    let _ = scene.offer(&[quote(0, 1), quote(1, 1)]);

    scene.outbox.retain(|stream| stream != quote(0, 1).stream());

    assert_eq!(scene.take_all(), [got("t", "AAPL", 1, 0), got("q", "MSFT", 1, 0)]);
    assert!(scene.outbox.is_empty());
}

#[test]
fn a_frame_that_is_not_shared_is_compressed_when_it_is_large_and_counts_the_same() {
    let deflate = crate::wire::NegotiatedDeflate::from_offers(["permessage-deflate"])
        .map(crate::wire::NegotiatedDeflate::deflate);
    let mut plain = Scene::new(OutboxLimits::default());
    let mut packed = Scene::new(OutboxLimits::default());
    packed.outbox = packed.outbox.compressed(deflate);
    let sizes = [2, 200].map(|count| {
        let [plain, packed] = [&mut plain, &mut packed].map(|scene| {
            // A frame that is queued behind another one is not shared.
            scene.outbox.push(Bytes::from_static(b"\x81\x02[]"));
            let _ = scene.offer(&(1..=count).map(trade).collect::<Vec<_>>());
            let _ = scene.outbox.take(&scene.last_values);
            let taken = scene.outbox.take(&scene.last_values).unwrap();
            assert_eq!((scene.outbox.bytes(), taken.objects), (0, count as usize));
            taken.frame.len()
        });
        (plain, packed)
    });

    assert_eq!(sizes[0].0, sizes[0].1);
    assert!(sizes[1].1 < sizes[1].0 / 3, "{sizes:?}");
}

fn missed(object: &Object, from: u64, to: u64) -> Missed {
    Missed { stream: object.stream(), from: Seq(from), to: Seq(to) }
}

#[test]
fn what_was_missed_is_counted_as_merged_by_streams_that_conflate_and_told_as_a_gap_for_others() {
    let mut scene = Scene::new(OutboxLimits::default());
    scene.outbox.set_overload(Overload::Gap);
    let _ = scene.offer(&[trade(1), quote(0, 1)]);
    scene.take_all();

    scene.outbox.miss(&[missed(&trade(1), 2, 5), missed(&quote(0, 1), 2, 8)]);
    let _ = scene.offer(&[quote(0, 9)]);

    let gap = scene.outbox.take(&scene.last_values).unwrap().frame;
    let gap: serde_json::Value = serde_json::from_slice(fixtures::payload(&gap)).unwrap();
    assert_eq!(gap, serde_json::json!([{"T": "gap", "S": "AAPL", "ch": "trades", "from": 2, "to": 5}]));
    assert_eq!(scene.take_all(), [got("q", "AAPL", 9, 7)]);
    let _ = scene.offer(&[trade(6), quote(0, 10)]);
    assert_eq!(scene.take_all(), [got("t", "AAPL", 6, 0), got("q", "AAPL", 10, 0)]);
}

#[test]
fn what_was_missed_is_told_before_the_objects_behind_it_also_when_the_stream_ends() {
    let mut scene = Scene::new(OutboxLimits::default());
    scene.outbox.set_overload(Overload::Gap);
    let _ = scene.offer(&[trade(1)]);
    scene.outbox.miss(&[missed(&trade(1), 2, 5)]);
    let _ = scene.offer(&[trade(6)]);

    scene.outbox.retain(|_| false);

    assert_eq!(scene.take(), Some(vec![got("t", "AAPL", 1, 0)]));
    let gap = scene.outbox.take(&scene.last_values).unwrap().frame;
    let gap: serde_json::Value = serde_json::from_slice(fixtures::payload(&gap)).unwrap();
    assert_eq!(gap, serde_json::json!([{"T": "gap", "S": "AAPL", "ch": "trades", "from": 2, "to": 5}]));
    assert_eq!(scene.take_all(), [got("t", "AAPL", 6, 0)]);
    assert_eq!(scene.outbox.bytes, 0);
}

#[test]
fn what_was_missed_before_the_first_object_of_a_stream_makes_no_frame_without_objects() {
    let mut scene = Scene::new(OutboxLimits::default());

    scene.outbox.miss(&[missed(&quote(0, 1), 1, 8)]);
    assert_eq!(scene.take(), None);
    let _ = scene.offer(&[quote(0, 9)]);

    assert_eq!(scene.take_all(), [got("q", "AAPL", 9, 0)]);
}

#[test]
fn a_client_that_does_not_know_gaps_is_told_of_none() {
    let mut scene = Scene::new(OutboxLimits::default());

    scene.outbox.miss(&[missed(&trade(1), 2, 5)]);
    let _ = scene.offer(&[trade(6)]);

    assert_eq!(scene.take_all(), [got("t", "AAPL", 6, 0)]);
}

#[test]
fn what_a_resumed_client_has_already_is_not_told_as_missed() {
    let mut scene = Scene::new(OutboxLimits::default());
    scene.outbox.set_overload(Overload::Gap);
    scene.outbox.streams.set_ahead(trade(1).stream(), Seq(4));

    scene.outbox.miss(&[missed(&trade(1), 2, 4)]);
    assert!(!scene.outbox.streams.has_lost());
    scene.outbox.miss(&[missed(&trade(1), 3, 6)]);

    let gap = scene.outbox.take(&scene.last_values).unwrap().frame;
    let gap: serde_json::Value = serde_json::from_slice(fixtures::payload(&gap)).unwrap();
    assert_eq!(gap, serde_json::json!([{"T": "gap", "S": "AAPL", "ch": "trades", "from": 5, "to": 6}]));
    assert_eq!(scene.outbox.bytes, 0);
}

#[test]
fn what_comes_at_once_behind_what_was_missed_is_not_lost_with_it() {
    let mut scene = Scene::new(OutboxLimits::default());
    scene.outbox.set_overload(Overload::Gap);
    let _ = scene.offer(&[trade(1)]);
    scene.take_all();

    scene.outbox.miss(&[missed(&trade(1), 2, 5)]);
    let _ = scene.offer(&[trade(6)]);

    let gap = scene.outbox.take(&scene.last_values).unwrap().frame;
    let gap: serde_json::Value = serde_json::from_slice(fixtures::payload(&gap)).unwrap();
    assert_eq!((&gap[0]["from"], &gap[0]["to"]), (&serde_json::json!(2), &serde_json::json!(5)));
    assert_eq!(scene.take_all(), [got("t", "AAPL", 6, 0)]);
}
