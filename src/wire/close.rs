/// Every way in which a session can end, with what the far side should do about it.
///
/// The web client reads the same table (`web/src/wire/close.ts`): the code tells it whether to come
/// back. RFC 6455 section 7.4 gives the codes, ours follow its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Close {
    /// The client said goodbye, with this code or none; answered in kind (RFC 6455 section 5.5.1).
    Goodbye(Option<u16>),
    /// 1002: a frame against RFC 6455. The client is broken: do not come back unchanged.
    ProtocolError,
    /// 1007: text that is not UTF-8.
    BadUtf8,
    /// 1007: a compressed message that is no deflate stream.
    BadDeflate,
    /// 1008: the credentials that the upgrade brought are not good for it.
    AuthFailed,
    /// 1008: the key that let the session in was taken back.
    KeyRevoked,
    /// 1008: showed no key in time.
    AuthTimeout,
    /// 1008: asks more often than anybody needs.
    TooManyCommands,
    /// 1008: sends pings for their own sake.
    TooManyPings,
    /// 1008: reads so slowly that even its trades no longer fit the backlog.
    SlowClient,
    /// 1008: did not answer pings.
    Unresponsive,
    /// 1009: a message longer than the limit.
    TooBig,
    /// 1011: a fault of ours. Come back later.
    Internal,
    /// 1012: the service restarts. Come back after a moment, each client after another one.
    Restart,
    /// 1013: too busy for one more. Come back later.
    TryLater,
}

impl Close {
    /// All of them, the goodbye in its usual form.
    pub const ALL: [Self; 15] = [
        Self::Goodbye(Some(1000)),
        Self::ProtocolError,
        Self::BadUtf8,
        Self::BadDeflate,
        Self::AuthFailed,
        Self::KeyRevoked,
        Self::AuthTimeout,
        Self::TooManyCommands,
        Self::TooManyPings,
        Self::SlowClient,
        Self::Unresponsive,
        Self::TooBig,
        Self::Internal,
        Self::Restart,
        Self::TryLater,
    ];

    /// The code on the wire; `None` where the frame is empty (seen as 1005 by the far side).
    pub const fn code(self) -> Option<u16> {
        Some(match self {
            Self::Goodbye(code) => return code,
            Self::ProtocolError => 1002,
            Self::BadUtf8 | Self::BadDeflate => 1007,
            Self::AuthFailed | Self::KeyRevoked | Self::AuthTimeout => 1008,
            Self::TooManyCommands | Self::TooManyPings => 1008,
            Self::SlowClient | Self::Unresponsive => 1008,
            Self::TooBig => 1009,
            Self::Internal => 1011,
            Self::Restart => 1012,
            Self::TryLater => 1013,
        })
    }

    /// What the Close frame says in words; at most 123 bytes (RFC 6455 section 5.5).
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Goodbye(_) => "",
            Self::ProtocolError => "protocol error",
            Self::BadUtf8 => "text is not UTF-8",
            Self::BadDeflate => "cannot inflate message",
            Self::AuthFailed => "auth failed",
            Self::KeyRevoked => "key revoked",
            Self::AuthTimeout => "auth timeout",
            Self::TooManyCommands => "too many commands",
            Self::TooManyPings => "too many pings",
            Self::SlowClient => "slow client",
            Self::Unresponsive => "no answer to pings",
            Self::TooBig => "message too big",
            Self::Internal => "internal error",
            Self::Restart => "service restart",
            Self::TryLater => "try again later",
        }
    }

    /// The name in logs and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Goodbye(_) => "goodbye",
            Self::ProtocolError => "protocol_error",
            Self::BadUtf8 => "bad_utf8",
            Self::BadDeflate => "bad_deflate",
            Self::AuthFailed => "auth_failed",
            Self::KeyRevoked => "key_revoked",
            Self::AuthTimeout => "auth_timeout",
            Self::TooManyCommands => "too_many_commands",
            Self::TooManyPings => "too_many_pings",
            Self::SlowClient => "slow_client",
            Self::Unresponsive => "unresponsive",
            Self::TooBig => "too_big",
            Self::Internal => "internal",
            Self::Restart => "restart",
            Self::TryLater => "try_later",
        }
    }

    /// Whether the same client may connect again and hope for better.
    pub const fn may_return(self) -> bool {
        matches!(self, Self::Goodbye(_) | Self::Internal | Self::Restart | Self::TryLater)
    }
}
