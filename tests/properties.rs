//! What the fuzz targets claim of any bytes at all, tried on some that are made up: the same ones in
//! every run, so that a failure can be repeated.

#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

#[path = "fuzz/claims.rs"]
mod claims;

use std::path::Path;
use std::{fs, panic};

use rand::{RngExt, SeedableRng, rngs::StdRng};

/// Each of the corpus as it is, then so many made of it.
const ROUNDS: u64 = 20_000;

fn hold(target: &str, claim: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(target);
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let corpus: Vec<_> = files.iter().map(|file| fs::read(file).unwrap()).collect();
    corpus.iter().for_each(|input| claim(input));
    for seed in 0..ROUNDS {
        let input = made_of(&corpus, &mut StdRng::seed_from_u64(seed));
        let held = panic::catch_unwind(|| claim(&input));
        assert!(held.is_ok(), "{target}, seed {seed}: {input:?}");
    }
}

/// One or two of the corpus, with a few of the faults that a wire, an attacker or a bug may bring in.
fn made_of(corpus: &[Vec<u8>], random: &mut StdRng) -> Vec<u8> {
    let mut input = corpus[random.random_range(0..corpus.len())].clone();
    for _ in 0..random.random_range(0..6) {
        let place = random.random_range(0..=input.len());
        match random.random_range(0..7) {
            0 => input.truncate(place),
            1 => input.insert(place, random.random()),
            2 => input.extend_from_slice(&corpus[random.random_range(0..corpus.len())]),
            3 => input.extend_from_within(place..),
            4 => drop(input.drain(place..(place + random.random_range(0..9)).min(input.len()))),
            5 if place < input.len() => input[place] = random.random(),
            6 if place < input.len() => input[place] ^= 1 << random.random_range(0..8),
            _ => {}
        }
    }
    input
}

#[test]
fn a_stream_of_frames_says_the_same_however_it_is_cut() {
    hold("frames", claims::frames);
}

#[test]
fn what_calls_itself_compressed_is_inflated_within_the_limit_or_refused() {
    hold("inflater", claims::inflater);
}

#[test]
fn a_command_in_json_is_understood_or_refused() {
    hold("json", claims::json);
}

#[test]
fn a_command_in_messagepack_is_understood_or_refused() {
    hold("msgpack", claims::msgpack);
}

#[test]
fn a_query_is_answered_page_by_page_or_refused() {
    hold("query", claims::query);
}

#[test]
fn an_offer_of_extensions_is_agreed_within_its_bounds_or_declined() {
    let words =
        ["permessage-deflate", "client_max_window_bits", "server_max_window_bits", "=", ";", ",", " "];
    let more = ["server_no_context_takeover", "client_no_context_takeover", "\"", "\\", "15", "9", "8", "é"];
    let words = [&words[..], &more[..]].concat();
    for seed in 0..ROUNDS {
        let mut random = StdRng::seed_from_u64(seed);
        let count = random.random_range(0..16);
        let offer: String = (0..count).map(|_| words[random.random_range(0..words.len())]).collect();
        if let Some(agreed) = tapecast::wire::NegotiatedDeflate::from_offers([offer.as_str()]) {
            assert!(offer.contains("permessage-deflate"), "{offer}");
            let bits = agreed.answer().split_once("server_max_window_bits=").map(|(_, bits)| bits.to_owned());
            assert!(bits.is_none_or(|bits| offer.contains(&bits)), "{offer}: {}", agreed.answer());
        }
    }
}
