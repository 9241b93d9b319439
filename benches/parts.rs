//! Microbenchmarks of the stages of a tick, without the kernel.
//!
//! `cargo bench --bench parts`, or `-- outbox` for the benchmarks whose name contains `outbox`.

#![allow(missing_docs, reason = "Criterion's macros generate public items without documentation")]
#![allow(clippy::unwrap_used, reason = "a failed setup aborts the benchmark")]

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tapecast::archive::{Archive, Retention};
use tapecast::clock::Clock;
use tapecast::feed::{BarSpans, Batch, BatchSource, LastValues, SequencedFeed, Sequencer};
use tapecast::hub::{
    EncodedLastValues, FanOut, FrameCache, FrameForm, Index, ObjectRef, SubscriberKey, SubscriptionChange,
};
use tapecast::metrics::{ClockMetrics, FeedMetrics, ReplayMetrics};
use tapecast::model::{Body, Channel, Epoch, Object, Seq, StreamId, SymbolId, Timestamp, Universe};
use tapecast::session::{Outbox, OutboxLimits};
use tapecast::source::{
    EventSource, Listings, Recording, ReplaySettings, ReplaySource, SimulationSettings, Simulator, universe,
};
use tapecast::wire::{Codec, Decoder, DeliveryKind, EncodedObjects, TickerFields};

const AT: Timestamp = Timestamp::from_nanos(1_795_000_000_000_000_000);

/// One quote of each symbol, all with this sequence number.
fn quotes(universe: &Universe, seq: u64) -> Vec<Object> {
    let mut events = Vec::new();
    Simulator::new(&Listings::new(universe.len(), 1), SimulationSettings::UNEVENTFUL)
        .opening(AT, &mut events);
    let bodies = events.into_iter().map(Body::from).filter(|body| matches!(body, Body::Quote(_)));
    bodies.map(|body| Object { seq: Seq(seq), body }).collect()
}

/// Encodes objects; the result is shared by all sessions.
fn encode(criterion: &mut Criterion) {
    let universe = universe(100, 1);
    let quotes = quotes(&universe, 1);
    let mut group = criterion.benchmark_group("encode");
    for codec in Codec::ALL {
        group.throughput(Throughput::Elements(1));
        group.bench_function(BenchmarkId::new("one quote", format!("{codec:?}")), |bencher| {
            let mut out = Vec::new();
            bencher.iter(|| {
                out.clear();
                codec.write(&mut out, &universe, black_box(&quotes[0]), DeliveryKind::Live);
            });
        });
        group.throughput(Throughput::Elements(100));
        group.bench_function(BenchmarkId::new("a batch of 100", format!("{codec:?}")), |bencher| {
            bencher.iter(|| EncodedObjects::of(codec, &universe, black_box(&quotes)));
        });
    }
}

/// A slow consumer: `dirty` streams are marked, then sent with their last values (conflation).
fn outbox(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("outbox, offer and take");
    for dirty in [1, 100, 5_000] {
        let universe = Arc::new(universe(dirty, 1));
        let objects = quotes(&universe, 2);
        let mut last_values = EncodedLastValues::new(Arc::clone(&universe));
        objects.iter().for_each(|object| last_values.last_values_mut().put(*object));
        let batches = [Arc::new(Batch::new(Arc::clone(&universe), AT, objects, vec![]))];
        let objects: Vec<_> = (0..dirty).map(|place| ObjectRef::new(0, place)).collect();
        let limits = OutboxLimits { conflate_above: 0, ..OutboxLimits::default() };
        group.throughput(Throughput::Elements(dirty as u64));
        group.bench_function(BenchmarkId::new("dirty", dirty), |bencher| {
            let mut outbox = Outbox::new(Codec::Json, limits);
            let frames = FrameCache::default();
            let now = Instant::now();
            bencher.iter(|| {
                // A pending control frame makes the outbox a slow consumer's.
                outbox.push(Bytes::from_static(&[0x89, 0]));
                let fan_out = FanOut::new(&batches, &frames, &last_values, now);
                let _ = black_box(outbox.offer(&fan_out, &objects));
                while let Some(taken) = outbox.take(&last_values) {
                    black_box(taken);
                }
            });
        });
    }
}

/// A frame of ten objects: encoded for the first subscriber, cached for the others.
fn frame(criterion: &mut Criterion) {
    const FORM: FrameForm =
        FrameForm { codec: Codec::Json, deflate: None, max_bytes: 4096, tickers: TickerFields::ALL };
    let universe = Arc::new(universe(10, 1));
    let batches = [Arc::new(Batch::new(Arc::clone(&universe), AT, quotes(&universe, 1), vec![]))];
    let objects: Vec<_> = (0..10).map(|place| ObjectRef::new(0, place)).collect();
    let last_values = EncodedLastValues::new(Arc::clone(&universe));
    let now = Instant::now();
    let mut group = criterion.benchmark_group("frame of ten");
    group.bench_function("first subscriber", |bencher| {
        let make = |frames: FrameCache| {
            let fan_out = FanOut::new(&batches, &frames, &last_values, now);
            black_box(fan_out.frame(FORM, &objects));
            frames
        };
        bencher.iter_batched(FrameCache::default, make, BatchSize::SmallInput);
    });
    group.bench_function("other subscribers", |bencher| {
        let frames = FrameCache::default();
        let fan_out = FanOut::new(&batches, &frames, &last_values, now);
        bencher.iter(|| black_box(fan_out.frame(FORM, &objects)));
    });
}

/// The subscription index with many subscribers of one stream: unsubscribe and subscribe, and lookup.
fn index(criterion: &mut Criterion) {
    let stream = StreamId::new(Channel::Trades, SymbolId(0));
    let mut group = criterion.benchmark_group("index");
    for subscriptions in [10, 1_000, 100_000] {
        let mut index = Index::new(1);
        let keys: Vec<_> = (0..subscriptions).map(|_| index.join()).collect();
        keys.iter().for_each(|key| index.change(*key, &[SubscriptionChange::Add(stream)]));
        group.throughput(Throughput::Elements(1));
        group.bench_function(BenchmarkId::new("subscribe and unsubscribe", subscriptions), |bencher| {
            let middle = keys[subscriptions / 2];
            bencher.iter(|| {
                index.change(black_box(middle), &[SubscriptionChange::Remove(stream)]);
                index.change(middle, &[SubscriptionChange::Add(stream)]);
            });
        });
        group.throughput(Throughput::Elements(subscriptions as u64));
        group.bench_function(BenchmarkId::new("look up subscribers", subscriptions), |bencher| {
            bencher.iter(|| {
                index.subscribers_of(black_box(stream)).map(|SubscriberKey(key)| key).sum::<usize>()
            });
        });
    }
}

/// Decodes a client's text message from one masked frame in one chunk.
fn decoder(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decoder");
    for length in [64_usize, 64 << 10] {
        let mut frame = match length {
            ..=125 => vec![0x81, 0x80 | length as u8],
            _ => [&[0x81, 0xFF][..], &(length as u64).to_be_bytes()].concat(),
        };
        let mask = [0x37, 0xFA, 0x21, 0x3D];
        frame.extend_from_slice(&mask);
        frame.extend((0..length).map(|place| b'a' ^ mask[place % 4]));
        let frame = Bytes::from(frame);
        group.throughput(Throughput::Bytes(length as u64));
        group.bench_function(BenchmarkId::new("a message of bytes", length), |bencher| {
            let mut decoder = Decoder::new(1 << 20);
            bencher.iter(|| {
                let mut chunk = frame.clone();
                black_box(decoder.decode(&mut chunk).unwrap().unwrap())
            });
        });
    }
}

/// Replays a day of IBM's trades and quotes as fast as it can be read: inflates, parses, merges, numbers and archives
/// 133,359 events.
fn replay(criterion: &mut Criterion) {
    let files = ["trade", "quote"].map(|kind| {
        let file = format!("tests/data/lean/tick/ibm/20131007_{kind}.zip");
        Path::new(env!("CARGO_MANIFEST_DIR")).join(file)
    });
    let settings = ReplaySettings::reproducible(files);
    let feed = || {
        let metrics = ReplayMetrics::default();
        let recording = Recording::open(settings.clone(), metrics.clone()).unwrap();
        let source = ReplaySource::new(
            recording,
            Clock::system(ClockMetrics::default()),
            metrics.clone(),
            Box::new(Epoch::default),
        );
        let (universe, from) = (Arc::clone(source.universe()), source.opened_at());
        let archive = Arc::new(Archive::new(universe.len(), Retention::default()));
        let sequencer = Sequencer::new(universe, BarSpans::default(), Epoch::default(), from);
        (SequencedFeed::new(Box::new(source), sequencer, archive, FeedMetrics::default()), metrics)
    };
    let mut group = criterion.benchmark_group("replay");
    group.throughput(Throughput::Elements(133_359)).sample_size(10);
    group.bench_function("a day of ticks", |bencher| {
        let run = |(mut feed, metrics): (SequencedFeed, ReplayMetrics)| {
            let mut last_values = LastValues::default();
            feed.open(&mut last_values);
            while metrics.ended.get() == 0 {
                black_box(feed.poll(&mut last_values));
                feed.settle();
            }
        };
        bencher.iter_batched(feed, run, BatchSize::PerIteration);
    });
}

/// Verifies tokens: what each log-in costs a worker.
#[cfg(feature = "jwt")]
fn tokens(criterion: &mut Criterion) {
    use tapecast::auth::jwt::{KeySet, KeySetOrigin, TokenRules, TokenVerifier};
    use tapecast::metrics::TokenMetrics;
    use test_support::TokenSigner;
    let signers = [TokenSigner::hs256(&[7; 32]), TokenSigner::rs256("r"), TokenSigner::es256("e")];
    let set = KeySet::of_jwks(TokenSigner::set(&signers.each_ref()).as_bytes(), KeySetOrigin::File).unwrap();
    let verifier = TokenVerifier::new(TokenRules::default(), KeySet::default(), set, TokenMetrics::default());
    let claims = serde_json::json!({
        "sub": "auth0|507f1f77bcf86cd799439011", "iss": "https://login.example.org/", "exp": 4_102_444_800_u64,
        "symbols": ["AAPL", "MSFT", "NVDA"], "limits": {"max_symbols": 50},
    });
    let mut group = criterion.benchmark_group("tokens");
    group.throughput(Throughput::Elements(1));
    for signer in &signers {
        let token = signer.token(&claims);
        group.bench_function(BenchmarkId::new("verify", signer.algorithm()), |bencher| {
            bencher.iter(|| verifier.verify(black_box(&token), AT).unwrap());
        });
    }
}

/// There are none.
#[cfg(not(feature = "jwt"))]
fn tokens(_: &mut Criterion) {}

criterion_group!(parts, encode, outbox, frame, index, decoder, replay, tokens);
criterion_main!(parts);
