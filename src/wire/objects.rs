use super::DeliveryKind;
use super::decode_objects::FieldReader;
use super::schema::{FIRST_FIELDS, FieldSchema, FieldType, FieldWriter, ObjectSchema, key};
use super::ticker_fields::{FieldEnds, MeasuredFields, NumberedTicker, TickerPart};
use crate::model::{
    Bar, Body, Cancel, Channel, Correction, Luld, MessageHead, Object, Print, Quote, Status, SymbolId,
    Ticker, Trade, Universe, for_each_channel,
};

/// A struct whose fields are those of an object, between `S` and `sq`.
pub(super) trait Fields: Sized {
    /// The fields in the order on the wire.
    const FIELDS: &'static [FieldSchema];

    /// Writes the fields in order.
    fn write(&self, out: &mut impl FieldWriter);

    /// Builds the struct from the values of its fields, given in order.
    fn read<'a, R: FieldReader<'a>>(symbol: SymbolId, values: &mut R) -> Result<Self, R::Error>;
}

/// Implements [`Fields`]: a key, a type and a name for each field, in the order on the wire.
///
/// A name is that of a field of the struct, or one that `as` binds: a pattern that takes the struct
/// apart, and also the expression that puts it together. So the compiler refuses a declaration that
/// omits a field of the struct. Values that are computed are bound in `writing` and `reading`; `exact` names the one
/// that they are computed from, which only [binary rows](super::binary_row) hold.
macro_rules! declare_fields {
    ($struct:ident($symbol:ident) { $($key:literal $type:ident $name:ident,)* }) => {
        declare_fields! {
            $struct($symbol) as { $struct { $symbol, $($name),* } } { $($key $type $name,)* }
        }
    };
    (
        $struct:ident($symbol:ident) as { $($shape:tt)* } { $($key:literal $type:ident $name:ident,)* }
        $(writing |$value:ident| { $($writing:tt)* } reading { $($reading:tt)* })?
        $(exact $exact:ident)?
    ) => {
        #[allow(unused_variables, reason = "the struct is taken apart whole, and some values are computed")]
        impl Fields for $struct {
            const FIELDS: &'static [FieldSchema] =
                &[$(FieldSchema::required($key, declare_fields!(@type $type))),*];

            fn write(&self, out: &mut impl FieldWriter) {
                $(
                    let $value = self;
                    $($writing)*
                )?
                let $($shape)* = *self;
                $(out.$type(key!($key), declare_fields!(@value $type $name));)*
                $(out.exact($exact);)?
            }

            fn read<'a, R: FieldReader<'a>>($symbol: SymbolId, values: &mut R) -> Result<Self, R::Error> {
                $(let $name = values.$type()?;)*
                $(let $exact = values.exact()?;)?
                $($($reading)*)?
                Ok($($shape)*)
            }
        }
    };
    (@value text $name:ident) => { $name.as_ref() };
    (@value $type:ident $name:ident) => { $name.into() };
    (@type integer) => { FieldType::Integer };
    (@type letter) => { FieldType::Letter };
    (@type text) => { FieldType::Text };
    (@type price) => { FieldType::Price };
    (@type average_price) => { FieldType::AveragePrice };
    (@type letters) => { FieldType::Letters };
    (@type time) => { FieldType::Time };
}

declare_fields! {
    Trade(symbol) {
        "i" integer id,
        "x" letter venue,
        "p" price price,
        "s" integer size,
        "c" letters conditions,
        "z" letter tape,
        "t" time at,
    }
}

declare_fields! {
    Quote(symbol) {
        "bx" letter bid_venue,
        "bp" price bid,
        "bs" integer bid_size,
        "ax" letter ask_venue,
        "ap" price ask,
        "as" integer ask_size,
        "c" letters conditions,
        "z" letter tape,
        "t" time at,
    }
}

declare_fields! {
    Bar(symbol) as { Bar { symbol, start, open, high, low, close, volume, trades, notional } } {
        "o" price open,
        "h" price high,
        "l" price low,
        "c" price close,
        "v" integer volume,
        "n" integer trades,
        "vw" average_price vwap,
        "t" time start,
    }
    writing |bar| { let vwap = bar.vwap_micros(); }
    reading { let notional = notional.unwrap_or_else(|| Bar::notional_of(vwap, volume)); }
    exact notional
}

declare_fields! {
    Status(symbol) as { Status { symbol, status, reason, tape, at } } {
        "sc" text status,
        "sm" text status_message,
        "rc" text reason,
        "rm" text reason_message,
        "z" letter tape,
        "t" time at,
    }
    writing |value| {
        let status_message = value.status.message();
        let reason_message = value.reason.message();
    }
    reading { let _: [&str; 2] = [status_message, reason_message]; }
}

declare_fields! {
    Luld(symbol) {
        "u" price up,
        "d" price down,
        "i" letter indicator,
        "z" letter tape,
        "t" time at,
    }
}

declare_fields! {
    Cancel(symbol) {
        "i" integer id,
        "x" letter venue,
        "p" price price,
        "s" integer size,
        "a" letter action,
        "z" letter tape,
        "t" time at,
    }
}

declare_fields! {
    Correction(symbol) as {
        Correction {
            symbol,
            venue,
            original: Print { id: old_id, price: old_price, size: old_size, conditions: old_conditions },
            corrected: Print { id: new_id, price: new_price, size: new_size, conditions: new_conditions },
            tape,
            at,
        }
    } {
        "x" letter venue,
        "oi" integer old_id,
        "op" price old_price,
        "os" integer old_size,
        "oc" letters old_conditions,
        "ci" integer new_id,
        "cp" price new_price,
        "cs" integer new_size,
        "cc" letters new_conditions,
        "z" letter tape,
        "t" time at,
    }
}

declare_fields! {
    Ticker(symbol) {
        "p" price price,
        "s" integer size,
        "bp" price bid,
        "bs" integer bid_size,
        "ap" price ask,
        "as" integer ask_size,
        "o" price open,
        "h" price high,
        "l" price low,
        "pc" price previous_close,
        "v" integer volume,
        "n" integer trades,
        "vw" average_price vwap_micros,
        "t" time at,
    }
}

macro_rules! declare_objects {
    ($(
        $(#[$doc:meta])*
        $channel:ident {
            name: $name:literal, letter: $letter:literal, body: $body:ident($payload:ident),
            conflates: $conflates:literal, leader: $leader:ident, extension: $extension:literal,
        }
    )*) => {
        /// The objects of every channel, in the order of [`Channel::ALL`].
        pub const OBJECTS: &[ObjectSchema] =
            &[$(ObjectSchema { channel: Channel::$channel, fields: <$payload>::FIELDS }),*];

        /// Writes the fields of a body, in order.
        pub(super) fn write_body(out: &mut impl FieldWriter, body: &Body) {
            match body {
                $(Body::$body(value) => value.write(out),)*
            }
        }

        /// Builds the body of an object from the values of its fields, given in order.
        pub(super) fn read_body<'a, R: FieldReader<'a>>(
            channel: Channel,
            symbol: SymbolId,
            values: &mut R,
        ) -> Result<Body, R::Error> {
            match channel {
                $(Channel::$channel => <$payload>::read(symbol, values).map(Body::$body),)*
            }
        }
    };
}

for_each_channel!(declare_objects);

/// The greatest number of fields of a body.
pub(super) const MAX_FIELDS: usize = {
    let mut most = 0;
    let mut at = 0;
    while at < OBJECTS.len() {
        if OBJECTS[at].fields.len() > most {
            most = OBJECTS[at].fields.len();
        }
        at += 1;
    }
    most
};

/// The number of fields that [`write_object`] writes.
pub(super) fn field_count(object: &Object, kind: DeliveryKind) -> usize {
    const SEQ: usize = 1;
    let fields = OBJECTS[object.body.channel().index()].fields;
    FIRST_FIELDS.len() + fields.len() + SEQ + usize::from(kind != DeliveryKind::Live)
}

/// Writes all fields of an object that is about an instrument.
pub(super) fn write_object(
    out: &mut impl FieldWriter,
    universe: &Universe,
    object: &Object,
    kind: DeliveryKind,
) {
    out.letter(key!("T"), object.body.channel().letter() as u8);
    out.text(key!("S"), universe.instrument(object.body.symbol()).symbol.as_str());
    write_body(out, &object.body);
    out.integer(key!("sq"), object.seq.0);
    write_delivery(out, kind);
}

/// The number of fields of a part of a ticker.
pub(super) fn ticker_field_count(kind: DeliveryKind, part: TickerPart) -> usize {
    const SEQ: usize = 1;
    let marks = usize::from(kind != DeliveryKind::Live) + usize::from(part.is_full);
    FIRST_FIELDS.len() + part.fields.len() + SEQ + marks
}

/// Writes all fields of a ticker but its marks; returns where each ends.
pub(super) fn write_ticker(
    out: &mut impl FieldWriter,
    universe: &Universe,
    NumberedTicker { ticker, seq }: NumberedTicker<'_>,
) -> FieldEnds {
    let mut measured = MeasuredFields::new(out);
    measured.begin(|out| {
        out.letter(key!("T"), Channel::Tickers.letter() as u8);
        out.text(key!("S"), universe.instrument(ticker.symbol).symbol.as_str());
    });
    ticker.write(&mut measured);
    let ends = measured.ends();
    out.integer(key!("sq"), seq.0);
    ends
}

/// Writes the last fields of a part of a ticker: those of its delivery, and whether it is whole.
pub(super) fn write_marks(out: &mut impl FieldWriter, kind: DeliveryKind, part: TickerPart) {
    write_delivery(out, kind);
    if part.is_full {
        out.is_true(key!("full"));
    }
}

/// Writes the last fields of an object, those that differ between clients.
pub(super) fn write_delivery(out: &mut impl FieldWriter, kind: DeliveryKind) {
    match kind {
        DeliveryKind::Live => {}
        DeliveryKind::Conflated(objects) => out.integer(key!("cf"), objects),
        DeliveryKind::Snapshot => out.is_true(key!("sn")),
    }
}

#[cfg(test)]
#[path = "objects_tests.rs"]
mod tests;
