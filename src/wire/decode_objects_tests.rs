use super::*;
use crate::model::SECOND;
use crate::wire::{ArrayFrame, fixtures};

const KINDS: [DeliveryKind; 3] = [DeliveryKind::Live, DeliveryKind::Conflated(3), DeliveryKind::Snapshot];

fn encoded(codec: Codec, objects: &[crate::model::Object], kind: DeliveryKind) -> Vec<u8> {
    let mut array = ArrayFrame::with_capacity(codec, 0);
    for object in objects {
        array.push_with(|out| codec.write(out, &fixtures::universe(), object, kind));
    }
    fixtures::payload(&array.finish()).to_vec()
}

fn object(decoded: &Decoded) -> &DecodedObject {
    match decoded {
        Decoded::Object(object) => object,
        Decoded::Unknown { t } => panic!("unknown T {t}"),
    }
}

fn json(text: &str) -> Result<Vec<Decoded>, ObjectError> {
    decode_objects(Codec::Json, text.as_bytes())
}

#[test]
fn every_object_is_decoded_to_what_was_encoded_in_both_codecs() {
    let universe = fixtures::universe();
    let objects: Vec<_> = fixtures::objects().into_iter().chain(fixtures::varied_objects()).collect();
    for codec in Codec::ALL {
        for kind in KINDS {
            let decoded = decode_objects(codec, &encoded(codec, &objects, kind)).unwrap();

            assert_eq!(decoded.len(), objects.len());
            for (decoded, original) in decoded.iter().map(object).zip(&objects) {
                let symbol = universe.instrument(original.body.symbol()).symbol;
                assert_eq!(
                    (decoded.symbol, decoded.seq, decoded.delivery),
                    (symbol, Some(original.seq), kind)
                );
                let body = decoded.body(original.body.symbol());
                match (body, original.body) {
                    // The wire has the average price of a bar, not the sum from which it is computed.
                    (Body::Bar(bar), Body::Bar(same))
                    | (Body::UpdatedBar(bar), Body::UpdatedBar(same))
                    | (Body::DailyBar(bar), Body::DailyBar(same)) => {
                        assert_eq!(bar.vwap_micros(), same.vwap_micros());
                        assert_eq!(crate::model::Bar { notional: same.notional, ..bar }, same);
                    }
                    (body, same) => assert_eq!(body, same),
                }
            }
        }
    }
}

#[test]
fn unknown_kinds_and_unknown_keys_are_tolerated() {
    let text = r#"[
        {"T":"success","msg":"connected"},
        {"T":"l","S":"AAPL","u":1.5,"d":1,"new":{"a":[1]},"i":"B","z":"C","t":"2021-02-22T15:51:45-05:00","list":[]},
        {"T":"zz","S":"AAPL"}
    ]"#;
    let value: serde_json::Value =
        serde_json::from_str(&text.replace("2021-02-22T15:51:45-05:00", "?")).unwrap();
    assert!(value.is_array());

    let decoded = json(text).unwrap();

    let unknown = |t: &str| Decoded::Unknown { t: t.to_owned() };
    assert_eq!((&decoded[0], &decoded[2]), (&unknown("success"), &unknown("zz")));
    let luld = object(&decoded[1]);
    assert_eq!((luld.seq, luld.delivery), (None, DeliveryKind::Live), "Alpaca's servers send no number");
    let Body::Luld(luld) = luld.body(SymbolId(7)) else { panic!("{luld:?}") };
    assert_eq!(luld.symbol, SymbolId(7));
    assert_eq!((luld.up, luld.down), (Price::from_cents(150), Price::from_cents(100)));
    assert_eq!(luld.at, Timestamp::from_nanos(1_614_027_105 * SECOND));
}

#[test]
fn a_field_that_is_absent_or_invalid_is_named() {
    let luld = |fields: &str| {
        json(&format!(r#"[{{"T":"l","S":"A","u":2,"d":1,{fields}"t":"2021-02-22T15:51:45Z"}}]"#))
    };
    let channel = Channel::Lulds;

    assert_eq!(luld(r#""z":"C","#), Err(ObjectError::MissingField { channel, key: "i" }));
    for (fields, key) in [
        (r#""i":"BB","z":"C","#, "i"),
        (r#""i":"B","z":"\u007f","#, "z"),
        (r#""i":"B","z":"C","u":"2","#, "u"),
        (r#""i":"B","z":"C","sq":-1,"#, "sq"),
        (r#""i":"B","z":"C","sq":null,"#, "sq"),
        (r#""i":"B","z":"C","S":"A B","#, "S"),
    ] {
        assert_eq!(luld(fields), Err(ObjectError::InvalidField { channel, key }), "{fields}");
    }
}

#[test]
fn up_to_four_conditions_are_held_and_what_is_no_letter_is_refused() {
    let trade = |c: &str| {
        json(&format!(
            r#"[{{"T":"t","S":"A","i":1,"x":"V","p":1,"s":1,"c":{c},"z":"C","t":"2021-02-22T15:51:45Z"}}]"#
        ))
    };

    for (c, letters) in [
        ("[]", ""),
        (r#"["@","I"]"#, "@I"),
        (r#"[" ","T","I"]"#, " TI"),
        (r#"["@","F","T","I","X"]"#, "@FTI"),
    ] {
        let decoded = trade(c).unwrap();
        let Body::Trade(trade) = object(&decoded[0]).body(SymbolId(0)) else { panic!("{c}") };
        assert_eq!(trade.conditions, Conditions::new(letters.as_bytes()), "{c}");
    }
    for c in [r#"["@I"]"#, r#"["\""]"#, "[1]", r#""@""#, "{}"] {
        assert_eq!(trade(c), Err(ObjectError::InvalidField { channel: Channel::Trades, key: "c" }), "{c}");
    }
}

#[test]
fn a_message_that_is_no_array_of_objects_is_refused() {
    for text in ["", "{}", "[", "[1]", "[[]]", r#"[{"T":"t""#, "[] []"] {
        assert_eq!(json(text), Err(ObjectError::Syntax), "{text}");
    }
    for bytes in [&b""[..], &[0xC1], &[0x91], &[0x91, 0x01], &[0x90, 0x90], &[0x91; 400]] {
        assert_eq!(decode_objects(Codec::MsgPack, bytes), Err(ObjectError::Syntax), "{bytes:?}");
    }
    for text in ["[{}]", r#"[{"S":"AAPL","T":"t"}]"#, r#"[{"T":1}]"#] {
        assert_eq!(json(text), Err(ObjectError::NoType), "{text}");
    }
}
