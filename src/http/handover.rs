//! Takes a connection out of HTTP after an upgrade.

use std::future::poll_fn;
use std::pin::Pin;

use actix_codec::{Encoder, Framed};
use actix_http::Response;
use actix_http::body::{BodySize, BoxBody, to_bytes};
use actix_http::h1::{Codec, Message, SendResponse};
use actix_web::Error;
use actix_web::dev::ServiceResponse;
use actix_web::http::ConnectionType;
use bytes::Bytes;

use crate::session::PendingSession;
use crate::transport::Connection;

/// Hands the connection over to the session that this response to an upgrade carries, which begins when HTTP has ended.
/// A response without a session is sent, and the connection is closed.
///
/// A session inside an HTTP response body would cost two buffers of 8 KiB, a copy of each frame, and a poll
/// of the whole dispatcher per tick; and a client that stops reading would block it.
///
/// # Errors
/// When the connection fails before the response is sent.
pub async fn hand_over<C>(mut answer: ServiceResponse, connection: Framed<C, Codec>) -> Result<(), Error>
where
    C: Connection + 'static,
{
    let session = answer.response_mut().extensions_mut().remove::<PendingSession>();
    let mut answer = Response::<BoxBody>::from(answer);
    let Some(session) = session else {
        answer.head_mut().set_connection_type(ConnectionType::Close);
        let (head, body) = answer.into_parts();
        let mut connection = SendResponse::new(connection, head.set_body(to_bytes(body).await?)).await?;
        return Ok(poll_fn(|cx| Pin::new(&mut connection).close(cx)).await?);
    };
    let mut parts = connection.into_parts();
    let head = Message::Item((answer.drop_body(), BodySize::Stream));
    parts.codec.encode(head, &mut parts.write_buf)?;
    // Copied, so that HTTP's buffer is not kept for as long as the socket takes none of it.
    let head = Bytes::copy_from_slice(&parts.write_buf);
    let early = Bytes::from([&parts.read_buf[..], &parts.io.take_unread()].concat());
    let takeover = parts.io.takeover();
    takeover.set(session.run(parts.io.into_transport(), head, early));
    Ok(())
}
