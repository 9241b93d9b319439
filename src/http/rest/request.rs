use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest, HttpResponse};

use crate::http::access::{AccessPermit, Permitted, and_then};
use crate::http::compression::{CodedText, ContentCoding};
use crate::http::error::ApiError;
use crate::http::feeds::ServedFeed;
use crate::http::query::QueryParams;
use crate::http::state::{AppState, hub_of};
use crate::model::{Symbol, SymbolId, Universe};

/// A REST request that is authorised: an extractor. Make it a handler's first argument, so that this check comes before
/// those of other extractors.
pub(in crate::http) struct RestRequest {
    pub(in crate::http) state: Data<AppState>,
    /// The feed of the request.
    pub(in crate::http) feed: Arc<ServedFeed>,
    /// The instruments that the worker's hub knows: the universe may grow.
    pub(in crate::http) universe: Arc<Universe>,
    access: AccessPermit,
    coding: ContentCoding,
    feed_choice: FeedChoice,
}

/// What of a request chose its feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FeedChoice {
    /// A part of the path, `{feed}`. The key was checked for it.
    Path,
    /// The parameter `feed`, or nothing.
    Query,
}

impl FromRequest for RestRequest {
    type Error = ApiError;
    type Future = Permitted<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let access = AccessPermit::from_request(request, payload);
        let request = request.clone();
        and_then(access, move |access| Self::permitted(&request, access))
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
    /// The request with this permit.
    fn permitted(request: &HttpRequest, access: AccessPermit) -> Result<Self, ApiError> {
        let state = request.app_data::<Data<AppState>>().expect("`routes` adds the state to the application");
        let (feed, feed_choice) = match request.match_info().get("feed") {
            Some(name) => {
                let (name, feed) = state.feeds.at_path(name).ok_or(ApiError::NoSuchPath)?;
                access.check_feed_named(name)?;
                (feed, FeedChoice::Path)
            }
            None => {
                let feed = state.feeds.requested(access.query().value("feed"))?;
                if state.feeds.several().is_some() {
                    access.check_feed(feed.name)?;
                }
                (feed, FeedChoice::Query)
            }
        };
        Ok(Self {
            state: state.clone(),
            feed: Arc::clone(feed),
            universe: hub_of(request, feed).universe(),
            access,
            coding: ContentCoding::negotiate(request.headers(), &[ContentCoding::Gzip]),
            feed_choice,
        })
    }

    /// The parameters.
    pub(in crate::http) fn params(&self) -> &QueryParams {
        self.access.query()
    }

    /// An answer with this JSON, compressed if the client accepts that. It is compressed in steps, between
    /// which the worker's sessions are served.
    pub(in crate::http) async fn answer(&self, json: Vec<u8>) -> HttpResponse {
        CodedText::new(json, self.coding).await.into_json()
    }

    /// The content coding that the client prefers.
    pub(super) const fn coding(&self) -> ContentCoding {
        self.coding
    }

    /// The parameter `symbols`, without those that the market does not have. For market data: refuses a feed
    /// that the key does not allow.
    pub(super) fn symbols(&self, style: SymbolStyle) -> Result<Vec<RequestedSymbol>, ApiError> {
        self.check_market_data()?;
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
        self.check_market_data()?;
        let found = text.parse().ok().and_then(|symbol| Some((symbol, self.universe.find(&symbol)?)));
        let (name, id) = found.ok_or_else(|| ApiError::UnknownSymbol(text.to_owned()))?;
        self.access.check_symbol(&name)?;
        Ok(RequestedSymbol { name, id })
    }

    /// Refuses market data of a feed that the key does not allow.
    pub(in crate::http) fn check_market_data(&self) -> Result<(), ApiError> {
        match self.feed_choice {
            FeedChoice::Path => Ok(()),
            FeedChoice::Query => self.access.check_feed(self.state.feeds.default_feed().name),
        }
    }

    /// Refuses a symbol that the key does not allow.
    pub(in crate::http) fn check_symbol(&self, symbol: &Symbol) -> Result<(), ApiError> {
        self.access.check_symbol(symbol)
    }
}
