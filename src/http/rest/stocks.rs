use std::time::SystemTime;

use actix_web::HttpResponse;
use actix_web::body::MessageBody;
use actix_web::http::header::ContentType;
use actix_web::rt::task::yield_now;
use actix_web::web::Path;

use super::error::RestError;
use super::page::{Page, Progress, ResponseShape};
use super::params::QueryParams;
use super::request::RestRequest;
use super::series::RecordKind;
use super::snapshot::write_snapshot;
use crate::http::AppState;
use crate::model::{SymbolId, Timestamp};
use crate::wire::JsonRowWriter;

type Answer = Result<HttpResponse, RestError>;

/// So many symbols' newest rows are encoded before others have their turn: a tenth of a millisecond.
const SYMBOLS_PER_TURN: usize = 100;

/// `GET /v2/stocks/{bars,trades,quotes}`
pub(super) async fn pages(inquiry: RestRequest, kind: Path<String>) -> Answer {
    let kind = RecordKind::named(&kind)?;
    let ask = inquiry.ask()?;
    let symbols = inquiry.symbols(&ask)?;
    page(&inquiry.house, kind, ResponseShape::Many, symbols, &ask).await
}

/// `GET /v2/stocks/{symbol}/{bars,trades,quotes}`
pub(super) async fn pages_of_one(inquiry: RestRequest, path: Path<(String, String)>) -> Answer {
    let kind = RecordKind::named(&path.1)?;
    let (symbol, id) = inquiry.symbol(&path.0)?;
    let ask = inquiry.ask()?;
    page(&inquiry.house, kind, ResponseShape::Single(symbol), vec![id], &ask).await
}

/// `GET /v2/stocks/{bars,trades,quotes}/latest`
pub(super) async fn latest(inquiry: RestRequest, kind: Path<String>) -> Answer {
    let kind = RecordKind::named(&kind)?;
    let symbols = inquiry.symbols(&inquiry.ask()?)?;
    let house = &inquiry.house;
    let mut out = format!("{{\"{}\":", kind.plural()).into_bytes();
    by_symbol(house, symbols, &mut out, |id, writer, out| kind.write_latest(&house.archive, id, writer, out))
        .await;
    out.push(b'}');
    Ok(json(out))
}

/// `GET /v2/stocks/{symbol}/{bars,trades,quotes}/latest`
pub(super) async fn latest_of_one(inquiry: RestRequest, path: Path<(String, String)>) -> Answer {
    let kind = RecordKind::named(&path.1)?;
    let (symbol, id) = inquiry.symbol(&path.0)?;
    let mut out = format!("{{\"symbol\":\"{symbol}\",\"{}\":", kind.singular()).into_bytes();
    if !kind.write_latest(&inquiry.house.archive, id, &mut JsonRowWriter::default(), &mut out) {
        return Err(RestError::None { what: kind.singular(), symbol: symbol.to_string() });
    }
    out.push(b'}');
    Ok(json(out))
}

/// `GET /v2/stocks/snapshots`
pub(super) async fn snapshots(inquiry: RestRequest) -> Answer {
    let symbols = inquiry.symbols(&inquiry.ask()?)?;
    let house = &inquiry.house;
    let mut out = Vec::new();
    by_symbol(house, symbols, &mut out, |id, writer, out| {
        write_snapshot(&house.archive.summary(id), None, writer, out);
        true
    })
    .await;
    Ok(json(out))
}

/// `GET /v2/stocks/{symbol}/snapshot`
pub(super) async fn snapshot_of_one(inquiry: RestRequest, symbol: Path<String>) -> Answer {
    let (symbol, id) = inquiry.symbol(&symbol)?;
    let summary = inquiry.house.archive.summary(id);
    let mut out = Vec::new();
    write_snapshot(&summary, Some(symbol), &mut JsonRowWriter::default(), &mut out);
    Ok(json(out))
}

async fn page(
    house: &AppState,
    kind: RecordKind,
    form: ResponseShape,
    symbols: Vec<SymbolId>,
    ask: &QueryParams,
) -> Answer {
    let series = kind.series(ask)?;
    let ask = ask.page(now())?;
    let mut page = Page::new(&house.archive, &house.universe, (series, form), symbols, &ask);
    while page.step() == Progress::More {
        // The sessions of this worker come first.
        yield_now().await;
    }
    Ok(json(page.finish()))
}

/// Appends an object with an entry for each symbol that has one.
async fn by_symbol(
    house: &AppState,
    symbols: Vec<SymbolId>,
    out: &mut Vec<u8>,
    mut entry: impl FnMut(SymbolId, &mut JsonRowWriter, &mut Vec<u8>) -> bool,
) {
    let mut writer = JsonRowWriter::default();
    out.push(b'{');
    let opened = out.len();
    for symbols in symbols.chunks(SYMBOLS_PER_TURN) {
        for id in symbols {
            let begin = out.len();
            out.extend_from_slice(format!("\"{}\":", house.universe.instrument(*id).symbol).as_bytes());
            match entry(*id, &mut writer, out) {
                true => out.push(b','),
                false => out.truncate(begin),
            }
        }
        yield_now().await;
    }
    if out.len() > opened {
        out.pop();
    }
    out.push(b'}');
}

pub(super) fn json(body: impl MessageBody + 'static) -> HttpResponse {
    HttpResponse::Ok().content_type(ContentType::json()).body(body)
}

pub(super) fn now() -> Timestamp {
    Timestamp::from(SystemTime::now())
}
