use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use serde_json::{Value, json};

use super::connection::{CommandWindow, streams};
use super::generate::LEADERS;
use super::market::Published;
use super::messages::{Element, Extension, ServerFrame};
use super::scenario::{CommandText, Resume, SYMBOLS};
use super::violation::violated;
use crate::model::{Channel, Seq, StreamId, SymbolId};
use crate::wire::{ArrayFrame, Codec, DeliveryKind, Opcode, fixtures, masked_frame};

/// A client that knows nothing but the bytes that it was sent, and checks the promises of `docs/PROTOCOL.md`.
pub(super) struct Client {
    pub(super) name: usize,
    codec: Codec,
    /// The most bytes of data in one frame.
    frame_bytes: usize,
    inbox: Vec<u8>,
    /// What the last acknowledgement lists.
    subscribed: Subscribed,
    /// What it expects of each stream that it subscribes to.
    expected: BTreeMap<StreamId, Expected>,
    /// The epoch that it was told, if it opted in.
    epoch: String,
    /// What it has resumed in its commands that are not acknowledged yet.
    resumed: VecDeque<Option<Resumed>>,
    /// When each of its commands was carried out, which the model knows and a client does not.
    windows: Rc<RefCell<VecDeque<Rc<CommandWindow>>>>,
    conflate_ms: u64,
    order: DirtyOrder,
    pub(super) closed: Option<u16>,
    pub(super) pongs_due: usize,
    pub(super) tally: Tally,
}

/// How much a run has tested.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    pub(super) objects: u64,
    pub(super) merged: u64,
    pub(super) gaps: u64,
    pub(super) snapshots: u64,
    pub(super) resumes: u64,
    pub(super) closes: u64,
}

/// What a client subscribes to.
#[derive(Clone, Debug, Default)]
struct Subscribed {
    names: BTreeMap<Channel, Vec<String>>,
}

/// What the next object of a stream must continue.
#[derive(Clone, Debug)]
enum Expected {
    /// This number.
    After(u64),
    /// The newest number at some moment while this command was carried out.
    Begin(Rc<CommandWindow>),
    /// Any number: the instrument was listed after the command.
    Listed,
    /// Nothing: the number that it resumed from is not valid, which a gap from 1 has to say first.
    Void(Rc<CommandWindow>),
}

/// The numbers that a client resumes from.
#[derive(Clone, Debug)]
struct Resumed {
    epoch: String,
    last: BTreeMap<StreamId, u64>,
    is_impossible: bool,
}

/// Whether conflated objects leave in the order in which their streams became dirty.
#[derive(Clone, Copy, Debug, Default)]
struct DirtyOrder {
    /// Whether there is one: a gateway tells of what it lost in the order of streams.
    is_known: bool,
    /// Whether answers come in between, which have an order of their own.
    is_suspended: bool,
    /// The place, in the order of publication, of the first object that the last conflated one replaced.
    last: u64,
}

impl Subscribed {
    fn includes(&self, stream: StreamId) -> bool {
        let names = self.names.get(&stream.channel().leader());
        let symbol = SYMBOLS[stream.symbol().index()];
        names.is_some_and(|names| names.iter().any(|name| name == symbol || name == "*"))
    }
}

impl Expected {
    /// Whether an object or a gap may continue this number.
    fn allows(&self, stream: StreamId, number: u64) -> bool {
        match self {
            Self::After(last) => *last == number,
            Self::Begin(window) => {
                let done = window.done.get().filter(|_| !window.is_open);
                let done = done.map_or(u64::MAX, |done| done[stream.index()].0);
                (window.began[stream.index()].0..=done).contains(&number)
            }
            Self::Listed => true,
            // Without an object there is nothing to say.
            Self::Void(window) => (number == 0 || window.is_open) && window.began[stream.index()] == Seq(0),
        }
    }
}

impl Client {
    pub(super) fn new(name: usize, frame_bytes: usize) -> Self {
        Self {
            name,
            codec: Codec::Json,
            frame_bytes,
            inbox: Vec::new(),
            subscribed: Subscribed::default(),
            expected: BTreeMap::new(),
            epoch: String::new(),
            resumed: VecDeque::new(),
            windows: Rc::default(),
            conflate_ms: 0,
            order: DirtyOrder::default(),
            closed: None,
            pongs_due: 0,
            tally: Tally::default(),
        }
    }

    /// Connects. Returns the command by which it resumes, if it does.
    pub(super) fn connect(
        &mut self,
        codec: Codec,
        windows: Rc<RefCell<VecDeque<Rc<CommandWindow>>>>,
        resume: Resume,
        is_ordered: bool,
    ) -> Option<Vec<u8>> {
        let (before, expected) = (std::mem::take(&mut self.subscribed), std::mem::take(&mut self.expected));
        let epoch = std::mem::take(&mut self.epoch);
        (self.codec, self.windows) = (codec, windows);
        self.inbox.clear();
        self.resumed.clear();
        (self.conflate_ms, self.closed, self.pongs_due) = (0, None, 0);
        self.order = DirtyOrder { is_known: is_ordered, is_suspended: true, last: 0 };
        if resume == Resume::No || epoch.is_empty() {
            return None;
        }
        let is_impossible = resume == Resume::Impossible;
        let last = expected.into_iter().filter_map(|(stream, expected)| match expected {
            Expected::After(last) => Some((stream, if is_impossible { last + 1_000_000 } else { last })),
            _ => None,
        });
        let resumed = Resumed { epoch, last: last.collect(), is_impossible };
        let mut sq = json!({});
        for (stream, last) in &resumed.last {
            sq[stream.channel().name()][SYMBOLS[stream.symbol().index()]] = json!(last);
        }
        let mut command = json!({ "action": "subscribe" });
        for (channel, names) in before.names {
            command[channel.name()] = json!(names);
        }
        command["x"] = json!({ "resume": { "epoch": resumed.epoch, "sq": sq } });
        self.tally.resumes += 1;
        self.resumed.push_back(Some(resumed));
        Some(frame(&command))
    }

    /// The frame of a command.
    pub(super) fn command(&mut self, text: &CommandText, has_options: bool) -> Vec<u8> {
        let mut command = json!({ "action": if text.is_addition { "subscribe" } else { "unsubscribe" } });
        for channel in LEADERS {
            let names = text.names.iter().filter(|(of, _)| *of == channel);
            let names: Vec<_> = names.map(|(_, name)| *SYMBOLS.get(*name).unwrap_or(&"*")).collect();
            command[channel.name()] = json!(names);
        }
        if has_options {
            command["x"] = json!({ "snapshot": text.snapshot });
            if let Some(interval) = text.conflate_ms {
                command["x"]["conflate_ms"] = json!(interval);
            }
        }
        self.resumed.push_back(None);
        frame(&command)
    }

    /// Takes in bytes, and checks every frame that is complete.
    pub(super) fn take_in(&mut self, bytes: &[u8], published: &Published) {
        self.inbox.extend_from_slice(bytes);
        while let Some(frame) = ServerFrame::take(&mut self.inbox) {
            match frame.opcode {
                ServerFrame::CLOSE => {
                    self.tally.closes += 1;
                    let code = frame.payload.get(..2).map(|code| u16::from_be_bytes([code[0], code[1]]));
                    self.closed = Some(code.unwrap_or(1005));
                }
                ServerFrame::PING => self.pongs_due += 1,
                ServerFrame::PONG => {}
                _ => self.message(&frame, published),
            }
        }
    }

    fn message(&mut self, frame: &ServerFrame, published: &Published) {
        if self.closed.is_some() {
            self.violated("close", "a message comes behind the Close".to_owned());
        }
        let elements = frame.elements(self.codec);
        let mut data = ArrayFrame::with_capacity(self.codec, frame.payload.len());
        for element in &elements {
            match &*element.kind {
                "success" | "h" | "feed" | "error" | "drain" => self.control(element),
                "subscription" => self.acknowledged(element),
                "epoch" => self.begin_epoch(element),
                "gap" => self.gap(element),
                kind => {
                    let channel = Channel::MARKET.into_iter().find(|it| kind == it.letter().to_string());
                    let Some(channel) = channel else {
                        self.violated("framing", format!("an unknown message: {element:?}"))
                    };
                    self.object(channel, element, published, &mut data);
                }
            }
        }
        // Every byte of data is that of the reference: fields, values, numbers, marks.
        if data.count() > 0 {
            let length = data.len();
            let finished = data.finish();
            if fixtures::payload(&finished) != frame.payload {
                let text = String::from_utf8_lossy(&frame.payload).into_owned();
                self.violated("values", format!("{text} is not what was published"));
            }
            const LONGEST_OBJECT: usize = 512;
            if length > self.frame_bytes + LONGEST_OBJECT {
                self.violated("bounds", format!("a frame of {length} bytes"));
            }
        }
    }

    /// Where the server names an epoch, it is the one that the client was told.
    fn control(&self, element: &Element<'_>) {
        if element.kind == "h" && element.epoch != self.epoch {
            self.violated("epoch", format!("a heartbeat of {} in {}", element.epoch, self.epoch));
        }
    }

    fn begin_epoch(&mut self, element: &Element<'_>) {
        if element.was != self.epoch {
            self.violated("epoch", format!("{} was not {}", self.epoch, element.was));
        }
        self.epoch = element.epoch.clone().into_owned();
    }

    fn acknowledged(&mut self, element: &Element<'_>) {
        let lists = [
            &element.trades,
            &element.quotes,
            &element.bars,
            &element.updated_bars,
            &element.daily_bars,
            &element.statuses,
            &element.lulds,
            &element.tickers,
        ];
        let names =
            |list: &Vec<_>| list.iter().map(|name: &std::borrow::Cow<'_, str>| name.to_string()).collect();
        let names = LEADERS.into_iter().zip(lists.map(names)).collect();
        let before = std::mem::replace(&mut self.subscribed, Subscribed { names });
        let (Some(window), Some(resumed)) = (self.windows.borrow_mut().pop_front(), self.resumed.pop_front())
        else {
            self.violated("acknowledgement", "there is one without a command".to_owned())
        };
        if let Some(Extension::Options(options)) = &element.x {
            self.epoch = options.epoch.clone().into_owned();
            self.conflate_ms = options.conflate_ms;
        }
        (self.order.is_suspended, self.order.last) = (true, 0);
        for stream in streams() {
            if !self.subscribed.includes(stream) {
                self.expected.remove(&stream);
            } else if !before.includes(stream) {
                let last = resumed.as_ref().and_then(|it| Some((it, *it.last.get(&stream)?)));
                let expected = match last {
                    // The acknowledgement rejects it.
                    _ if stream.symbol().index() >= window.listed => Expected::Listed,
                    Some((it, _)) if it.is_impossible || it.epoch != self.epoch => {
                        Expected::Void(Rc::clone(&window))
                    }
                    // A known gap: a follower that has nothing of a stream takes a first object with any number in a new
                    // epoch, also where a client that comes from another node has earlier ones.
                    Some(_) if window.is_open && window.began[stream.index()] == Seq(0) => {
                        Expected::Begin(Rc::clone(&window))
                    }
                    Some((_, last)) => Expected::After(last),
                    None => Expected::Begin(Rc::clone(&window)),
                };
                self.expected.insert(stream, expected);
            }
        }
    }

    fn gap(&mut self, element: &Element<'_>) {
        self.tally.gaps += 1;
        let channel = Channel::MARKET.into_iter().find(|channel| channel.name() == element.ch);
        let stream = self.stream(channel, element);
        let Some((from, to)) = element.range() else {
            self.violated("framing", format!("a gap without numbers: {element:?}"))
        };
        let continues = match self.expectation(stream) {
            Expected::Void(_) => from == 1,
            expected => from >= 1 && from <= to && expected.allows(stream, from - 1),
        };
        if !continues {
            let expected = &self.expected[&stream];
            self.violated(
                "identity",
                format!("{stream:?}: a gap from {from} to {to}, expected {expected:?}"),
            );
        }
        self.expected.insert(stream, Expected::After(to));
    }

    fn object(
        &mut self,
        channel: Channel,
        element: &Element<'_>,
        published: &Published,
        data: &mut ArrayFrame,
    ) {
        self.tally.objects += 1;
        self.tally.merged += element.cf;
        let stream = self.stream(Some(channel), element);
        let Element { sq, cf, sn, .. } = *element;
        let Some(object) = published.object(stream, sq) else {
            self.violated("values", format!("{stream:?}: {sq} was never published"))
        };
        let mark = if sn { DeliveryKind::Snapshot } else { DeliveryKind::conflated(cf) };
        data.push_with(|out| self.codec.write(out, &published.universe, &object, mark));
        let before = sq.checked_sub(cf + 1);
        let expected = self.expectation(stream);
        let continues = match expected {
            // What the client has already is sent again.
            Expected::After(last) if sn => *last == sq,
            Expected::Void(_) if sn => false,
            Expected::Begin(window) if sn => window.began[stream.index()].0 <= sq,
            expected => sn || before.is_some_and(|before| expected.allows(stream, before)),
        };
        if !continues {
            self.violated(
                "identity",
                format!("{stream:?}: sq {sq}, cf {cf}, snapshot {sn}, expected {expected:?}"),
            );
        }
        self.tally.snapshots += u64::from(sn);
        self.expected.insert(stream, Expected::After(sq));
        if cf > 0 && self.conflate_ms == 0 && self.order.is_known && !self.order.is_suspended {
            let place = published.place(stream, sq - cf).unwrap_or_default();
            if place < self.order.last {
                self.violated("fairness", format!("{stream:?}: {sq} was dirty before, and comes later"));
            }
            self.order.last = place;
        }
    }

    /// The stream of an object or a gap, which the client has to subscribe to.
    fn stream(&self, channel: Option<Channel>, element: &Element<'_>) -> StreamId {
        let symbol = SYMBOLS.iter().position(|symbol| *symbol == element.symbol);
        let (Some(channel), Some(symbol)) = (channel, symbol) else {
            self.violated("framing", format!("an unknown stream: {element:?}"))
        };
        let stream = StreamId::new(channel, SymbolId(symbol as u32));
        if !self.subscribed.includes(stream) {
            self.violated("acknowledgement", format!("{stream:?} is not subscribed: {element:?}"));
        }
        stream
    }

    fn expectation(&self, stream: StreamId) -> &Expected {
        self.expected.get(&stream).unwrap_or(&Expected::Listed)
    }

    /// Nothing waits for the client: from now on the order of conflated objects is that of the market.
    pub(super) fn is_current(&mut self) {
        self.order.is_suspended = false;
        self.order.last = 0;
    }

    /// Checks that the client has everything up to these numbers.
    pub(super) fn check_complete(&self, newest: impl Fn(StreamId) -> Seq) {
        for (stream, expected) in &self.expected {
            let newest = newest(*stream).0;
            let is_complete = match expected {
                Expected::After(last) => *last >= newest,
                Expected::Begin(_) | Expected::Void(_) => expected.allows(*stream, newest),
                Expected::Listed => true,
            };
            if !is_complete {
                self.violated("progress", format!("{stream:?}: the newest is {newest}, it has {expected:?}"));
            }
        }
    }

    fn violated(&self, invariant: &'static str, detail: String) -> ! {
        violated(invariant, format!("client {}: {detail}", self.name))
    }
}

fn frame(command: &Value) -> Vec<u8> {
    masked_frame(Opcode::Text, command.to_string().as_bytes(), [1, 2, 3, 4]).to_vec()
}
