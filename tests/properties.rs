//! The properties that the fuzz targets check, on generated inputs: the same ones in every run, so that a
//! failure can be repeated.

#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

#[path = "fuzz/properties.rs"]
mod properties;

use std::path::Path;
use std::{fs, panic};

use rand::{RngExt, SeedableRng, rngs::StdRng};

/// How many inputs are generated from each corpus, after the corpus itself.
const GENERATED_INPUTS: u64 = 20_000;

fn check(target: &str, property: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(target);
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let corpus: Vec<_> = files.iter().map(|file| fs::read(file).unwrap()).collect();
    corpus.iter().for_each(|input| property(input));
    for seed in 0..GENERATED_INPUTS {
        let input = mutated(&corpus, &mut StdRng::seed_from_u64(seed));
        let result = panic::catch_unwind(|| property(&input));
        assert!(result.is_ok(), "{target}, seed {seed}: {input:?}");
    }
}

/// An input of the corpus, or two, with up to five mutations: cut, insert, append, repeat, delete, replace, flip.
fn mutated(corpus: &[Vec<u8>], random: &mut StdRng) -> Vec<u8> {
    let mut input = corpus[random.random_range(0..corpus.len())].clone();
    for _ in 0..random.random_range(0..6) {
        let at = random.random_range(0..=input.len());
        match random.random_range(0..7) {
            0 => input.truncate(at),
            1 => input.insert(at, random.random()),
            2 => input.extend_from_slice(&corpus[random.random_range(0..corpus.len())]),
            3 => input.extend_from_within(at..),
            4 => drop(input.drain(at..(at + random.random_range(0..9)).min(input.len()))),
            5 if at < input.len() => input[at] = random.random(),
            6 if at < input.len() => input[at] ^= 1 << random.random_range(0..8),
            _ => {}
        }
    }
    input
}

#[test]
fn a_stream_of_frames_decodes_the_same_however_it_is_split() {
    check("frames", properties::frames);
}

#[test]
fn a_compressed_message_is_inflated_within_the_limit_or_refused() {
    check("inflater", properties::inflater);
}

#[test]
fn a_json_command_is_parsed_or_refused() {
    check("json", properties::json);
}

#[test]
fn a_messagepack_command_is_parsed_or_refused() {
    check("msgpack", properties::msgpack);
}

#[test]
fn a_rest_query_is_answered_page_by_page_or_refused() {
    check("query", properties::query);
}

#[test]
fn a_compression_offer_is_accepted_within_its_bounds_or_declined() {
    let words =
        ["permessage-deflate", "client_max_window_bits", "server_max_window_bits", "=", ";", ",", " "];
    let more = ["server_no_context_takeover", "client_no_context_takeover", "\"", "\\", "15", "9", "8", "é"];
    let words = [&words[..], &more[..]].concat();
    for seed in 0..GENERATED_INPUTS {
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
