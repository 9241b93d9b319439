use std::time::Duration;

use super::random::Random;
use super::scenario::{
    CLIENTS, CommandText, Dial, EventKind, Fault, HopKind, LEGACY_CLIENT, LISTED_AT_START, Line, MarketEvent,
    Reading, Resume, SYMBOLS, Scenario, Settings, Step,
};
use crate::model::Channel;
use crate::session::OutboxLimits;

/// The channels that a command can name.
pub(super) const LEADERS: [Channel; 8] = [
    Channel::Trades,
    Channel::Quotes,
    Channel::Bars,
    Channel::UpdatedBars,
    Channel::DailyBars,
    Channel::Statuses,
    Channel::Lulds,
    Channel::Tickers,
];

impl Scenario {
    /// The scenario of a seed.
    pub(super) fn of(seed: u64) -> Self {
        let random = &mut Random::new(seed);
        let settings = settings(random);
        let mut steps: Vec<_> =
            (0..CLIENTS).flat_map(|client| [connect(random, client, true), send(random, client)]).collect();
        let length = 60 + random.below(140);
        steps.extend((0..length).map(|_| step(random)));
        Self { seed, settings, steps }
    }
}

fn settings(random: &mut Random) -> Settings {
    let (conflate_above, end_above, frame_bytes) = random.pick(&[
        (400, 1_500, 500),
        (400, 1_500, 500),
        (2_000, 6_000, 1_000),
        (64 << 10, 256 << 10, 32 << 10),
    ]);
    Settings {
        outbox: OutboxLimits { conflate_above, end_above, frame_bytes },
        address_backlog: random.pick(&[1 << 20, 1 << 20, 3_000]),
        max_delay: Duration::from_millis(random.pick(&[0, 0, 3])),
        changes_per_step: random.pick(&[1_000, 1_000, 1]),
        retained: random.pick(&[8, 40, 1_000]),
        socket_buffer: random.pick(&[200, 1_000, 4_000]),
        hop: random.pick(&[HopKind::Worker, HopKind::Worker, HopKind::Cluster]),
    }
}

fn step(random: &mut Random) -> Step {
    let client = random.below(CLIENTS as u64) as usize;
    match random.below(100) {
        0..42 => market(random),
        42..56 => Step::Deliver,
        56..70 => Step::Pass(Duration::from_millis(random.pick(&[1, 1, 2, 5, 20, 60]))),
        70..74 => Step::Run,
        74..82 => send(random, client),
        82..89 => Step::Read(client, reading(random)),
        89..94 => connect(random, client, false),
        94 => Step::Epoch,
        95 => Step::Notice,
        96 => Step::List,
        97..99 => Step::Network(random.pick(&[
            Fault::Lose(1),
            Fault::Lose(3),
            Fault::Lose(12),
            Fault::Repeat,
            Fault::Swap,
        ])),
        _ if random.one_in(4) => Step::Pass(Duration::from_secs(random.pick(&[2, 23, 28]))),
        _ => Step::Pass(Duration::from_millis(300)),
    }
}

fn market(random: &mut Random) -> Step {
    let count = random.pick(&[0, 1, 1, 2, 3, 6, 12]);
    let event = |random: &mut Random| {
        let kind = match random.below(40) {
            0..16 => EventKind::Trade,
            16..34 => EventKind::Quote,
            34..36 => EventKind::LateTrade,
            36 => EventKind::Status,
            37 => EventKind::Luld,
            38 => EventKind::Cancel,
            _ => EventKind::Correction,
        };
        // Mostly of those that are listed at the start; of the other, events before it is listed are left out.
        MarketEvent { kind, symbol: random.pick(&[0, 0, 0, 1, 1, 2]) }
    };
    Step::Market((0..count).map(|_| event(random)).collect())
}

fn reading(random: &mut Random) -> Reading {
    match random.below(10) {
        0..4 => Reading::Fast,
        4..6 => Reading::Slow(20 + random.below(300) as usize),
        6..9 => Reading::Stalled,
        _ => Reading::Silent,
    }
}

fn connect(random: &mut Random, client: usize, is_first: bool) -> Step {
    let resume = match random.below(8) {
        _ if is_first || client == LEGACY_CLIENT => Resume::No,
        0 => Resume::No,
        1 => Resume::Impossible,
        _ => Resume::Own,
    };
    let line = random.pick(&[Line::Json, Line::Json, Line::MsgPack, Line::Deflate, Line::Tls]);
    Step::Connect(client, Dial { hub: random.below(2) as usize, line, resume })
}

fn send(random: &mut Random, client: usize) -> Step {
    let mut names = Vec::new();
    for channel in LEADERS {
        for _ in 0..random.pick(&[0, 0, 1, 1, 2]) {
            names.push((channel, random.pick(&[0, 0, 1, 1, LISTED_AT_START, SYMBOLS.len()])));
        }
    }
    let has_options = client != LEGACY_CLIENT;
    Step::Send(
        client,
        CommandText {
            is_addition: !random.one_in(3),
            names,
            snapshot: has_options && random.one_in(4),
            conflate_ms: (has_options && random.one_in(4)).then(|| random.pick(&[0, 0, 20, 250])),
        },
    )
}
