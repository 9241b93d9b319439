/// What a client should do after a close.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reconnect {
    /// Reconnect at once, or after the delay that a `drain` message gave.
    Soon,
    /// Reconnect with back-off.
    Later,
    /// Do not reconnect with the same credentials and behaviour.
    Never,
}

impl Reconnect {
    /// The name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Soon => "soon",
            Self::Later => "later",
            Self::Never => "never",
        }
    }
}

macro_rules! declare_closes {
    ($(
        $(#[$doc:meta])*
        $close:ident { name: $name:literal, code: $code:literal, reason: $reason:literal, reconnect: $reconnect:ident }
    )*) => {
        /// Every way in which the server ends a session: metric label, close code, reason, reconnect advice.
        ///
        /// The web client's table (`web/client/src/wire/close.json`) and that of `docs/PROTOCOL.md` are tested to be
        /// equal to this one. RFC 6455 section 7.4 defines the codes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Close {
            /// The client closed the connection with this code or none; it is echoed (RFC 6455 section 5.5.1).
            Goodbye(Option<u16>),
            $($(#[$doc])* $close,)*
        }

        impl Close {
            /// Every variant, `Goodbye` in its usual form.
            pub const ALL: &[Self] = &[Self::Goodbye(Some(1000)), $(Self::$close),*];

            /// The code on the wire; `None` for an empty frame, which the client reports as 1005.
            pub const fn code(self) -> Option<u16> {
                match self {
                    Self::Goodbye(code) => code,
                    $(Self::$close => Some($code),)*
                }
            }

            /// The reason in the Close frame; at most 123 bytes (RFC 6455 section 5.5).
            pub const fn reason(self) -> &'static str {
                match self {
                    Self::Goodbye(_) => "",
                    $(Self::$close => $reason,)*
                }
            }

            /// The name in logs and metrics.
            pub const fn name(self) -> &'static str {
                match self {
                    Self::Goodbye(_) => "goodbye",
                    $(Self::$close => $name,)*
                }
            }

            /// What the client should do next.
            pub const fn reconnect(self) -> Reconnect {
                match self {
                    Self::Goodbye(_) => Reconnect::Soon,
                    $(Self::$close => Reconnect::$reconnect,)*
                }
            }
        }
    };
}

declare_closes! {
    /// The client sent a frame that violates RFC 6455.
    ProtocolError { name: "protocol_error", code: 1002, reason: "protocol error", reconnect: Never }
    /// The client sent text that is not UTF-8.
    BadUtf8 { name: "bad_utf8", code: 1007, reason: "text is not UTF-8", reconnect: Never }
    /// The client sent a compressed message that is not a deflate stream.
    BadDeflate { name: "bad_deflate", code: 1007, reason: "cannot inflate message", reconnect: Never }
    /// The credentials in the upgrade request were refused.
    AuthFailed { name: "auth_failed", code: 1008, reason: "auth failed", reconnect: Never }
    /// The key of the session was revoked.
    KeyRevoked { name: "key_revoked", code: 1008, reason: "key revoked", reconnect: Never }
    /// An operator ended the session.
    Disconnected { name: "disconnected", code: 1008, reason: "disconnected by an operator", reconnect: Never }
    /// The token of the session has expired: connect again with a new one. The code is registered for HTTP's 401.
    TokenExpired { name: "token_expired", code: 3000, reason: "token expired: refresh it", reconnect: Never }
    /// The client did not authenticate in time.
    AuthTimeout { name: "auth_timeout", code: 1008, reason: "auth timeout", reconnect: Never }
    /// The client exceeded the rate limit of commands.
    TooManyCommands { name: "too_many_commands", code: 1008, reason: "too many commands", reconnect: Never }
    /// The client exceeded the rate limit of pings and pongs.
    TooManyPings { name: "too_many_pings", code: 1008, reason: "too many pings", reconnect: Never }
    /// The client sent more frames than its rate limit allows.
    TooManyFrames { name: "too_many_frames", code: 1008, reason: "too many frames", reconnect: Never }
    /// The client subscribed only to channels that the stream does not have, such as order books.
    NoSuchChannel { name: "no_such_channel", code: 1008, reason: "no such channel", reconnect: Never }
    /// The client reads too slowly: its trades no longer fit the backlog, or it accepted no data for too long.
    SlowClient { name: "slow_client", code: 1013, reason: "slow client", reconnect: Later }
    /// The client did not answer pings.
    Unresponsive { name: "unresponsive", code: 1013, reason: "no answer to pings", reconnect: Later }
    /// The client sent a message longer than the limit.
    TooBig { name: "too_big", code: 1009, reason: "message too big", reconnect: Never }
    /// The service restarts. Clients reconnect after different delays.
    Restart { name: "restart", code: 1012, reason: "service restart", reconnect: Soon }
    /// The service has no capacity for another session.
    TryLater { name: "try_later", code: 1013, reason: "try again later", reconnect: Later }
}

impl Close {
    /// Whether the same client may connect again.
    pub const fn may_reconnect(self) -> bool {
        !matches!(self.reconnect(), Reconnect::Never)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;

    use super::*;

    /// Name, code, reason and advice of a close.
    type Row = (String, String, String, String);

    fn rows() -> BTreeSet<Row> {
        let row = |close: &Close| {
            let code = close.code().unwrap().to_string();
            (close.name().into(), code, close.reason().into(), close.reconnect().name().into())
        };
        Close::ALL.iter().map(row).collect()
    }

    /// A file of the repository, if it is there: an archive of the server alone has neither.
    fn read(path: &str) -> Option<String> {
        fs::read_to_string(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).ok()
    }

    #[test]
    fn the_web_client_has_the_same_table() {
        let Some(text) = read("web/client/src/wire/close.json") else { return };
        let table: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();

        // Rows without a name are closes that the browser or a proxy reports.
        let named = table.iter().filter(|row| row.get("name").is_some());
        let same = named.map(|row| {
            (text(&row["name"]), row["code"].to_string(), text(&row["reason"]), text(&row["reconnect"]))
        });

        assert_eq!(same.collect::<BTreeSet<_>>(), rows());
    }

    #[test]
    fn the_documentation_has_the_same_table() {
        let Some(text) = read("docs/PROTOCOL.md") else { return };
        let lines = text.lines().skip_while(|line| *line != "| code | name | reason | reconnect |").skip(2);
        let same = lines.take_while(|line| line.starts_with('|')).map(|line| {
            let cells: Vec<_> = line.split('|').map(str::trim).collect();
            let [_, code, name, reason, reconnect, _] = cells[..] else { panic!("{line}") };
            (name.into(), code.into(), reason.into(), reconnect.into())
        });

        assert_eq!(same.collect::<BTreeSet<Row>>(), rows());
    }
}
