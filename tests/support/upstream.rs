//! The upstream of a relay.

use std::net::SocketAddr;

use tapecast::relay::{ReconnectDelays, UpstreamNumbers, UpstreamSettings, UpstreamSymbols};

/// The stream and the REST of the server at this address, without a key: all symbols, with the numbers that it gives.
pub fn upstream(address: SocketAddr) -> UpstreamSettings {
    UpstreamSettings {
        url: format!("ws://{address}/v2/iex"),
        rest: Some(format!("http://{address}")),
        key: None,
        symbols: UpstreamSymbols::All,
        max_symbols: 30,
        numbers: UpstreamNumbers::Kept,
        authorities: None,
        delays: ReconnectDelays::default(),
    }
}
