use std::sync::Arc;
use std::time::Duration;

use rand::{RngExt, SeedableRng};

use super::*;
use crate::model::{Channel, Missed, StreamId, TradeRules};
use crate::topics::{Denial, MuteScope, Publication, PublicationNumber, PublishRefusal};
use crate::wire::{TopicMessage, fixtures};

fn origin() -> Origin {
    let [published, sent] = [1_700_000_000_120, 1_700_000_000_123].map(Timestamp::from_nanos);
    Origin { fence: Fence(7), epoch: Epoch::new(u64::MAX), published, sent, rules: TradeRules::Consolidated }
}

fn batch() -> Batch {
    let (tickers, events) = [fixtures::objects(), fixtures::varied_objects()]
        .concat()
        .into_iter()
        .partition(|object| object.stream().channel() == Channel::Tickers);
    let stream = StreamId::new(Channel::Trades, SymbolId(0));
    let notice = FeedNotice::of_source(FeedState::Back, "upstream");
    let notice = FeedNotice {
        from: Some(Timestamp::from_nanos(-5)),
        to: Some(Timestamp::from_nanos(9)),
        filled: Some(false),
        ..notice
    };
    Batch::new(Arc::new(fixtures::universe()), Timestamp::from_nanos(1_700_000_000_000), events, tickers)
        .numbered(41)
        .with_notices(vec![FeedNotice::of_source(FeedState::Down, "feed"), notice])
        .with_missed(vec![Missed { stream, from: Seq(3), to: Seq(9) }])
        .beginning(Some(Epoch::new(99)))
}

fn messages() -> Vec<NodeMessage> {
    let encoded = |number, bytes: &'static [u8]| EncodedBatch { number, bytes: Bytes::from_static(bytes) };
    let part = Part { index: 1, count: 3, crc: 0xDEAD_BEEF, bytes: Bytes::from_static(b"part") };
    vec![
        NodeMessage::Batches(origin(), vec![encoded(1, b"one"), encoded(2, b""), encoded(u64::MAX, b"3")]),
        NodeMessage::Batches(origin(), Vec::new()),
        NodeMessage::BatchPart(origin(), 4, part.clone()),
        NodeMessage::Beat(origin(), 5, Timestamp::from_nanos(-1)),
        NodeMessage::SnapshotRequest(6),
        NodeMessage::SnapshotPart(origin(), 7, part.clone()),
        NodeMessage::RepairRequest(RepairRequest { request: 8, fence: Fence(1), from: 2, to: 3 }),
        NodeMessage::Gone(origin(), 9),
        NodeMessage::HistoryRequest(10, "BRK.B".parse().unwrap()),
        NodeMessage::HistoryPart(11, part),
        NodeMessage::Status(NodeStatus {
            node: 12,
            role: NodeRole::Gateway,
            leads: true,
            batch: 14,
            sessions: 15,
            history: 3,
            wanted: ["AAPL", "BRK.B"].map(|symbol| symbol.parse().unwrap()).to_vec(),
            keys: vec![("desk".to_owned(), 300), ("\u{e9}".to_owned(), 0)],
        }),
        NodeMessage::Refused(vec!["AAPL".parse().unwrap()]),
    ]
    .into_iter()
    .chain(messages_of_topics())
    .collect()
}

fn messages_of_topics() -> Vec<NodeMessage> {
    let topic: Symbol = "chat:AAPL".parse().unwrap();
    let message = TopicMessage::new(&serde_json::json!({"text": "hi"}), Some("anna"));
    let contents = [
        message.with_idempotency_key("k"),
        TopicMessage::new(&serde_json::json!(null), None),
        TopicMessage::deleting(Seq(7), Some("mod")),
    ];
    let publications = contents.map(|message| Publication { topic, message: message.into() });
    let time = Duration::from_nanos(1_234_567_890);
    let scopes = [MuteScope::Topic(topic), MuteScope::Namespace("chat".into())];
    let mutes = scopes.clone().map(|scope| Moderation::Mute { scope, name: "eve".into(), time });
    let unmutes = scopes.map(|scope| Moderation::Unmute { scope, name: "".into() });
    let moderations = [&mutes[..], &unmutes[..], &[Moderation::Slow { topic, interval: time }]].concat();
    let number = PublicationNumber { seq: Seq(u64::MAX), epoch: Epoch::new(3) };
    let refusals = [
        PublishRefusal::NoSuchTopic,
        PublishRefusal::NotPermitted(Denial::PresenceOff),
        PublishRefusal::Muted { remaining: time },
        PublishRefusal::TooBig { max: 9 },
        PublishRefusal::TooDeep,
        PublishRefusal::ControlCharacter,
        PublishRefusal::Unanswered,
        PublishRefusal::TooFast { retry: time },
        PublishRefusal::TooManyRestrictions,
        PublishRefusal::NoSuchMessage,
        PublishRefusal::TakenBackAlready,
        PublishRefusal::IsDeletion,
    ];
    let answers = [Ok(None), Ok(Some(number))].into_iter().chain(refusals.map(Err));
    let list = ["anna", "b\u{e9}n"].map(Into::into).to_vec();
    let presence = NodePresence { topic, sessions: 3, names: 2, list };
    publications
        .map(TopicCommand::Publish)
        .into_iter()
        .chain(moderations.iter().cloned().map(TopicCommand::Moderate))
        .map(NodeMessage::Say)
        .chain(answers.map(NodeMessage::Said))
        .chain([
            NodeMessage::Restrictions(origin(), "chat".into(), moderations.clone()),
            NodeMessage::Presence(7, vec![presence]),
        ])
        .collect()
}

#[test]
fn every_message_is_read_as_it_was_written() {
    for message in messages() {
        assert_eq!(NodeMessage::from_bytes(&message.to_bytes()), Ok(message));
    }
}

#[test]
fn bytes_that_are_cut_random_or_of_another_version_are_no_message_and_no_panic() {
    let mut random = rand::rngs::SmallRng::seed_from_u64(1);
    for message in messages() {
        let bytes = message.to_bytes();
        for cut in 0..bytes.len() {
            let _ = NodeMessage::from_bytes(&bytes.slice(..cut));
        }
        let mut other = bytes.to_vec();
        other[3] += 1;
        assert!(NodeMessage::from_bytes(&other.into()).is_err());
        for _ in 0..2_000 {
            let mut changed = bytes.to_vec();
            let at = random.random_range(4..changed.len());
            changed[at] = random.random();
            let _ = NodeMessage::from_bytes(&changed.into());
        }
    }
    for _ in 0..20_000 {
        let length = random.random_range(0..60);
        let mut bytes: Vec<u8> = (0..length).map(|_| random.random()).collect();
        let _ = decode_payload(&mut BatchDecoder::default(), &bytes);
        let _ = BarHistory::from_bytes(SymbolId(0), &bytes);
        bytes.splice(0..0, *b"TCN\x01");
        let _ = NodeMessage::from_bytes(&bytes.into());
    }
}

#[test]
fn a_batch_keeps_its_epoch_its_notices_what_was_missed_and_its_objects() {
    let batch = batch();
    let encoded = PayloadEncoder::default().encode(&batch);

    let decoded = decode_payload(&mut BatchDecoder::default(), &encoded.bytes).unwrap();

    assert_eq!((encoded.number, decoded.number()), (41, 41));
    assert_eq!(decoded.begun_epoch(), batch.begun_epoch());
    assert_eq!((decoded.notices(), decoded.missed()), (batch.notices(), batch.missed()));
    assert_eq!((decoded.events(), decoded.tickers()), (batch.events(), batch.tickers()));
    assert_eq!(decoded.watermark(), batch.watermark());
    for cut in 0..encoded.bytes.len() {
        assert!(decode_payload(&mut BatchDecoder::default(), &encoded.bytes[..cut]).is_err(), "{cut}");
    }
}

#[test]
fn parts_are_joined_in_any_order_and_damage_is_noticed() {
    let bytes: Bytes = (0..MAX_PART * 2 + 5).map(|at| (at * 7 % 251) as u8).collect::<Vec<_>>().into();
    let all: Vec<_> = parts(&bytes).collect();
    assert_eq!(all.len(), 3);

    let mut set = PartSet::default();
    assert!(set.add(all[2].clone()).is_none());
    assert!(set.add(all[2].clone()).is_none(), "a part that came twice counts once");
    assert!(set.add(all[0].clone()).is_none());
    assert_eq!(set.add(all[1].clone()), Some(bytes));
    assert_eq!(PartSet::default().add(parts(&Bytes::new()).next().unwrap()), Some(Bytes::new()));

    let damaged = Part { bytes: Bytes::from_static(b"x"), ..all[1].clone() };
    let mut set = PartSet::default();
    let joined = [all[0].clone(), damaged, all[2].clone()].map(|part| set.add(part));
    assert_eq!(joined, [None, None, None]);
}

#[test]
fn a_history_keeps_its_bars() {
    let Some(Body::Bar(bar)) =
        fixtures::objects().into_iter().map(|object| object.body).find(|body| matches!(body, Body::Bar(_)))
    else {
        unreachable!()
    };
    let symbol = SymbolId(5);
    let at = |minute: i64| Bar { symbol, start: Timestamp::from_nanos(minute * 60_000_000_000), ..bar };
    let history = BarHistory { days: vec![at(1), at(1_441)], minutes: (2..500).map(at).collect() };

    let bytes = history.to_bytes();

    assert_eq!(BarHistory::from_bytes(symbol, &bytes), Ok(history));
    assert!(bytes.len() < 500 * 50, "{}", bytes.len());
}
