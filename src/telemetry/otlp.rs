//! Traces over OTLP: spans of connections, authentication, subscriptions and requests, sent to a collector by HTTP.
//!
//! `OTEL_EXPORTER_OTLP_ENDPOINT` names the collector, `OTEL_SERVICE_NAME` the service, as OpenTelemetry specifies. A
//! collector runs on the same machine or network: only `http` is spoken.

use std::future::{Future, ready};
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::pin::Pin;
use std::time::Duration;

use opentelemetry::trace::TracerProvider;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::registry::LookupSpan;

use super::TelemetryError;

/// The target of the spans.
const TARGET: &str = "tapecast::trace";

/// The variable that names the collector; without it nothing is traced.
const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

/// The longest time that the collector may take.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Sends the spans that were made, when it is dropped.
pub(super) struct TraceExport(SdkTracerProvider);

impl Drop for TraceExport {
    fn drop(&mut self) {
        // A collector that is gone must not keep the process.
        let _ = self.0.shutdown_with_timeout(TIMEOUT);
    }
}

/// The layer that sends spans, if a collector is named.
///
/// # Errors
/// When its address cannot be used.
pub(super) fn layer<S>() -> Result<Option<(impl Layer<S>, TraceExport)>, TelemetryError>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let Some(endpoint) = std::env::var(ENDPOINT).ok().filter(|endpoint| !endpoint.is_empty()) else {
        return Ok(None);
    };
    let unusable = |why: String| TelemetryError::Collector { endpoint: endpoint.clone(), why };
    if !endpoint.starts_with("http://") {
        return Err(unusable("only http:// is spoken".to_owned()));
    }
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(CollectorClient)
        .with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/')))
        .build()
        .map_err(|error| unusable(error.to_string()))?;
    let mut resource = Resource::builder();
    if std::env::var_os("OTEL_SERVICE_NAME").is_none() {
        resource = resource.with_service_name("tapecast");
    }
    let provider =
        SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource.build()).build();
    let spans = Targets::new().with_target(TARGET, LevelFilter::DEBUG);
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("tapecast")).with_filter(spans);
    Ok(Some((layer, TraceExport(provider))))
}

/// Sends one request after the other, on the thread of the exporter, which may block.
#[derive(Debug)]
struct CollectorClient;

type Exchange<'a> = Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'a>>;

impl HttpClient for CollectorClient {
    fn send_bytes<'life, 'future>(&'life self, request: Request<Bytes>) -> Exchange<'future>
    where
        'life: 'future,
    {
        Box::pin(ready(exchange(&request).map_err(HttpError::from)))
    }
}

/// The response to a request, on a connection of its own.
fn exchange(request: &Request<Bytes>) -> io::Result<Response<Bytes>> {
    let authority = request.uri().authority().ok_or(io::ErrorKind::InvalidInput)?;
    let mut stream = TcpStream::connect((authority.host(), authority.port_u16().unwrap_or(80)))?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    let mut head = format!(
        "{} {} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\nContent-Length: {}\r\n",
        request.method(),
        request.uri().path(),
        request.body().len()
    );
    for (name, value) in request.headers() {
        head += &format!("{name}: {}\r\n", value.to_str().map_err(io::Error::other)?);
    }
    stream.write_all(format!("{head}\r\n").as_bytes())?;
    stream.write_all(request.body())?;
    // The answer is a message of protobuf that may name rejected spans; the status is enough.
    const MOST: u64 = 64 << 10;
    let mut answer = Vec::new();
    stream.take(MOST).read_to_end(&mut answer)?;
    let status = answer.get(9..12).and_then(|code| std::str::from_utf8(code).ok());
    let response = Response::builder().status(status.unwrap_or_default()).body(Bytes::new());
    response.map_err(io::Error::other)
}
