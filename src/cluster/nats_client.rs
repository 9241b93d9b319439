use std::sync::Arc;
use std::time::Duration;

use async_nats::{Client, ConnectOptions, Event, ServerAddr};
use tokio::time::sleep;
use tracing::{debug, info, warn};

use super::credentials::NatsCredentials;
use super::exchange::Exchange;
use super::lease_task::LEASE_TIMEOUT;
use super::settings::ClusterSettings;

/// How often a connection is tried at the start.
pub(super) const CONNECT_INTERVAL: Duration = Duration::from_secs(1);

/// Connects, and tries again until that succeeds or the feed has ended.
pub(super) async fn connect(settings: &ClusterSettings, exchange: &Arc<Exchange>) -> Option<Client> {
    let servers = settings.server_names();
    let mut has_told = false;
    loop {
        let error = match options(settings, exchange) {
            Ok(options) => match options.connect(&settings.servers).await {
                Ok(client) => {
                    info!(%servers, role = settings.role.name(), "connected to NATS");
                    return Some(client);
                }
                Err(error) => full(&error),
            },
            Err(error) => error,
        };
        if !has_told {
            has_told = true;
            warn!(%servers, "cannot connect to NATS, trying again every second: {error}");
        }
        sleep(CONNECT_INTERVAL).await;
        if exchange.take_work().is_closed {
            return None;
        }
    }
}

/// Checks that this is the URL of a server.
///
/// # Errors
/// When it is none; the text says why.
pub fn check_server(text: &str) -> Result<(), String> {
    text.parse::<ServerAddr>().map(|_| ()).map_err(|error| error.to_string())
}

/// An error with its causes.
fn full(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let part = error.to_string();
        if !text.contains(&part) {
            text = format!("{text}: {part}");
        }
        cause = error.source();
    }
    text
}

fn options(settings: &ClusterSettings, exchange: &Arc<Exchange>) -> Result<ConnectOptions, String> {
    let mut options = match &settings.credentials {
        None => ConnectOptions::new(),
        Some(path) => {
            let unusable = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
            let text = std::fs::read_to_string(path).map_err(|error| unusable(&error))?;
            let credentials = NatsCredentials::parse(&text).map_err(|error| unusable(&error))?;
            let credentials = Arc::new(credentials);
            ConnectOptions::with_auth_callback(move |nonce| {
                let credentials = Arc::clone(&credentials);
                async move {
                    let mut auth = async_nats::Auth::new();
                    auth.jwt = Some(credentials.token().to_owned());
                    auth.signature = Some(credentials.sign(&nonce));
                    Ok(auth)
                }
            })
        }
    };
    if let Some(path) = &settings.authorities {
        options = options.add_root_certificates(path.clone()).require_tls(true);
    }
    let exchange = Arc::clone(exchange);
    let report = move |event| {
        let exchange = Arc::clone(&exchange);
        async move { report(&exchange, &event) }
    };
    Ok(options
        .name("tapecast")
        .no_echo()
        .ping_interval(Duration::from_secs(2))
        .connection_timeout(Duration::from_secs(2))
        .request_timeout(Some(LEASE_TIMEOUT))
        .reconnect_delay_callback(|attempts| {
            Duration::from_millis(match attempts {
                0..=1 => 0,
                2..=9 => 100,
                _ => 500,
            })
        })
        .event_callback(report))
}

fn report(exchange: &Exchange, event: &Event) {
    match event {
        Event::Connected => {
            info!("connected to NATS again");
            exchange.set_connected(true);
        }
        Event::Disconnected => {
            warn!("disconnected from NATS");
            exchange.set_connected(false);
        }
        Event::SlowConsumer(_) => warn!("this node is too slow for its messages: some were dropped"),
        other => debug!("NATS: {other}"),
    }
}
