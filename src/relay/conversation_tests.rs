use super::*;
use crate::model::Epoch;
use crate::wire::fixtures::acknowledgement;
use ConversationAction as Action;
use ConversationInput as Input;

/// A conversation with a clock.
struct Scene {
    conversation: Conversation,
    start: Instant,
    now: Instant,
}

const EPOCH: Option<Epoch> = Some(Epoch::new(9));

impl Scene {
    fn new(credentials: UpstreamCredentials) -> Self {
        let start = Instant::now();
        Self {
            conversation: Conversation::new(credentials, ReconnectDelays::default(), start),
            start,
            now: start,
        }
    }

    /// A conversation whose subscription was acknowledged with this epoch.
    fn live(epoch: Option<Epoch>) -> Self {
        let mut scene = Self::new(UpstreamCredentials::None);
        assert_eq!(scene.give(Input::Time), [Action::Connect]);
        scene.give(Input::Opened);
        scene.give(Input::Control(ServerMessage::Connected));
        scene.give(Input::Subscribed);
        let acknowledged = scene.give(Input::Control(ServerMessage::Subscription(acknowledgement(epoch))));
        assert_eq!(acknowledged, [Action::TellLive(acknowledgement(epoch))]);
        scene
    }

    fn give(&mut self, input: Input) -> Vec<Action> {
        self.conversation.handle(input, self.now, Jitter::new(0.5))
    }

    fn error(&mut self, code: u16) -> Vec<Action> {
        self.give(Input::Control(ServerMessage::Error { code, message: "no".to_owned() }))
    }

    /// Waits for the next time at which the conversation is to be called, and calls it.
    fn wait(&mut self) -> Vec<Action> {
        self.now = self.conversation.wake_at().expect("there is a next time");
        self.give(Input::Time)
    }

    /// The seconds until the next attempt to connect.
    fn delay(&mut self) -> u64 {
        let before = self.now;
        assert_eq!(self.wait(), [Action::Connect]);
        (self.now - before).as_secs_f64().round() as u64
    }

    fn elapsed(&self) -> Duration {
        self.now - self.start
    }
}

fn is_down(actions: &[Action]) -> bool {
    matches!(actions, [.., Action::Disconnect, Action::TellDown(_)])
}

#[test]
fn a_key_is_sent_after_the_greeting_and_the_subscription_after_the_answer() {
    let mut scene = Scene::new(UpstreamCredentials::Key);

    assert_eq!(scene.give(Input::Time), [Action::Connect]);
    assert_eq!(scene.give(Input::Opened), []);
    assert_eq!(scene.give(Input::Control(ServerMessage::Connected)), [Action::Authenticate]);
    assert_eq!(scene.give(Input::Control(ServerMessage::Authenticated)), [Action::Subscribe]);
    assert_eq!(scene.give(Input::Subscribed), []);
    let acknowledged = scene.give(Input::Control(ServerMessage::Subscription(acknowledgement(EPOCH))));
    assert_eq!(acknowledged, [Action::TellLive(acknowledgement(EPOCH))]);
}

#[test]
fn without_a_key_the_subscription_follows_the_greeting() {
    let mut scene = Scene::new(UpstreamCredentials::None);
    scene.give(Input::Time);
    scene.give(Input::Opened);

    assert_eq!(scene.give(Input::Control(ServerMessage::Connected)), [Action::Subscribe]);
}

#[test]
fn a_step_that_does_not_come_ends_the_attempt() {
    let mut scene = Scene::new(UpstreamCredentials::Key);
    scene.give(Input::Time);

    let actions = scene.wait();

    assert!(is_down(&actions), "{actions:?}");
    assert_eq!(scene.elapsed(), STEP_TIMEOUT);
}

#[test]
fn an_error_that_asking_again_does_not_change_ends_all_attempts() {
    for code in [402, 409, 411] {
        let mut scene = Scene::new(UpstreamCredentials::Key);
        scene.give(Input::Time);
        scene.give(Input::Opened);
        scene.give(Input::Control(ServerMessage::Connected));

        let actions = scene.error(code);

        let reason = format!("the upstream refuses: {code} no");
        assert_eq!(
            actions,
            [Action::CountRefusal(code), Action::Disconnect, Action::TellStopped(reason)],
            "{code}"
        );
        assert_eq!(scene.conversation.wake_at(), None);
        assert_eq!(scene.give(Input::Ended("closed".to_owned())), []);
        assert_eq!(scene.error(406), [Action::CountRefusal(406)], "a later error of the same message");
        assert_eq!(scene.conversation.wake_at(), None);
    }
}

#[test]
fn a_taken_place_is_asked_for_after_5_to_60_seconds() {
    let mut scene = Scene::new(UpstreamCredentials::None);
    scene.give(Input::Time);
    let mut delays = Vec::new();
    for _ in 0..6 {
        scene.give(Input::Opened);
        assert!(is_down(&scene.error(406)));
        assert_eq!(
            scene.give(Input::Ended("closed".to_owned())),
            [],
            "the close after it is no failure more"
        );
        delays.push(scene.delay());
    }

    assert_eq!(delays, [5, 10, 20, 40, 60, 60]);
}

#[test]
fn a_taken_place_is_asked_for_at_most_8_times_a_minute_whatever_the_jitter() {
    for jitter in [0.0, 0.5, 1.0].map(Jitter::new) {
        let mut now = Instant::now();
        let end = now + Duration::from_secs(60);
        let mut conversation = Conversation::new(UpstreamCredentials::None, ReconnectDelays::default(), now);
        let mut attempts = 0;
        while now < end {
            let actions = conversation.handle(Input::Time, now, jitter);
            attempts += actions.iter().filter(|action| **action == Action::Connect).count();
            conversation.handle(Input::Opened, now, jitter);
            let taken = ServerMessage::Error { code: 406, message: String::new() };
            conversation.handle(Input::Control(taken), now, jitter);
            now = conversation.wake_at().unwrap();
        }
        assert!((3..=8).contains(&attempts), "{attempts}");
    }
}

#[test]
fn other_failures_are_tried_again_after_1_to_30_seconds() {
    let mut scene = Scene::new(UpstreamCredentials::None);
    scene.give(Input::Time);
    let mut delays = Vec::new();
    for _ in 0..7 {
        assert!(is_down(&scene.give(Input::Ended("refused".to_owned()))));
        delays.push(scene.delay());
    }

    assert_eq!(delays, [1, 2, 4, 8, 16, 30, 30]);
}

#[test]
fn errors_of_the_session_are_tried_again() {
    for code in [400, 401, 404, 405, 500] {
        let mut scene = Scene::new(UpstreamCredentials::None);
        scene.give(Input::Time);
        scene.give(Input::Opened);
        scene.give(Input::Control(ServerMessage::Connected));
        scene.give(Input::Subscribed);

        assert!(is_down(&scene.error(code)), "{code}");
        assert_eq!(scene.delay(), 1, "{code}");
    }
}

#[test]
fn errors_that_leave_the_subscription_in_force_are_counted_alone() {
    for code in [400, 405, 407, 410] {
        let mut scene = Scene::live(EPOCH);

        assert_eq!(scene.error(code), [Action::CountRefusal(code)]);
    }
}

#[test]
fn delays_begin_anew_after_30_seconds_of_health_and_not_before() {
    for (healthy, expected) in [(29, 2), (30, 1)] {
        let mut scene = Scene::new(UpstreamCredentials::None);
        scene.give(Input::Time);
        scene.give(Input::Ended("refused".to_owned()));
        assert_eq!(scene.delay(), 1);
        scene.give(Input::Opened);
        scene.give(Input::Control(ServerMessage::Connected));
        scene.give(Input::Subscribed);
        scene.give(Input::Control(ServerMessage::Subscription(acknowledgement(None))));

        scene.now += Duration::from_secs(healthy);
        scene.give(Input::Ended("reset".to_owned()));

        assert_eq!(scene.delay(), expected, "after {healthy} s");
    }
}

#[test]
fn a_ping_is_sent_each_10_seconds_and_answered_within_5() {
    let mut scene = Scene::live(None);

    assert_eq!(scene.wait(), [Action::Ping]);
    assert_eq!(scene.elapsed(), Duration::from_secs(10));
    scene.give(Input::Pong);
    assert_eq!(scene.wait(), [Action::Ping]);
    let actions = scene.wait();

    assert!(is_down(&actions), "{actions:?}");
    assert_eq!(scene.elapsed(), Duration::from_secs(25));
}

#[test]
fn an_upstream_that_answers_pings_and_sends_nothing_is_left() {
    for (epoch, limit) in [(EPOCH, HEARTBEAT_TIMEOUT), (None, DATA_TIMEOUT)] {
        let mut scene = Scene::live(epoch);
        let last = loop {
            let actions = scene.wait();
            if actions != [Action::Ping] {
                break actions;
            }
            scene.give(Input::Pong);
        };

        assert!(is_down(&last), "{last:?}");
        assert_eq!(scene.elapsed(), limit);
    }
}

#[test]
fn heartbeats_and_objects_are_signs_of_life() {
    let mut scene = Scene::live(EPOCH);

    for _ in 0..20 {
        scene.now += Duration::from_secs(4);
        scene.give(Input::Control(ServerMessage::Heartbeat { watermark: None }));
        scene.give(Input::Pong);
        scene.now += Duration::from_secs(4);
        scene.give(Input::Data);
        assert_eq!(scene.give(Input::Time), []);
    }
}
