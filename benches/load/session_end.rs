//! Every way in which a session can end, and the label that the report counts it under.

use std::io;

use super::frames::FrameError;
use super::protocol::ProtocolError;

/// How a session ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SessionEnd {
    /// With a close frame.
    Closed {
        code: u16,
    },
    /// The connection failed or ended without a close frame.
    ConnectionLost(io::ErrorKind),
    /// The server answered the upgrade with this HTTP status, or not in HTTP (0).
    UpgradeRejected {
        status: u16,
    },
    Frame(FrameError),
    Protocol(ProtocolError),
    /// The subscription was not acknowledged in time.
    SubscribeTimeout,
}

impl SessionEnd {
    /// The label that the report counts it under.
    pub(crate) fn label(&self) -> String {
        match self {
            Self::Closed { code } => code.to_string(),
            Self::ConnectionLost(kind) => format!("connection lost: {kind}"),
            Self::UpgradeRejected { status: 0 } => "not a WebSocket server".to_owned(),
            Self::UpgradeRejected { status } => format!("HTTP {status}"),
            Self::Frame(error) => format!("invalid frame: {error:?}"),
            Self::Protocol(error) => error.to_string(),
            Self::SubscribeTimeout => "no acknowledgement in time".to_owned(),
        }
    }
}

impl From<io::Error> for SessionEnd {
    fn from(error: io::Error) -> Self {
        Self::ConnectionLost(error.kind())
    }
}

impl From<FrameError> for SessionEnd {
    fn from(error: FrameError) -> Self {
        Self::Frame(error)
    }
}

impl From<ProtocolError> for SessionEnd {
    fn from(error: ProtocolError) -> Self {
        Self::Protocol(error)
    }
}
