use super::*;
use crate::alerts::AlertQuota;

fn alerts(names: &[&str], once: bool, now: Instant) -> SessionAlerts {
    let mut alerts = SessionAlerts::new(now);
    for name in names {
        alerts.push(SessionAlert {
            name: (*name).into(),
            when: "p>=190".into(),
            symbol: "AAPL".parse().unwrap(),
            condition: "p>=190".parse().unwrap(),
            once,
            key: None,
            is_over: false,
            notice: None,
            _permit: AlertQuota::default().acquire(0, None).unwrap(),
        });
    }
    alerts
}

fn crossing(seq: u64) -> Crossing {
    Crossing { price: Price::from_cents(19_000), seq: Seq(seq), at: Timestamp::from_nanos(0) }
}

fn told(messages: &[ControlMessage]) -> Vec<(String, u64, Option<u64>)> {
    let told = messages.iter().map(|message| match message {
        ControlMessage::Alert(notice) => (notice.id.clone(), notice.sq, notice.merged),
        other => panic!("{other:?}"),
    });
    told.collect()
}

#[test]
fn what_fires_faster_than_it_may_be_sent_is_merged_by_alert_and_counted() {
    let now = Instant::now();
    let mut alerts = alerts(&["a", "b"], false, now);
    let mut sent = Vec::new();
    for seq in 1..=50 {
        alerts.crossed(["a", "b"][seq as usize % 2], crossing(seq), false);
        sent.extend(told(&alerts.take_due(now)));
    }

    assert_eq!(sent.len(), 20);
    assert!(sent.iter().zip(1..).all(|((_, seq, merged), expected)| (*seq, *merged) == (expected, None)));
    let due = alerts.due(true, now).unwrap();
    assert_eq!(due, now + Duration::from_millis(50));
    assert_eq!(told(&alerts.take_due(due)), [("b".to_owned(), 49, Some(14))]);
    let later = due + Duration::from_secs(1);
    assert_eq!(told(&alerts.take_due(later)), [("a".to_owned(), 50, Some(14))]);
    assert_eq!(alerts.due(true, later), None);
}

#[test]
fn an_alert_that_ended_has_its_place_until_it_was_told() {
    let now = Instant::now();
    let mut alerts = alerts(&["a", "b"], true, now);

    alerts.crossed("a", crossing(7), true);

    let active: Vec<_> = alerts.active().map(|alert| &*alert.name).collect();
    assert_eq!((alerts.len(), active), (2, vec!["b"]));
    assert!(alerts.named("a").is_none() && alerts.named("b").is_some());
    assert_eq!(told(&alerts.take_due(now)), [("a".to_owned(), 7, None)]);
    assert_eq!(alerts.len(), 1);
}

#[test]
fn a_removed_alert_takes_its_notice_with_it() {
    let now = Instant::now();
    let mut alerts = alerts(&["a", "b"], false, now);
    alerts.crossed("a", crossing(1), false);

    assert_eq!(alerts.remove(|alert| &*alert.name == "a").len(), 1);

    assert_eq!((alerts.due(true, now), alerts.take_all().len()), (None, 0));
    alerts.crossed("b", crossing(2), false);
    assert_eq!(alerts.due(false, now), Some(now + ROOM_INTERVAL), "the outbox has no room");
}
