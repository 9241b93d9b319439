use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{Error, FromRequest, HttpRequest, HttpResponse};

use crate::http::access::AccessPermit;
use crate::http::compression::{CodedText, ContentCoding};
use crate::http::error::ApiError;
use crate::http::feeds::ServedFeed;
use crate::http::query::QueryParams;
use crate::http::state::{AppState, hub_of};
use crate::model::{Symbol, SymbolId, Universe};

/// A REST request that is authorised: an extractor. Make it a handler's first argument, so that this check comes before
/// those of other extractors.
pub(super) struct RestRequest {
    pub(super) state: Data<AppState>,
    /// The feed of the request.
    pub(super) feed: Arc<ServedFeed>,
    /// The instruments that the worker's hub knows: the universe may grow.
    pub(super) universe: Arc<Universe>,
    access: AccessPermit,
    coding: ContentCoding,
}

impl FromRequest for RestRequest {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let access = AccessPermit::from_request(request, payload);
        let state = Data::<AppState>::from_request(request, payload);
        let request = request.clone();
        let coding = ContentCoding::negotiate(request.headers(), &[ContentCoding::Gzip]);
        Box::pin(async move {
            let (access, state) = (access.await?, state.await?);
            let feed = Arc::clone(state.feeds.requested(access.query().value("feed"))?);
            if state.feeds.several().is_some() {
                access.check_feed(feed.name)?;
            }
            let universe = hub_of(&request, &feed).universe();
            Ok(Self { state, feed, universe, access, coding })
        })
    }
}

/// A symbol of a request that the market has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RequestedSymbol {
    /// As the client wrote it, and as the answer names it: `AAPL`, or `AAPL/USD` where pairs are asked for.
    pub(super) name: Symbol,
    pub(super) id: SymbolId,
}

/// How an API names instruments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SymbolStyle {
    /// `AAPL`.
    Stock,
    /// `AAPL/USD`, or `AAPL` alone.
    Pair,
}

impl SymbolStyle {
    /// The instrument that this name stands for.
    fn instrument(self, name: &Symbol) -> Option<Symbol> {
        match (self, name.as_str().strip_suffix("/USD")) {
            (Self::Pair, Some(base)) => base.parse().ok(),
            _ => Some(*name),
        }
    }
}

impl RestRequest {
    /// The parameters.
    pub(super) fn params(&self) -> &QueryParams {
        self.access.query()
    }

    /// An answer with this JSON, compressed if the client accepts that. It is compressed in steps, between
    /// which the worker's sessions are served.
    pub(super) async fn answer(&self, json: Vec<u8>) -> HttpResponse {
        CodedText::new(json, self.coding).await.into_json()
    }

    /// The content coding that the client prefers.
    pub(super) const fn coding(&self) -> ContentCoding {
        self.coding
    }

    /// The parameter `symbols`, without those that the market does not have. For market data: refuses a feed
    /// that the key does not allow.
    pub(super) fn symbols(&self, style: SymbolStyle) -> Result<Vec<RequestedSymbol>, ApiError> {
        self.access.check_feed(self.state.feeds.default_feed().name)?;
        let mut known = Vec::new();
        for name in self.params().symbols()? {
            let Some(symbol) = style.instrument(&name) else { continue };
            self.access.check_symbol(&symbol)?;
            known.extend(self.universe.find(&symbol).map(|id| RequestedSymbol { name, id }));
        }
        Ok(known)
    }

    /// The symbol of a path. For market data: refuses a feed that the key does not allow.
    pub(super) fn symbol(&self, text: &str) -> Result<RequestedSymbol, ApiError> {
        self.access.check_feed(self.state.feeds.default_feed().name)?;
        let found = text.parse().ok().and_then(|symbol| Some((symbol, self.universe.find(&symbol)?)));
        let (name, id) = found.ok_or_else(|| ApiError::UnknownSymbol(text.to_owned()))?;
        self.access.check_symbol(&name)?;
        Ok(RequestedSymbol { name, id })
    }
}
