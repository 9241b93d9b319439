use serde_json::{Value, json};

use super::*;
use crate::wire::{Codec, Command, RequestId, fixtures};

struct Scene {
    topics: SessionTopics,
    subscriptions: Subscriptions,
    now: Instant,
}

impl Scene {
    fn new(chat: PublishRight) -> Self {
        Self::at(ClientLocation::Elsewhere, chat)
    }

    fn at(location: ClientLocation, chat: PublishRight) -> Self {
        let access = TopicAccess {
            namespaces: Arc::new(Namespaces::new(vec![Namespace::chat(chat), Namespace::weather()])),
            presence: Presence::default(),
            location,
            publish: Rc::new(|_| Box::pin(async { Err(PublishRefusal::Unanswered) })),
        };
        let topics = SessionTopics::new(access, Some("anna"));
        let mut scene = Self { topics, subscriptions: Subscriptions::default(), now: Instant::now() };
        scene.subscribe("chat:lobby");
        scene
    }

    fn subscribe(&mut self, topic: &str) {
        let command = json!({"action": "subscribe", "topics": [topic]}).to_string();
        let Ok(Command::Subscribe(named, _)) = Command::read(Codec::Json, command.as_bytes()) else {
            panic!()
        };
        self.subscriptions.add(&named, &fixtures::universe());
        self.topics.attend(&self.subscriptions, None, &fixtures::universe());
    }

    fn check(&mut self, topic: &str, data: Value) -> Result<Publication, PublishRefusal> {
        let command = PublishCommand { topic: topic.parse().unwrap(), data, id: None };
        self.topics.check(&command, None, &self.subscriptions, &fixtures::universe(), self.now)
    }
}

#[test]
fn a_subscriber_publishes_under_the_name_of_its_session_whatever_the_data_says() {
    let mut scene = Scene::new(PublishRight::Subscribers);

    let publication = scene.check("chat:lobby", json!({"by": "ben", "text": "<script>"})).unwrap();

    assert_eq!(publication.message.by(), Some("anna"));
    assert_eq!(publication.message.data(), Some(r#"{"by":"ben","text":"<script>"}"#));
}

#[test]
fn a_client_publishes_only_where_the_namespace_lets_it() {
    let mut scene = Scene::new(PublishRight::Subscribers);
    let refused = |scene: &mut Scene, topic: &str| scene.check(topic, json!("hi")).err();

    let denied = |denial| Some(PublishRefusal::NotPermitted(denial));
    assert_eq!(refused(&mut scene, "chat:AAPL"), denied(Denial::NotSubscribed));
    assert_eq!(refused(&mut scene, "weather:london"), denied(Denial::ReadOnly));
    assert_eq!(refused(&mut scene, "chat:ZZZZ"), Some(PublishRefusal::NoSuchTopic));
    assert_eq!(refused(&mut scene, "news:x"), Some(PublishRefusal::NoSuchTopic));
    for (right, denial) in
        [(PublishRight::Nobody, Denial::ReadOnly), (PublishRight::Keys(vec!["k1".into()]), Denial::NoKey)]
    {
        assert_eq!(refused(&mut Scene::new(right), "chat:lobby"), denied(denial));
    }
}

#[test]
fn where_only_this_machine_may_publish_a_client_behind_a_proxy_may_not() {
    let published =
        |location| Scene::at(location, PublishRight::LocalSubscribers).check("chat:lobby", json!("hi")).err();

    assert_eq!(published(ClientLocation::ThisMachine), None);
    let denied = PublishRefusal::NotPermitted(Denial::OtherMachine);
    assert_eq!(published(ClientLocation::Elsewhere), Some(denied));
}

#[test]
fn a_client_that_may_only_read_is_told_why_in_full() {
    let told = Denial::ALL.map(|denial| match refusal(PublishRefusal::NotPermitted(denial), None) {
        ControlMessage::Error { code: 431, why, .. } => why.into_owned(),
        other => panic!("{other:?}"),
    });

    assert_eq!(told, Denial::ALL.map(|denial| denial.to_string()), "no text is cut");
}

#[test]
fn a_message_that_is_too_big_or_malformed_is_refused_and_does_not_count() {
    let mut scene = Scene::new(PublishRight::Subscribers);
    let deep = (0..=MAX_DEPTH).fold(json!(1), |inner, _| json!([inner]));

    for _ in 0..9 {
        let long = json!("x".repeat(4_095));
        assert_eq!(scene.check("chat:lobby", long).err(), Some(PublishRefusal::TooBig { max: 4_096 }));
        assert_eq!(scene.check("chat:lobby", deep.clone()).err(), Some(PublishRefusal::TooDeep));
        assert_eq!(scene.check("chat:lobby", json!("\0")).err(), Some(PublishRefusal::ControlCharacter));
    }
    assert!(scene.check("chat:lobby", json!("x".repeat(4_094))).is_ok());
}

#[test]
fn a_session_that_floods_is_told_when_to_try_again() {
    let mut scene = Scene::new(PublishRight::Subscribers);
    while scene.check("chat:lobby", json!("hi")).is_ok() {}
    scene.now += Duration::from_nanos(300_000_001);

    let refused = scene.check("chat:lobby", json!("hi")).unwrap_err();
    let x = Answered::of(Some(RequestId::Number(9)));
    let ControlMessage::Error { code, retry_ms, x: answered, .. } = refusal(refused, x.clone()) else {
        panic!()
    };

    assert_eq!((code, retry_ms, answered), (433, Some(700), x));
    scene.now += Duration::from_millis(700);
    assert!(scene.check("chat:lobby", json!("hi")).is_ok());
}

#[test]
fn the_presence_of_a_topic_is_told_as_its_namespace_allows() {
    let scene = Scene::new(PublishRight::Nobody);
    let presence = |topic: &str| {
        let query = PresenceQuery { topic: topic.parse().unwrap(), id: None };
        scene.topics.presence(query, None, &fixtures::universe())
    };

    let ControlMessage::Presence(report) = presence("chat:lobby") else { panic!() };
    assert_eq!((report.sessions, report.names, report.list), (1, 1, Some(vec!["anna".to_owned()])));
    assert!(matches!(presence("weather:london"), ControlMessage::Error { code: 431, .. }));
    assert!(matches!(presence("news:london"), ControlMessage::Error { code: 430, .. }));
}
