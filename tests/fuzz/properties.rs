//! Properties that hold for any input. The fuzz targets check them on the inputs that libFuzzer finds, and
//! `tests/properties.rs` on generated ones in every `make test`.

#![allow(dead_code, unreachable_pub, reason = "each fuzz target checks one property")]
#![allow(clippy::unwrap_used, reason = "a property that does not hold panics")]

use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use tapecast::archive::{Archive, Retention};
use tapecast::feed::{BarSpans, LastValues, Sequencer};
use tapecast::http::rest;
use tapecast::model::{Epoch, Timestamp, Universe};
use tapecast::source::{Listings, SimulationSettings, Simulator};
use tapecast::wire::{
    Codec, Command, Compression, DecodeError, Decoder, Incoming, NegotiatedDeflate, Opcode, message_frame,
};

/// The message limit of the decoders here: small, so that inputs often reach it.
const MAX_MESSAGE: usize = 4096;

/// What a decoder returned: its messages, and the error that ended it.
#[derive(Debug, Default, PartialEq)]
struct Decoded {
    messages: Vec<Incoming>,
    error: Option<DecodeError>,
}

impl Decoded {
    fn feed(&mut self, decoder: &mut Decoder, bytes: &[u8]) {
        let mut input = Bytes::copy_from_slice(bytes);
        loop {
            match decoder.decode(&mut input) {
                Ok(Some(message)) => self.messages.push(message),
                Ok(None) => break,
                Err(error) => assert_eq!(self.error.replace(error), None, "a decoder fails once"),
            }
        }
        assert!(input.is_empty(), "the decoder consumes its input");
    }
}

fn decoder(compression: Compression) -> Decoder {
    Decoder::new(MAX_MESSAGE).with(compression)
}

/// A stream of frames decodes the same however it is split, respects the limit, and ends with the first
/// error or Close.
///
/// The first byte of the input selects compression, the next two seed the places of the splits.
pub fn frames(input: &[u8]) {
    let Some(([choice, seed @ ..], stream)) = input.split_first_chunk::<3>() else { return };
    let compression = if choice & 1 == 0 { Compression::None } else { Compression::PermessageDeflate };
    let mut whole = Decoded::default();
    whole.feed(&mut decoder(compression), stream);

    let mut split = Decoded::default();
    let mut same = decoder(compression);
    let mut rest = stream;
    let mut random = u32::from(u16::from_le_bytes(*seed)) + 1;
    while !rest.is_empty() {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let (part, after) = rest.split_at((random >> 16) as usize % rest.len().min(40) + 1);
        split.feed(&mut same, part);
        rest = after;
    }

    // The decoder reports an error at the byte that causes it, so both forms return the same messages
    // before it.
    assert_eq!(split, whole);
    let (last, before) = match whole.messages.split_last() {
        Some(parts) => parts,
        None => return,
    };
    assert!(
        !before.iter().any(|message| matches!(message, Incoming::Close(_))),
        "no message follows a Close"
    );
    assert!(!matches!(last, Incoming::Close(_)) || whole.error.is_none(), "no error follows a Close");
    for message in &whole.messages {
        match message {
            Incoming::Text(text) => {
                assert!(text.len() <= MAX_MESSAGE && std::str::from_utf8(text).is_ok());
            }
            Incoming::Binary(bytes) => assert!(bytes.len() <= MAX_MESSAGE),
            Incoming::Ping(payload) => assert!(payload.len() <= 125),
            Incoming::Pong | Incoming::Close(_) => {}
        }
    }
}

/// A client's frame, masked with zeros.
fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    let length = match payload.len() {
        len @ 0..126 => vec![0x80 | len as u8],
        len @ 126..65_536 => [&[0x80 | 126][..], &(len as u16).to_be_bytes()].concat(),
        len => [&[0x80 | 127][..], &(len as u64).to_be_bytes()].concat(),
    };
    [&[first], &length[..], &[0; 4], payload].concat()
}

/// A compressed message is inflated within the limit or refused, the same in one frame as in two and the
/// same when it is repeated; and what the server compresses is inflated to the original.
pub fn inflater(input: &[u8]) {
    let whole = masked(0xC2, input);
    let (first, rest) = input.split_at(input.len() / 2);
    let halves = [masked(0x42, first), masked(0x80, rest)].concat();
    let [mut once, mut again, mut in_halves] = [const { Decoded { messages: Vec::new(), error: None } }; 3];
    once.feed(&mut decoder(Compression::PermessageDeflate), &whole);
    in_halves.feed(&mut decoder(Compression::PermessageDeflate), &halves);
    again.feed(&mut decoder(Compression::PermessageDeflate), &whole);
    assert_eq!(once, again, "a message leaves no state behind");
    if input.len() <= MAX_MESSAGE {
        assert_eq!(once, in_halves);
    }
    match &once.messages[..] {
        [] => assert!(once.error.is_some()),
        [Incoming::Binary(inflated)] => assert!(inflated.len() <= MAX_MESSAGE),
        other => panic!("one message became {other:?}"),
    }

    let plain = &input[..input.len().min(MAX_MESSAGE)];
    let bits = 9 + input.len() % 7;
    let offer = format!("permessage-deflate; server_max_window_bits={bits}");
    let deflate =
        NegotiatedDeflate::from_offers([offer.as_str()]).expect("9 to 15 bits are accepted").deflate();
    let frame = deflate.pack_shared(message_frame(Opcode::Binary, plain));
    let (header, payload) = frame.split_at(if plain.len() < 126 { 2 } else { 4 });
    // The server's frame is not masked, and its length may have a shorter encoding than the original's.
    let (header, payload) = match header[1] {
        126 => (header, payload),
        len => (&frame[..2], &frame[frame.len() - usize::from(len)..]),
    };
    let mut inflated = Decoded::default();
    inflated.feed(&mut decoder(Compression::PermessageDeflate), &masked(header[0], payload));
    assert_eq!(inflated.messages, [Incoming::Binary(plain.to_vec())]);
}

/// A command takes no more memory than its text, and means the same in MessagePack, unless it is nested
/// deeper than MessagePack allows.
pub fn json(input: &[u8]) {
    let read = Command::read(Codec::Json, input);
    check_size(read.as_ref().ok(), input);
    if read.is_ok()
        && let Ok(value) = serde_json::from_slice::<serde_json::Value>(input)
        && let Ok(same) = Command::read(Codec::MsgPack, &rmp_serde::to_vec_named(&value).unwrap())
    {
        assert_eq!(Ok(same), read);
    }
}

/// A command takes no more memory than its bytes.
pub fn msgpack(input: &[u8]) {
    check_size(Command::read(Codec::MsgPack, input).as_ref().ok(), input);
}

fn check_size(command: Option<&Command>, input: &[u8]) {
    let (selection, extensions) = match command {
        None | Some(Command::OtherStream) => return,
        Some(Command::Auth { key, secret }) => return assert!(key.len() + secret.len() <= input.len()),
        // Data is a tree of values: 32 bytes for a number of one.
        Some(Command::Publish(_) | Command::Presence(_)) => return,
        Some(Command::Alert(alert)) => {
            let since = alert.since.as_ref().map_or(0, |since| since.epoch.len());
            let text = alert.symbol.as_str().len() + alert.alert.len() + alert.when.len();
            return assert!(text + since <= input.len());
        }
        Some(Command::Unalert(command)) => {
            let text: usize = command.alerts.names.iter().map(|name| name.len() + 1).sum();
            return assert!(text <= input.len());
        }
        Some(Command::Subscribe(selection, x) | Command::Unsubscribe(selection, x)) => (selection, x),
    };
    let resumed = extensions.as_ref().and_then(|x| x.resume.as_ref()).map_or(0, |resume| resume.last.len());
    assert!(2 * selection.len() + resumed <= input.len(), "{selection:?}");
}

struct Market {
    universe: Arc<Universe>,
    archive: Arc<Archive>,
    now: Timestamp,
}

/// A few seconds of three symbols.
static MARKET: LazyLock<Market> = LazyLock::new(|| {
    let listings = Listings::new(3, 7);
    let universe = Arc::clone(listings.universe());
    let archive = Arc::new(Archive::new(universe.len(), Retention::default()));
    let settings = SimulationSettings { seed: 7, trades_per_second: 200.0, ..SimulationSettings::default() };
    let mut now = Timestamp::from_nanos(1_795_185_000_000_000_000);
    let mut sequencer = Sequencer::new(Arc::clone(&universe), BarSpans::default(), Epoch::default(), now);
    let mut last_values = LastValues::new(universe.len());
    let mut simulator = Simulator::new(&listings, settings);
    let mut events = Vec::new();
    simulator.opening(now, &mut events);
    for _ in 0..200 {
        simulator.step(now, &mut events);
        now = now + std::time::Duration::from_millis(10);
        archive.record(sequencer.sequence(&mut last_values, &events, now).events());
        events.clear();
    }
    Market { universe, archive, now }
});

/// A query is refused or answered with a page of JSON within the limit, and each following page has other
/// rows than the one before. The first byte selects bars, trades or quotes.
pub fn query(input: &[u8]) {
    let Some((kind, text)) = input.split_first() else { return };
    let kind = ["bars", "trades", "quotes"][usize::from(*kind) % 3];
    let Ok(text) = std::str::from_utf8(text) else { return };
    let Market { universe, archive, now } = &*MARKET;
    let ask = |text: &str| -> Option<serde_json::Value> {
        let body = rest::answer(universe, archive, kind, text, *now).ok()?;
        Some(serde_json::from_slice(&body).expect("the response is JSON"))
    };
    let Some(first) = ask(text) else { return };
    let mut page = first;
    for _ in 0..3 {
        let rows = |page: &serde_json::Value| page[kind].clone();
        let count: usize =
            rows(&page).as_object().unwrap().values().map(|r| r.as_array().unwrap().len()).sum();
        assert!(count <= 10_000);
        let Some(token) = page["next_page_token"].as_str() else { break };
        assert!(count > 0, "a page with a next page has rows");
        let Some(next) = ask(&format!("{text}&page_token={token}")) else { break };
        assert_ne!(rows(&next), rows(&page), "the next page has other rows");
        page = next;
    }
}
