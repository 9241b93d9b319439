//! One session's side of the protocol, without its socket: what a message means and what to answer.

use serde::Deserialize;
use serde_json::{Value, json};

use super::ledger::Ledger;
use super::plan::{Channel, Plan};
use super::scan::{self, Object};
use super::stamp::Stamps;
use super::tally::{Roll, Tally};

/// How far the conversation has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Until `connected`.
    Greeting,
    /// Until `authenticated`.
    Authenticating,
    /// Until the acknowledgement.
    Subscribing,
    Live,
}

/// What to send next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Authenticate,
    Subscribe,
}

/// A session dies of a message that is not what the protocol says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unintelligible(pub(crate) String);

/// The books that all sessions of a thread write to.
#[derive(Default)]
pub(crate) struct Books {
    pub(crate) tally: Tally,
    pub(crate) roll: Roll,
    pub(crate) stamps: Stamps,
}

/// The state of one conversation.
pub(crate) struct Conversation {
    stage: Stage,
    has_credentials: bool,
    ledger: Ledger,
    /// Of the acknowledgement, where we opted in.
    epoch: Option<String>,
    /// When the server asked us to come back, in a `drain`.
    reconnect_ms: Option<u64>,
}

/// The fields of the rare objects that are parsed in full.
#[derive(Deserialize)]
struct Notice<'a> {
    #[serde(default)]
    msg: &'a str,
    #[serde(default)]
    code: u64,
    #[serde(default, rename = "S")]
    symbol: &'a str,
    #[serde(default, rename = "ch")]
    channel: &'a str,
    #[serde(default)]
    to: u64,
    #[serde(default)]
    reconnect_ms: u64,
}

/// The part of an acknowledgement that we opted in to.
#[derive(Deserialize)]
struct Granted<'a> {
    #[serde(borrow)]
    x: Option<Terms<'a>>,
}

#[derive(Deserialize)]
struct Terms<'a> {
    epoch: &'a str,
}

impl Conversation {
    pub(crate) fn new(has_credentials: bool) -> Self {
        Self {
            stage: Stage::Greeting,
            has_credentials,
            ledger: Ledger::default(),
            epoch: None,
            reconnect_ms: None,
        }
    }

    /// The delay that the server asked for, if it said that it goes.
    pub(crate) fn reconnect_ms(&self) -> Option<u64> {
        self.reconnect_ms
    }

    /// Where its streams stand, for another conversation to go on from; `None` where the server does
    /// not say what its numbers mean.
    pub(crate) fn standing(&mut self, plan: &Plan, session: usize) -> Option<Value> {
        let epoch = self.epoch.take()?;
        Some(json!({ "epoch": epoch, "sq": plan.numbers(session, &mut self.ledger) }))
    }

    pub(crate) fn is_live(&self) -> bool {
        self.stage == Stage::Live
    }

    /// Takes in one JSON message that was read at `now_us` of the wall clock.
    ///
    /// A second codec belongs here, as another iterator of [`Object`]s.
    #[inline]
    pub(crate) fn hear(
        &mut self,
        message: &[u8],
        now_us: i64,
        books: &mut Books,
    ) -> Result<Option<Command>, Unintelligible> {
        let mut command = None;
        for object in scan::objects(message) {
            let object = object.map_err(|malformed| Unintelligible(format!("bad JSON: {malformed}")))?;
            match *object.kind {
                [b'h'] => {}
                [kind] => self.enter(kind, &object, now_us, books),
                _ => command = self.heed(&object, books)?.or(command),
            }
        }
        Ok(command)
    }

    #[inline]
    fn enter(&mut self, kind: u8, object: &Object<'_>, now_us: i64, books: &mut Books) {
        let tally = &mut books.tally;
        tally.objects += 1;
        if object.sequence == 0 {
            tally.unnumbered += 1;
        } else {
            tally.merged += object.merged;
            tally.note(self.ledger.enter(kind, object.symbol, object.sequence, object.merged));
        }
        // A bar's `t` is where the bar begins, a snapshot's is history, and a trade may be reported late
        // by the venue itself: none of them says how late the server is.
        if matches!(kind, b'b' | b'u' | b'd') || object.is_snapshot || object.is_late {
            return;
        }
        if let Some(event_us) = books.stamps.micros(object.stamp) {
            tally.note_latency(now_us - event_us);
        }
    }

    /// An object of the conversation rather than of the market.
    #[cold]
    fn heed(&mut self, object: &Object<'_>, books: &mut Books) -> Result<Option<Command>, Unintelligible> {
        if object.kind == b"subscription" {
            self.stage = Stage::Live;
            let granted: Option<Granted<'_>> = serde_json::from_slice(object.text).ok();
            self.epoch = granted.and_then(|granted| granted.x).map(|terms| terms.epoch.to_owned());
            return Ok(None);
        }
        let notice: Notice<'_> = serde_json::from_slice(object.text)
            .map_err(|_| Unintelligible(format!("odd `{}`", String::from_utf8_lossy(object.kind))))?;
        match object.kind {
            b"success" => return Ok(self.greeted(notice.msg)),
            b"error" => {
                *books.roll.errors.entry(notice.code).or_default() += 1;
                if !self.is_live() {
                    return Err(Unintelligible(format!("error {}", notice.code)));
                }
            }
            b"drain" => self.reconnect_ms = Some(notice.reconnect_ms),
            b"gap" => {
                books.tally.announced += 1;
                if let Some(kind) = Channel::kind_of(notice.channel) {
                    self.ledger.skip_to(kind, notice.symbol.as_bytes(), notice.to);
                }
            }
            _ => {}
        }
        Ok(None)
    }

    fn greeted(&mut self, msg: &str) -> Option<Command> {
        let (stage, command) = match (self.stage, msg) {
            (Stage::Greeting, "connected") if self.has_credentials => {
                (Stage::Authenticating, Command::Authenticate)
            }
            (Stage::Greeting, "connected") | (Stage::Authenticating, "authenticated") => {
                (Stage::Subscribing, Command::Subscribe)
            }
            _ => return None,
        };
        self.stage = stage;
        Some(command)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONNECTED: &[u8] = br#"[{"T":"success","msg":"connected"}]"#;
    const ACK: &[u8] = br#"[{"T":"subscription","trades":["ACME"]}]"#;

    fn hear(conversation: &mut Conversation, message: &[u8], books: &mut Books) -> Option<Command> {
        conversation.hear(message, 1_000_000, books).unwrap()
    }

    fn live(books: &mut Books) -> Conversation {
        let mut conversation = Conversation::new(false);
        hear(&mut conversation, CONNECTED, books);
        hear(&mut conversation, ACK, books);
        conversation
    }

    #[test]
    fn without_credentials_it_subscribes_when_connected() {
        let mut books = Books::default();
        let mut conversation = Conversation::new(false);

        assert_eq!(hear(&mut conversation, CONNECTED, &mut books), Some(Command::Subscribe));
        assert!(!conversation.is_live());
        assert_eq!(hear(&mut conversation, ACK, &mut books), None);
        assert!(conversation.is_live());
    }

    #[test]
    fn with_credentials_it_authenticates_first() {
        let mut books = Books::default();
        let mut conversation = Conversation::new(true);
        let authenticated = br#"[{"T":"success","msg":"authenticated"}]"#;

        assert_eq!(hear(&mut conversation, CONNECTED, &mut books), Some(Command::Authenticate));
        assert_eq!(hear(&mut conversation, authenticated, &mut books), Some(Command::Subscribe));
    }

    #[test]
    fn objects_are_counted_timed_and_checked() {
        let mut books = Books::default();
        let mut conversation = live(&mut books);

        let message = br#"[{"T":"t","S":"ACME","t":"1970-01-01T00:00:00.9Z","sq":1},
            {"T":"t","S":"ACME","t":"1970-01-01T00:00:00.9Z","sq":4,"cf":1},{"T":"t","S":"ACME","t":"?"},
            {"T":"b","S":"ACME","t":"1970-01-01T00:00:00Z","sq":1}]"#;
        hear(&mut conversation, message, &mut books);

        let tally = &books.tally;
        assert_eq!((tally.objects, tally.unnumbered, tally.merged), (4, 1, 1));
        assert_eq!((tally.gaps, tally.missing, tally.repeated), (1, 1, 0));
        assert_eq!((tally.latency_us.len(), tally.latency_us.max() / 1_000), (2, 100));
    }

    #[test]
    fn a_gap_notice_is_believed() {
        let mut books = Books::default();
        let mut conversation = live(&mut books);

        let message = br#"[{"T":"t","S":"ACME","sq":1},{"T":"gap","S":"ACME","ch":"trades","from":2,"to":8},
            {"T":"t","S":"ACME","sq":9}]"#;
        hear(&mut conversation, message, &mut books);

        assert_eq!((books.tally.gaps, books.tally.announced), (0, 1));
    }

    #[test]
    fn an_error_before_the_acknowledgement_ends_the_session_and_later_it_is_noted() {
        let mut books = Books::default();
        let refusal = br#"[{"T":"error","code":406,"msg":"connection limit exceeded"}]"#;

        assert!(Conversation::new(false).hear(refusal, 0, &mut books).is_err());
        assert!(live(&mut books).hear(refusal, 0, &mut books).is_ok());
        assert_eq!(books.roll.errors[&406], 2);
    }
}
