//! What each part of a tick's way costs by itself, with nothing of the kernel in it.
//!
//! `cargo bench --bench parts`, or `-- outbox` for those whose name has that in it.

#![allow(missing_docs, reason = "Criterion's macros make public items without any")]
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on fails")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tapecast::feed::Batch;
use tapecast::hub::{EncodedLastValues, FanOut, FrameCache, Index, ObjectRef, SubscriberKey};
use tapecast::model::{Body, Channel, Object, Seq, StreamId, SymbolId, Timestamp, Universe};
use tapecast::session::{Outbox, OutboxLimits};
use tapecast::source::{Simulation, Simulator, universe};
use tapecast::wire::{Codec, Decoder, Encoded, Mark};

const AT: Timestamp = Timestamp::from_nanos(1_795_000_000_000_000_000);

/// The newest quote of each symbol of a market, each the `seq`th of its stream.
fn quotes(universe: &Universe, seq: u64) -> Vec<Object> {
    let mut events = Vec::new();
    Simulator::new(universe, Simulation::UNEVENTFUL).opening(AT, &mut events);
    let bodies = events.into_iter().map(Body::from).filter(|body| matches!(body, Body::Quote(_)));
    bodies.map(|body| Object { seq: Seq(seq), body }).collect()
}

/// An object as it is written, once for all sessions.
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
                codec.write(&mut out, &universe, black_box(&quotes[0]), Mark::Live);
            });
        });
        group.throughput(Throughput::Elements(100));
        group.bench_function(BenchmarkId::new("a batch of 100", format!("{codec:?}")), |bencher| {
            bencher.iter(|| Encoded::of(codec, &universe, black_box(&quotes)));
        });
    }
}

/// A client that is behind: so many streams are marked, and taken with what is newest.
fn outbox(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("outbox, offer and take");
    for dirty in [1, 100, 5_000] {
        let universe = Arc::new(universe(dirty, 1));
        let objects = quotes(&universe, 2);
        let mut newest = EncodedLastValues::new(dirty);
        objects.iter().for_each(|object| newest.latest_mut().put(*object));
        let batches = [Arc::new(Batch::new(Arc::clone(&universe), AT, objects, vec![]))];
        let picks: Vec<_> = (0..dirty).map(|place| ObjectRef::new(0, place)).collect();
        let limits = OutboxLimits { conflate_above: 0, ..OutboxLimits::default() };
        group.throughput(Throughput::Elements(dirty as u64));
        group.bench_function(BenchmarkId::new("dirty", dirty), |bencher| {
            let mut outbox = Outbox::new(Codec::Json, Arc::clone(&universe), limits);
            let frames = FrameCache::default();
            let now = Instant::now();
            bencher.iter(|| {
                // What waits before them makes it behind.
                outbox.push(Bytes::from_static(&[0x89, 0]));
                let turn = FanOut::new(&batches, &frames, &newest, now);
                let _ = black_box(outbox.offer(&turn, &picks));
                while let Some(taken) = outbox.take(&newest) {
                    black_box(taken);
                }
            });
        });
    }
}

/// A frame of ten objects, for the first who wants it and for the next.
fn frame(criterion: &mut Criterion) {
    let universe = Arc::new(universe(10, 1));
    let batches = [Arc::new(Batch::new(Arc::clone(&universe), AT, quotes(&universe, 1), vec![]))];
    let picks: Vec<_> = (0..10).map(|place| ObjectRef::new(0, place)).collect();
    let newest = EncodedLastValues::new(10);
    let now = Instant::now();
    let mut group = criterion.benchmark_group("frame of ten");
    group.bench_function("the first", |bencher| {
        let make = |frames: FrameCache| {
            let turn = FanOut::new(&batches, &frames, &newest, now);
            black_box(turn.frame(Codec::Json, None, &picks, 4096));
            frames
        };
        bencher.iter_batched(FrameCache::default, make, BatchSize::SmallInput);
    });
    group.bench_function("every other", |bencher| {
        let frames = FrameCache::default();
        let turn = FanOut::new(&batches, &frames, &newest, now);
        bencher.iter(|| black_box(turn.frame(Codec::Json, None, &picks, 4096)));
    });
}

/// One list with so many in it: one more and one less, and all who are in it.
fn index(criterion: &mut Criterion) {
    let stream = StreamId::new(Channel::Trades, SymbolId(0));
    let mut group = criterion.benchmark_group("index");
    for subscriptions in [10, 1_000, 100_000] {
        let mut index = Index::new(1);
        let keys: Vec<_> = (0..subscriptions).map(|_| index.join()).collect();
        keys.iter().for_each(|key| index.change(*key, |change| change.add(stream)));
        group.throughput(Throughput::Elements(1));
        group.bench_function(BenchmarkId::new("add and remove", subscriptions), |bencher| {
            let middle = keys[subscriptions / 2];
            bencher.iter(|| {
                index.change(black_box(middle), |change| change.remove(stream));
                index.change(middle, |change| change.add(stream));
            });
        });
        group.throughput(Throughput::Elements(subscriptions as u64));
        group.bench_function(BenchmarkId::new("who wants", subscriptions), |bencher| {
            bencher.iter(|| index.who_wants(black_box(stream)).map(|SubscriberKey(key)| key).sum::<usize>());
        });
    }
}

/// A client's text message in one masked frame, read from one chunk.
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

criterion_group!(parts, encode, outbox, frame, index, decoder);
criterion_main!(parts);
