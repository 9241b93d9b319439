use super::Close;
use super::utf8::NotUtf8;

/// Why a client's bytes cannot be decoded; the connection must be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// A reserved bit is set without an extension that defines it (RFC 6455 section 5.2).
    #[error("reserved bits {0:#04x} are set")]
    ReservedBits(u8),
    /// The opcode is reserved (section 5.2).
    #[error("opcode {0:#x} is reserved")]
    ReservedOpcode(u8),
    /// A frame of a client is not masked (section 5.1).
    #[error("a frame is not masked")]
    UnmaskedFrame,
    /// A frame of a server is masked (section 5.1).
    #[error("a frame of a server is masked")]
    MaskedFrame,
    /// A payload length is not in its shortest form (section 5.2).
    #[error("a payload length is not in its shortest form")]
    OverlongLength,
    /// A control frame is fragmented (section 5.5).
    #[error("a control frame is fragmented")]
    FragmentedControlFrame,
    /// The payload of a control frame is longer than 125 bytes (section 5.5).
    #[error("a control frame is longer than 125 bytes")]
    ControlFrameTooLong,
    /// A continuation frame has no message to continue (section 5.4).
    #[error("a continuation frame has no message to continue")]
    UnexpectedContinuation,
    /// A message begins before the fragmented one has ended (section 5.4).
    #[error("a message begins within a fragmented message")]
    InterleavedMessage,
    /// The payload of a Close is a single byte (section 5.5.1).
    #[error("a close code is truncated")]
    TruncatedCloseCode,
    /// A client must not send this close code (section 7.4).
    #[error("close code {0} is not allowed")]
    InvalidCloseCode(u16),
    /// A text message, or the reason of a Close, is not UTF-8 (section 8.1).
    #[error("text is not UTF-8")]
    BadUtf8,
    /// A compressed message is not a deflate stream (RFC 7692 section 7.2).
    #[error("a compressed message is not a deflate stream")]
    BadDeflate,
    /// A message, as received or inflated, is longer than the limit.
    #[error("a message is longer than the limit")]
    TooBig,
}

impl DecodeError {
    /// The close that answers this error.
    pub const fn close(self) -> Close {
        match self {
            Self::ReservedBits(_)
            | Self::ReservedOpcode(_)
            | Self::UnmaskedFrame
            | Self::MaskedFrame
            | Self::OverlongLength
            | Self::FragmentedControlFrame
            | Self::ControlFrameTooLong
            | Self::UnexpectedContinuation
            | Self::InterleavedMessage
            | Self::TruncatedCloseCode
            | Self::InvalidCloseCode(_) => Close::ProtocolError,
            Self::BadUtf8 => Close::BadUtf8,
            Self::BadDeflate => Close::BadDeflate,
            Self::TooBig => Close::TooBig,
        }
    }
}

impl From<NotUtf8> for DecodeError {
    fn from(_: NotUtf8) -> Self {
        Self::BadUtf8
    }
}
