use std::collections::{BTreeMap, BTreeSet, HashMap};

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use super::*;
use crate::archive::{Archive, RetainedObject, Retention};
use crate::cluster::publisher::{Publisher, Standing, Term};
use crate::cluster::ring::RingLimits;
use crate::model::{Body, Object, StreamId, SymbolId, Timestamp, TopicKind, Trade};
use crate::topics::{Namespace, Namespaces, PublishRight};
use crate::wire::fixtures;

const MILLISECOND: Duration = Duration::from_millis(1);

/// What the numbers of a leader begin with: more than the leader before it has given.
const FLOOR: u64 = 100_000;

/// An archive that retains the latest messages of topics.
fn archive() -> Arc<Archive> {
    let archive = Archive::new(2, Retention::default());
    let namespaces = vec![Namespace::chat(PublishRight::Nobody), Namespace::weather()];
    archive.retain_topics(Arc::new(Namespaces::new(namespaces)));
    Arc::new(archive)
}

/// A feed node with a small ring.
struct Leader {
    archive: Arc<Archive>,
    publisher: Publisher,
    last_values: LastValues,
    universe: Arc<Universe>,
    epoch: Epoch,
    floor: u64,
    raised: BTreeSet<StreamId>,
    began: bool,
}

impl Leader {
    fn new(fence: u64, epoch: u64, last_values: LastValues) -> Self {
        Self::with_ring(30, fence, epoch, last_values)
    }

    fn with_ring(batches: usize, fence: u64, epoch: u64, last_values: LastValues) -> Self {
        let mut publisher = Publisher::new(RingLimits { bytes: 1 << 20, batches });
        let floor = (epoch - 1) * FLOOR;
        let epoch = Epoch::new(epoch);
        publisher.begin(Term { fence: Fence(fence), epoch });
        let raised = BTreeSet::new();
        Self {
            archive: archive(),
            publisher,
            last_values,
            universe: Arc::new(fixtures::topics()),
            epoch,
            floor,
            raised,
            began: false,
        }
    }

    fn publish(&mut self, random: &mut SmallRng, log: &mut Log) -> Vec<Bytes> {
        let (mut events, mut messages, mut missed) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..random.random_range(1..4) {
            let (Body::Trade(trade), Body::Quote(quote)) = (fixtures::trade().body, fixtures::quote().body)
            else {
                unreachable!()
            };
            log.next_id += 1;
            if random.random_bool(0.2) {
                messages.push(self.message(random, log, &mut missed));
                continue;
            }
            let (symbol, size) = (SymbolId(random.random_range(0..2)), log.next_id);
            let body = match random.random_range(0..2) {
                0 => Body::Trade(Trade { symbol, size, ..trade }),
                _ => Body::Quote(crate::model::Quote { symbol, bid_size: size, ..quote }),
            };
            let object = self.number(body, log, &mut missed);
            self.last_values.put(object);
            events.push(object);
        }
        let contents = messages.iter().map(|(object, message)| (object, message));
        self.archive.record_messages(&self.universe, contents);
        let (messages, contents) = messages.into_iter().unzip();
        let number = self.last_values.batch() + 1;
        self.last_values.set_batch(number);
        self.last_values.set_epoch(self.epoch);
        let begun = (!self.began).then_some(self.epoch);
        self.began = true;
        let batch =
            Batch::new(Arc::clone(&self.universe), Timestamp::from_nanos(number as i64), events, vec![]);
        let batch = batch.with_messages(messages, contents);
        let batch = batch.numbered(number).beginning(begun).with_missed(missed);
        self.publisher.publish(&[Arc::new(batch)], Timestamp::default(), Timestamp::default())
    }

    /// A message of a topic, whose content tells its time.
    fn message(
        &mut self,
        random: &mut SmallRng,
        log: &mut Log,
        missed: &mut Vec<Missed>,
    ) -> (Object, Arc<TopicMessage>) {
        let topic = self.universe.topics()[random.random_range(0..2)];
        let object = self.number(topic.message(Timestamp::from_nanos(log.next_id as i64)), log, missed);
        let message = Arc::new(TopicMessage::new(&serde_json::json!(log.next_id), None));
        self.last_values.put_message(object, Arc::clone(&message));
        (object, message)
    }

    fn number(&mut self, body: Body, log: &mut Log, missed: &mut Vec<Missed>) -> Object {
        let (stream, next) = (body.stream(), self.last_values.seq(body.stream()).next());
        let is_raised = self.raised.insert(stream);
        let seq = if is_raised { Seq(next.0.max(self.floor)) } else { next };
        if seq > next && next > Seq(1) {
            missed.push(Missed { stream, from: next, to: Seq(seq.0 - 1) });
        }
        log.published.insert((self.epoch, body.stream(), seq), body);
        Object { seq, body }
    }

    /// What this leader retains of topics, as far as these last values.
    fn retained(&self, last_values: &LastValues) -> Arc<Archive> {
        let archive = archive();
        let retained = self.archive.retained_messages(|stream| last_values.seq(stream), usize::MAX);
        archive.restore_messages(&self.universe, &retained);
        archive
    }

    fn answer(&self, request: FollowerRequest) -> Vec<Bytes> {
        match request {
            FollowerRequest::Snapshot(request) => {
                let (universe, last_values) = (Arc::clone(&self.universe), self.last_values.clone());
                let snapshot = Standing { universe, last_values }.encode(&self.archive);
                self.publisher.snapshot(request, &snapshot, Timestamp::default())
            }
            FollowerRequest::Repair(request) => self.publisher.repair(&request, Timestamp::default()),
        }
    }
}

/// Everything that was published.
#[derive(Default)]
struct Log {
    next_id: u64,
    published: HashMap<(Epoch, StreamId, Seq), Body>,
}

/// Checks what a follower passes on.
struct Checker {
    archive: Arc<Archive>,
    follower: Follower,
    last_values: LastValues,
    /// The last number of each stream that was received or missed, whatever the epoch.
    positions: BTreeMap<StreamId, Seq>,
    received: usize,
    missed: u64,
    epochs: Vec<Epoch>,
}

impl Checker {
    fn new() -> Self {
        let follower = Follower::new(Fence::default(), Arc::default());
        let (positions, last_values) = Default::default();
        let archive = archive();
        Self { archive, follower, last_values, positions, received: 0, missed: 0, epochs: Vec::new() }
    }

    fn take(&mut self, log: &Log) {
        while let Some(batch) = self.follower.next_batch(&mut self.last_values) {
            if let Some(epoch) = batch.begun_epoch() {
                assert!(!self.epochs.contains(&epoch), "an epoch begins once");
                self.epochs.push(epoch);
            }
            let epoch = *self.epochs.last().expect("the first batch begins an epoch");
            for missed in batch.missed() {
                assert!(missed.from <= missed.to);
                if let Some(before) = self.positions.insert(missed.stream, missed.to) {
                    assert_eq!(missed.from, before.next());
                }
                self.missed += missed.to.0 - missed.from.0 + 1;
            }
            if let Some(history) = self.follower.take_history() {
                self.archive.restore_messages(batch.universe(), &history);
            }
            self.archive.record_messages(batch.universe(), batch.messages());
            for (object, message) in batch.messages() {
                let (Body::Message(head) | Body::State(head)) = object.body else { unreachable!() };
                assert_eq!(message.data().unwrap(), head.at.nanos().to_string());
            }
            for object in batch.objects().chain(batch.messages().map(|(object, _)| object)) {
                let (stream, seq) = (object.stream(), object.seq);
                // A snapshot tells what is newest, of an earlier epoch where nothing came since.
                let mut epochs = (1..=epoch.number()).map(Epoch::new);
                let published = epochs.find_map(|epoch| log.published.get(&(epoch, stream, seq)));
                assert_eq!(published, Some(&object.body), "{epoch:?} {seq:?}");
                if let Some(before) = self.positions.insert(stream, seq) {
                    assert_eq!(seq, before.next(), "{stream:?}");
                }
                self.received += 1;
            }
        }
    }
}

/// The retained messages of a topic between two numbers, with the holes that a new leader has made.
fn all_retained(archive: &Archive, stream: StreamId, mut after: Seq, up_to: Seq) -> Vec<RetainedObject> {
    let mut all = Vec::new();
    loop {
        let piece = archive.replay(stream, after, up_to, usize::MAX);
        let Some(last) = piece.last() else { return all };
        after = last.object.seq;
        // Which is the first of all is known at one of them.
        all.extend(piece.into_iter().map(|retained| RetainedObject { is_first: false, ..retained }));
    }
}

/// How bad the network is.
struct Weather {
    lost: f64,
    repeated: f64,
    most_delay: u64,
}

/// A follower behind a network, a leader, and at times an earlier leader that does not know that it is none.
struct World {
    random: SmallRng,
    weather: Weather,
    now: Instant,
    millis: u64,
    line: BTreeMap<(u64, u64), Bytes>,
    sent: u64,
    log: Log,
    checker: Checker,
}

impl World {
    fn new(seed: u64, weather: Weather) -> Self {
        Self {
            random: SmallRng::seed_from_u64(seed),
            weather,
            now: Instant::now(),
            millis: 0,
            line: BTreeMap::new(),
            sent: 0,
            log: Log::default(),
            checker: Checker::new(),
        }
    }

    fn send(&mut self, messages: Vec<Bytes>) {
        for message in messages {
            let copies = 1 + u64::from(self.random.random_bool(self.weather.repeated));
            for _ in 0..copies {
                if !self.random.random_bool(self.weather.lost) {
                    let delay = 1 + self.random.random_range(0..=self.weather.most_delay);
                    self.sent += 1;
                    self.line.insert((self.millis + delay, self.sent), message.clone());
                }
            }
        }
    }

    /// A millisecond in which this leader answers.
    fn step(&mut self, leader: &Leader) {
        self.millis += 1;
        self.now += MILLISECOND;
        while let Some(entry) = self.line.first_entry().filter(|entry| entry.key().0 <= self.millis) {
            let message = NodeMessage::from_bytes(&entry.remove()).unwrap();
            self.checker.follower.take_in(message, self.now);
        }
        self.checker.follower.tick(self.now);
        while let Some(request) = self.checker.follower.next_request() {
            if !self.random.random_bool(self.weather.lost) {
                let answer = leader.answer(request);
                self.send(answer);
            }
        }
        self.checker.take(&self.log);
    }

    fn publish(&mut self, leader: &mut Leader) {
        let messages = leader.publish(&mut self.random, &mut self.log);
        self.send(messages);
    }

    /// Waits until the follower has everything.
    fn settle(&mut self, leader: &Leader) {
        self.weather = Weather { lost: 0.0, repeated: 0.0, most_delay: 3 };
        for _ in 0..40 {
            let beat = leader.publisher.beat(Timestamp::default());
            self.send(beat.into_iter().collect());
            for _ in 0..100 {
                self.step(leader);
            }
        }
        let ours = &self.checker.last_values;
        assert_eq!(ours.batch(), leader.last_values.batch());
        for object in leader.last_values.iter() {
            let stream = object.stream();
            assert!(ours.seq(stream) >= object.seq, "{stream:?}");
            if leader.raised.contains(&stream) {
                assert_eq!(ours.of(stream), Some(object));
            }
        }
        for (object, message) in leader.last_values.messages() {
            let stream = object.stream();
            if leader.raised.contains(&stream) {
                assert_eq!(ours.message(stream), Some(message));
                // The same messages, although one may have some that the other has forgotten or never had.
                let after = Seq(object.seq.0.saturating_sub(20));
                let [ours, theirs] = [&self.checker.archive, &leader.archive]
                    .map(|archive| all_retained(archive, stream, after, object.seq));
                let common = ours.len().min(theirs.len());
                assert!(common > 0);
                assert_eq!(ours[ours.len() - common..], theirs[theirs.len() - common..]);
            }
        }
    }
}

fn steady() -> Weather {
    Weather { lost: 0.0, repeated: 0.0, most_delay: 0 }
}

#[test]
fn received_and_missed_are_what_was_published_whatever_the_network_does() {
    for seed in 0..60 {
        let lost = [0.0, 0.01, 0.1, 0.4][seed as usize % 4];
        let weather = Weather { lost, repeated: 0.1, most_delay: [0, 3, 40][seed as usize % 3] };
        let mut world = World::new(seed, weather);
        let mut leader = Leader::new(1, 1, LastValues::default());
        let (mut fence, mut epoch) = (1, 1);
        let mut old: Option<Leader> = None;
        for _ in 0..3_000 {
            if world.random.random_bool(0.5) {
                world.publish(&mut leader);
            }
            if let Some(old) = &mut old {
                world.publish(old);
            }
            if world.random.random_bool(0.01) {
                old = None;
            }
            if world.random.random_bool(0.02) {
                let beat = leader.publisher.beat(Timestamp::default());
                world.send(beat.into_iter().collect());
            }
            if world.random.random_bool(0.002) {
                world.checker.follower.messages_dropped(world.now);
            }
            if world.random.random_bool(0.001) {
                // It has lost its lease and got it again.
                fence += 1;
                leader.publisher.begin(Term { fence: Fence(fence), epoch: leader.epoch });
            }
            if world.random.random_bool(0.001) {
                (fence, epoch) = (fence + 1, epoch + 1);
                let standing = leader.last_values.clone();
                let retained = leader.retained(&standing);
                // What the old leader still publishes, the new one does not know.
                for _ in 0..world.random.random_range(0..9) {
                    world.publish(&mut leader);
                }
                old = Some(std::mem::replace(&mut leader, Leader::new(fence, epoch, standing)));
                leader.archive = retained;
                world.publish(&mut leader);
            }
            world.step(&leader);
        }
        world.settle(&leader);
        assert!(world.checker.received > 0, "seed {seed}");
    }
}

#[test]
fn single_losses_are_repaired_and_nothing_is_missed() {
    let mut world = World::new(7, Weather { lost: 0.01, ..steady() });
    let mut leader = Leader::with_ring(2_000, 1, 1, LastValues::default());
    for _ in 0..5_000 {
        world.publish(&mut leader);
        world.step(&leader);
    }
    world.settle(&leader);

    let counts = world.checker.follower.counts();
    assert_eq!((world.checker.missed, counts.snapshots), (0, 1), "{counts:?}");
    assert!(counts.repaired > 20, "{counts:?}");
}

#[test]
fn a_lost_last_batch_is_noticed_by_the_next_beat() {
    let mut world = World::new(8, steady());
    let mut leader = Leader::new(1, 1, LastValues::default());
    world.publish(&mut leader);
    for _ in 0..600 {
        world.step(&leader);
    }
    world.publish(&mut leader);
    world.line.clear();
    for _ in 0..2 {
        let beat = leader.publisher.beat(Timestamp::default());
        world.send(beat.into_iter().collect());
        for _ in 0..60 {
            world.step(&leader);
        }
    }

    assert_eq!(world.checker.last_values.batch(), 2);
    assert_eq!(world.checker.follower.counts().repaired, 1);
}

#[test]
fn no_batch_of_a_lower_fence_comes_after_one_of_a_higher() {
    let mut world = World::new(9, steady());
    let mut old = Leader::new(1, 1, LastValues::default());
    world.publish(&mut old);
    for _ in 0..600 {
        world.step(&old);
    }
    let mut new = Leader::new(2, 2, old.last_values.clone());
    world.publish(&mut new);
    world.step(&new);
    for _ in 0..100 {
        world.publish(&mut old);
        world.step(&new);
    }

    assert_eq!(world.checker.epochs, [Epoch::new(1), Epoch::new(2)]);
    assert_eq!(world.checker.follower.counts().stale, 100);
}

/// The last values of a follower with these, after a snapshot of this leader and its next batch.
fn joined(universe: Universe, mut last_values: LastValues, leader: &mut Leader) -> (Follower, LastValues) {
    let now = Instant::now();
    let mut follower = Follower::new(Fence::default(), Arc::new(universe));
    follower.tick(now);
    // With the first answer the follower knows the fence, and asks again.
    while let Some(request) = follower.next_request() {
        for message in leader.answer(request) {
            follower.take_in(NodeMessage::from_bytes(&message).unwrap(), now);
        }
    }
    for message in leader.publish(&mut SmallRng::seed_from_u64(2), &mut Log::default()) {
        follower.take_in(NodeMessage::from_bytes(&message).unwrap(), now);
    }
    while follower.next_batch(&mut last_values).is_some() {}
    (follower, last_values)
}

#[test]
fn instruments_keep_their_ids_whatever_the_order_of_a_leader() {
    let listed: Vec<_> = fixtures::universe().iter().cloned().collect();
    let mut leader = Leader::new(1, 1, LastValues::default());
    let mut random = SmallRng::seed_from_u64(1);
    (0..50).for_each(|_| drop(leader.publish(&mut random, &mut Log::default())));

    let reversed = Universe::new(listed.iter().rev().cloned().collect());
    let (follower, last_values) = joined(reversed, LastValues::default(), &mut leader);

    let known = follower.relisting.known();
    for object in leader.last_values.iter() {
        let symbol = known.find(&leader.universe.instrument(object.body.symbol()).symbol).unwrap();
        let stream = StreamId::new(object.stream().channel(), symbol);
        assert_eq!(last_values.seq(stream), object.seq);
    }
    assert!(!follower.has_gone_back());
}

#[test]
fn a_node_that_joins_has_the_histories_of_topics_and_tells_clients_of_the_newest_only() {
    let mut leader = Leader::new(1, 1, LastValues::default());
    let mut random = SmallRng::seed_from_u64(1);
    (0..400).for_each(|_| drop(leader.publish(&mut random, &mut Log::default())));
    let mut world = World::new(3, steady());

    // In another order than the leader has, and one more.
    let topics = [("weather:paris", TopicKind::State), ("weather:london", TopicKind::State)];
    let known = fixtures::universe().with_topics(topics.map(|(name, kind)| (name.parse().unwrap(), kind)));
    let now = world.now;
    let mut follower = Follower::new(Fence::default(), Arc::new(known));
    follower.tick(now);
    while let Some(request) = follower.next_request() {
        for message in leader.answer(request) {
            follower.take_in(NodeMessage::from_bytes(&message).unwrap(), now);
        }
    }
    let batch = follower.next_batch(&mut world.checker.last_values).unwrap();
    let ours = world.checker.archive;
    ours.restore_messages(batch.universe(), &follower.take_history().unwrap());

    assert_eq!(batch.messages().len(), 2);
    for topic in leader.universe.topics().iter() {
        let of = |universe: &Universe| universe.find_topic(&topic.name).unwrap().stream();
        let last = leader.last_values.seq(topic.stream());
        let contents = |archive: &Archive, stream| {
            let all = all_retained(archive, stream, Seq(0), last);
            all.into_iter().map(|it| (it.object.seq, it.message)).collect::<Vec<_>>()
        };
        let theirs = contents(&leader.archive, topic.stream());
        assert!(theirs.len() > 50, "{}", theirs.len());
        assert_eq!(contents(&ours, of(batch.universe())), theirs, "{}", topic.name);
    }
}

#[test]
fn a_leader_that_counts_anew_is_noticed_and_no_number_goes_back() {
    let mut leader = Leader::new(1, 1, LastValues::default());
    let mut random = SmallRng::seed_from_u64(1);
    (0..50).for_each(|_| drop(leader.publish(&mut random, &mut Log::default())));
    let known = leader.last_values.clone();
    let mut anew = Leader::new(2, 2, LastValues::default());
    anew.floor = 0;
    anew.publish(&mut random, &mut Log::default());

    let (follower, last_values) = joined(fixtures::universe(), known.clone(), &mut anew);

    assert!(follower.has_gone_back());
    assert!(known.iter().all(|object| last_values.seq(object.stream()) == object.seq));
}
