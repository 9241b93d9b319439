use super::*;
use crate::archive::Retention;
use crate::metrics::ClockMetrics;
use crate::model::SymbolId;
use crate::wire::fixtures::acknowledgement;
use crate::wire::{Codec, Decoded, decode_objects};

const EPOCH: Epoch = Epoch::new(7);
const OTHER: Epoch = Epoch::new(8);

/// A mirror whose first batch was published.
struct Scene {
    feed: MirrorFeed,
    last_values: LastValues,
}

impl Scene {
    fn new() -> Self {
        let mut scene = Self::continuing(EPOCH, EarlierRun::none(OTHER));
        let batch = scene.take(Arrival::Live(acknowledgement(Some(EPOCH)))).unwrap();
        assert_eq!(batch.begun_epoch(), Some(EPOCH));
        assert!(batch.watermark() > Timestamp::default(), "a journal needs a time");
        scene
    }

    /// A mirror of an upstream in this epoch, which has published nothing yet.
    fn continuing(epoch: Epoch, earlier: EarlierRun) -> Self {
        let parts = FeedParts {
            archive: Arc::new(Archive::new(0, Retention::default())),
            clock: Clock::system(ClockMetrics::default()),
            metrics: FeedMetrics::default(),
            upstream: UpstreamMetrics::default(),
            progress: FeedProgress::default(),
            assets: AssetDirectory::default(),
        };
        let feed = MirrorFeed::new(parts, epoch, &UpstreamSymbols::All, &earlier);
        Self { feed, last_values: earlier.last_values }
    }

    /// What a journal has of this mirror, if this epoch begins with the next start.
    fn earlier_run(&self, epoch: Epoch) -> EarlierRun {
        let universe = Arc::clone(self.feed.instruments.universe());
        EarlierRun { universe, last_values: self.last_values.clone(), epoch }
    }

    fn take(&mut self, arrival: Arrival) -> Option<Arc<Batch>> {
        self.feed.take(arrival, &mut self.last_values)
    }

    /// Takes trades and quotes: letter of the type, symbol, number, and more fields.
    fn objects(&mut self, objects: &[(&str, &str, u64, &str)]) -> Option<Arc<Batch>> {
        let object = |(kind, symbol, seq, more): &(&str, &str, u64, &str)| {
            let body = match *kind {
                "t" => r#""i":1,"x":"V","p":1.5,"s":1,"c":[],"z":"A""#,
                _ => r#""bx":"V","bp":1,"bs":1,"ax":"V","ap":2,"as":1,"c":[],"z":"A""#,
            };
            let time = r#""t":"2026-11-20T14:30:00Z""#;
            format!(r#"{{"T":"{kind}","S":"{symbol}",{body},"sq":{seq}{more},{time}}}"#)
        };
        let text = format!("[{}]", objects.iter().map(object).collect::<Vec<_>>().join(","));
        let decoded = decode_objects(Codec::Json, text.as_bytes()).unwrap().into_iter();
        let decoded = decoded.map(|decoded| match decoded {
            Decoded::Object(object) => object,
            Decoded::Unknown { t } => panic!("{t}"),
        });
        self.take(Arrival::Objects(decoded.collect()))
    }
}

const SNAPSHOT: &str = r#","sn":true"#;

fn seqs(batch: &Batch) -> Vec<u64> {
    batch.objects().map(|object| object.seq.0).collect()
}

fn missed(batch: &Batch) -> Vec<(u64, u64)> {
    batch.missed().iter().map(|missed| (missed.from.0, missed.to.0)).collect()
}

#[test]
fn objects_keep_their_numbers_and_nothing_is_missed_before_the_first_snapshot() {
    let mut scene = Scene::new();

    let snapshot = scene.objects(&[("t", "A", 841, SNAPSHOT), ("q", "B", 90, SNAPSHOT)]).unwrap();
    let live = scene.objects(&[("t", "A", 842, ""), ("t", "C", 1, "")]).unwrap();

    assert_eq!((seqs(&snapshot), missed(&snapshot)), (vec![841, 90], vec![]));
    assert_eq!((seqs(&live), missed(&live)), (vec![842, 1], vec![]));
    let symbols: Vec<_> = live.universe().iter().map(|it| it.symbol.to_string()).collect();
    assert_eq!(symbols, ["A", "B", "C"]);
    assert_eq!((snapshot.number(), live.number()), (2, 3));
}

#[test]
fn what_is_given_twice_is_published_once() {
    let mut scene = Scene::new();
    scene.objects(&[("t", "A", 5, SNAPSHOT)]);

    assert!(scene.objects(&[("t", "A", 5, ""), ("t", "A", 4, "")]).is_none());
    assert_eq!(seqs(&scene.objects(&[("t", "A", 5, ""), ("t", "A", 6, "")]).unwrap()), [6]);
}

#[test]
fn numbers_that_are_left_out_are_told_as_missed_once() {
    let mut scene = Scene::new();
    scene.objects(&[("t", "A", 5, SNAPSHOT), ("q", "A", 5, SNAPSHOT)]);

    let told = scene.take(gap("A", Channel::Trades, 6, 9)).unwrap();
    let next = scene.objects(&[("t", "A", 10, ""), ("q", "A", 8, r#","cf":2"#)]).unwrap();

    assert_eq!((missed(&told), seqs(&told)), (vec![(6, 9)], vec![]));
    assert_eq!((missed(&next), seqs(&next)), (vec![(6, 7)], vec![10, 8]));
}

fn gap(symbol: &str, channel: Channel, from: u64, to: u64) -> Arrival {
    let symbol: Symbol = symbol.parse().unwrap();
    Arrival::Control(ServerMessage::Gap { symbol, channel, from: Seq(from), to: Seq(to) })
}

#[test]
fn what_the_upstream_lost_before_a_stream_began_is_told_with_the_object_that_begins_it() {
    let mut scene = Scene::new();

    let told = [gap("A", Channel::Trades, 5, 9), gap("A", Channel::Trades, 3, 4)].map(|gap| scene.take(gap));
    // A snapshot gives the newest object again, though the gap includes it.
    let begun =
        scene.objects(&[("t", "A", 9, SNAPSHOT), ("t", "A", 10, ""), ("t", "B", 7, SNAPSHOT)]).unwrap();

    assert!(told.iter().flatten().all(|batch| batch.missed().is_empty()));
    assert_eq!((missed(&begun), seqs(&begun)), (vec![(3, 8)], vec![9, 10, 7]));
    scene.take(gap("C", Channel::Trades, 1, 4));
    scene.take(Arrival::Live(acknowledgement(Some(OTHER))));
    let begun = scene.objects(&[("t", "C", 2, SNAPSHOT)]).unwrap();
    assert_eq!(missed(&begun), [], "the gap was of the epoch before");
}

#[test]
fn a_gap_of_a_stream_that_conflates_is_told_by_its_next_object() {
    let mut scene = Scene::new();
    scene.objects(&[("q", "A", 5, SNAPSHOT)]);

    assert!(scene.take(gap("A", Channel::Quotes, 6, 7)).is_none());
    let next = scene.objects(&[("q", "A", 8, "")]).unwrap();

    assert_eq!((missed(&next), seqs(&next)), (vec![(6, 7)], vec![8]));
}

#[test]
fn a_resumed_connection_goes_on_after_the_last_number_of_each_stream() {
    let mut scene = Scene::new();
    scene.objects(&[("t", "A", 5, SNAPSHOT), ("q", "B", 9, SNAPSHOT)]);

    let resume = scene.feed.resume(&scene.last_values);

    let expected = serde_json::json!({"epoch": "7", "sq": {"trades": {"A": 5}, "quotes": {"B": 9}}});
    assert_eq!(resume, expected);
    let down = scene.take(Arrival::Down("cut".to_owned())).unwrap();
    let back = scene.take(Arrival::Live(acknowledgement(Some(EPOCH)))).unwrap();
    let states = [&down, &back].map(|batch| batch.notices()[0].state);
    assert_eq!((states, back.begun_epoch()), ([FeedState::Down, FeedState::Back], None));
    let new = scene.objects(&[("t", "C", 3, SNAPSHOT)]).unwrap();
    assert_eq!(missed(&new), [(1, 2)], "it began while the upstream was away");
}

#[test]
fn the_epoch_of_an_upstream_that_began_anew_is_adopted_with_its_numbers() {
    let mut scene = Scene::new();
    scene.objects(&[("t", "A", 50, SNAPSHOT), ("t", "B", 7, SNAPSHOT)]);
    scene.take(Arrival::Down("killed".to_owned()));

    let back = scene.take(Arrival::Live(acknowledgement(Some(OTHER)))).unwrap();
    let batch = scene.objects(&[("t", "A", 3, SNAPSHOT), ("t", "A", 4, "")]).unwrap();

    assert_eq!((back.begun_epoch(), back.notices()[0].filled), (Some(OTHER), Some(false)));
    assert!(back.restarts_numbers());
    assert_eq!((seqs(&batch), missed(&batch)), (vec![3, 4], vec![]));
    let resume = scene.feed.resume(&scene.last_values);
    assert_eq!(resume, serde_json::json!({"epoch": "8", "sq": {"trades": {"A": 4}}}));
}

#[test]
fn an_epoch_within_the_session_is_passed_on_with_the_same_numbers() {
    let mut scene = Scene::new();
    scene.objects(&[("t", "A", 5, SNAPSHOT)]);

    let batch = scene.take(Arrival::Control(epoch(EpochNumbers::GoOn))).unwrap();
    let next = scene.objects(&[("t", "A", 6, "")]).unwrap();

    assert_eq!((batch.begun_epoch(), seqs(&next)), (Some(OTHER), vec![6]));
    assert_eq!((scene.last_values.epoch(), batch.restarts_numbers()), (Some(OTHER), false));
}

fn epoch(numbers: EpochNumbers) -> ServerMessage {
    ServerMessage::Epoch(BegunEpoch { epoch: OTHER, numbers })
}

#[test]
fn numbers_that_begin_again_within_the_session_begin_with_any_object() {
    let mut scene = Scene::new();
    scene.objects(&[("t", "A", 50, SNAPSHOT)]);

    let batch = scene.take(Arrival::Control(epoch(EpochNumbers::Restart))).unwrap();
    let next = scene.objects(&[("t", "A", 7, ""), ("t", "A", 9, "")]).unwrap();

    assert!(batch.restarts_numbers());
    assert_eq!((seqs(&next), missed(&next)), (vec![7, 9], vec![(8, 8)]));
}

#[test]
fn objects_are_in_the_archive_for_clients_that_resume() {
    let mut scene = Scene::new();
    scene.objects(&[("t", "A", 5, SNAPSHOT)]);
    scene.objects(&[("t", "A", 6, ""), ("t", "A", 7, "")]);

    let trades = StreamId::new(Channel::Trades, SymbolId(0));
    let found = scene.feed.archive.since(trades, Seq(4), Seq(9), 10);

    assert_eq!(found.iter().map(|object| object.seq.0).collect::<Vec<_>>(), [5, 6, 7]);
}

#[test]
fn an_earlier_run_goes_on_after_its_last_numbers_whether_or_not_its_end_is_proven() {
    for proven in [EPOCH, OTHER] {
        let mut scene = Scene::new();
        scene.objects(&[("t", "A", 5, SNAPSHOT), ("q", "B", 9, SNAPSHOT)]);
        let mut scene = Scene::continuing(EPOCH, scene.earlier_run(proven));

        let batch = scene.take(Arrival::Live(acknowledgement(Some(EPOCH))));
        let next = scene.objects(&[("t", "A", 5, ""), ("t", "A", 6, ""), ("t", "C", 2, "")]).unwrap();

        let begun = batch.and_then(|batch| batch.beginning_epoch());
        let resumed = BegunEpoch { epoch: EPOCH, numbers: EpochNumbers::GoOn };
        assert_eq!(begun, (proven == OTHER).then_some(resumed));
        assert_eq!((seqs(&next), missed(&next)), (vec![6, 2], vec![(1, 1)]), "C is new since then");
        assert_eq!(next.universe().find(&"B".parse().unwrap()), Some(SymbolId(1)), "ids are kept");
        assert_eq!(scene.last_values.epoch(), Some(EPOCH));
    }
}

#[test]
fn an_earlier_run_of_another_epoch_of_the_upstream_is_forgotten() {
    let mut scene = Scene::new();
    scene.objects(&[("t", "A", 50, SNAPSHOT)]);
    let mut scene = Scene::continuing(OTHER, scene.earlier_run(EPOCH));
    assert_eq!(scene.feed.request_at(Some(OTHER)), MirrorRequest::Snapshot);

    let batch = scene.take(Arrival::Live(acknowledgement(Some(OTHER)))).unwrap();
    let next = scene.objects(&[("t", "A", 3, SNAPSHOT)]).unwrap();

    let restarted = BegunEpoch { epoch: OTHER, numbers: EpochNumbers::Restart };
    assert_eq!(batch.beginning_epoch(), Some(restarted));
    assert_eq!((seqs(&next), missed(&next), next.number()), (vec![3], vec![], 4));
}
