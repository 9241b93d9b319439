//! The wire protocol: commands, objects, control messages, WebSocket frames, close codes.
//!
//! All code here is pure: it encodes and decodes bytes, without socket, clock or runtime. The objects are
//! those of Alpaca's stock stream v2, which existing SDKs already speak; extensions only add fields.
//!
//! The channels are declared in the table of `Channel`, the fields of objects in
//! `objects.rs`, and both encoders, the decoder and `OBJECTS` follow from them.

mod alert_command;
mod alert_control;
mod array;
mod binary_row;
mod clock_text;
mod close;
mod codec;
mod command;
mod control;
mod csv;
mod decode_control;
mod decode_error;
mod decode_objects;
mod decode_page;
mod decoder;
mod deflate;
mod extensions;
mod fields_request;
#[cfg(test)]
pub(crate) mod fixtures;
mod frame;
mod json;
mod message;
mod msgpack;
mod objects;
mod rows;
mod scalar;
mod schema;
mod ticker_fields;
mod tolerant;
mod utf8;
pub(crate) mod varint;

pub use alert_command::{AlertCommand, AlertNames, UnalertCommand};
pub use alert_control::{AlertEntry, AlertList, AlertNotice, WirePrice, WireTime};
pub use array::ArrayFrame;
pub use binary_row::{InvalidRow, take_row, write_row};
pub use clock_text::rfc3339;
pub use close::{Close, Reconnect};
pub use codec::{Codec, DeliveryKind, EncodedObjects};
pub use command::{
    Command, CommandFault, InvalidCommand, PresenceQuery, PublishCommand, SymbolList, SymbolsByChannel,
    TOKEN_KEY,
};
pub use control::{
    Answered, ControlMessage, ErrorCode, FeedReport, Gap, Heartbeat, PresenceReport, PublicationReceipt,
    Subscription,
};
pub use csv::{write_csv, write_csv_header, write_csv_message};
pub use decode_control::{Acknowledgement, ServerMessage, decode_control};
pub use decode_error::DecodeError;
pub use decode_objects::{Decoded, DecodedObject, ObjectError, decode_each_object, decode_objects};
pub use decode_page::{DecodedPage, decode_page};
pub use decoder::{Compression, DecodeStep, Decoder, Incoming};
pub use deflate::{Deflate, NegotiatedDeflate};
pub use extensions::{
    AlertPosition, Extensions, GrantedExtensions, GrantedFields, Rejected, RejectedValues, RequestId,
    ResumeRequest,
};
pub use fields_request::FieldsRequest;
pub use frame::{Opcode, close_frame, masked_frame, message_frame};
pub use message::TopicMessage;
pub use objects::OBJECTS;
pub use rows::JsonRowWriter;
pub use schema::{FIRST_FIELDS, FieldSchema, FieldType, LAST_FIELDS, ObjectSchema};
pub use ticker_fields::{
    EncodedTicker, NumberedTicker, TickerChanges, TickerFields, TickerPart, TickerValues,
};
pub use tolerant::RejectedNames;
