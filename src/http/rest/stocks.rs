//! `/v2/stocks/...`

use actix_web::web::Path;

use super::answers::{self, Answer};
use super::page::ResponseShape;
use super::request::{RequestedSymbol, RestRequest, SymbolStyle};
use super::series::RecordKind;
use super::snapshot::write_snapshot;
use crate::http::error::ApiError;
use crate::wire::JsonRowWriter;

/// `GET /v2/stocks/{bars,trades,quotes}`
pub(super) async fn pages(request: RestRequest, kind: Path<String>) -> Answer {
    let kind = RecordKind::named(&kind)?;
    let symbols = request.symbols(SymbolStyle::Stock)?;
    answers::page(&request, kind, ResponseShape::BySymbol, symbols).await
}

/// `GET /v2/stocks/{symbol}/{bars,trades,quotes}`
pub(super) async fn pages_of_one(request: RestRequest, path: Path<(String, String)>) -> Answer {
    let kind = RecordKind::named(&path.1)?;
    let symbol = request.symbol(&path.0)?;
    answers::page(&request, kind, ResponseShape::Single(symbol.name), vec![symbol]).await
}

/// `GET /v2/stocks/{bars,trades,quotes}/latest`
pub(super) async fn latest(request: RestRequest, kind: Path<String>) -> Answer {
    answers::latest(&request, RecordKind::named(&kind)?, SymbolStyle::Stock).await
}

/// `GET /v2/stocks/{symbol}/{bars,trades,quotes}/latest`
pub(super) async fn latest_of_one(request: RestRequest, path: Path<(String, String)>) -> Answer {
    let kind = RecordKind::named(&path.1)?;
    let RequestedSymbol { name, id } = request.symbol(&path.0)?;
    let open = request.params().open_bars()?;
    let mut out = format!("{{\"symbol\":\"{name}\",\"{}\":", kind.singular()).into_bytes();
    if !kind.write_latest(&request.feed.archive, id, open, &mut JsonRowWriter::default(), &mut out) {
        return Err(ApiError::NoRecord { kind: kind.singular(), symbol: name.to_string() });
    }
    out.push(b'}');
    Ok(request.answer(out).await)
}

/// `GET /v2/stocks/snapshots`
pub(super) async fn snapshots(request: RestRequest) -> Answer {
    let mut out = Vec::new();
    answers::write_snapshots(&request, SymbolStyle::Stock, &mut out).await?;
    Ok(request.answer(out).await)
}

/// `GET /v2/stocks/{symbol}/snapshot`
pub(super) async fn snapshot_of_one(request: RestRequest, symbol: Path<String>) -> Answer {
    let RequestedSymbol { name, id } = request.symbol(&symbol)?;
    let summary = request.feed.archive.summary(id, request.params().open_bars()?);
    let mut out = Vec::new();
    write_snapshot(&summary, Some(name), &mut JsonRowWriter::default(), &mut out);
    Ok(request.answer(out).await)
}
