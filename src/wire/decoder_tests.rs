use super::*;
use crate::wire::Close;
use crate::wire::deflate::compressed;

const MASK: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D];

/// A masked frame, as clients send it.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match payload.len() {
        len @ 0..=125 => bytes.push(0x80 | len as u8),
        len @ 126..=0xFFFF => {
            bytes.push(0x80 | 126);
            bytes.extend((len as u16).to_be_bytes());
        }
        len => {
            bytes.push(0x80 | 127);
            bytes.extend((len as u64).to_be_bytes());
        }
    }
    bytes.extend(MASK);
    bytes.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

fn decode_all(decoder: &mut Decoder, bytes: &[u8]) -> Result<Vec<Incoming>, DecodeError> {
    let mut input = Bytes::copy_from_slice(bytes);
    std::iter::from_fn(|| decoder.decode(&mut input).transpose()).collect()
}

fn decode(bytes: &[u8]) -> Result<Vec<Incoming>, DecodeError> {
    decode_all(&mut Decoder::new(1 << 20), bytes)
}

/// Decodes with compression negotiated.
fn decode_compressed(bytes: &[u8]) -> Result<Vec<Incoming>, DecodeError> {
    decode_all(&mut Decoder::new(1 << 20).with(Compression::PermessageDeflate), bytes)
}

#[test]
fn a_message_does_not_depend_on_how_its_bytes_are_split() {
    let text = "tick ".repeat(60);
    let bytes = frame(0x81, text.as_bytes());

    for cut in 0..bytes.len() {
        let mut decoder = Decoder::new(1024);
        let mut decoded = decode_all(&mut decoder, &bytes[..cut]).unwrap();
        decoded.extend(decode_all(&mut decoder, &bytes[cut..]).unwrap());
        assert_eq!(decoded, [Incoming::Text(text.clone().into_bytes())], "cut at {cut}");
    }
}

#[test]
fn fragments_are_joined_and_control_frames_may_come_between_them() {
    let bytes = [frame(0x02, b"ab"), frame(0x89, b"?"), frame(0x00, b"c"), frame(0x80, b"")].concat();

    let decoded = decode(&bytes).unwrap();

    assert_eq!(decoded, [Incoming::Ping(b"?".to_vec()), Incoming::Binary(b"abc".to_vec())]);
}

#[test]
fn frames_that_violate_rfc_6455_are_refused_with_their_cause() {
    let interleaved = [frame(0x01, b"a"), frame(0x81, b"b")].concat();
    for (bytes, cause) in [
        (frame(0xC1, b"x"), DecodeError::ReservedBits(0x40)),
        (frame(0x83, b"x"), DecodeError::ReservedOpcode(0x3)),
        (frame(0x09, b"x"), DecodeError::FragmentedControlFrame),
        (frame(0x89, &[0; 126]), DecodeError::ControlFrameTooLong),
        (frame(0x80, b"x"), DecodeError::UnexpectedContinuation),
        (interleaved, DecodeError::InterleavedMessage),
        (vec![0x81, 0x01, b'x'], DecodeError::UnmaskedFrame),
        (vec![0x81, 0xFE, 0, 125, 1, 2, 3, 4], DecodeError::OverlongLength),
        (vec![0x82, 0xFF, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 1, 2, 3, 4], DecodeError::OverlongLength),
    ] {
        assert_eq!(decode(&bytes), Err(cause));
        assert_eq!(cause.close(), Close::ProtocolError);
    }
}

#[test]
fn a_reserved_bit_fails_with_the_first_byte() {
    assert_eq!(decode(&[0x91]), Err(DecodeError::ReservedBits(0x10)));
}

#[test]
fn a_declared_length_over_the_limit_fails_before_any_payload() {
    let mut header = vec![0x82, 0xFF];
    header.extend((1u64 << 40).to_be_bytes());
    header.extend(MASK);

    assert_eq!(decode(&header), Err(DecodeError::TooBig));
}

#[test]
fn fragments_count_together_against_the_limit() {
    let mut decoder = Decoder::new(10);

    let verdict = decode_all(&mut decoder, &[frame(0x01, &[b'a'; 6]), frame(0x80, &[b'a'; 5])].concat());

    assert_eq!(verdict, Err(DecodeError::TooBig));
}

#[test]
fn bad_text_fails_within_the_frame() {
    let whole = frame(0x81, b"good\xFFand more that never comes");

    assert_eq!(decode(&whole[..6 + 5]), Err(DecodeError::BadUtf8));
}

#[test]
fn close_codes_are_checked() {
    let close = |code: u16, reason: &[u8]| decode(&frame(0x88, &[&code.to_be_bytes(), reason].concat()));

    assert_eq!(close(1000, b"bye"), Ok(vec![Incoming::Close(Some(1000))]));
    assert_eq!(close(4999, b""), Ok(vec![Incoming::Close(Some(4999))]));
    assert_eq!(decode(&frame(0x88, b"")), Ok(vec![Incoming::Close(None)]));
    for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000] {
        assert_eq!(close(code, b""), Err(DecodeError::InvalidCloseCode(code)));
    }
    assert_eq!(close(1000, b"\xC0"), Err(DecodeError::BadUtf8));
    assert_eq!(decode(&frame(0x88, b"\x03")), Err(DecodeError::TruncatedCloseCode));
}

#[test]
fn after_an_error_the_decoder_discards_all_input() {
    let mut decoder = Decoder::new(1 << 20);
    decode_all(&mut decoder, &[0xF1]).unwrap_err();

    let decoded = decode_all(&mut decoder, &frame(0x81, b"more"));

    assert_eq!(decoded, Ok(vec![]));
}

#[test]
fn memory_grows_with_the_bytes_received() {
    let mut decoder = Decoder::new(16 << 20);
    let bytes = frame(0x82, &vec![7; 1 << 20]);

    decode_all(&mut decoder, &bytes[..100]).unwrap();

    let held = decoder.message.as_ref().map_or(0, |message| message.bytes.capacity());
    assert!(held < 4096, "{held} bytes held for 86 received");
}

/// The compressed "Hello" of RFC 7692 section 7.2.3.1.
const HELLO: [u8; 7] = [0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00];

#[test]
fn a_compressed_message_may_be_fragmented_around_a_ping() {
    let hello = Incoming::Text(b"Hello".to_vec());

    assert_eq!(decode_compressed(&frame(0xC1, &HELLO)), Ok(vec![hello.clone()]));
    for cut in 0..=HELLO.len() {
        let (first, rest) = HELLO.split_at(cut);
        let bytes = [frame(0x41, first), frame(0x89, b"?"), frame(0x00, rest), frame(0x80, b"")].concat();
        let decoded = [Incoming::Ping(b"?".to_vec()), hello.clone()];
        assert_eq!(decode_compressed(&bytes).as_deref(), Ok(&decoded[..]), "cut at {cut}");
    }
}

#[test]
fn uncompressed_messages_are_accepted_with_compression_negotiated() {
    let decoded = decode_compressed(&[frame(0x82, b"\xF2"), frame(0xC2, &HELLO), frame(0x81, b"x")].concat());

    let [plain, packed, text] = [b"\xF2".to_vec(), b"Hello".to_vec(), b"x".to_vec()];
    assert_eq!(decoded, Ok(vec![Incoming::Binary(plain), Incoming::Binary(packed), Incoming::Text(text)]));
}

#[test]
fn the_first_reserved_bit_is_allowed_only_where_a_compressed_message_begins() {
    let is_refused = |bytes: &[u8]| matches!(decode_compressed(bytes), Err(DecodeError::ReservedBits(_)));

    assert!(is_refused(&[frame(0x41, &HELLO[..3]), frame(0xC0, &HELLO[3..])].concat()), "in a continuation");
    assert!(is_refused(&[frame(0x01, b"a"), frame(0xC0, &HELLO)].concat()), "in a plain message");
    for control in [0xC8, 0xC9, 0xCA] {
        assert!(is_refused(&[control]), "{control:02X}");
    }
    for others in [0xA1, 0x91, 0xE1, 0xD1, 0xF1] {
        assert!(is_refused(&[others]), "{others:02X}");
    }
}

#[test]
fn compressed_text_must_be_utf8() {
    let text = |text: &[u8]| decode_compressed(&frame(0xC1, &compressed(text)));
    let long = "κόσμε 🦀 ".repeat(2_000).into_bytes();

    assert_eq!(text(&long), Ok(vec![Incoming::Text(long.clone())]));
    assert_eq!(text(&long[..long.len() - 2]), Err(DecodeError::BadUtf8), "ends within a character");
    assert_eq!(text(b"good\xFFbad"), Err(DecodeError::BadUtf8));
}

#[test]
fn compressed_messages_are_limited_as_received_and_inflated() {
    let bomb = compressed(&[0; (1 << 20) + 1]);
    let mut header = vec![0xC2, 0xFF];
    header.extend(((1u64 << 20) + 1).to_be_bytes());
    header.extend(MASK);

    assert_eq!(decode_compressed(&frame(0xC2, &bomb)), Err(DecodeError::TooBig));
    assert_eq!(decode_compressed(&header), Err(DecodeError::TooBig));
    assert_eq!(decode_compressed(&frame(0xC2, &[0xFF; 9])), Err(DecodeError::BadDeflate));
}

#[test]
fn frames_of_a_server_are_not_masked() {
    let frame = crate::wire::message_frame(Opcode::Text, b"[1]");
    let masked = crate::wire::masked_frame(Opcode::Text, b"[1]", [1, 2, 3, 4]);

    let of_server = |frame: Bytes| Decoder::of_server(100).decode(&mut frame.clone());
    assert_eq!(of_server(frame.clone()), Ok(Some(Incoming::Text(b"[1]".to_vec()))));
    assert_eq!(of_server(masked.clone()), Err(DecodeError::MaskedFrame));
    assert_eq!(Decoder::new(100).decode(&mut masked.clone()), Ok(Some(Incoming::Text(b"[1]".to_vec()))));
    assert_eq!(Decoder::new(100).decode(&mut frame.clone()), Err(DecodeError::UnmaskedFrame));
}
