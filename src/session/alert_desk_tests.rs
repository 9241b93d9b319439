use std::cell::RefCell;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};

use super::*;
use crate::archive::{Archive, Retention};
use crate::feed::Batch;
use crate::hub::{Hub, Now};
use crate::model::{Epoch, EpochNumbers, Missed, Object, Timestamp, Trade, Universe};
use crate::session::state::HubMembership;
use crate::session::{Outbox, OutboxLimits};
use crate::source::{DemandLimits, SymbolDemand};
use crate::transport::SocketWriter;
use crate::transport::fake::FakeTransport;
use crate::wire::{Codec, Command, fixtures};

const EPOCH: Epoch = Epoch::new(36);

/// One session at a hub, and a market of AAPL at one price after the other.
struct World {
    hub: Rc<Hub>,
    archive: Arc<Archive>,
    universe: Arc<Universe>,
    received: Rc<RefCell<Vec<u8>>>,
    is_full: Rc<RefCell<bool>>,
    state: Rc<SessionState>,
    _membership: HubMembership,
    desk: AlertDesk,
    progress: FeedProgress,
    seq: u64,
    now: Instant,
}

impl World {
    fn new() -> Self {
        Self::demanding(None)
    }

    fn demanding(demand: Option<&SymbolDemand>) -> Self {
        let (hub, now) = (Rc::new(Hub::for_tests(Duration::ZERO)), Instant::now());
        let (received, is_full) = (Rc::<RefCell<Vec<u8>>>::default(), Rc::<RefCell<bool>>::default());
        let (far_end, has_no_room) = (Rc::clone(&received), Rc::clone(&is_full));
        let transport = FakeTransport::taking(move |bytes: &[u8]| match *has_no_room.borrow() {
            true => 0,
            false => {
                far_end.borrow_mut().extend_from_slice(bytes);
                bytes.len()
            }
        });
        let state = Rc::new(SessionState::new(
            Rc::clone(&hub),
            crate::hub::SubscriberIdentity::for_tests(),
            EPOCH,
            Outbox::new(Codec::Json, OutboxLimits::default()),
            SocketWriter::new(Box::new(transport), Bytes::new()),
            now,
        ));
        let membership = HubMembership::join(&state);
        let (archive, progress) = (Arc::new(Archive::new(2, Retention::default())), FeedProgress::default());
        let retained = Arc::clone(&archive);
        let replay: ReplayLookup =
            Rc::new(move |stream, after, up_to, most| retained.replay(stream, after, up_to, most));
        let access = AlertAccess { quota: AlertQuota::default(), rules: CurrentTradeRules::default() };
        let interest = demand.map(SymbolDemand::interest);
        let desk = AlertDesk::new(Rc::clone(&state), access, interest, (replay, progress.clone()), 1_000);
        hub.last_values_mut().set_epoch(EPOCH);
        let (universe, seq) = (hub.universe(), 0);
        let (_membership, world_hub) = (membership, hub);
        Self {
            hub: world_hub,
            archive,
            universe,
            received,
            is_full,
            state,
            _membership,
            desk,
            progress,
            seq,
            now,
        }
    }

    fn object(&mut self, cents: i64) -> Object {
        let Body::Trade(trade) = fixtures::trade().body else { unreachable!() };
        self.seq += 1;
        let at = trade.at + Duration::from_millis(self.seq);
        let price = Price::from_cents(cents);
        Object { seq: Seq(self.seq), body: Body::Trade(Trade { price, at, ..trade }) }
    }

    fn batch(&self, objects: Vec<Object>) -> Batch {
        Batch::new(Arc::clone(&self.universe), Timestamp::default(), objects, vec![])
    }

    fn dispatch(&self, batch: Batch) {
        self.archive.record(batch.events());
        self.hub.ingest(&[Arc::new(batch)], self.now);
    }

    fn trade(&mut self, cents: i64) {
        let object = self.object(cents);
        self.dispatch(self.batch(vec![object]));
    }

    fn command(&mut self, command: &Value) {
        match Command::read(Codec::Json, command.to_string().as_bytes()).unwrap() {
            Command::Alert(command) => self.desk.set(command, None, self.now),
            Command::Unalert(command) => self.desk.unset(command, self.now),
            other => panic!("{other:?}"),
        }
    }

    fn set(&mut self, when: &str, once: bool) {
        self.command(&json!({"action": "alert", "S": "AAPL", "id": when, "when": when, "once": once}));
    }

    fn set_since(&mut self, when: &str, sq: u64) {
        let x = json!({"since": {"epoch": EPOCH.to_string(), "sq": sq}});
        self.command(
            &json!({"action": "alert", "S": "AAPL", "id": when, "when": when, "once": false, "x": x}),
        );
    }

    /// What the socket has taken, in short: `T` and the number, of a list the number of alerts and of those beyond which the
    /// price is, of a gap its range and its alerts.
    fn read(&self) -> Vec<String> {
        let _ = self.state.poll_write(&mut Context::from_waker(Waker::noop()), self.now);
        let bytes = std::mem::take(&mut *self.received.borrow_mut());
        let (mut rest, mut all) = (&bytes[..], Vec::new());
        while !rest.is_empty() {
            let payload = fixtures::payload(rest);
            let header = rest.len() - payload.len();
            let length = match rest[1] {
                length @ 0..=125 => usize::from(length),
                _ => usize::from(u16::from_be_bytes([rest[2], rest[3]])),
            };
            let objects: Vec<Value> = serde_json::from_slice(&payload[..length]).unwrap();
            all.extend(objects.iter().map(|object| match object["T"].as_str().unwrap() {
                "alerts" => {
                    let list = object["list"].as_array().unwrap();
                    let beyond = list.iter().filter(|entry| entry["now"] == true).count();
                    let beyond = if beyond > 0 { format!(", {beyond} now") } else { String::new() };
                    format!("alerts {}{beyond}", list.len())
                }
                "gap" => format!("gap {}-{} of {}", object["from"], object["to"], object["alerts"]),
                "a" if object["cf"].is_u64() => format!("a {} cf {}", object["sq"], object["cf"]),
                kind => format!("{kind} {}", object.get("sq").or(object.get("code")).unwrap_or(&Value::Null)),
            }));
            rest = &rest[header + length..];
        }
        all
    }
}

#[test]
fn a_session_gets_what_its_alerts_fire_and_a_hub_without_alerts_has_none() {
    let mut world = World::new();
    world.trade(10_000);
    world.set("p>=101", true);
    world.set("p<=99", false);
    assert_eq!(world.read(), ["alerts 1", "alerts 2"]);

    for cents in [10_050, 10_100, 9_900, 10_100, 9_800] {
        world.trade(cents);
    }
    assert_eq!(world.read(), ["a 3", "a 4", "a 6"]);
    world.command(&json!({"action": "unalert", "ids": ["*"]}));

    assert_eq!(world.read(), ["alerts 0"]);
    assert!(world.hub.with_alerts(|_| ()).is_none());
    world.trade(10_100);
    assert_eq!(world.read(), [""; 0]);
}

#[test]
fn what_fired_since_comes_behind_the_answer_and_what_fires_later_behind_that() {
    let mut world = World::new();
    for cents in [10_000, 10_200, 10_000, 10_300, 10_000] {
        world.trade(cents);
    }

    world.set_since("p>=101", 1);
    world.trade(10_100);

    assert_eq!(world.read(), ["alerts 1", "a 2", "a 4", "a 6"]);
    world.set_since("p>=102", 9);
    assert_eq!(
        world.read(),
        ["alerts 2, 1 now", r#"gap 1-6 of ["p>=102"]"#],
        "a number that was never given"
    );
}

#[test]
fn a_client_that_is_ahead_of_its_worker_gets_nothing_twice() {
    let mut world = World::new();
    world.trade(10_000);
    let late: Vec<_> = [10_200, 10_000, 10_200].map(|cents| world.object(cents)).into();
    world.progress.set(4);

    world.set_since("p>=101", 3);
    world.dispatch(world.batch(late));

    assert_eq!(world.read(), ["alerts 1", "a 4"], "trade 2 fired on another worker");
}

#[test]
fn what_a_full_socket_does_not_take_is_merged_and_comes_later() {
    let mut world = World::new();
    world.trade(10_000);
    world.set("p>=101", false);
    world.read();
    *world.is_full.borrow_mut() = true;

    for _ in 0..40 {
        world.trade(10_100);
        world.trade(10_000);
    }
    world.now += Duration::from_secs(2);
    world.trade(10_100);
    let last = world.seq;
    *world.is_full.borrow_mut() = false;
    let mut received = world.read();
    world.now += Duration::from_secs(2);
    world.hub.run_timers(Now { steady: world.now, wall: Timestamp::default() });
    received.extend(world.read());

    let merged: u64 = received.iter().filter_map(|it| it.split_once("cf ")?.1.parse::<u64>().ok()).sum();
    assert_eq!(received.len() as u64 + merged, 41, "{received:?}");
    assert!(merged >= 20 && received.last().unwrap().starts_with(&format!("a {last}")), "{received:?}");
}

#[test]
fn an_entry_says_that_the_price_is_beyond_while_it_is_and_not_until_the_alert_is_armed_again() {
    let mut world = World::new();
    world.trade(10_000);
    world.set("p>=101", false);
    let refresh = json!({"action": "unalert", "ids": []});
    for cents in [10_100, 10_099, 10_100, 10_000] {
        world.trade(cents);
        world.command(&refresh);
    }

    let lists: Vec<_> = world.read().into_iter().filter(|it| it.starts_with("alerts")).collect();
    assert_eq!(lists, ["alerts 1", "alerts 1, 1 now", "alerts 1", "alerts 1, 1 now", "alerts 1"]);
}

#[test]
fn the_owner_of_an_alert_is_told_of_trades_that_were_lost() {
    let mut world = World::new();
    world.trade(10_000);
    world.set("p>=101", false);
    world.seq += 5;
    let object = world.object(10_100);
    let missed = Missed { stream: object.stream(), from: Seq(2), to: Seq(6) };

    world.dispatch(world.batch(vec![object]).with_missed(vec![missed]));

    assert_eq!(world.read(), ["alerts 1", r#"gap 2-6 of ["p>=101"]"#, "a 7"]);
}

#[test]
fn an_alert_goes_on_by_its_price_when_numbers_begin_again() {
    let mut world = World::new();
    for cents in [10_000, 10_100] {
        world.trade(cents);
    }
    world.set("p>=102", false);
    world.seq = 0;
    let object = world.object(10_200);
    let batch = world.batch(vec![object]).beginning(Some(Epoch::new(37)));

    world.dispatch(batch.with_epoch_numbers(EpochNumbers::Restart));

    assert_eq!(world.read(), ["alerts 1", "a 1"]);
    world.set_since("p>=102", 1);
    assert_eq!(
        world.read(),
        ["alerts 1, 1 now", r#"gap 1-1 of ["p>=102"]"#],
        "the number is of the epoch before"
    );
}

#[test]
fn an_alert_for_a_symbol_that_a_source_gives_on_demand_begins_with_its_first_trade() {
    let demand = SymbolDemand::new(DemandLimits { symbols: 1, ..DemandLimits::default() });
    let mut world = World::demanding(Some(&demand));
    let alert =
        |symbol: &str| json!({"action": "alert", "S": symbol, "id": "a", "when": "p>=101", "once": false});

    world.command(&alert("NEW"));
    world.command(&alert("MORE"));
    assert_eq!((world.read(), demand.len()), (vec!["alerts 1".to_owned(), "error 405".to_owned()], 1));
    world.universe = Arc::new(fixtures::universe_of(&["AAPL", "MSFT", "NEW"]));
    let new = |seq: u64, object: Object| Object { seq: Seq(seq), body: object.body.with_symbol(SymbolId(2)) };
    let objects = [9_900, 10_100].map(|cents| world.object(cents));
    let objects = objects.into_iter().zip(1..).map(|(object, seq)| new(seq, object)).collect();
    world.archive.list(&world.universe);
    world.dispatch(world.batch(objects));
    world.desk.add_new_instruments(world.now);

    assert_eq!(world.read(), ["a 2"]);
    world.command(&json!({"action": "unalert", "ids": ["a"]}));
    assert!(world.hub.with_alerts(|_| ()).is_none());
}
