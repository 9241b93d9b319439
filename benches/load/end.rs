//! Every way a session can end, and the word the report counts it under.

use std::io;

use super::conversation::Unintelligible;
use super::frames::Fault;

/// How a session ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// With a close frame.
    Closed {
        code: u16,
    },
    /// Without one.
    Cut(io::ErrorKind),
    /// The server answered the upgrade with an HTTP status, or with something else (0).
    NotUpgraded {
        status: u16,
    },
    Fault(Fault),
    Unintelligible(String),
    /// It did not come to an acknowledgement in time.
    TooLate,
}

impl End {
    /// The word that the report counts it under.
    pub(crate) fn label(&self) -> String {
        match self {
            Self::Closed { code } => code.to_string(),
            Self::Cut(kind) => format!("cut: {kind}"),
            Self::NotUpgraded { status: 0 } => "not a WebSocket server".to_owned(),
            Self::NotUpgraded { status } => format!("HTTP {status}"),
            Self::Fault(fault) => format!("frame fault: {fault:?}"),
            Self::Unintelligible(what) => what.clone(),
            Self::TooLate => "no acknowledgement in time".to_owned(),
        }
    }
}

impl From<io::Error> for End {
    fn from(error: io::Error) -> Self {
        Self::Cut(error.kind())
    }
}

impl From<Fault> for End {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Unintelligible> for End {
    fn from(what: Unintelligible) -> Self {
        Self::Unintelligible(what.0)
    }
}
